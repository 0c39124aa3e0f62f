// SPDX-License-Identifier: Apache-2.0
//
// A session whose messages are judged: it waits for the outcome, and nothing gets out of order.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "countersign/dns/zone.hpp"
#include "countersign/milter/session.hpp"
#include "tests/support/judging.hpp"
#include "tests/support/milter_mta.hpp"
#include "tests/support/signing.hpp"

namespace countersign::milter {
namespace {

using test::Mta;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::StartsWith;

/// An MTA with a stranger as its client, before a filter that judges; DNS is judging_zone.
Mta judged_mta(mailflow::Policy policy = test::judging_policy()) {
  Mta mta = test::ready_mta(std::move(policy));
  const auto zone = dns::Zone::parse(test::judging_zone, Limits{}).value();
  mta.set_answers([zone](const dns::Question& question) { return zone.answer(question); });
  mta.connect("client.example", "192.0.2.1");
  mta.send(Helo{"mail.example.com"});
  return mta;
}

constexpr std::string_view results = "insert 0 Authentication-Results: mx.example.org;";

TEST(JudgingSession, WritesTheResultsAndAccepts) {
  Mta mta = judged_mta();
  EXPECT_THAT(mta.send_message("a@nothing.example"), ElementsAre(StartsWith(results), "accept"));
  ASSERT_NE(mta.outcome().judgement, nullptr);
  EXPECT_EQ(mta.outcome().judgement->verdict.dmarc_result(), dmarc::Result::none);
}

TEST(JudgingSession, RemovesForgedFieldsFromTheHighestIndexDown) {
  Mta mta = judged_mta();
  mta.send_header({"Authentication-Results: mx.example.org; dmarc=pass", "From: a@nothing.example",
                   "Authentication-Results: other.example; spf=pass",
                   "Authentication-Results: mx.example.org; spf=pass"});
  EXPECT_THAT(mta.send(EndOfBody{}),
              ElementsAre("change 3 Authentication-Results:", "change 1 Authentication-Results:",
                          StartsWith(results), "accept"));
}

TEST(JudgingSession, S21RemovesForgedFieldsBehindTheLimitsOfAHeader) {
  mailflow::Policy policy = test::judging_policy();
  policy.limits.header_fields_max = 10;
  policy.limits.field_bytes_max = 500;
  Mta mta = judged_mta(policy);
  const auto replies_to = [&mta](std::size_t others, const std::vector<std::string>& behind) {
    std::vector<std::string> fields = {"From: a@nothing.example",
                                       "Authentication-Results: other.example; spf=pass"};
    fields.resize(others + 2, "X: y");
    fields.insert(fields.end(), behind.begin(), behind.end());
    mta.send_header(fields);
    return mta.send(EndOfBody{});
  };
  const std::string ours = "AUTHENTICATION-Results: mx.example.org; dmarc=pass";
  const auto replies = replies_to(20, {"authentication-results: other.example; none", ours, ours});
  ASSERT_THAT(replies, SizeIs(5));
  EXPECT_EQ(replies[0], "change 4 Authentication-Results:");
  EXPECT_EQ(replies[1], "change 3 Authentication-Results:");
  EXPECT_THAT(replies[2], AllOf(StartsWith(results), HasSubstr("dmarc=permerror")));
  EXPECT_THAT(replies[3], StartsWith("quarantine "));
  // Neither of these can be kept to be looked at.
  const std::string large =
      "Authentication-Results: (" + std::string(500, 'x') + ") mx.example.org;";
  EXPECT_THAT(replies_to(20, {large, ours}).back(), StartsWith("text 550 5.6.0 "));
  EXPECT_THAT(replies_to(20, std::vector<std::string>(11, ours)).back(),
              StartsWith("text 550 5.6.0 "));
  EXPECT_THAT(replies_to(1, {ours}).back(), "accept");
}

TEST(JudgingSession, RefusesWithTheCodesOfTheRule) {
  mailflow::Policy policy = test::judging_policy();
  policy.judging.actions.dmarc_reject = mailflow::RejectPolicy::reject;
  Mta mta = judged_mta(policy);
  mta.connect("client.example", "203.0.113.66");
  const std::vector<std::string> replies = mta.send_message("eve@example.com");
  EXPECT_THAT(replies.back(), AllOf(StartsWith("text 550 5.7.26 "), HasSubstr("DMARC")));
}

TEST(JudgingSession, PutsAside) {
  Mta mta = judged_mta();
  mta.connect("client.example", "203.0.113.66");
  const std::vector<std::string> replies = mta.send_message("eve@quarantine.example");
  ASSERT_THAT(replies, SizeIs(3));
  EXPECT_THAT(replies[1], StartsWith("quarantine "));
  EXPECT_EQ(replies[2], "accept");
}

TEST(JudgingSession, AddsARecipientBeforeItsVerdict) {
  mailflow::Policy policy = test::judging_policy();
  policy.judging.copies_failures_to = "failures@example.org";
  Mta mta = judged_mta(policy);
  mta.connect("client.example", "203.0.113.66");
  EXPECT_THAT(mta.send_message("eve@quarantine.example"),
              ElementsAre(StartsWith(results), "recipient <failures@example.org>",
                          StartsWith("quarantine "), "accept"));
  EXPECT_THAT(mta.send_message("a@nothing.example"), ElementsAre(StartsWith(results), "accept"));
}

/// The octets of a message without recipients, of that author.
std::string message_octets(std::string_view from) {
  std::string octets;
  append_command(octets, MailFrom{"<a@example.com>", {}});
  append_command(octets, HeaderField{"From", from});
  append_command(octets, EndOfHeader{});
  append_command(octets, BodyChunk{"Hi\r\n"});
  append_command(octets, EndOfBody{});
  return octets;
}

TEST(JudgingSession, S55PipelinedMessagesWaitForTheOneBefore) {
  for (const std::size_t chunk : {0U, 1U, 7U}) {
    Mta mta = judged_mta();
    mta.set_chunk_octets(chunk);
    std::string octets = message_octets(" a@example.com") + message_octets(" b@nothing.example") +
                         message_octets(" c@quarantine.example");
    append_command(octets, Quit{});
    const std::vector<std::string> replies = mta.send_octets(octets);
    ASSERT_THAT(replies, SizeIs(7)) << chunk;
    EXPECT_THAT(replies[0], HasSubstr("dmarc=pass"));
    EXPECT_THAT(replies[2], HasSubstr("dmarc=none"));
    EXPECT_THAT(replies[4], HasSubstr("dmarc=fail"));
    EXPECT_TRUE(mta.closed());
  }
}

TEST(JudgingSession, TakesNothingUntilItIsFinished) {
  Session session([policy = std::make_shared<const mailflow::Policy>(test::judging_policy())] {
    return policy;
  });
  static_cast<void>(session.receive(Negotiate{6, 0x1FF, test::postfix_steps, {}}, {}));
  Step step = session.receive(message_octets(" a@example.com"), {});
  EXPECT_TRUE(session.is_judging());
  EXPECT_FALSE(session.is_idle());
  EXPECT_THAT(step.send, IsEmpty());
  ASSERT_TRUE(step.judging);
  // The outcome is the caller's: here that of a message that was cancelled.
  step.judging.reset();
  const Step end = session.finish({.action = mailflow::Action::tempfail}, {});
  EXPECT_FALSE(session.is_judging());
  EXPECT_TRUE(session.is_idle());
  EXPECT_THAT(end.send, HasSubstr("451 4.7.1"));
}

TEST(JudgingSession, EndsInTheMiddleOfAJudgement) {
  const auto policy = std::make_shared<const mailflow::Policy>(test::judging_policy());
  auto session = std::make_unique<Session>([policy] { return policy; });
  static_cast<void>(session->receive(Negotiate{6, 0x1FF, test::postfix_steps, {}}, {}));
  Step step = session->receive(message_octets(" a@example.com"), {});
  ASSERT_TRUE(step.judging);
  EXPECT_FALSE(step.judging->take_questions().empty());
  step.judging.reset();
  session.reset();
}

TEST(JudgingSession, SignsOursAndJudgesTheRest) {
  mailflow::Policy policy = test::policy_for_example_org();
  policy.judges = true;
  policy.judging = test::judging_policy().judging;
  Mta mta = test::ready_mta(policy);
  EXPECT_THAT(mta.send_message("alice@example.org"), ElementsAre(test::is_signature, "accept"));
  mta.connect("client.example", "203.0.113.66");
  EXPECT_THAT(mta.send_message("alice@example.org"), ElementsAre(StartsWith(results), "accept"));
}

// Each field goes to the top, so that the last one that is sent stands highest.
TEST(JudgingSession, SealsAboveTheResults) {
  mailflow::Policy policy = test::judging_policy();
  policy.sealing = mailflow::SealingPolicy{.identity = {.sdid = test::name("example.org"),
                                                        .selector = test::name("s1"),
                                                        .key = test::ed25519_key(),
                                                        .signed_fields = {}},
                                           .judged = true,
                                           .returned = {}};
  Mta mta = judged_mta(policy);
  EXPECT_THAT(
      mta.send_message("a@nothing.example"),
      ElementsAre(StartsWith(results),
                  StartsWith("insert 0 ARC-Authentication-Results: i=1; mx.example.org;"),
                  StartsWith("insert 0 ARC-Message-Signature: a=ed25519-sha256;"),
                  AllOf(StartsWith("insert 0 ARC-Seal: a="), HasSubstr("cv=none")), "accept"));
  ASSERT_TRUE(mta.outcome().seal);
  EXPECT_EQ(mta.outcome().seal->instance, 1U);
}

}  // namespace
}  // namespace countersign::milter
