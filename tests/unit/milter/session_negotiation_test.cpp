// SPDX-License-Identifier: Apache-2.0
//
// What a policy needs, and what is agreed with MTAs old and new.

#include "countersign/milter/session_negotiation.hpp"

#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "tests/support/arc.hpp"
#include "tests/support/milter_mta.hpp"
#include "tests/support/signing.hpp"

namespace countersign::milter {
namespace {

using mailflow::Policy;
using test::postfix_actions;
using test::postfix_steps;

Policy signer() {
  Policy policy;
  policy.judges = false;
  return policy;
}

Negotiate agreed(const Policy& policy, const Negotiate& offer) {
  const auto reply = agree(offer, needs_of(policy));
  EXPECT_TRUE(reply);
  return reply.value_or(Negotiate{});
}

Negotiate agreed_with_postfix(const Policy& policy) {
  return agreed(policy, {6, postfix_actions, postfix_steps, {}});
}

TEST(Negotiation, ASignerHearsOfWhatItNeedsAndAnswersOnlyTheEnd) {
  const Negotiate reply = agreed_with_postfix(signer());
  EXPECT_EQ(reply.version, 6U);
  EXPECT_EQ(reply.actions, action::add_headers | action::choose_macros);
  const std::uint32_t silences =
      step::no_reply_connect | step::no_reply_helo | step::no_reply_mail_from |
      step::no_reply_rcpt_to | step::no_reply_data | step::no_reply_unknown |
      step::no_reply_header_field | step::no_reply_end_of_header | step::no_reply_body_chunk;
  EXPECT_EQ(reply.steps, silences | step::no_helo | step::no_rcpt_to | step::no_data |
                             step::no_unknown | step::skip | step::header_leading_space);
}

TEST(Negotiation, RecipientsAreHeardOfWhenTheyMatter) {
  Policy policy = signer();
  policy.unsigned_recipients = {"a@example.org"};
  EXPECT_EQ(agreed_with_postfix(policy).steps & step::no_rcpt_to, 0U);
  policy = signer();
  policy.judges = true;
  EXPECT_EQ(agreed_with_postfix(policy).steps & (step::no_rcpt_to | step::no_helo), 0U);
}

TEST(Negotiation, AFilterThatDoesNothingHearsOfNothing) {
  Policy policy = signer();
  policy.signs = false;
  const Negotiate reply = agreed_with_postfix(policy);
  EXPECT_EQ(reply.actions, action::choose_macros);
  const std::uint32_t steps = step::no_connect | step::no_mail_from | step::no_header |
                              step::no_end_of_header | step::no_body;
  EXPECT_EQ(reply.steps & steps, steps);
}

TEST(Negotiation, AsksOnlyForTheChangesThatThePolicyMakes) {
  Policy policy = signer();
  policy.removes_old_signatures = true;
  EXPECT_EQ(needs_of(policy).actions, action::add_headers | action::change_headers);
  policy = signer();
  policy.on_limit = mailflow::Action::quarantine;
  EXPECT_EQ(needs_of(policy).actions, action::add_headers | action::quarantine);
  policy.signs = false;
  EXPECT_EQ(needs_of(policy).actions, action::quarantine);
}

TEST(Negotiation, MailIsAnsweredWherePeersAreRefused) {
  using mailflow::Action;
  for (const Action done :
       {Action::accept, Action::discard, Action::quarantine, Action::reject, Action::tempfail}) {
    Policy policy = signer();
    policy.on_peer = done;
    EXPECT_NE(agreed_with_postfix(policy).steps & step::no_reply_mail_from, 0U) << "no peers";
    policy.peers.add("192.0.2.1", {});
    const Negotiate reply = agreed_with_postfix(policy);
    const bool is_early = done != Action::accept && done != Action::quarantine;
    EXPECT_EQ((reply.steps & step::no_reply_mail_from) == 0, is_early) << to_string(done);
    EXPECT_EQ((reply.actions & action::quarantine) != 0, done == Action::quarantine);
    EXPECT_NE(reply.steps & step::no_reply_rcpt_to, 0U);
    EXPECT_TRUE(needs_of(signer()).cover(needs_of(policy)) || done == Action::quarantine)
        << "the end of the message is early enough on a connection that is there already";
  }
}

TEST(Negotiation, WhatCannotBeSealedMayBePutAside) {
  Policy policy = signer();
  policy.sealing = mailflow::SealingPolicy{
      .identity = sample::sealing_identity(sample::ed25519_key()), .returned = {}};
  EXPECT_EQ(needs_of(policy).actions & action::quarantine, 0U);
  policy.sealing->on_error = mailflow::Action::quarantine;
  EXPECT_NE(needs_of(policy).actions & action::quarantine, 0U);
}

// Each octet of Actions is a member, so that a new one cannot be left out here.
TEST(Negotiation, AnyActionOfAJudgeMayBeQuarantine) {
  using mailflow::Action;
  using mailflow::Actions;
  using Octets = std::array<std::uint8_t, sizeof(Actions)>;
  auto none = std::bit_cast<Actions>(Octets{});
  none.dmarc_reject = mailflow::RejectPolicy::reject;
  Policy policy;
  policy.judging.actions = none;
  EXPECT_EQ(needs_of(policy).actions & action::quarantine, 0U);

  std::size_t members = 0;
  for (std::size_t i = 0; i < sizeof(Actions); ++i) {
    auto octets = std::bit_cast<Octets>(none);
    if (octets[i] != 0) continue;  // dmarc_reject, which has words of its own.
    octets[i] = static_cast<std::uint8_t>(Action::quarantine);
    policy.judging.actions = std::bit_cast<Actions>(octets);
    EXPECT_NE(needs_of(policy).actions & action::quarantine, 0U) << "the member at " << i;
    ++members;
  }
  EXPECT_EQ(members, Actions::count);
  for (const auto softer :
       {mailflow::RejectPolicy::quarantine, mailflow::RejectPolicy::corroborated}) {
    policy.judging.actions = none;
    policy.judging.actions.dmarc_reject = softer;
    EXPECT_NE(needs_of(policy).actions & action::quarantine, 0U);
  }
}

TEST(Negotiation, CopiesNeedTheLeaveToAddRecipients) {
  Policy policy;
  EXPECT_EQ(needs_of(policy).actions & action::add_recipients, 0U);
  const Needs before = needs_of(policy);
  policy.judging.copies_failures_to = "failures@example.org";
  EXPECT_NE(needs_of(policy).actions & action::add_recipients, 0U);
  EXPECT_FALSE(before.cover(needs_of(policy)));
  EXPECT_NE(agreed_with_postfix(policy).actions & action::add_recipients, 0U);
  const Negotiate offer{6, 0x1FF & ~action::add_recipients, test::postfix_steps, {}};
  EXPECT_EQ(agree(offer, needs_of(policy)).error(), NegotiationError::missing_actions);
  policy.judges = false;
  EXPECT_EQ(needs_of(policy).actions & action::add_recipients, 0U) << "nothing can fail";
}

// S-10: the login is told at MAIL, and a refusal is an answer that needs no leave.
TEST(Negotiation, BoundLoginsNeedTheEnvelopeAndNoFurtherAction) {
  Policy policy = signer();
  policy.logins.bound = false;
  const Needs before = needs_of(policy);
  policy.logins.bound = true;
  policy.logins.on_mismatch = mailflow::MismatchAction::reject;
  EXPECT_TRUE(before.cover(needs_of(policy)));
  const Negotiate reply = agreed_with_postfix(policy);
  EXPECT_EQ(reply.steps & step::no_mail_from, 0U);
  ASSERT_GE(reply.macros.size(), 2U);
  EXPECT_EQ(reply.macros[1].names, "i {auth_type} {auth_authen}");
}

TEST(Negotiation, TakesTheLowerVersion) {
  for (std::uint32_t version = 2; version <= 6; ++version)
    EXPECT_EQ(agreed(signer(), {version, postfix_actions, 0, {}}).version, version);
  EXPECT_EQ(agreed(signer(), {7, postfix_actions, 0, {}}).version, 6U);
  EXPECT_EQ(agreed(signer(), {0x01000006, postfix_actions, 0, {}}).version, 6U);
}

TEST(Negotiation, TakesOnlyWhatIsOffered) {
  const Negotiate reply = agreed(signer(), {2, action::add_headers, 0x7F, {}});
  EXPECT_EQ(reply.actions, action::add_headers);
  EXPECT_EQ(reply.steps, step::no_helo | step::no_rcpt_to);
  EXPECT_TRUE(reply.macros.empty());
}

TEST(Negotiation, FailsForWhatIsTooOldOrForbidden) {
  const auto error = [](const Negotiate& offer) {
    return agree(offer, needs_of(signer())).error();
  };
  EXPECT_EQ(error({1, postfix_actions, postfix_steps, {}}), NegotiationError::unsupported_version);
  EXPECT_EQ(error({0, postfix_actions, postfix_steps, {}}), NegotiationError::unsupported_version);
  EXPECT_EQ(error({6, postfix_actions & ~action::add_headers, postfix_steps, {}}),
            NegotiationError::missing_actions);
}

TEST(Negotiation, AsksForTheMacrosThatDecide) {
  Policy policy = signer();
  policy.macros = {{"zone", {"inside"}}, {"v", {}}};
  const Negotiate reply = agreed_with_postfix(policy);
  ASSERT_EQ(reply.macros.size(), 4U);
  EXPECT_EQ(reply.macros[0].stage, MacroStage::connect);
  EXPECT_EQ(reply.macros[0].names, "j {daemon_name} {client_addr} {zone} v");
  EXPECT_EQ(reply.macros[1].stage, MacroStage::mail_from);
  EXPECT_EQ(reply.macros[1].names, "i {auth_type} {auth_authen} {zone} v");
  EXPECT_EQ(reply.macros[2].stage, MacroStage::end_of_body);
  EXPECT_EQ(reply.macros[2].names, "i");
  EXPECT_EQ(reply.macros[3].stage, MacroStage::end_of_header);
  EXPECT_EQ(reply.macros[3].names, "i {zone} v");
}

TEST(Needs, CoverWhatNeedsNoMore) {
  Policy small = signer();
  Policy large = signer();
  large.judges = true;
  large.removes_old_signatures = true;
  large.macros = {{"zone", {}}};
  EXPECT_TRUE(needs_of(large).cover(needs_of(small)));
  EXPECT_FALSE(needs_of(small).cover(needs_of(large)));
  EXPECT_TRUE(needs_of(small).cover(needs_of(small)));

  Policy steps = signer();
  steps.judges = true;
  EXPECT_FALSE(needs_of(small).cover(needs_of(steps)));
  Policy actions = signer();
  actions.removes_old_signatures = true;
  EXPECT_FALSE(needs_of(small).cover(needs_of(actions)));
  Policy macros = signer();
  macros.macros = {{"zone", {}}};
  EXPECT_FALSE(needs_of(small).cover(needs_of(macros)));
}

}  // namespace
}  // namespace countersign::milter
