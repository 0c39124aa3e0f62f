// SPDX-License-Identifier: Apache-2.0
//
// When a node of a fleet is to remove what is too old from the store that they share.

#pragma once

#include <chrono>

#include "service/store/record.hpp"

namespace countersign::service::store {

/// The expiry is due once a day, and at the start. Each node waits another while after midnight, so
/// that they do not all want the same rows; what failed is tried again later.
class ExpirySchedule {
 public:
  using Instant = std::chrono::steady_clock::time_point;

  /// How long a node may wait after midnight UTC.
  static constexpr std::chrono::seconds longest_delay{3'600};
  /// After that long another attempt is made.
  static constexpr std::chrono::seconds pause{600};

  /// delay   how long this node waits after midnight UTC.
  explicit ExpirySchedule(std::chrono::seconds delay) : delay_(delay) {}

  /// True when it is time to begin, or to go on.
  [[nodiscard]] bool is_due(std::chrono::sys_seconds now, Instant instant) const {
    return day_of(now) != done_on_ && instant >= not_before_;
  }
  /// Nothing is left that is too old.
  void done(std::chrono::sys_seconds now) { done_on_ = day_of(now); }
  /// It could not be removed.
  void failed(Instant instant) { not_before_ = instant + pause; }

 private:
  [[nodiscard]] Day day_of(std::chrono::sys_seconds now) const {
    return std::chrono::floor<std::chrono::days>(now - delay_);
  }

  std::chrono::seconds delay_;
  Day done_on_{};
  Instant not_before_{};
};

}  // namespace countersign::service::store
