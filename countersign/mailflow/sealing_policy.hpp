// SPDX-License-Identifier: Apache-2.0
//
// Whose seal goes on mail that is handed on, and which mail that is, as an immutable value.
//
// A seal is the word of a host that others' mail passes through, for those who get it next. So mail
// that was judged is sealed, and mail that was judged and comes back from a program of ours which
// changed it, as a list manager does. Mail that our own users write is not: its DKIM signature says
// all that a seal could, and there are no results to hand on. RFC 8617 §5.1

#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "countersign/arc/sealer.hpp"
#include "countersign/mailflow/action.hpp"
#include "countersign/mailflow/host_list.hpp"

namespace countersign::mailflow {

/// A field that mail must have to be sealed.
struct HeaderCheck {
  std::string name;
  std::function<bool(std::string_view value)> matches;
};

/// As whom and what is sealed.
struct SealingPolicy {
  arc::SealingIdentity identity;
  /// Mail from outside that was judged and is handed on. Needs JudgingPolicy::arc.
  bool judged = false;
  /// Clients of ours whose mail is sealed if it bears results of ours from when it came in: they
  /// are believed about them, and about the chain that the mail then had.
  HostList returned;
  /// One must match, where there are any (SealHeaderChecks).
  std::vector<HeaderCheck> header_checks;
  Action on_error = Action::accept;  ///< of mail that should be sealed and cannot be
  std::string software_header;       ///< of an ARC-Filter field; empty: none
};

}  // namespace countersign::mailflow
