// SPDX-License-Identifier: Apache-2.0
//
// The whole verdict on a message as a document: what `countersign verify` and `countersign explain`
// print, and what they draw their tree from.

#pragma once

#include <boost/json/fwd.hpp>
#include <string>
#include <vector>

#include "countersign/limits.hpp"
#include "countersign/mailflow/envelope.hpp"
#include "countersign/mailflow/judgement.hpp"
#include "service/dns/asked_questions.hpp"

namespace countersign::service {

/// A judgement and what it was made from.
struct VerdictReport {
  const mailflow::Judgement& judgement;
  const mailflow::Envelope& envelope;
  Limits limits;                     ///< that it was made under
  std::vector<AskedQuestion> asked;  ///< in their order
};

/// The verdict as {spf, helo, dkim, arc, dmarc, iprev, ambiguities, authentication_results,
/// removed_fields, action, shadow, rule, text, reply, overrides, questions}. What was not checked
/// is null.
///
/// spf, helo    {result, reason, domain, identity, …}, as `countersign spf --json` has it
/// arc          {result, reason, chain: [{instance, sealer, selector, seal, message_signature}]}
/// dmarc        as `countersign dmarc --json` has it, with alignment: {dkim, spf}; null or empty
///              but for result and reason where From does not give one domain
/// shadow       true when only the log is told of the action (judging.shadow)
/// text         the reason, for whoever gets the reply or looks into the hold queue
/// reply        what the client of SMTP is told; null when the message is accepted
[[nodiscard]] boost::json::object to_json(const VerdictReport& report);

}  // namespace countersign::service
