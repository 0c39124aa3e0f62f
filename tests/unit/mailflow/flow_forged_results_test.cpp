// SPDX-License-Identifier: Apache-2.0
//
// Results that claim to be ours go from whatever passes, judged or not (S-21, RFC 8601 §5).

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "countersign/mailflow/flow.hpp"
#include "tests/support/judging.hpp"
#include "tests/support/signing.hpp"

namespace countersign::mailflow {
namespace {

using test::arrive;
using test::Arrived;
using test::by;
using test::judging_policy;
using testing::HasSubstr;

constexpr std::string_view zone = test::judging_zone;
constexpr std::string_view forged_field =
    "Authentication-Results: mx.example.org; dmarc=pass header.from=bank.example";
constexpr std::string_view others_field = "Authentication-Results: mx.example.net; none";

/// A policy that signs for example.org and judges what comes from outside.
Policy whole_policy() {
  Policy policy = test::policy_for_example_org();
  policy.judging = judging_policy().judging;
  policy.judges = true;
  return policy;
}

Envelope outside() {
  Envelope envelope;
  envelope.client_ip = IpAddress::parse("192.0.2.1");
  envelope.client_host = "[192.0.2.1]";
  return envelope;
}

Envelope logged_in() {
  Envelope envelope = outside();
  envelope.macros["auth_authen"] = "alice";
  envelope.macros["auth_type"] = "PLAIN";
  return envelope;
}

/// A message that is not judged, with a field of ours below one of somebody else.
struct Passed {
  Outcome outcome;
  Header header;  ///< after all edits

  [[nodiscard]] bool has_forged() const {
    return std::ranges::any_of(
        header, [](const HeaderField& field) { return field.raw() == forged_field; });
  }
  [[nodiscard]] bool has_others() const {
    return std::ranges::any_of(
        header, [](const HeaderField& field) { return field.raw() == others_field; });
  }
  [[nodiscard]] bool tells() const {
    return std::ranges::count(outcome.reasons, Reason::forged_results, &Explanation::reason) == 1;
  }
};

Passed pass(const Policy& policy, const Envelope& envelope, const std::string& author) {
  Header header = test::header_from(author);
  header.emplace_back(std::string(others_field));
  header.emplace_back(std::string(forged_field));
  Flow flow(std::make_shared<const Policy>(policy), envelope, header);
  EXPECT_FALSE(flow.is_judged());
  Passed passed{std::move(flow).finish_unjudged(test::signing_time), std::move(header)};
  apply_edits(passed.outcome.edits, passed.header);
  return passed;
}

TEST(ForgedResults, GoFromTheMailOfThoseWhoLoggedIn) {
  const Passed passed = pass(whole_policy(), logged_in(), "alice@example.org");
  EXPECT_FALSE(passed.has_forged());
  EXPECT_TRUE(passed.has_others());
  EXPECT_TRUE(passed.tells());
  EXPECT_EQ(passed.outcome.signatures.size(), 1U);
  for (const auto& result : test::verify(passed.header, "", passed.outcome))
    EXPECT_EQ(result.result, dkim::Result::pass);
}

TEST(ForgedResults, StayOnMailOfOurOwnHosts) {
  Envelope local;
  local.client_ip = IpAddress::parse("127.0.0.1");
  const Passed passed = pass(whole_policy(), local, "alice@example.org");
  EXPECT_TRUE(passed.has_forged()) << "it may be what we wrote when the message came in";
  EXPECT_FALSE(passed.tells());
}

TEST(ForgedResults, GoFromMailOfExemptDomains) {
  Policy policy = whole_policy();
  policy.exempt_domains.entries.add("exempt.example", {});
  const Passed passed = pass(policy, outside(), "x@exempt.example");
  EXPECT_FALSE(passed.has_forged());
  EXPECT_TRUE(passed.tells());
}

TEST(ForgedResults, StayWhereNothingIsJudgedOrChanged) {
  Policy signs_only = whole_policy();
  signs_only.judges = false;
  EXPECT_TRUE(pass(signs_only, logged_in(), "alice@example.org").has_forged());
  Policy shadow = whole_policy();
  shadow.judging.shadow = true;
  EXPECT_TRUE(pass(shadow, logged_in(), "alice@example.org").has_forged());
  Policy left_alone = whole_policy();
  left_alone.judging.unjudged.add("192.0.2.1", {"list", 1});
  EXPECT_TRUE(pass(left_alone, outside(), "x@example.com").has_forged());
}

// What a rule for all mail puts aside is judged as well, and stays aside.
TEST(ForgedResults, GoFromMailThatIsPutAsideForItsAuthor) {
  Policy policy = judging_policy();
  policy.on_bad_author = Action::quarantine;
  test::Arrival arrival =
      by("alice@example.com", "From: eve@example.net\r\n" + std::string(forged_field) + "\r\n");
  const Arrived arrived = arrive(arrival, policy, zone);
  EXPECT_EQ(arrived.outcome.action, Action::quarantine);
  EXPECT_EQ(arrived.dmarc(), "permerror");
  EXPECT_THAT(arrived.results(), HasSubstr("dmarc=permerror"));
  EXPECT_EQ(count_fields(arrived.header, "Authentication-Results"), 1U);
  policy.judging.actions.ambiguous = Action::accept;
  EXPECT_EQ(arrive(arrival, policy, zone).outcome.action, Action::quarantine);
}

TEST(ForgedResults, AmongFieldsThatNobodySawRefuseTheMessage) {
  Policy policy = judging_policy();
  const Envelope envelope = outside();
  const auto action_of = [&](bool has_lost_results) {
    Flow flow(std::make_shared<const Policy>(policy), envelope,
              test::header_from("alice@example.com"),
              HeaderCut{SplitErrorCode::header_too_large, has_lost_results});
    const auto parsed = dns::Zone::parse(zone, Limits{});
    return dns::run_with(std::move(flow).finish(test::signing_time),
                         [&](const dns::Question& question) { return parsed->answer(question); })
        .action;
  };
  EXPECT_EQ(action_of(false), Action::quarantine);
  EXPECT_EQ(action_of(true), Action::reject);
  policy.judging.shadow = true;
  EXPECT_EQ(action_of(true), Action::accept);
}

TEST(ForgedResults, AmongFieldsThatNobodySawRefuseAMessageOfOursToo) {
  const Envelope envelope = logged_in();
  const auto action_of = [&envelope](bool has_lost_results) {
    Flow flow(std::make_shared<const Policy>(whole_policy()), envelope,
              test::header_from("alice@example.org"),
              HeaderCut{SplitErrorCode::header_too_large, has_lost_results});
    return std::move(flow).finish_unjudged(test::signing_time).action;
  };
  EXPECT_EQ(action_of(false), Action::accept);
  EXPECT_EQ(action_of(true), Action::reject);
}

}  // namespace
}  // namespace countersign::mailflow
