// SPDX-License-Identifier: Apache-2.0
//
// What is done with a message from outside: the verdict meets the wishes of the domain's owner and
// the rules of the operator.
//
// Each rule that applies names an action, and the hardest one is done. A DMARC policy is what its
// owner asks for and not yet what happens: where somebody is trusted it is set aside, and where it
// asks for reject it is not followed that far unless something else speaks against the message too
// (RFC 9989 §7.4, S-44). That something is: the domain does not exist; or SPF says fail for a
// domain of the author's, no signature of the author's domain is there, not even a broken one, and
// nothing shows that a list or a forwarder had the message in hand.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "countersign/dmarc/record.hpp"
#include "countersign/limits.hpp"
#include "countersign/mailflow/action.hpp"
#include "countersign/mailflow/envelope.hpp"
#include "countersign/mailflow/judging_policy.hpp"
#include "countersign/mailflow/verdict.hpp"
#include "countersign/report/evaluation.hpp"

namespace countersign::mailflow {

/// A rule that applied. Each has a setting of that name in Actions, if not said otherwise.
enum class Rule : std::uint8_t {
  ambiguous,
  bare_line_end,
  dmarc_quarantine,
  dmarc_reject,
  dmarc_temperror,
  dmarc_permerror,
  spf_fail,
  spf_softfail,
  spf_temperror,
  spf_permerror,
  helo_fail,
  no_signature,
  bad_signature,
  key_not_found,
  dns_error,
  bad_key,
  unauthenticated,
  replayed,
};

/// The enumerator itself, for logs and JSON.
[[nodiscard]] std::string_view name_of(Rule rule);

/// Why a policy was not carried out, with what that rests on in words that are safe to print.
/// RFC 9990 §3.1.1.11
struct Override {
  report::OverrideReason reason = report::OverrideReason::other;
  std::string comment;

  friend bool operator==(const Override&, const Override&) = default;
};

/// What is done, and why.
struct Disposition {
  Action action = Action::accept;
  /// The rule that decided; nothing when none applied.
  std::optional<Rule> rule;
  /// For reject and tempfail: basic and enhanced status code, "550 5.7.26". RFC 7372 §3
  std::string codes;
  std::string text;  ///< for whoever gets the reply, or looks into the hold queue
  /// What became of the owner's policy, for reports. RFC 9990 §3.1.1.9
  dmarc::AssessmentPolicy applied = dmarc::AssessmentPolicy::none;
  /// Why that is less than the policy; empty when it is not.
  std::vector<Override> overrides;
};

/// Decides. The verdict's text of strangers goes into the reply only as checked domain names.
///
/// limits       for what sealers wrote into the message.
/// RFC 9989 §5.3.6, §7.4, §8
[[nodiscard]] Disposition dispose(const Verdict& verdict, const Envelope& envelope,
                                  const JudgingPolicy& policy, const Limits& limits);

}  // namespace countersign::mailflow
