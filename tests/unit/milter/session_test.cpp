// SPDX-License-Identifier: Apache-2.0
//
// A milter connection from the MTA's side: what is agreed, what is answered, what is signed, and
// what must never cross from one message or client to another (S-53 to S-57).

#include "countersign/milter/session.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "countersign/mailflow/header_edit.hpp"
#include "tests/support/milter_mta.hpp"
#include "tests/support/signing.hpp"

namespace countersign::milter {
namespace {

using namespace std::string_literals;
using namespace std::string_view_literals;
using mailflow::Action;
using mailflow::Outcome;
using mailflow::Reason;
using mailflow::SigningPolicy;
using test::Mta;
using test::policy_for_example_org;
using test::postfix_actions;
using test::postfix_steps;
using testing::Each;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::StartsWith;

constexpr std::uint32_t silences = 0xF'F080;  // All SMFIP_NR_*.

/// An MTA that has negotiated and connected from a host of ours.
Mta ready_mta(SigningPolicy policy = policy_for_example_org(),
              std::uint32_t steps = postfix_steps) {
  Mta mta(std::move(policy));
  mta.negotiate(steps);
  mta.connect();
  return mta;
}

const auto is_signature = StartsWith("insert 0 DKIM-Signature: v=1; ");

bool was_signed(Mta& mta, std::string_view author = "alice@example.org") {
  mta.send_message(author);
  return !mta.outcome().signatures.empty();
}

template <class Wanted>
std::size_t count_events(const Mta& mta) {
  std::size_t count = 0;
  for (const Event& event : mta.events()) count += std::holds_alternative<Wanted>(event);
  return count;
}

// --- the usual way -------------------------------------------------------------------------------

TEST(Session, SignsAndAnswersOnlyTheEnd) {
  Mta mta(policy_for_example_org());
  mta.negotiate();
  EXPECT_THAT(mta.connect(), IsEmpty());
  EXPECT_THAT(mta.send(Helo{"client.example"}), IsEmpty());
  EXPECT_THAT(mta.send_header({"From: alice@example.org"}), IsEmpty());
  EXPECT_THAT(mta.send(BodyChunk{"Hi\r\n"}), IsEmpty());
  EXPECT_THAT(mta.send(EndOfBody{}), ElementsAre(is_signature, "accept"));
  EXPECT_THAT(mta.send(Quit{}), IsEmpty());
  EXPECT_TRUE(mta.closed());
  EXPECT_EQ(count_events<SessionFailed>(mta), 0U);
}

TEST(Session, WhatItInsertsVerifiesAtTheOtherEnd) {
  Mta mta = ready_mta();
  const std::vector<std::string> replies = mta.send_message("Alice <alice@example.org>", "Hi\r\n");
  ASSERT_THAT(replies, SizeIs(2));
  const std::string field = replies[0].substr(std::string_view("insert 0 ").size());
  EXPECT_THAT(field, HasSubstr("\n")) << "folded";
  EXPECT_THAT(field, testing::Not(HasSubstr("\r"))) << "the MTA makes its own line ends";

  Header header = test::header_from("Alice <alice@example.org>");
  const std::size_t colon = field.find(':');
  header.insert(header.begin(), countersign::HeaderField::from_parts(field.substr(0, colon),
                                                                     field.substr(colon + 1)));
  const auto results = test::verify(header, "Hi\r\n", mta.outcome());
  ASSERT_THAT(results, SizeIs(1));
  EXPECT_EQ(results[0].result, dkim::Result::pass) << results[0].detail;
}

TEST(Session, GivesTheSameForEveryCutOfTheStream) {
  std::string stream;
  append_command(stream, MailFrom{"<alice@example.org>", {}});
  append_command(stream, countersign::milter::HeaderField{"From", " alice@example.org"});
  append_command(stream, EndOfHeader{});
  append_command(stream, BodyChunk{"Hello\r\n"});
  append_command(stream, EndOfBody{"there\r\n"});
  Mta whole = ready_mta();
  const std::vector<std::string> expected = whole.send_octets(stream + stream);
  ASSERT_THAT(expected, ElementsAre(is_signature, "accept", is_signature, "accept"));
  for (std::size_t chunk = 1; chunk <= 64; ++chunk) {
    Mta mta = ready_mta();
    mta.set_chunk_octets(chunk);
    EXPECT_EQ(mta.send_octets(stream + stream), expected) << chunk;
  }
}

TEST(Session, TakesTheLastChunkWithTheEndOfTheBody) {
  Mta together = ready_mta();
  together.send_header({"From: alice@example.org"});
  const auto expected = together.send(EndOfBody{"Hello\r\n"});
  Mta apart = ready_mta();
  apart.send_header({"From: alice@example.org"});
  apart.send(BodyChunk{"Hel"});
  apart.send(BodyChunk{"lo\r\n"});
  EXPECT_EQ(apart.send(EndOfBody{}), expected);
  EXPECT_EQ(apart.outcome().body_octets, 7U);
}

TEST(Session, ReportsEachMessage) {
  Mta mta = ready_mta();
  mta.macros(CommandCode::mail_from, {"i=4F1"});
  mta.send_message("alice@example.org");
  const auto& finished = std::get<MessageFinished>(mta.events().back());
  EXPECT_EQ(finished.client, "localhost [127.0.0.1]");
  EXPECT_EQ(finished.outcome.queue_id, "4F1");
  EXPECT_EQ(finished.outcome.author, "alice@example.org");
}

TEST(Session, CountsFramesForTheWatchdog) {
  Mta mta = ready_mta();
  EXPECT_EQ(mta.session().frames(), 2U);
  mta.send(Helo{"x"});
  EXPECT_EQ(mta.session().frames(), 3U);
}

TEST(Session, IsIdleOnlyBetweenMessagesAndPackets) {
  Mta mta = ready_mta();
  EXPECT_TRUE(mta.session().is_idle());
  mta.send(MailFrom{"<a@b>", {}});
  EXPECT_FALSE(mta.session().is_idle());
  mta.send(EndOfBody{});
  EXPECT_TRUE(mta.session().is_idle());
  mta.send_octets("\0\0"sv);
  EXPECT_FALSE(mta.session().is_idle());
  EXPECT_TRUE(mta.session().is_inside_packet());
}

// --- MTAs that want answers ----------------------------------------------------------------------

TEST(Session, AnswersEachStepToAnMtaThatWaits) {
  Mta mta = ready_mta(policy_for_example_org(), step::header_leading_space);
  EXPECT_THAT(mta.connect(), ElementsAre("continue"));
  EXPECT_THAT(mta.send(Helo{"x"}), ElementsAre("continue"));
  EXPECT_THAT(mta.send_header({"From: alice@example.org", "To: b@example.net"}),
              testing::AllOf(SizeIs(5), Each("continue")));
  EXPECT_THAT(mta.send(Data{}), ElementsAre("continue"));
  EXPECT_THAT(mta.send(Unknown{"XYZ"}), ElementsAre("continue"));
  EXPECT_THAT(mta.send(BodyChunk{"Hi\r\n"}), ElementsAre("continue"));
  EXPECT_THAT(mta.send(EndOfBody{}), ElementsAre(is_signature, "accept"));
  EXPECT_THAT(mta.send(Abort{}), IsEmpty());
  EXPECT_THAT(mta.send(QuitNew{}), IsEmpty());
}

TEST(Session, AnswersOnlyWhatTheMtaWaitsFor) {
  for (std::uint32_t silent = 1; silent != 0x20'0000; silent <<= 1) {
    if ((silent & silences) == 0) continue;
    Mta mta(policy_for_example_org());
    mta.negotiate(silent);
    EXPECT_EQ(mta.connect().empty(), silent == step::no_reply_connect);
    EXPECT_EQ(mta.send(Helo{"x"}).empty(), silent == step::no_reply_helo);
    EXPECT_EQ(mta.send(MailFrom{"<>", {}}).empty(), silent == step::no_reply_mail_from);
    EXPECT_EQ(mta.send(RcptTo{"<>", {}}).empty(), silent == step::no_reply_rcpt_to);
    EXPECT_EQ(mta.send(Data{}).empty(), silent == step::no_reply_data);
    EXPECT_EQ(mta.send(Unknown{"x"}).empty(), silent == step::no_reply_unknown);
    EXPECT_EQ(mta.send(countersign::milter::HeaderField{"A", "b"}).empty(),
              silent == step::no_reply_header_field);
    EXPECT_EQ(mta.send(EndOfHeader{}).empty(), silent == step::no_reply_end_of_header);
    EXPECT_EQ(mta.send(BodyChunk{"x"}).empty(), silent == step::no_reply_body_chunk);
    EXPECT_FALSE(mta.send(EndOfBody{}).empty());
  }
}

TEST(Session, SkipsABodyThatNobodySigns) {
  Mta mta = ready_mta(policy_for_example_org(), step::skip);
  mta.send_header({"From: eve@example.net"});
  EXPECT_THAT(mta.send(BodyChunk{"Hi\r\n"}), ElementsAre("skip"));
  EXPECT_THAT(mta.send(EndOfBody{}), ElementsAre("accept"));
  mta.send_header({"From: alice@example.org"});
  EXPECT_THAT(mta.send(BodyChunk{"Hi\r\n"}), ElementsAre("continue"));
}

TEST(Session, DoesNotSkipWhenTheMtaCannot) {
  Mta mta = ready_mta(policy_for_example_org(), 0);
  mta.send_header({"From: eve@example.net"});
  EXPECT_THAT(mta.send(BodyChunk{"Hi\r\n"}), ElementsAre("continue"));
}

// --- octets of the header ------------------------------------------------------------------------

TEST(Session, PutsBackTheLeadingSpaceThatAnOldMtaTakes) {  // S-54
  SigningPolicy policy = policy_for_example_org();
  policy.header_canonicalization = dkim::Canonicalization::simple;
  Mta modern = ready_mta(policy);
  modern.send_header({"From: alice@example.org", "Subject:  two", "X:\tTab"});
  const std::vector<std::string> expected = modern.send(EndOfBody{});

  Mta old = ready_mta(policy, silences);
  old.send_header({"From:alice@example.org", "Subject: two", "X:\tTab"});
  const std::vector<std::string> replies = old.send(EndOfBody{});
  ASSERT_THAT(replies, ElementsAre(StartsWith("insert 0 DKIM-Signature:v=1;"), "accept"));
  EXPECT_EQ("insert 0 DKIM-Signature: " + replies[0].substr(24), expected[0])
      << "the old MTA puts the space in front again";
}

TEST(Session, SignsFoldedFieldsWithCrlf) {
  SigningPolicy policy = policy_for_example_org();
  policy.header_canonicalization = dkim::Canonicalization::simple;
  Mta lf = ready_mta(policy);
  lf.send_header({"From: alice@example.org", "Subject: a\n b\n\tc"});
  Mta crlf = ready_mta(policy);
  crlf.send_header({"From: alice@example.org", "Subject: a\r\n b\r\n\tc"});
  EXPECT_EQ(lf.send(EndOfBody{}), crlf.send(EndOfBody{}));
}

// --- what belongs to a message goes with it (S-55) -----------------------------------------------

TEST(Session, AbortForgetsTheMessage) {
  Mta mta = ready_mta();
  mta.macros(CommandCode::mail_from, {"i=4F1"});
  mta.send_header({"From: alice@example.org", "From: eve@example.net"});
  mta.send(BodyChunk{"secret"});
  EXPECT_THAT(mta.send(Abort{}), IsEmpty());
  EXPECT_EQ(std::get<MessageAborted>(mta.events().back()).queue_id, "4F1");

  Mta fresh = ready_mta();
  EXPECT_EQ(mta.send_message("alice@example.org"), fresh.send_message("alice@example.org"));
  EXPECT_TRUE(mta.outcome().queue_id.empty());
}

TEST(Session, AbortAtAnyPointLeavesACleanSession) {
  const std::vector<Command> message = {
      MailFrom{"<eve@example.net>", {}},
      RcptTo{"<bob@example.net>", {}},
      Data{},
      countersign::milter::HeaderField{"From", " eve@example.net"},
      EndOfHeader{},
      BodyChunk{"x"},
  };
  Mta fresh = ready_mta();
  const std::vector<std::string> expected = fresh.send_message("alice@example.org");
  for (std::size_t count = 0; count <= message.size(); ++count) {
    Mta mta = ready_mta();
    for (std::size_t i = 0; i < count; ++i) mta.send(message[i]);
    mta.send(Abort{});
    EXPECT_TRUE(mta.session().is_idle());
    EXPECT_EQ(mta.send_message("alice@example.org"), expected) << count;
    EXPECT_EQ(count_events<MessageAborted>(mta), count == 0 ? 0U : 1U);
  }
}

TEST(Session, ANewMailWithoutAbortBeginsANewMessage) {
  Mta mta = ready_mta();
  mta.send_header({"From: eve@example.net"});
  Mta fresh = ready_mta();
  EXPECT_EQ(mta.send_message("alice@example.org"), fresh.send_message("alice@example.org"));
  EXPECT_EQ(count_events<MessageAborted>(mta), 1U);
}

TEST(Session, ALoginIsOfItsMessageOnly) {
  Mta mta(policy_for_example_org());
  mta.negotiate();
  mta.connect("dsl.example.net", "192.0.2.1");
  EXPECT_FALSE(was_signed(mta));
  mta.macros(CommandCode::mail_from, {"{auth_type}=PLAIN", "{auth_authen}=alice"});
  EXPECT_TRUE(was_signed(mta));
  EXPECT_EQ(mta.outcome().reasons[0].detail, "alice");
  EXPECT_FALSE(was_signed(mta)) << "the next message brought no login";
}

TEST(Session, AMacroOfAMessageDoesNotSurviveInTheSession) {
  SigningPolicy policy = policy_for_example_org();
  policy.macros = {{"zone", {"inside"}}};
  Mta mta(policy);
  mta.negotiate();
  mta.macros(CommandCode::connect, {"{zone}=outside"});
  mta.connect("dsl.example.net", "192.0.2.1");
  mta.macros(CommandCode::mail_from, {"{zone}=inside"});
  EXPECT_TRUE(was_signed(mta));
  EXPECT_FALSE(was_signed(mta));
}

TEST(Session, AMacroOfARejectedMailDoesNotStay) {
  Mta mta(policy_for_example_org());
  mta.negotiate();
  mta.connect("dsl.example.net", "192.0.2.1");
  mta.macros(CommandCode::mail_from, {"{auth_type}=PLAIN"});  // MAIL itself never comes.
  mta.macros(CommandCode::mail_from, {"i=2"});
  EXPECT_FALSE(was_signed(mta));
}

TEST(Session, ConnectionMacrosServeAllMessages) {
  SigningPolicy policy = policy_for_example_org();
  policy.mta_names = {"submission"};
  Mta mta(policy);
  mta.negotiate();
  mta.macros(CommandCode::connect, {"j=mx.example", "{daemon_name}=submission"});
  mta.connect("dsl.example.net", "192.0.2.1");
  EXPECT_TRUE(was_signed(mta));
  EXPECT_TRUE(was_signed(mta));
}

TEST(Session, AClientIsOfItsSmtpSessionOnly) {
  SigningPolicy policy = policy_for_example_org();
  policy.mta_names = {"submission"};
  Mta mta(policy);
  mta.negotiate();
  mta.macros(CommandCode::connect, {"{daemon_name}=submission"});
  mta.connect();
  EXPECT_TRUE(was_signed(mta));
  mta.send(QuitNew{});
  EXPECT_FALSE(was_signed(mta)) << "no client is known yet";
  mta.connect("dsl.example.net", "192.0.2.1");
  EXPECT_FALSE(was_signed(mta));
  mta.connect();
  EXPECT_TRUE(was_signed(mta));
}

TEST(Session, AConnectionWithoutMacrosHasNone) {
  SigningPolicy policy = policy_for_example_org();
  policy.mta_names = {"submission"};
  Mta mta(policy);
  mta.negotiate();
  mta.macros(CommandCode::connect, {"{daemon_name}=submission"});
  mta.connect("dsl.example.net", "192.0.2.1");
  mta.macros(CommandCode::connect, {});
  mta.connect("dsl.example.net", "192.0.2.1");
  EXPECT_FALSE(was_signed(mta));
}

TEST(Session, RecipientsAreOfTheirMessageOnly) {
  SigningPolicy policy = policy_for_example_org();
  policy.unsigned_recipients = {"bob@example.net"};
  Mta mta = ready_mta(policy);
  EXPECT_FALSE(was_signed(mta)) << "send_message() writes to bob";
  mta.send(MailFrom{"<a@example.org>", {}});
  mta.send(RcptTo{"<ann@example.net>", "NOTIFY=NEVER\0"sv});
  mta.send(countersign::milter::HeaderField{"From", " a@example.org"});
  mta.send(EndOfBody{});
  EXPECT_THAT(mta.outcome().signatures, SizeIs(1));
}

TEST(Session, TheQueueIdMayComeAtTheEnd) {  // As Postfix sends it.
  Mta mta = ready_mta();
  mta.send_header({"From: alice@example.org"});
  mta.macros(CommandCode::end_of_body, {"i=late"});
  mta.send(EndOfBody{});
  EXPECT_EQ(mta.outcome().queue_id, "late");
}

// --- clients -------------------------------------------------------------------------------------

TEST(Session, KnowsClientsByTheConnectionOnly) {  // S-57
  const auto signs_for = [](const Connect& connect) {
    Mta mta(policy_for_example_org());
    mta.negotiate();
    mta.send(connect);
    return was_signed(mta);
  };
  EXPECT_TRUE(signs_for({"localhost", '4', 0, "127.0.0.1"}));
  EXPECT_TRUE(signs_for({"localhost", '6', 0, "IPv6:::ffff:127.0.0.1"}));
  EXPECT_FALSE(signs_for({"localhost", '6', 0, "IPv6:::1"}));
  EXPECT_FALSE(signs_for({"localhost", 'L', 0, "127.0.0.1"}));
  EXPECT_FALSE(signs_for({"127.0.0.1", 'U', 0, {}}));
  EXPECT_FALSE(signs_for({"localhost", '4', 0, "127.0.0.1.example"}));
}

TEST(Session, TheHeloNameProvesNothing) {
  SigningPolicy policy = policy_for_example_org();
  policy.internal_hosts.add("mx.example.org", {});
  Mta mta(policy);
  mta.negotiate();
  mta.connect("dsl.example.net", "192.0.2.1");
  mta.send(Helo{"mx.example.org"});
  EXPECT_FALSE(was_signed(mta));
}

// --- limits --------------------------------------------------------------------------------------

TEST(Session, AHeaderOverItsLimitsIsNotKept) {
  const auto limit_passed = [](std::size_t fields, std::size_t octets) {
    SigningPolicy policy = policy_for_example_org();
    policy.limits.header_fields_max = 10;
    policy.limits.field_bytes_max = 500;
    policy.limits.header_bytes_max = 1'000;
    policy.on_limit = Action::tempfail;
    Mta mta = ready_mta(policy);
    mta.send(MailFrom{"<>", {}});
    mta.send(countersign::milter::HeaderField{"From", " alice@example.org"});  // 26 octets.
    for (std::size_t i = 0; i < fields; ++i)
      mta.send(countersign::milter::HeaderField{"X", std::string(octets, 'x')});  // 4 more.
    mta.send(EndOfHeader{});
    const auto replies = mta.send(EndOfBody{});
    const Outcome& outcome = mta.outcome();
    if (outcome.reasons.back().reason != Reason::over_limit) return ""s;
    EXPECT_THAT(replies, ElementsAre(StartsWith("text 451 4.7.1 ")));
    EXPECT_LE(outcome.header_octets, 1'000U);
    return outcome.reasons.back().detail;
  };
  using enum SplitErrorCode;
  EXPECT_EQ(limit_passed(9, 10), "");
  EXPECT_EQ(limit_passed(10, 10), to_string(too_many_fields));
  EXPECT_EQ(limit_passed(5'000, 10), to_string(too_many_fields));
  EXPECT_EQ(limit_passed(1, 496), "");
  EXPECT_EQ(limit_passed(1, 497), to_string(field_too_long));
  EXPECT_EQ(limit_passed(2, 483), "");
  EXPECT_EQ(limit_passed(2, 484), to_string(header_too_large));
}

TEST(Session, TheNextMessageAfterAnOversizedOneIsSigned) {
  SigningPolicy policy = policy_for_example_org();
  policy.limits.header_fields_max = 10;
  Mta mta = ready_mta(policy);
  mta.send_header(std::vector<std::string>(50, "From: a@example.org"));
  mta.send(EndOfBody{});
  EXPECT_EQ(mta.outcome().reasons.back().reason, Reason::over_limit);
  EXPECT_TRUE(was_signed(mta));
}

TEST(Session, RecipientsAreBounded) {
  SigningPolicy policy = policy_for_example_org();
  policy.limits.recipients_max = 5;
  policy.unsigned_recipients = {"list@example.net"};
  const auto signed_after = [&](int recipients, std::string_view path) {
    Mta mta = ready_mta(policy);
    mta.send(MailFrom{"<>", {}});
    for (int i = 0; i < recipients; ++i) mta.send(RcptTo{path, {}});
    mta.send(countersign::milter::HeaderField{"From", " alice@example.org"});
    mta.send(EndOfBody{});
    return !mta.outcome().signatures.empty();
  };
  EXPECT_TRUE(signed_after(5, "<bob@example.net>"));
  EXPECT_FALSE(signed_after(6, "<bob@example.net>"));
  EXPECT_FALSE(signed_after(1, std::string(1'025, 'x'))) << "a path that is too long to look at";
}

TEST(Session, MacrosAreBounded) {
  SigningPolicy policy = policy_for_example_org();
  policy.limits.milter_macros_max = 20;
  policy.limits.milter_macro_bytes_max = 1'000;
  Mta mta = ready_mta(policy);
  for (int i = 0; i < 100; ++i)
    mta.macros(CommandCode::mail_from, {"{m" + std::to_string(i) + "}=" + std::string(100, 'x')});
  std::vector<std::string> many;
  for (int i = 0; i < 100; ++i) many.push_back("{m" + std::to_string(i) + "}=x");
  mta.macros(CommandCode::mail_from, many);
  mta.macros(CommandCode::rcpt_to, {"i=late"});
  EXPECT_TRUE(was_signed(mta)) << "a flood of macros does no harm";
  mta.macros(CommandCode::mail_from, {"{big}=" + std::string(2'000, 'x'), "i=4F1"});
  mta.send_message("alice@example.org");
  EXPECT_TRUE(mta.outcome().queue_id.empty()) << "nothing is kept behind what did not fit";
}

// --- verdicts ------------------------------------------------------------------------------------

TEST(Session, SaysWhatThePolicyDecides) {
  const auto replies_for = [](Action action) {
    SigningPolicy policy = policy_for_example_org();
    policy.on_bad_author = action;
    Mta mta = ready_mta(policy);
    mta.send_header({"Subject: 100% nobody"});
    return mta.send(EndOfBody{});
  };
  EXPECT_THAT(replies_for(Action::accept), ElementsAre("accept"));
  EXPECT_THAT(replies_for(Action::discard), ElementsAre("discard"));
  EXPECT_THAT(replies_for(Action::reject),
              ElementsAre(StartsWith("text 550 5.7.1 the author cannot be told: From: ")));
  EXPECT_THAT(replies_for(Action::tempfail), ElementsAre(StartsWith("text 451 4.7.1 the author")));
  EXPECT_THAT(replies_for(Action::quarantine),
              ElementsAre(StartsWith("quarantine the author cannot be told"), "accept"));
}

TEST(Session, ReplyTextsHaveNoPercentSigns) {
  SigningPolicy policy = policy_for_example_org();
  policy.on_bad_author = Action::reject;
  policy.sender_headers = {"X-100%"};
  Mta mta = ready_mta(policy);
  mta.send_header({"From: a@example.org", "X-100%: nobody"});
  EXPECT_THAT(mta.send(EndOfBody{}), ElementsAre(HasSubstr(": X-100_: ")));
}

TEST(Session, RemovesOldSignaturesBeforeItInsertsItsOwn) {
  SigningPolicy policy = policy_for_example_org();
  policy.removes_old_signatures = true;
  policy.software_header = "countersign";
  Mta mta = ready_mta(policy);
  mta.macros(CommandCode::mail_from, {"i=4F1"});
  mta.send_header({"DKIM-Signature: old", "From: alice@example.org", "DKIM-Signature: older"});
  EXPECT_THAT(mta.send(EndOfBody{}),
              ElementsAre("change 2 DKIM-Signature:", "change 1 DKIM-Signature:", is_signature,
                          "insert 0 DKIM-Filter: countersign 4F1", "accept"));
}

// --- reload --------------------------------------------------------------------------------------

SigningPolicy policy_without_keys() { return test::signing_policy(); }

TEST(Session, AMessageUsesThePolicyThatItBeganWith) {
  Mta mta = ready_mta();
  mta.send(MailFrom{"<a@example.org>", {}});
  mta.set_policy(policy_without_keys());
  mta.send(countersign::milter::HeaderField{"From", " alice@example.org"});
  mta.send(EndOfBody{});
  EXPECT_THAT(mta.outcome().signatures, SizeIs(1));
  EXPECT_FALSE(was_signed(mta)) << "the next one uses the new policy";
  mta.set_policy(policy_for_example_org());
  EXPECT_TRUE(was_signed(mta));
}

TEST(Session, AConnectionKeepsItsPolicyWhenTheNewOneNeedsMore) {
  SigningPolicy small = policy_for_example_org();
  small.judges = false;
  Mta mta = ready_mta(small);
  SigningPolicy larger = policy_without_keys();
  larger.removes_old_signatures = true;
  mta.set_policy(larger);
  EXPECT_TRUE(was_signed(mta)) << "it may not remove fields on this connection";
  larger = policy_without_keys();
  larger.judges = false;
  larger.unsigned_recipients = {"list@example.net"};
  mta.set_policy(larger);
  EXPECT_TRUE(was_signed(mta)) << "it would not hear of recipients on this connection";
  larger.unsigned_recipients.clear();
  mta.set_policy(larger);
  EXPECT_FALSE(was_signed(mta));
}

// --- what breaks a session (S-56) ----------------------------------------------------------------

TEST(Session, FailsBeforeTheNegotiation) {
  for (const Command& command :
       {Command(Connect{"x", 'U', 0, {}}), Command(MailFrom{"<>", {}}), Command(EndOfBody{}),
        Command(Macros{'C', {}}), Command(Abort{})}) {
    Mta mta(policy_for_example_org());
    EXPECT_THAT(mta.send(command), IsEmpty());
    EXPECT_TRUE(mta.closed());
    EXPECT_EQ(mta.failure().code, SessionErrorCode::not_negotiated);
  }
  Mta quitter(policy_for_example_org());
  quitter.send(Quit{});
  EXPECT_TRUE(quitter.closed());
  EXPECT_EQ(count_events<SessionFailed>(quitter), 0U);
}

TEST(Session, NegotiatesOnce) {
  Mta mta = ready_mta();
  mta.negotiate();
  EXPECT_EQ(mta.failure().code, SessionErrorCode::not_negotiated);
}

TEST(Session, FailsWhenThereIsNoAgreement) {
  Mta old(policy_for_example_org());
  old.negotiate(postfix_steps, postfix_actions, 1);
  EXPECT_EQ(old.failure().code, SessionErrorCode::unsupported_version);
  Mta strict(policy_for_example_org());
  strict.negotiate(postfix_steps, 0);
  EXPECT_EQ(strict.failure().code, SessionErrorCode::missing_actions);
  EXPECT_TRUE(strict.closed());
}

TEST(Session, FailsOnPacketsThatAreNone) {
  const auto failure_after = [](std::string_view octets) {
    Mta mta = ready_mta();
    mta.send(MailFrom{"<>", {}});
    EXPECT_THAT(mta.send_octets(octets), IsEmpty());
    EXPECT_TRUE(mta.closed());
    EXPECT_EQ(count_events<MessageAborted>(mta), 1U) << "the message is given up";
    EXPECT_EQ(mta.failure().code, SessionErrorCode::bad_packet);
    return mta.failure().packet_error.code;
  };
  EXPECT_EQ(failure_after("\0\0\0\0"sv), PacketErrorCode::empty_frame);
  EXPECT_EQ(failure_after("\xFF\xFF\xFF\xFFX"sv), PacketErrorCode::frame_too_long);
  EXPECT_EQ(failure_after("\0\0\0\1z"sv), PacketErrorCode::unknown_code);
  EXPECT_EQ(failure_after("\0\0\0\3Hab"sv), PacketErrorCode::missing_nul);
}

TEST(Session, NamesTheOctetAtFault) {
  Mta mta(policy_for_example_org());
  mta.negotiate();  // 17 octets.
  mta.send_octets("\0\0\0\3Hab"sv);
  EXPECT_EQ(mta.failure().packet_error, (PacketError{PacketErrorCode::missing_nul, 17 + 5 + 2}));
  EXPECT_EQ(to_string(mta.failure()),
            "the MTA sent a text without NUL at its end, at octet 24 of the connection");
}

TEST(Session, FailsOnFieldsAfterTheEndOfTheHeader) {
  for (const Command& command : {Command(countersign::milter::HeaderField{"A", "b"}),
                                 Command(EndOfHeader{}), Command(RcptTo{"<a@b>", {}})}) {
    Mta mta = ready_mta();
    mta.send_header({"From: alice@example.org"});
    mta.send(command);
    EXPECT_EQ(mta.failure().code, SessionErrorCode::out_of_order);
  }
}

TEST(Session, TakesNothingMoreOnceItIsClosed) {
  Mta mta = ready_mta();
  mta.send(Quit{});
  EXPECT_THAT(mta.send_message("alice@example.org"), IsEmpty());
  mta.hang_up();
  EXPECT_EQ(count_events<MessageFinished>(mta), 0U);
  EXPECT_EQ(count_events<SessionFailed>(mta), 0U);
}

TEST(Session, AnEarlyEndIsReported) {
  Mta mta = ready_mta();
  mta.send(MailFrom{"<>", {}});
  mta.hang_up();
  EXPECT_EQ(mta.failure().code, SessionErrorCode::early_end);
  EXPECT_EQ(count_events<MessageAborted>(mta), 1U);

  Mta within = ready_mta();
  within.send_octets("\0\0\0"sv);
  within.hang_up();
  EXPECT_EQ(within.failure().code, SessionErrorCode::early_end);

  Mta between = ready_mta();
  between.hang_up();
  EXPECT_TRUE(between.closed());
  EXPECT_EQ(count_events<SessionFailed>(between), 0U);
}

TEST(Session, SurvivesAnyOrderOfCommands) {
  const std::vector<Command> commands = {
      Macros{'M', "i\0x\0"sv},
      Connect{"localhost", '4', 25, "127.0.0.1"},
      Helo{"x"},
      MailFrom{"<a@b>", {}},
      RcptTo{"<a@b>", {}},
      Data{},
      countersign::milter::HeaderField{"From", " alice@example.org"},
      EndOfHeader{},
      BodyChunk{"x"},
      EndOfBody{},
      Abort{},
      QuitNew{},
      Unknown{"x"},
  };
  for (const Command& first : commands)
    for (const Command& second : commands)
      for (const Command& third : commands) {
        Mta mta = ready_mta();
        for (const Command& command : {first, second, third}) mta.send(command);
        if (mta.closed()) continue;
        mta.send(Abort{});
        mta.connect();
        EXPECT_TRUE(was_signed(mta));
      }
}

TEST(Session, AMessageMayLackWhatWasNegotiatedAway) {
  Mta mta = ready_mta();
  mta.send(countersign::milter::HeaderField{"From", " alice@example.org"});
  EXPECT_THAT(mta.send(EndOfBody{"Hi\r\n"}), ElementsAre(is_signature, "accept"));
  EXPECT_THAT(mta.send(EndOfBody{}), ElementsAre("accept")) << "a message without any field";
}

TEST(SessionFailed, HasASentenceForEach) {
  for (int i = 0; i <= static_cast<int>(SessionErrorCode::early_end); ++i)
    EXPECT_THAT(to_string(SessionFailed{static_cast<SessionErrorCode>(i), {}}),
                StartsWith("the MTA "));
}

}  // namespace
}  // namespace countersign::milter
