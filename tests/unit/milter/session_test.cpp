// SPDX-License-Identifier: Apache-2.0
//
// A milter connection from the MTA's side: what is agreed, what is answered, what is signed, and
// who the client is (S-53, S-54, S-57).

#include "countersign/milter/session.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/support/milter_mta.hpp"
#include "tests/support/signing.hpp"

namespace countersign::milter {
namespace {

using namespace std::string_view_literals;
using mailflow::Action;
using mailflow::Policy;
using test::count_events;
using test::is_signature;
using test::Mta;
using test::policy_for_example_org;
using test::ready_mta;
using test::was_signed;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::StartsWith;

constexpr std::uint32_t silences = 0xF'F080;  // All SMFIP_NR_*.

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

TEST(Session, S10RefusesWhatALoginMayNotSendAs) {
  Policy policy = policy_for_example_org();
  policy.logins.on_mismatch = mailflow::MismatchAction::reject;
  Mta mta(std::move(policy));
  mta.negotiate();
  mta.connect("dsl.example.net", "192.0.2.1");
  const auto send_as = [&mta](std::string_view login) {
    mta.macros(CommandCode::mail_from,
               {"{auth_type}=PLAIN", "{auth_authen}=" + std::string(login)});
    return mta.send_message("alice@example.org");
  };
  EXPECT_THAT(send_as("eve@example.net"),
              ElementsAre("text 550 5.7.1 you may not send mail under this sender address"));
  EXPECT_EQ(mta.outcome().action, Action::reject);
  EXPECT_THAT(send_as("alice@example.org"), ElementsAre(is_signature, "accept"));
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

TEST(Session, TakesCommandsWithoutFrames) {
  Mta mta = ready_mta();
  const std::vector<Command> message = {
      MailFrom{"<alice@example.org>", {}},
      countersign::milter::HeaderField{"From", " alice@example.org"},
      EndOfHeader{},
  };
  for (const Command& command : message)
    EXPECT_TRUE(mta.session().receive(command, test::signing_time).send.empty());
  const Step step = mta.session().receive(EndOfBody{"Hi\r\n"}, test::signing_time);
  EXPECT_THAT(test::frames_of(step.send), SizeIs(2));
  ASSERT_THAT(step.events, SizeIs(1));
  EXPECT_THAT(std::get<MessageFinished>(step.events[0]).outcome.signatures, SizeIs(1));
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

TEST(Session, S54PutsBackTheLeadingSpaceThatAnOldMtaTakes) {  // S-54
  Policy policy = policy_for_example_org();
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

TEST(Session, S54SignsFoldedFieldsWithCrlf) {
  Policy policy = policy_for_example_org();
  policy.header_canonicalization = dkim::Canonicalization::simple;
  Mta lf = ready_mta(policy);
  lf.send_header({"From: alice@example.org", "Subject: a\n b\n\tc"});
  Mta crlf = ready_mta(policy);
  crlf.send_header({"From: alice@example.org", "Subject: a\r\n b\r\n\tc"});
  EXPECT_EQ(lf.send(EndOfBody{}), crlf.send(EndOfBody{}));
}

// --- clients -------------------------------------------------------------------------------------

TEST(Session, S57KnowsClientsByTheConnectionOnly) {  // S-57
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
  Policy policy = policy_for_example_org();
  policy.internal_hosts.add("mx.example.org", {});
  Mta mta(policy);
  mta.negotiate();
  mta.connect("dsl.example.net", "192.0.2.1");
  mta.send(Helo{"mx.example.org"});
  EXPECT_FALSE(was_signed(mta));
}

// --- verdicts ------------------------------------------------------------------------------------

TEST(Session, SaysWhatThePolicyDecides) {
  const auto replies_for = [](Action action) {
    Policy policy = policy_for_example_org();
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

Policy policy_on_peer(Action action) {
  Policy policy = policy_for_example_org();
  policy.peers.add("192.0.2.1", {});
  policy.on_peer = action;
  return policy;
}

TEST(Session, RefusesAPeerAtMailAndOthersNot) {
  const auto replies_for = [](Action action, std::uint32_t steps = test::postfix_steps) {
    Mta mta(policy_on_peer(action));
    mta.negotiate(steps);
    mta.connect("peer.example", "192.0.2.1");
    const std::vector<std::string> replies = mta.send(MailFrom{"<alice@example.org>", {}});
    EXPECT_TRUE(mta.session().is_idle() || action == Action::accept);
    EXPECT_FALSE(mta.closed());
    return replies;
  };
  const std::string why = "the client is listed as a peer: its mail is not checked here";
  EXPECT_THAT(replies_for(Action::reject), ElementsAre(StartsWith("text 550 5.7.1 " + why)));
  EXPECT_THAT(replies_for(Action::tempfail), ElementsAre(StartsWith("text 451 4.7.1 " + why)));
  EXPECT_THAT(replies_for(Action::discard), ElementsAre("discard"));
  EXPECT_THAT(replies_for(Action::accept), IsEmpty());
  EXPECT_THAT(replies_for(Action::reject, 0), ElementsAre(StartsWith("text 550 5.7.1 " + why)));

  Mta mta = ready_mta(policy_on_peer(Action::reject));
  EXPECT_THAT(mta.send(MailFrom{"<alice@example.org>", {}}), ElementsAre("continue"));
  EXPECT_TRUE(was_signed(mta));
}

TEST(Session, RefusesEveryMessageOfAPeerAndForgetsIt) {
  Mta mta(policy_on_peer(Action::reject));
  mta.negotiate();
  mta.connect("peer.example", "192.0.2.1");
  for (const char* id : {"i=1", "i=2"}) {
    mta.macros(CommandCode::mail_from, {id});
    EXPECT_THAT(mta.send(MailFrom{"<alice@example.org>", {}}), SizeIs(1));
    EXPECT_EQ("i=" + mta.outcome().queue_id, id);
    EXPECT_EQ(mta.outcome().action, Action::reject);
    EXPECT_THAT(mta.send(Abort{}), IsEmpty());
  }
  EXPECT_EQ(test::count_events<MessageFinished>(mta), 2U);
  EXPECT_EQ(test::count_events<MessageAborted>(mta), 0U);
  mta.send(QuitNew{});
  mta.connect();
  EXPECT_TRUE(was_signed(mta));
}

TEST(Session, PutsThePeersMailAsideAtItsEnd) {
  Mta mta(policy_on_peer(Action::quarantine));
  mta.negotiate();
  mta.connect("peer.example", "192.0.2.1");
  EXPECT_THAT(mta.send_message("alice@example.org"),
              ElementsAre(StartsWith("quarantine the client is listed as a peer"), "accept"));
}

TEST(Session, ReplyTextsHaveNoPercentSigns) {
  Policy policy = policy_for_example_org();
  policy.on_bad_author = Action::reject;
  policy.sender_headers = {"X-100%"};
  Mta mta = ready_mta(policy);
  mta.send_header({"From: a@example.org", "X-100%: nobody"});
  EXPECT_THAT(mta.send(EndOfBody{}), ElementsAre(HasSubstr(": X-100_: ")));
}

TEST(Session, RemovesOldSignaturesBeforeItInsertsItsOwn) {
  Policy policy = policy_for_example_org();
  policy.removes_old_signatures = true;
  policy.software_header = "countersign";
  Mta mta = ready_mta(policy);
  mta.macros(CommandCode::mail_from, {"i=4F1"});
  mta.send_header({"DKIM-Signature: old", "From: alice@example.org", "DKIM-Signature: older"});
  EXPECT_THAT(mta.send(EndOfBody{}),
              ElementsAre("change 2 DKIM-Signature:", "change 1 DKIM-Signature:", is_signature,
                          "insert 0 DKIM-Filter: countersign 4F1", "accept"));
}

}  // namespace
}  // namespace countersign::milter
