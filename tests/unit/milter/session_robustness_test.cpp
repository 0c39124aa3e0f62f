// SPDX-License-Identifier: Apache-2.0
//
// What an MTA could do to a session: too much of everything, nonsense, and going away (S-56).

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

using namespace std::string_literals;
using namespace std::string_view_literals;
using mailflow::Action;
using mailflow::Outcome;
using mailflow::Policy;
using mailflow::Reason;
using test::count_events;
using test::is_signature;
using test::Mta;
using test::policy_for_example_org;
using test::postfix_actions;
using test::postfix_steps;
using test::ready_mta;
using test::was_signed;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::StartsWith;

// --- limits --------------------------------------------------------------------------------------

TEST(Session, S54AHeaderOverItsLimitsIsNotKept) {
  const auto limit_passed = [](std::size_t fields, std::size_t octets) {
    Policy policy = policy_for_example_org();
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
  Policy policy = policy_for_example_org();
  policy.limits.header_fields_max = 10;
  Mta mta = ready_mta(policy);
  mta.send_header(std::vector<std::string>(50, "From: a@example.org"));
  mta.send(EndOfBody{});
  EXPECT_EQ(mta.outcome().reasons.back().reason, Reason::over_limit);
  EXPECT_TRUE(was_signed(mta));
}

TEST(Session, RecipientsAreBounded) {
  Policy policy = policy_for_example_org();
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
  Policy policy = policy_for_example_org();
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

TEST(Session, S56FailsOnPacketsThatAreNone) {
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

TEST(Session, S56AnEarlyEndIsReported) {
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
