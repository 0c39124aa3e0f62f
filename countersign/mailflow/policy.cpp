// SPDX-License-Identifier: Apache-2.0
//
// The one decision that a policy value makes by itself.

#include "countersign/mailflow/policy.hpp"

namespace countersign::mailflow {

bool DomainSet::contains(const DomainName& domain) const {
  if (all) return !entries.denies(domain.text());
  return entries.match(domain.text(), std::nullopt).has_value();
}

}  // namespace countersign::mailflow
