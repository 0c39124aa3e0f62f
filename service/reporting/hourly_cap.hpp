// SPDX-License-Identifier: Apache-2.0
//
// So much for each name an hour, in bounded memory: when there are more names than are remembered,
// a new one gets nothing until the hour of another is over.

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>

namespace countersign::service {

/// Counts by name. One thread.
class HourlyCap {
 public:
  /// names_max   names that are remembered at a time.
  HourlyCap(std::uint64_t per_hour, std::size_t names_max)
      : per_hour_(per_hour), names_max_(names_max) {}

  /// True when the name may have one more; it is counted then.
  [[nodiscard]] bool admits(const std::string& name, std::chrono::sys_seconds now);
  /// Names that are remembered.
  [[nodiscard]] std::size_t names() const { return hours_.size(); }

 private:
  struct Hour {
    std::chrono::sys_seconds begin;
    std::uint64_t count = 0;

    /// False too when the clock was set back.
    [[nodiscard]] bool holds(std::chrono::sys_seconds now) const {
      return begin <= now && now < begin + std::chrono::hours(1);
    }
  };

  std::uint64_t per_hour_;
  std::size_t names_max_;
  std::unordered_map<std::string, Hour> hours_;
};

}  // namespace countersign::service
