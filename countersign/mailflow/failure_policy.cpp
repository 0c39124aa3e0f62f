// SPDX-License-Identifier: Apache-2.0

#include "countersign/mailflow/failure_policy.hpp"

#include <algorithm>
#include <string_view>

namespace countersign::mailflow {

namespace {

bool contains_domain_of(const DomainSet& set, std::string_view path) {
  const std::size_t at = path.rfind('@');
  if (at == path.npos) return false;
  const auto domain = DomainName::parse(path.substr(at + 1));
  return domain && set.contains(*domain);
}

}  // namespace

report::Privacy FailurePolicy::privacy_for(const DomainName& policy_domain,
                                           const std::vector<std::string>& recipients) const {
  if (is_off()) return report::Privacy::never;
  const auto applies = [&](const DomainSet& set) {
    return !is_empty(set) && (set.contains(policy_domain) ||
                              std::ranges::any_of(recipients, [&set](const std::string& path) {
                                return contains_domain_of(set, path);
                              }));
  };
  if (applies(never)) return report::Privacy::never;
  if (applies(redacted)) return report::Privacy::redacted;
  return full_headers.contains(policy_domain) ? report::Privacy::full_headers : usual;
}

}  // namespace countersign::mailflow
