// SPDX-License-Identifier: Apache-2.0

#include "countersign/mailflow/failure_policy.hpp"

namespace countersign::mailflow {

report::Privacy FailurePolicy::privacy_for(const DomainName& /*policy_domain*/,
                                           const std::vector<std::string>& /*recipients*/) const {
  return usual;
}

}  // namespace countersign::mailflow
