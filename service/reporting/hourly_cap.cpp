// SPDX-License-Identifier: Apache-2.0

#include "service/reporting/hourly_cap.hpp"

#include <utility>

#include "countersign/text/abnf.hpp"

namespace countersign::service {
namespace {

constexpr std::size_t site_labels = 2;

std::string name_of(const Mailbox& address) {
  std::string name = address.address();
  for (char& c : name) c = text::to_lower(c);
  return name;
}

}  // namespace

Admission HourlyCap::admit(const Mailbox& address, std::chrono::sys_seconds now) {
  const std::string name = name_of(address);
  auto found = hours_.find(name);
  if (found == hours_.end()) {
    std::string site(address.domain.suffix(site_labels));
    if (!has_room(site)) forget_what_is_over(now);
    if (!has_room(site)) return Admission::no_room;
    ++sites_[site];
    found = hours_.emplace(name, Hour{.site = std::move(site), .begin = now}).first;
  }
  Hour& hour = found->second;
  if (!hour.holds(now)) {
    hour.begin = now;
    hour.count = 0;
  }
  if (hour.count >= per_hour_) return Admission::used_up;
  ++hour.count;
  return Admission::granted;
}

bool HourlyCap::has_room(const std::string& site) const {
  const auto found = sites_.find(site);
  const std::size_t held = found == sites_.end() ? 0 : found->second;
  return held < addresses_max_ - hours_.size();
}

void HourlyCap::forget_what_is_over(std::chrono::sys_seconds now) {
  std::erase_if(hours_, [this, now](const auto& one) {
    const Hour& hour = one.second;
    if (hour.holds(now)) return false;
    const auto site = sites_.find(hour.site);
    if (--site->second == 0) sites_.erase(site);
    return true;
  });
}

}  // namespace countersign::service
