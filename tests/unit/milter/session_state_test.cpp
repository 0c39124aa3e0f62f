// SPDX-License-Identifier: Apache-2.0
//
// What must never cross from one message or client to another, and how a reload meets a connection
// (S-55).

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
using mailflow::Policy;
using test::count_events;
using test::Mta;
using test::policy_for_example_org;
using test::ready_mta;
using test::was_signed;
using testing::IsEmpty;
using testing::SizeIs;

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

TEST(Session, S55AbortAtAnyPointLeavesACleanSession) {
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
  Policy policy = policy_for_example_org();
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
  Policy policy = policy_for_example_org();
  policy.mta_names = {"submission"};
  Mta mta(policy);
  mta.negotiate();
  mta.macros(CommandCode::connect, {"j=mx.example", "{daemon_name}=submission"});
  mta.connect("dsl.example.net", "192.0.2.1");
  EXPECT_TRUE(was_signed(mta));
  EXPECT_TRUE(was_signed(mta));
}

TEST(Session, AClientIsOfItsSmtpSessionOnly) {
  Policy policy = policy_for_example_org();
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
  Policy policy = policy_for_example_org();
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
  Policy policy = policy_for_example_org();
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

// --- reload --------------------------------------------------------------------------------------

Policy policy_without_keys() { return test::signing_policy(); }

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

TEST(Session, AConnectionThatDoesNotWaitAtMailRefusesPeersAtTheEnd) {
  Mta mta = ready_mta();
  Policy policy = policy_for_example_org();
  policy.peers.add("127.0.0.1", {});
  policy.on_peer = mailflow::Action::reject;
  mta.set_policy(policy);
  EXPECT_THAT(mta.send(MailFrom{"<alice@example.org>", {}}), IsEmpty());
  EXPECT_THAT(mta.send_message("alice@example.org"),
              testing::ElementsAre(testing::StartsWith("text 550 5.7.1 the client is listed")));
}

TEST(Session, AConnectionKeepsItsPolicyWhenTheNewOneNeedsMore) {
  Policy small = policy_for_example_org();
  small.judges = false;
  Mta mta = ready_mta(small);
  Policy larger = policy_without_keys();
  larger.removes_old_signatures = true;
  mta.set_policy(larger);
  EXPECT_TRUE(was_signed(mta)) << "it may not remove fields on this connection";
  larger = policy_without_keys();
  larger.judges = false;
  larger.unsigned_recipients = {"list@example.net"};
  mta.set_policy(larger);
  EXPECT_TRUE(was_signed(mta)) << "it would not hear of recipients on this connection";
  larger.unsigned_recipients = {};
  mta.set_policy(larger);
  EXPECT_FALSE(was_signed(mta));
}

}  // namespace
}  // namespace countersign::milter
