// SPDX-License-Identifier: Apache-2.0

#include "service/reporting/hourly_cap.hpp"

namespace countersign::service {

bool HourlyCap::admits(const std::string& name, std::chrono::sys_seconds now) {
  auto found = hours_.find(name);
  if (found == hours_.end()) {
    if (hours_.size() >= names_max_)
      std::erase_if(hours_, [now](const auto& one) { return !one.second.holds(now); });
    if (hours_.size() >= names_max_) return false;
    found = hours_.emplace(name, Hour{.begin = now}).first;
  }
  Hour& hour = found->second;
  if (!hour.holds(now)) hour = {.begin = now};
  if (hour.count >= per_hour_) return false;
  ++hour.count;
  return true;
}

}  // namespace countersign::service
