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
  std::string message;  ///< header, empty line, body
  std::chrono::sys_seconds now{std::chrono::seconds{1'750'000'060}};
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

/// A policy that judges, as "mx.example.org".
[[nodiscard]] mailflow::Policy judging_policy();

/// Runs the message through the filter. Its Asking must not ask a question twice.
[[nodiscard]] Arrived arrive(const Arrival& arrival, const mailflow::Policy& policy,
                             const AnswerOf& answer_of);
/// The same with a zone for DNS, in the form of a master file.
[[nodiscard]] Arrived arrive(const Arrival& arrival, const mailflow::Policy& policy,
                             std::string_view zone);

}  // namespace countersign::test
