// SPDX-License-Identifier: Apache-2.0

#include "countersign/mailflow/action.hpp"

namespace countersign::mailflow {

std::string_view to_string(Action action) {
  switch (action) {
    case Action::accept:
      return "accept";
    case Action::discard:
      return "discard";
    case Action::quarantine:
      return "quarantine";
    case Action::reject:
      return "reject";
    case Action::tempfail:
      return "tempfail";
  }
  return "accept";
}

unsigned severity(Action action) {
  switch (action) {
    case Action::accept:
      return 0;
    case Action::quarantine:
      return 1;
    case Action::tempfail:
      return 2;
    case Action::reject:
      return 3;
    case Action::discard:
      return 4;
  }
  return 0;
}

}  // namespace countersign::mailflow
