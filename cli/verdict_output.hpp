// SPDX-License-Identifier: Apache-2.0
//
// The whole verdict on a message, as people and as programs read it.

#pragma once

#include <boost/json/fwd.hpp>
#include <string>
#include <vector>

#include "cli/terminal.hpp"
#include "countersign/dns/question.hpp"
#include "countersign/mailflow/envelope.hpp"
#include "countersign/mailflow/judgement.hpp"

namespace countersign::cli {

/// A question of DNS that was asked, and how it was answered.
struct AskedQuestion {
  dns::Question question;
  dns::AnswerStatus status = dns::AnswerStatus::records;
};

/// A judgement and what it was made from.
struct VerdictReport {
  const mailflow::Judgement& judgement;
  const mailflow::Envelope& envelope;
  std::vector<AskedQuestion> asked;  ///< in the order of the answers
};

/// The verdict as {spf, helo, dkim, arc, dmarc, iprev, ambiguities, authentication_results,
/// removed_fields, action, rule, reply, overrides, questions}. What was not checked is null.
///
/// spf, helo    {result, reason, domain, identity, …}, as `countersign spf --json` has it
/// arc          {result, reason, chain: [{instance, sealer, selector, seal, message_signature}]}
/// dmarc        as `countersign dmarc --json` has it, with alignment: {dkim, spf}; for ambiguous
///              mail result and reason alone
/// reply        what the client of SMTP is told; null when the message is accepted
[[nodiscard]] boost::json::object to_json(const VerdictReport& report);

/// Prints the verdict for people on standard output, as a tree.
void print_report(const Terminal& terminal, const VerdictReport& report);

}  // namespace countersign::cli
