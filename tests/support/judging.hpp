// SPDX-License-Identifier: Apache-2.0
//
// A message from outside, judged in memory: the whole way that a milter session takes, with answers
// of DNS that the test gives.

#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "countersign/dns/zone.hpp"
#include "countersign/mailflow/flow.hpp"
#include "countersign/message/header_field.hpp"

namespace countersign::test {

/// Gives the answer to a question.
using AnswerOf = std::function<dns::Answer(const dns::Question&)>;

/// A message that comes in, and how.
struct Arrival {
  std::string client_ip = "192.0.2.1";
  std::string client_host = "[192.0.2.1]";
  std::string helo = "mail.example.com";
  std::string mail_from = "alice@example.com";
  std::vector<std::string> rcpt_to = {};
  std::string message;  ///< header, empty line, body
  std::chrono::sys_seconds now{std::chrono::seconds{1'750'000'060}};
  mailflow::CountRecipients count_recipients = {};
};

/// What became of it.
struct Arrived {
  mailflow::Outcome outcome;
  Header header;  ///< after all edits

  /// The judgement; there must be one.
  [[nodiscard]] const mailflow::Judgement& judgement() const { return *outcome.judgement; }
  [[nodiscard]] const mailflow::Verdict& verdict() const { return judgement().verdict; }
  /// The word of the DMARC result, as it is told.
  [[nodiscard]] std::string dmarc() const;
  /// The value of the topmost Authentication-Results field, unfolded.
  [[nodiscard]] std::string results() const;
};

/// A zone: example.com asks for reject and lets 192.0.2.1 send, quarantine.example asks for less,
/// forwarder.example lets 198.51.100.7 send.
inline constexpr std::string_view judging_zone = R"(
example.com. 60 IN TXT "v=spf1 ip4:192.0.2.1 -all"
_dmarc.example.com. 60 IN TXT "v=DMARC1; p=reject"
_dmarc.careful.example. 60 IN TXT "v=DMARC1; p=none; np=reject"
mail.example.com. 60 IN TXT "v=spf1 ip4:192.0.2.1 -all"
quarantine.example. 60 IN TXT "v=spf1 -all"
_dmarc.quarantine.example. 60 IN TXT "v=DMARC1; p=quarantine"
testing.example. 60 IN TXT "v=spf1 -all"
_dmarc.testing.example. 60 IN TXT "v=DMARC1; p=reject; t=y"
forwarder.example. 60 IN TXT "v=spf1 ip4:198.51.100.7 -all"
nothing.example. 60 IN TXT "no record of ours"
)";

/// A message by that author, by the client and the path that example.com allows; `more` are further
/// header fields.
[[nodiscard]] Arrival by(const std::string& author, const std::string& more = "");

/// A policy that judges, as "mx.example.org".
[[nodiscard]] mailflow::Policy judging_policy();

/// Runs the message through the filter. Its Asking must not ask a question twice.
[[nodiscard]] Arrived arrive(const Arrival& arrival, const mailflow::Policy& policy,
                             const AnswerOf& answer_of);
/// The same with a zone for DNS, in the form of a master file.
[[nodiscard]] Arrived arrive(const Arrival& arrival, const mailflow::Policy& policy,
                             std::string_view zone);

}  // namespace countersign::test
