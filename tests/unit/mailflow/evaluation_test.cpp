// SPDX-License-Identifier: Apache-2.0
//
// Judged messages as rows of a report: whole messages through the filter, and what they leave.

#include "countersign/mailflow/evaluation.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "countersign/report/tally.hpp"
#include "tests/support/evaluations.hpp"
#include "tests/support/judging.hpp"

namespace countersign::mailflow {
namespace {

using report::ActionDisposition;
using report::OverrideReason;
using test::Arrival;
using test::arrive;
using test::Arrived;
using test::by;
using test::judging_policy;

constexpr std::string_view zone = test::judging_zone;

Envelope envelope_of(const Arrival& arrival) {
  Envelope envelope;
  envelope.client_ip = IpAddress::parse(arrival.client_ip);
  envelope.mail_from = arrival.mail_from;
  envelope.rcpt_to = {"bob@example.org"};
  return envelope;
}

std::optional<report::Evaluation> row_of(const Arrival& arrival,
                                         const Policy& policy = judging_policy()) {
  const Arrived arrived = arrive(arrival, policy, zone);
  const auto row = evaluation_of(arrived.judgement(), envelope_of(arrival));
  EXPECT_EQ(evaluation_of(arrived.judgement(), envelope_of(arrival), test::evaluation()), row)
      << "of the row whose memory is used nothing is left";
  return row;
}

Arrival forged(const std::string& author) {
  Arrival arrival = by(author);
  arrival.client_ip = "203.0.113.66";
  arrival.mail_from = "eve@nothing.example";
  return arrival;
}

std::vector<OverrideReason> reasons_of(const report::Evaluation& row) {
  std::vector<OverrideReason> types;
  for (const report::PolicyOverride& one : row.reasons) types.push_back(one.type);
  return types;
}

TEST(Evaluation, APassUnderAPolicyThatEnforcesIsPass) {
  const auto row = row_of(by("alice@example.com"));
  ASSERT_TRUE(row);
  EXPECT_EQ(row->disposition, ActionDisposition::pass);
  EXPECT_TRUE(row->spf_aligned);
  EXPECT_FALSE(row->dkim_aligned);
  EXPECT_TRUE(row->reasons.empty());
  EXPECT_EQ(row->published.domain, "example.com");
  EXPECT_EQ(row->published.p, dmarc::AssessmentPolicy::reject);
  EXPECT_EQ(row->published.sp, std::nullopt);
  EXPECT_EQ(row->published.discovery_method, report::DiscoveryMethod::treewalk);
  EXPECT_EQ(row->source_ip.to_string(), "192.0.2.1");
  EXPECT_EQ(row->header_from, "example.com");
  EXPECT_EQ(row->envelope_from, "example.com");
  EXPECT_EQ(row->envelope_to, "example.org");
  ASSERT_TRUE(row->spf);
  EXPECT_EQ(row->spf->result, "pass");
  EXPECT_TRUE(row->dkim.empty());
}

TEST(Evaluation, SaysThatAListFoundTheOrganization) {
  Policy policy = judging_policy();
  policy.judging.org_domain_of = [](const DomainName& name) { return name.ancestor(2); };
  const auto row = row_of(by("alice@example.com"), policy);
  ASSERT_TRUE(row);
  EXPECT_EQ(row->published.discovery_method, report::DiscoveryMethod::psl);
  EXPECT_EQ(row->disposition, ActionDisposition::pass);
}

TEST(Evaluation, APassUnderNoneIsNone) {
  Arrival arrival = by("alice@careful.example");
  arrival.mail_from = "alice@careful.example";
  const std::string more =
      std::string(zone) + "careful.example. 60 IN TXT \"v=spf1 ip4:192.0.2.1 -all\"\n";
  const auto row =
      evaluation_of(arrive(arrival, judging_policy(), more).judgement(), envelope_of(arrival));
  ASSERT_TRUE(row);
  EXPECT_TRUE(row->spf_aligned);
  EXPECT_EQ(row->disposition, ActionDisposition::none);
  EXPECT_EQ(row->published.np, dmarc::AssessmentPolicy::reject);
}

TEST(Evaluation, SaysWhyLessWasDoneThanAsked) {
  const auto softened = row_of(forged("eve@example.com"));
  ASSERT_TRUE(softened);
  EXPECT_EQ(softened->disposition, ActionDisposition::quarantine);
  EXPECT_EQ(reasons_of(*softened), std::vector{OverrideReason::local_policy});

  const auto as_asked = row_of(forged("eve@quarantine.example"));
  EXPECT_EQ(as_asked->disposition, ActionDisposition::quarantine);
  EXPECT_TRUE(as_asked->reasons.empty());

  const auto under_test = row_of(forged("eve@testing.example"));
  EXPECT_EQ(under_test->disposition, ActionDisposition::quarantine);
  EXPECT_EQ(reasons_of(*under_test), std::vector{OverrideReason::policy_test_mode});
  EXPECT_TRUE(under_test->published.testing);
  EXPECT_EQ(under_test->published.p, dmarc::AssessmentPolicy::reject);
}

TEST(Evaluation, TrustDoesNotChangeTheResults) {
  Policy policy = judging_policy();
  policy.judging.trust.forwarders.entries.add("forwarder.example", {"list", 1});
  Arrival arrival = forged("eve@example.com");
  arrival.mail_from = "srs@forwarder.example";
  arrival.client_ip = "198.51.100.7";
  const auto row = row_of(arrival, policy);
  ASSERT_TRUE(row);
  EXPECT_EQ(row->disposition, ActionDisposition::none);
  EXPECT_FALSE(row->spf_aligned);
  EXPECT_EQ(reasons_of(*row), std::vector{OverrideReason::trusted_forwarder});
  EXPECT_EQ(row->spf->domain, "forwarder.example");
}

TEST(Evaluation, AJudgementThatIsOnlyLookedAtDidNothing) {
  Policy policy = judging_policy();
  policy.judging.shadow = true;
  const auto row = row_of(forged("eve@quarantine.example"), policy);
  ASSERT_TRUE(row);
  EXPECT_EQ(row->disposition, ActionDisposition::none);
  EXPECT_EQ(reasons_of(*row), std::vector{OverrideReason::local_policy});
}

TEST(Evaluation, WithoutAPolicyThereIsNoRow) {
  EXPECT_FALSE(row_of(by("bob@nothing.example"))) << "no record";
  EXPECT_FALSE(row_of(by("a@example.com, b@quarantine.example"))) << "several author domains";
  Policy policy = judging_policy();
  policy.judging.dmarc = false;
  EXPECT_FALSE(row_of(by("alice@example.com"), policy)) << "not checked";
  const Arrival arrival = by("alice@example.com");
  Envelope local = envelope_of(arrival);
  local.client_ip.reset();
  EXPECT_FALSE(evaluation_of(arrive(arrival, judging_policy(), zone).judgement(), local));
}

TEST(Evaluation, WhatIsPutOffIsCountedWhenItComesAgain) {
  Policy policy = judging_policy();
  policy.judging.actions.dmarc_quarantine = Action::tempfail;
  EXPECT_FALSE(row_of(forged("eve@quarantine.example"), policy));
  policy.judging.shadow = true;
  EXPECT_TRUE(row_of(forged("eve@quarantine.example"), policy)) << "it was not";
}

TEST(Evaluation, TheNullPathIsEmptyAndStandsForHelo) {
  Arrival arrival = by("alice@example.com");
  arrival.mail_from.clear();
  const auto row = row_of(arrival);
  ASSERT_TRUE(row);
  EXPECT_EQ(row->envelope_from, "");
  EXPECT_EQ(row->spf->domain, "mail.example.com");
  EXPECT_TRUE(row->spf_aligned);
}

TEST(Evaluation, RecipientsOfSeveralDomainsAreNotNamed) {
  const Arrival arrival = by("alice@example.com");
  const Arrived arrived = arrive(arrival, judging_policy(), zone);
  Envelope envelope = envelope_of(arrival);
  envelope.rcpt_to = {"bob@example.org", "carol@EXAMPLE.org"};
  EXPECT_EQ(evaluation_of(arrived.judgement(), envelope)->envelope_to, "example.org");
  envelope.rcpt_to.push_back("dave@example.net");
  EXPECT_EQ(evaluation_of(arrived.judgement(), envelope)->envelope_to, std::nullopt);
  envelope.rcpt_to = {"bob@example.org"};
  envelope.rcpt_to_dropped = 1;
  EXPECT_EQ(evaluation_of(arrived.judgement(), envelope)->envelope_to, std::nullopt);
}

dkim::SignatureResult signature(std::string_view domain, dkim::Result result) {
  dkim::Signature tags{.sdid = *DomainName::parse(domain), .selector = *DomainName::parse("s")};
  dkim::SignatureResult one{.result = result, .signature = std::move(tags)};
  one.reason =
      result == dkim::Result::pass ? dkim::Reason::valid : dkim::Reason::body_hash_mismatch;
  return one;
}

TEST(Evaluation, SignaturesThatSayMostStandFirst) {
  const Arrival arrival = by("alice@example.com");
  Judgement judgement = arrive(arrival, judging_policy(), zone).judgement();
  const DomainName relaxed = *DomainName::parse("mail.example.com");
  judgement.verdict.signatures = {signature("example.com", dkim::Result::fail),
                                  signature("example.org", dkim::Result::pass),
                                  signature("mail.example.com", dkim::Result::pass),
                                  signature("example.com", dkim::Result::pass)};
  judgement.verdict.dmarc->identifiers.push_back(
      {.identifier = {.mechanism = dmarc::Mechanism::dkim, .domain = relaxed},
       .state = dmarc::AlignmentState::aligned});
  const auto row = evaluation_of(judgement, envelope_of(arrival));
  std::vector<std::string> order;
  for (const report::DkimAuthResult& one : row->dkim)
    order.push_back(one.domain + " " + one.result);
  EXPECT_EQ(order, (std::vector<std::string>{"example.com pass", "mail.example.com pass",
                                             "example.org pass", "example.com fail"}));
  EXPECT_TRUE(row->dkim[0].human_result.empty());
  EXPECT_FALSE(row->dkim[3].human_result.empty());
  judgement.verdict.signatures.assign(150, signature("example.org", dkim::Result::fail));
  judgement.verdict.signatures.push_back(signature("example.com", dkim::Result::pass));
  const auto many = evaluation_of(judgement, envelope_of(arrival));
  EXPECT_EQ(many->dkim.size(), Limits{}.report_signatures_max);
  EXPECT_EQ(many->dkim[0].result, "pass");
}

TEST(Evaluation, EveryRowCanBeReported) {
  for (const char* author :
       {"alice@example.com", "eve@quarantine.example", "eve@testing.example"}) {
    const auto row = row_of(forged(author));
    ASSERT_TRUE(row) << author;
    const report::Tally made =
        report::tally({{*row, 1}},
                      {.reporter = {.submitter = *DomainName::parse("mx.example.org"),
                                    .org_name = "x",
                                    .email = "x@example.org"},
                       .period = {0, 86'399}},
                      Limits{});
    EXPECT_EQ(made.dropped, 0U) << author;
  }
}

}  // namespace
}  // namespace countersign::mailflow
