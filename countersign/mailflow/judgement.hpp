// SPDX-License-Identifier: Apache-2.0
//
// What was found out about a message from outside and what is done about it, as one value: for the
// log, for those who ask for an explanation, and for the reports, whose rows evaluation.hpp makes.

#pragma once

#include <cstddef>
#include <string>

#include "countersign/mailflow/disposition.hpp"
#include "countersign/mailflow/verdict.hpp"

namespace countersign::mailflow {

/// A judgement on one message.
struct Judgement {
  Verdict verdict;
  Disposition disposition;
  /// The Authentication-Results field that was written, with its name, folded; empty when none was.
  std::string results_field;
  std::size_t removed_fields = 0;  ///< forged ones that the header had
  /// Nothing of this was carried out. JudgingPolicy::shadow
  bool is_shadow = false;
  /// Somebody counts messages, and this one is to be counted: it was not for our own report
  /// addresses alone, and will not come again.
  bool is_counted = false;
};

/// The judgement in one line of words, for the log: "spf=pass dkim=pass dmarc=pass; …".
[[nodiscard]] std::string to_string(const Judgement& judgement);

}  // namespace countersign::mailflow
