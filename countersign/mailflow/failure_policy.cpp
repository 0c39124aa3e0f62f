// SPDX-License-Identifier: Apache-2.0

#include "countersign/mailflow/failure_policy.hpp"

#include <algorithm>
#include <optional>
#include <string_view>

namespace countersign::mailflow {

namespace {

using report::Privacy;

std::optional<DomainName> domain_of(std::string_view path) {
  const std::size_t at = path.rfind('@');
  if (at == path.npos) return std::nullopt;
  const auto domain = DomainName::parse(path.substr(at + 1));
  return domain ? std::optional(*domain) : std::nullopt;
}

}  // namespace

std::optional<Privacy> FailurePolicy::reserve_of(const DomainName& domain) const {
  if (never.contains(domain)) return Privacy::never;
  return redacted.contains(domain) ? std::optional(Privacy::redacted) : std::nullopt;
}

Privacy FailurePolicy::privacy_for(const DomainName& policy_domain,
                                   const std::vector<std::string>& recipients) const {
  if (is_off()) return Privacy::never;
  std::optional<Privacy> least = reserve_of(policy_domain);
  if (!least && full_headers.contains(policy_domain)) least = Privacy::full_headers;
  // Where no set has the domain of the policy, it says nothing of its own: recipients decide.
  const Privacy unlisted = least.value_or(usual);
  for (const std::string& path : recipients) {
    const std::optional<DomainName> domain = domain_of(path);
    if (!domain) continue;
    const Privacy answer = reserve_of(*domain).value_or(unlisted);
    least = std::min(least.value_or(answer), answer);
  }
  return least.value_or(unlisted);
}

}  // namespace countersign::mailflow
