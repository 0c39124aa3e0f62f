// SPDX-License-Identifier: Apache-2.0

#include "countersign/report/evaluation.hpp"

#include "countersign/assert.hpp"

namespace countersign::report {

std::string_view to_string(ActionDisposition disposition) {
  switch (disposition) {
    case ActionDisposition::none:
      return "none";
    case ActionDisposition::pass:
      return "pass";
    case ActionDisposition::quarantine:
      return "quarantine";
    case ActionDisposition::reject:
      return "reject";
  }
  COUNTERSIGN_ASSERT(false);
  return {};
}

std::string_view to_string(DiscoveryMethod method) {
  return method == DiscoveryMethod::psl ? "psl" : "treewalk";
}

std::string_view to_string(OverrideReason reason) {
  switch (reason) {
    case OverrideReason::local_policy:
      return "local_policy";
    case OverrideReason::mailing_list:
      return "mailing_list";
    case OverrideReason::other:
      return "other";
    case OverrideReason::policy_test_mode:
      return "policy_test_mode";
    case OverrideReason::trusted_forwarder:
      return "trusted_forwarder";
  }
  COUNTERSIGN_ASSERT(false);
  return {};
}

}  // namespace countersign::report
