// SPDX-License-Identifier: Apache-2.0

#include "tests/support/judging.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <utility>

#include "countersign/message/splitter.hpp"

namespace countersign::test {

std::string Arrived::dmarc() const {
  const auto result = verdict().dmarc_result();
  return result ? std::string(to_string(*result)) : "";
}

std::string Arrived::results() const {
  const HeaderField* field = find_field(header, "Authentication-Results");
  if (field == nullptr) return {};
  std::string text;
  for (const char c : field->value()) {
    if (c == '\r' || c == '\n') continue;
    text += c == '\t' ? ' ' : c;
  }
  return text;
}

Arrival by(const std::string& author, const std::string& more) {
  return {.mail_from = author,
          .message = "From: " + author + "\r\n" + more +
                     "To: bob@example.org\r\nSubject: x\r\n\r\nHi\r\n"};
}

mailflow::Policy judging_policy() {
  mailflow::Policy policy;
  policy.signs = false;
  policy.judging.results.authserv_id = "mx.example.org";
  policy.judging.iprev = false;
  return policy;
}

Arrived arrive(const Arrival& arrival, const mailflow::Policy& policy, const AnswerOf& answer_of) {
  const Result<Message, SplitError> message = split_message(arrival.message, policy.limits);
  mailflow::Envelope envelope;
  envelope.client_ip = IpAddress::parse(arrival.client_ip);
  envelope.client_host = arrival.client_host;
  envelope.helo = arrival.helo;
  envelope.mail_from = arrival.mail_from;
  envelope.rcpt_to = arrival.rcpt_to;
  mailflow::Flow flow(std::make_shared<const mailflow::Policy>(policy), envelope, message->header,
                      std::nullopt, arrival.count_recipients);
  EXPECT_TRUE(flow.is_judged());
  flow.body(message->body);
  Arrived arrived{dns::run_with(std::move(flow).finish(arrival.now), answer_of), message->header};
  mailflow::apply_edits(arrived.outcome.edits, arrived.header);
  return arrived;
}

Arrived arrive(const Arrival& arrival, const mailflow::Policy& policy, std::string_view zone) {
  const Result<dns::Zone, dns::ZoneError> parsed = dns::Zone::parse(zone, Limits{});
  EXPECT_TRUE(parsed) << parsed.error().message;
  return arrive(arrival, policy,
                [&](const dns::Question& question) { return parsed->answer(question); });
}

}  // namespace countersign::test
