// SPDX-License-Identifier: Apache-2.0
//
// What of a judgement stands in its record.

#include "countersign/mailflow/history_record.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "countersign/mailflow/evaluation.hpp"
#include "tests/support/judging.hpp"

namespace countersign::mailflow {
namespace {

using report::HistoryArcUse;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::chrono::sys_seconds received{std::chrono::seconds(1'795'718'963)};

/// The judgement on a message that is counted.
Judgement counted() {
  Policy policy = test::judging_policy();
  policy.judging.counts = true;
  return test::arrive(test::by("alice@example.com"), policy, test::judging_zone).judgement();
}

/// Its envelope.
Envelope envelope() {
  Envelope envelope;
  envelope.client_ip = IpAddress::parse("192.0.2.1");
  envelope.mail_from = "alice@example.com";
  envelope.rcpt_to = {"bob@example.org"};
  return envelope;
}

std::optional<report::HistoryRecord> record_of(Judgement judgement) {
  Outcome outcome;
  outcome.queue_id = "4XyZ12";
  outcome.judgement = std::make_shared<const Judgement>(std::move(judgement));
  return history_record_of(outcome, envelope(), "mx.example", received);
}

arc::SetResult set(unsigned instance, std::string_view sealer) {
  return {.instance = instance,
          .sealer = DomainName::parse(sealer).value(),
          .selector = DomainName::parse("june").value(),
          .signer = DomainName::parse(sealer).value()};
}

TEST(HistoryRecordOf, SaysWhatWasCounted) {
  const auto record = record_of(counted());
  ASSERT_TRUE(record);
  EXPECT_EQ(record->job, "4XyZ12");
  EXPECT_EQ(record->reporter, "mx.example");
  EXPECT_EQ(record->received, 1'795'718'963);
  EXPECT_EQ(record->evaluation, evaluation_of(counted(), envelope()));
  EXPECT_EQ(record->evaluation.published.domain, "example.com");
  EXPECT_FALSE(record->has_arc_pass);
  EXPECT_EQ(record->arc_use, HistoryArcUse::unused);
  EXPECT_THAT(record->arc_sets, IsEmpty());
}

TEST(HistoryRecordOf, IsNothingWhereNothingIsCounted) {
  Judgement judgement = counted();
  EXPECT_NE(record_of(judgement), std::nullopt);
  judgement.is_counted = false;
  EXPECT_EQ(record_of(judgement), std::nullopt);
  judgement.is_counted = true;
  judgement.verdict.dmarc.reset();
  EXPECT_EQ(record_of(judgement), std::nullopt) << "no policy was applied";
  EXPECT_EQ(history_record_of({}, envelope(), "mx.example", received), std::nullopt)
      << "not judged";
}

TEST(HistoryRecordWithoutPolicy, IsOfMailThatNobodyPublishedAPolicyFor) {
  Policy policy = test::judging_policy();
  policy.judging.counts = true;
  policy.judging.own_reports.report_addresses = {
      {.local_part = "dmarc", .domain = DomainName::parse("example.org").value()}};
  const auto record_of_mail = [&policy](test::Arrival arrival, const std::string& to) {
    arrival.rcpt_to = {to};
    const Outcome outcome = test::arrive(arrival, policy, test::judging_zone).outcome;
    Envelope envelope;
    envelope.client_ip = IpAddress::parse(arrival.client_ip);
    envelope.mail_from = arrival.mail_from;
    return history_record_without_policy(outcome, envelope, "mx.example", received);
  };
  const auto record = record_of_mail(test::by("bob@sub.nothing.example"), "bob@example.org");
  ASSERT_TRUE(record);
  EXPECT_FALSE(record->has_policy);
  EXPECT_EQ(record->reporter, "mx.example");
  EXPECT_EQ(record->evaluation.header_from, "sub.nothing.example");
  EXPECT_EQ(record->evaluation.disposition, report::ActionDisposition::none);
  EXPECT_EQ(record->evaluation.published.rua, std::vector<std::string>());
  EXPECT_FALSE(record_of_mail(test::by("alice@example.com"), "bob@example.org")) << "a record";
  EXPECT_FALSE(record_of_mail(test::by("bob@nothing.example"), "dmarc@example.org")) << "a report";
  policy.judging.counts = false;
  EXPECT_FALSE(record_of_mail(test::by("bob@nothing.example"), "bob@example.org"))
      << "nobody counts";
}

TEST(HistoryRecordOf, TellsOfTheChain) {
  Judgement judgement = counted();
  judgement.verdict.arc = arc::Outcome{.status = arc::ChainStatus::pass,
                                       .sets = {set(1, "list.example"), set(2, "fwd.example")}};
  const auto record = record_of(judgement);
  ASSERT_TRUE(record);
  EXPECT_TRUE(record->has_arc_pass);
  EXPECT_EQ(record->arc_use, HistoryArcUse::unused) << "it changed nothing";
  EXPECT_THAT(record->arc_sets, ElementsAre(report::HistoryArcSet{1, "list.example", "june"},
                                            report::HistoryArcSet{2, "fwd.example", "june"}));
  judgement.disposition.overrides = {{report::OverrideReason::local_policy, "trusted network"}};
  EXPECT_EQ(record_of(judgement)->arc_use, HistoryArcUse::unused);
  judgement.disposition.overrides = {
      {report::OverrideReason::trusted_forwarder, "arc=pass as[1].d=list.example as[1].s=june"}};
  EXPECT_EQ(record_of(judgement)->arc_use, HistoryArcUse::pass);
  judgement.disposition.overrides.clear();
  judgement.verdict.arc->status = arc::ChainStatus::fail;
  EXPECT_FALSE(record_of(judgement)->has_arc_pass);
}

}  // namespace
}  // namespace countersign::mailflow
