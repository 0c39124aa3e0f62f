// SPDX-License-Identifier: Apache-2.0

#include "countersign/mailflow/domain_set.hpp"

namespace countersign::mailflow {

bool DomainSet::contains(const DomainName& domain) const {
  if (all) return !entries.denies(domain.text());
  return entries.match(domain.text(), std::nullopt).has_value();
}

}  // namespace countersign::mailflow
