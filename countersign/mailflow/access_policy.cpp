// SPDX-License-Identifier: Apache-2.0

#include "countersign/mailflow/access_policy.hpp"

#include "countersign/text/abnf.hpp"

namespace countersign::mailflow {

SpfAccessPolicies::Choice SpfAccessPolicies::choose(std::string_view recipient) const {
  if (of_recipients.empty() || recipient.empty()) return {.whose = {}, .policy = usual};
  const std::string address = text::to_lower(recipient);
  const std::size_t at = address.rfind('@');
  auto found = of_recipients.find(address);
  if (found == of_recipients.end() && at != std::string::npos)
    found = of_recipients.find(std::string_view(address).substr(at));
  if (found == of_recipients.end()) return {.whose = {}, .policy = usual};
  return {.whose = found->first, .policy = *found->second};
}

}  // namespace countersign::mailflow
