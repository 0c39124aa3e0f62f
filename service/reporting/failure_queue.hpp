// SPDX-License-Identifier: Apache-2.0
//
// Failures that wait for their report: those that are alike within a time become one, of which the
// first message is shown and the others are counted. What a flood of forgeries can take is bounded,
// and so is what one domain can take of that: whoever forges for a domain of his own must not
// silence the reports of all others.
// RFC 9991 §3.3

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "countersign/limits.hpp"
#include "countersign/mailflow/failed_message.hpp"

namespace countersign::service {

/// Failures that are told in one report.
struct FailureGroup {
  std::shared_ptr<const mailflow::FailureToReport> first;
  std::uint64_t incidents = 1;
  std::size_t octets = 0;  ///< about as much memory as the first message takes
};

/// How much may wait.
struct FailureBounds {
  std::size_t groups = 10'000;
  std::size_t octets = 16UL << 20U;
  /// A policy domain may hold one part of so many of both; one group it may hold always.
  std::size_t shares = 8;
  std::size_t header_octets = Limits().failure_header_bytes_max;
  std::size_t header_fields = 256;  ///< each takes memory, however short it is
};

/// What became of a failure.
enum class Queued : std::uint8_t {
  first,    ///< it begins a group
  counted,  ///< it belongs to a group that waits
  dropped,  ///< there is no room for another group, or not for one of this domain
};

/// Groups in the order in which they are due. One thread at a time.
///
/// A policy domain holds no more than its share. Whoever has a domain can publish policies at any
/// number of names below it, so all policy domains with the same last two labels hold no more
/// together than they leave free: one of these sites can fill a half, two of them a third each.
class FailureQueue {
 public:
  /// grouped   how long a group waits for more of its kind.
  FailureQueue(std::chrono::seconds grouped, FailureBounds bounds)
      : grouped_(grouped), bounds_(bounds) {}

  /// The failure with its header cut to the bounds, or itself: whole fields are left out that do
  /// not fit, from the top down once the author's has its place. May be called from any thread.
  [[nodiscard]] std::shared_ptr<const mailflow::FailureToReport> cut(
      std::shared_ptr<const mailflow::FailureToReport> failure) const;
  /// Adds a failure to its group.
  ///
  /// key       report::key_of() the message.
  Queued add(const report::FailureKey& key,
             std::shared_ptr<const mailflow::FailureToReport> failure,
             std::chrono::sys_seconds now);
  /// The group that is due first, if its time has come. A clock that was set back delays none.
  [[nodiscard]] std::optional<FailureGroup> take_due(std::chrono::sys_seconds now);
  /// When the next one is due.
  [[nodiscard]] std::optional<std::chrono::sys_seconds> next_due() const;

  [[nodiscard]] std::size_t groups() const { return groups_.size(); }
  /// Messages in all groups.
  [[nodiscard]] std::uint64_t incidents() const { return incidents_; }

 private:
  struct Waiting {
    FailureGroup group;
    std::chrono::sys_seconds due;
  };
  using Groups = std::map<report::FailureKey, Waiting>;
  struct Held {
    std::size_t groups = 0;
    std::size_t octets = 0;
  };
  using HeldByName = std::unordered_map<std::string, Held>;

  [[nodiscard]] bool has_room(const DomainName& domain, std::size_t octets) const;
  void hold(const FailureGroup& group);
  void let_go(const FailureGroup& group);

  std::chrono::seconds grouped_;
  FailureBounds bounds_;
  Groups groups_;
  std::deque<Groups::iterator> order_;  // The one that is due first in front.
  HeldByName domains_;                  // By policy domain.
  HeldByName sites_;                    // By the last labels of that.
  std::size_t octets_ = 0;
  std::uint64_t incidents_ = 0;
};

}  // namespace countersign::service
