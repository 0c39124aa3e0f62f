// SPDX-License-Identifier: Apache-2.0
//
// What is out of order for long must be known and must not fill the log.

#pragma once

#include <chrono>
#include <optional>
#include <utility>

namespace countersign::service::store {

/// An outage is told when it begins, when it ends, and now and then meanwhile.
class Outage {
 public:
  /// True when it is time to tell.
  bool begins_or_lasts() {
    const auto time = std::chrono::steady_clock::now();
    if (told_ && time - *told_ < told_again_after) return false;
    told_ = time;
    return true;
  }
  /// True when there was one.
  bool ends() { return std::exchange(told_, std::nullopt).has_value(); }

 private:
  static constexpr std::chrono::minutes told_again_after{5};
  std::optional<std::chrono::steady_clock::time_point> told_;
};

}  // namespace countersign::service::store
