// SPDX-License-Identifier: Apache-2.0
//
// Reports from a store to an MTA: what is sent and to whom, what is not, what is tried again, and
// that two who send at once send each report once.

#include "service/reporting/outbox.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <thread>

#include "countersign/report/aggregate_xml.hpp"
#include "countersign/text/utf8.hpp"
#include "service/reporting/schedule.hpp"
#include "tests/support/log_file.hpp"
#include "tests/support/outbox.hpp"
#include "tests/support/report_mail.hpp"

namespace countersign::service {
namespace {

using namespace std::chrono_literals;
using store::Day;
using store::ReportState;
using test::day;
using test::evaluation;
using test::morning;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;
using testing::UnorderedElementsAre;

using ReportOutbox = test::OutboxTest;

TEST_P(ReportOutbox, SendsADayToItsDomain) {
  store_rows(evaluation("own.example", {"mailto:dmarc@own.example"}), 7);
  const OutboxCounts counts = send();
  EXPECT_EQ(counts.sent, 1U);
  ASSERT_THAT(sender_.sent, SizeIs(1));
  const OutgoingMail& mail = sender_.sent.front();
  EXPECT_THAT(mail.rcpt_to, ElementsAre("dmarc@own.example"));
  EXPECT_EQ(mail.mail_from, "");
  EXPECT_THAT(mail.octets, testing::StartsWith("DKIM-Signature: "));
  EXPECT_THAT(mail.octets, HasSubstr("Report Domain: own.example"));
  const report::Aggregate aggregate = test::report_in_mail(mail.octets);
  EXPECT_EQ(aggregate.policy_published.domain, "own.example");
  EXPECT_EQ(aggregate.report_metadata.date_range.begin, 20'000 * 86'400);
  EXPECT_EQ(aggregate.report_metadata.date_range.end, 20'001 * 86'400 - 1);
  ASSERT_THAT(aggregate.record, SizeIs(1));
  EXPECT_EQ(aggregate.record.front().row.count, 7U);
}

TEST_P(ReportOutbox, SendsEachReportOnce) {
  store_rows(evaluation("own.example", {"mailto:dmarc@own.example"}));
  EXPECT_EQ(send().sent, 1U);
  EXPECT_EQ(send().sent, 0U);
  now_ += 24h;
  EXPECT_EQ(send().sent, 0U);
  EXPECT_THAT(sender_.sent, SizeIs(1));
}

TEST_P(ReportOutbox, PlansTogetherWithWhatIsPlannedAlready) {
  const report::Evaluation row =
      evaluation("own.example", {"mailto:a@own.example", "mailto:b@own.example"});
  store_rows(row);
  Outbox outbox(store_, check(), sender_, options_, log_.log());
  EXPECT_EQ(outbox.plan(day), 2U);
  ASSERT_TRUE(store::ReportLedger(store_).resolve(records().at(0).key, ReportState::suppressed,
                                                  "asked us not to", now_));
  EXPECT_EQ(outbox.plan(day), 2U) << "the reports of the day are as many as before";
  store_rows(row);
  store_rows(evaluation("third.example", {"mailto:a@third.example"}));
  EXPECT_EQ(outbox.plan(day, "own.example"), 4U);
  EXPECT_EQ(outbox.plan(day), 5U);
  ASSERT_THAT(records(), SizeIs(5));
  EXPECT_EQ(records().at(0).state, ReportState::suppressed) << "it stays as it is";
  EXPECT_EQ(outbox.send().sent, 4U);
}

TEST_P(ReportOutbox, WhatComesLateIsToldInAReportOfItsOwn) {
  const report::Evaluation row = evaluation("own.example", {"mailto:dmarc@own.example"});
  store_rows(row, 7);
  EXPECT_EQ(send().sent, 1U);
  store_rows(row, 2);
  Outbox outbox(store_, check(), sender_, options_, log_.log());
  std::vector<ReportPreview> previews;
  outbox.preview(day, "", [&](const ReportPreview& one) { previews.push_back(one); });
  ASSERT_THAT(previews, SizeIs(2));
  EXPECT_EQ(previews[0].messages, 7U);
  EXPECT_EQ(previews[1].messages, 2U);
  EXPECT_EQ(previews[1].edition, 2);
  EXPECT_EQ(send().sent, 1U);
  EXPECT_EQ(send().sent, 0U);
  ASSERT_THAT(sender_.sent, SizeIs(2));
  const report::Aggregate first = test::report_in_mail(sender_.sent[0].octets);
  const report::Aggregate second = test::report_in_mail(sender_.sent[1].octets);
  EXPECT_EQ(first.record.at(0).row.count, 7U);
  EXPECT_EQ(second.record.at(0).row.count, 2U);
  EXPECT_EQ(second.report_metadata.report_id, previews[1].report_id);
  EXPECT_NE(second.report_metadata.report_id, first.report_metadata.report_id);
  ASSERT_THAT(records(), SizeIs(2));
  EXPECT_EQ(records()[1].key.edition, 2);
}

TEST_P(ReportOutbox, AllDestinationsGetTheSameReport) {
  store_rows(evaluation("own.example", {"mailto:slow@own.example", "mailto:dmarc@own.example"}), 7);
  sender_.answers["slow@own.example"] = {Delivery::deferred, "451 later"};
  EXPECT_EQ(send().sent, 1U);
  store_rows(evaluation("own.example", {"mailto:slow@own.example", "mailto:dmarc@own.example"}), 2);
  sender_.answers.clear();
  now_ += 2h;
  EXPECT_EQ(send().sent, 3U);
  std::map<std::string, std::vector<std::uint64_t>> counts;
  for (const OutgoingMail& mail : sender_.sent)
    counts[mail.rcpt_to.at(0)].push_back(test::report_in_mail(mail.octets).record.at(0).row.count);
  EXPECT_THAT(counts["slow@own.example"], ElementsAre(7U, 7U, 2U)) << "the first was deferred";
  EXPECT_THAT(counts["dmarc@own.example"], ElementsAre(7U, 2U));
}

TEST_P(ReportOutbox, S50SendsToStrangersOnlyWhereTheyWantIt) {
  store_rows(evaluation("own.example", {"mailto:a@third.example", "mailto:b@other.example",
                                        "https://own.example/", "mailto:dmarc@own.example"}));
  const OutboxCounts counts = send();
  EXPECT_EQ(counts.sent, 2U);
  EXPECT_EQ(counts.suppressed, 2U);
  std::vector<std::string> recipients;
  for (const OutgoingMail& mail : sender_.sent) recipients.push_back(mail.rcpt_to.at(0));
  EXPECT_THAT(recipients, UnorderedElementsAre("a@third.example", "dmarc@own.example"));
}

TEST_P(ReportOutbox, TheSameAddressTwiceIsOneDestination) {
  store_rows(evaluation("own.example", {"mailto:dmarc@own.example", "MAILTO:dmarc@OWN.example"}));
  EXPECT_EQ(send().sent, 1U);
}

TEST_P(ReportOutbox, SendsNothingToWhoeverOptedOutAndNothingToItself) {
  store_rows(evaluation("own.example", {"mailto:dmarc@own.example"}));
  static_cast<void>(options_.opted_out.entries.add("own.example", {}));
  EXPECT_EQ(send().suppressed, 1U);
  options_.from = Mailbox{"dmarc", test::name("example.org")};
  store_rows(evaluation("example.org", {"mailto:dmarc@example.org"}));
  EXPECT_EQ(send().suppressed, 1U);
  EXPECT_THAT(sender_.sent, IsEmpty());
}

TEST_P(ReportOutbox, TriesAgainWhatWasDeferredAndNotWhatWasRefused) {
  store_rows(evaluation("own.example", {"mailto:slow@own.example", "mailto:gone@own.example"}));
  sender_.answers["slow@own.example"] = {Delivery::deferred, "451 later"};
  sender_.answers["gone@own.example"] = {Delivery::refused, "550 nobody"};
  OutboxCounts counts = send();
  EXPECT_EQ(counts.deferred, 1U);
  EXPECT_EQ(counts.failed, 1U);
  EXPECT_EQ(send().deferred, 0U) << "not before its time";
  Outbox outbox(store_, check(), sender_, options_, log_.log());
  EXPECT_EQ(outbox.waiting().count, 1U);
  EXPECT_EQ(outbox.waiting().next_attempt, now_ + 1h);
  sender_.answers.clear();
  now_ += 2h;
  EXPECT_EQ(send().sent, 1U);
  EXPECT_EQ(sender_.sent.back().rcpt_to.at(0), "slow@own.example");
}

TEST_P(ReportOutbox, NeverSendsAgainWhatMayHaveLeft) {
  store_rows(evaluation("own.example", {"mailto:dmarc@own.example"}));
  sender_.answers["dmarc@own.example"] = {Delivery::uncertain, "the connection was lost"};
  EXPECT_EQ(send().uncertain, 1U);
  sender_.answers.clear();
  now_ += 48h;
  EXPECT_EQ(send().sent, 0U);
  ASSERT_THAT(records(), SizeIs(1));
  EXPECT_EQ(records().front().state, ReportState::uncertain);
  EXPECT_EQ(records().front().detail, "the connection was lost");
}

TEST_P(ReportOutbox, TellsOnceOfWhatADeadSenderMayHaveSent) {
  store_rows(evaluation("own.example", {"mailto:dmarc@own.example"}));
  Outbox(store_, check(), sender_, options_, log_.log()).plan(day);
  store::ReportLedger ledger(store_);
  const std::vector<store::Claim> claims = ledger.claim("dead", now_, options_.lease, 1);
  ASSERT_THAT(claims, SizeIs(1));
  ASSERT_EQ(ledger.begin_sending(claims[0], {"id"}, 10, now_), store::Permission::granted);
  EXPECT_EQ(send().uncertain, 0U) << "it may live yet";
  now_ += options_.lease;
  EXPECT_EQ(send().uncertain, 1U);
  EXPECT_EQ(send().uncertain, 0U);
  EXPECT_THAT(sender_.sent, IsEmpty());
  EXPECT_EQ(log_.count("report may have left"), 1);
  EXPECT_TRUE(log_.has("day=2024-10-04")) << log_.text();
  EXPECT_TRUE(log_.has("destination=mailto:dmarc@own.example")) << log_.text();
}

TEST_P(ReportOutbox, TwoNodesThatSendAtOnceSendEachReportOnce) {
  constexpr int domains = 30;
  for (int i = 0; i < domains; ++i) {
    const std::string domain = "d" + std::to_string(i) + ".own.example";
    store_rows(evaluation(domain, {"mailto:dmarc@" + domain}));
  }
  const auto run = [this](const std::string& owner) {
    store::Store store = open();
    OutboxOptions options = options_;
    options.owner = owner;
    Outbox outbox(store, check(), sender_, options, log_.log());
    outbox.plan(day);
    static_cast<void>(outbox.send());
  };
  {
    const std::jthread one([&] { run("node-a"); });
    const std::jthread other([&] { run("node-b"); });
  }
  std::map<std::string, int> times;
  for (const OutgoingMail& mail : sender_.sent) ++times[mail.rcpt_to.at(0)];
  EXPECT_THAT(times, SizeIs(domains));
  for (const auto& [address, count] : times) EXPECT_EQ(count, 1) << address;
}

TEST_P(ReportOutbox, APreviewSendsAndEntersNothing) {
  store_rows(evaluation("own.example", {"mailto:dmarc@own.example", "mailto:b@other.example"}), 3);
  Outbox outbox(store_, check(), sender_, options_, log_.log());
  std::vector<ReportPreview> previews;
  outbox.preview(day, "own.example", [&](const ReportPreview& one) { previews.push_back(one); });
  ASSERT_THAT(previews, SizeIs(1));
  EXPECT_EQ(previews.front().messages, 3U);
  ASSERT_THAT(previews.front().destinations, SizeIs(2));
  EXPECT_EQ(previews.front().destinations[1].checked.authorization,
            report::Authorization::unauthorized);
  EXPECT_EQ(previews.front().destinations[0].state, std::nullopt);
  EXPECT_THAT(previews.front().xml, HasSubstr("<domain>own.example</domain>"));
  EXPECT_EQ(test::report_in_mail(previews.front().mail).policy_published.domain, "own.example");
  outbox.preview(day, "nobody.example", [&](const ReportPreview& one) { previews.push_back(one); });
  EXPECT_THAT(previews, SizeIs(1));
  EXPECT_THAT(sender_.sent, IsEmpty());
  EXPECT_THAT(records(), IsEmpty());
}

TEST_P(ReportOutbox, APreviewTellsWhatBecameOfEachReport) {
  store_rows(evaluation("own.example", {"mailto:dmarc@own.example", "mailto:slow@own.example"}));
  sender_.answers["slow@own.example"] = {Delivery::deferred, "451 later"};
  EXPECT_EQ(send().sent, 1U);
  Outbox outbox(store_, check(), sender_, options_, log_.log());
  std::vector<ReportPreview> previews;
  outbox.preview(day, "", [&](const ReportPreview& one) { previews.push_back(one); });
  ASSERT_THAT(previews, SizeIs(1));
  ASSERT_THAT(previews[0].destinations, SizeIs(2));
  EXPECT_EQ(previews[0].destinations[0].state, ReportState::sent);
  EXPECT_FALSE(previews[0].destinations[0].is_due());
  EXPECT_EQ(previews[0].destinations[1].state, ReportState::due);
  EXPECT_TRUE(previews[0].destinations[1].is_due());
}

TEST_P(ReportOutbox, HostsWithStoresOfTheirOwnSendDifferentReports) {
  const report::Evaluation row = evaluation("own.example", {"mailto:dmarc@own.example"});
  store_rows(row);
  EXPECT_EQ(send().sent, 1U);
  store::Store other({.path = folder_ / "other.sqlite"});
  ASSERT_TRUE(other.append({{store::row_key(row, day), 1}}, {"segment", 0, 1}, morning).is_new);
  Outbox outbox(other, check(), sender_, options_, log_.log());
  outbox.plan(day);
  EXPECT_EQ(outbox.send().sent, 1U);
  ASSERT_THAT(sender_.sent, SizeIs(2));
  // A reader takes two reports of one identifier for one.
  EXPECT_NE(test::report_in_mail(sender_.sent[0].octets).report_metadata.report_id,
            test::report_in_mail(sender_.sent[1].octets).report_metadata.report_id);
}

TEST_P(ReportOutbox, APreviewSaysWhyNothingWouldBeSent) {
  store_rows(evaluation("own.example", {"mailto:dmarc@own.example"}));
  store_rows(evaluation("example.org", {"mailto:reports@example.org"}));
  static_cast<void>(options_.opted_out.entries.add("own.example", {}));
  Outbox outbox(store_, check(), sender_, options_, log_.log());
  std::map<std::string, ReportPreview> previews;
  outbox.preview(day, "", [&](const ReportPreview& one) { previews[one.policy_domain] = one; });
  ASSERT_THAT(previews, SizeIs(2));
  EXPECT_EQ(previews.at("own.example").fault, "the domain gets no reports from us");
  EXPECT_EQ(previews.at("example.org").fault, "it would come back to ourselves");
  for (const auto& [domain, one] : previews) EXPECT_EQ(one.mail, "") << domain;
  EXPECT_EQ(send().suppressed, 2U) << "as it was said";
}

using DividedReport = test::DividedOutboxTest;

TEST_P(DividedReport, LosesNothing) {
  EXPECT_EQ(send().sent, 1U);
  EXPECT_GT(sender_.sent.size(), 2U);
  expect_complete();
}

TEST_P(DividedReport, GoesOnBehindThePartsThatHaveLeft) {
  sender_.taken = 2;
  EXPECT_EQ(send().deferred, 1U);
  EXPECT_THAT(sender_.sent, SizeIs(2));
  EXPECT_EQ(records().front().state, ReportState::due);
  EXPECT_THAT(records().front().detail, HasSubstr("part 3 of "));
  now_ += 2h;
  sender_.taken = 1'000;
  EXPECT_EQ(send().sent, 1U);
  expect_complete();
}

TEST_P(DividedReport, OnlyThePartInDoubtIsUncertain) {
  sender_.taken = 2;
  sender_.then = {Delivery::uncertain, "the connection ended"};
  EXPECT_EQ(send().uncertain, 1U);
  EXPECT_THAT(records().front().detail, HasSubstr("part 3 of "));
  // An operator finds out that it has not arrived.
  ASSERT_TRUE(store::ReportLedger(store_).resolve(records().front().key, ReportState::due,
                                                  "not in the log", now_));
  sender_.taken = 1'000;
  EXPECT_EQ(send().sent, 1U);
  expect_complete();
}

TEST_P(DividedReport, DoesNotChangeWhenMoreComes) {
  sender_.taken = 2;
  EXPECT_EQ(send().deferred, 1U);
  store_rows(numbered(1'000), 5);
  now_ += 2h;
  sender_.taken = 1'000;
  EXPECT_EQ(send().sent, 2U);
  const OutgoingMail late = sender_.sent.back();
  sender_.sent.pop_back();
  expect_complete();
  EXPECT_EQ(test::report_in_mail(late.octets).record.at(0).row.count, 5U);
}

TEST_P(DividedReport, IsGivenUpWhenItWouldBeDividedOtherwise) {
  sender_.taken = 2;
  EXPECT_EQ(send().deferred, 1U);
  options_.packed_octets_max = 3'000;
  now_ += 2h;
  sender_.taken = 1'000;
  EXPECT_EQ(send().failed, 1U);
  EXPECT_THAT(sender_.sent, SizeIs(2)) << "no message is told twice";
  EXPECT_THAT(records().front().detail, HasSubstr("is divided otherwise now"));
}

COUNTERSIGN_ON_BOTH_ENGINES(DividedReport);
// --- hostile content -----------------------------------------------------------------------------

TEST_P(ReportOutbox, S47StrangersTextsLeaveAsTheyCame) {
  const std::vector<std::string> texts{"'; DROP TABLE evaluation; --",
                                       "</header_from><script>alert(1)</script>",
                                       "]]>&amp;&#0;<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///'>]>",
                                       "\xe2\x80\xaegpj.exe",
                                       "=cmd|' /C calc'!A0",
                                       "$1 %s {} \\"};
  for (const std::string& text : texts) {
    report::Evaluation one = evaluation("own.example", {"mailto:dmarc@own.example"});
    one.header_from = text;
    one.envelope_from = text;
    one.reasons = {{report::OverrideReason::other, text}};
    one.dkim = {{text, text, "fail", text}};
    store_rows(one, 3);
  }
  EXPECT_EQ(send().sent, 1U);
  ASSERT_THAT(sender_.sent, SizeIs(1));
  std::vector<std::string> told;
  const auto read = report::parse_aggregate(test::xml_in_mail(sender_.sent[0].octets), Limits());
  ASSERT_TRUE(read);
  for (const report::Record& record : read->aggregate.record) {
    const std::string& text = told.emplace_back(record.identifiers.header_from);
    EXPECT_EQ(record.row.count, 3U);
    EXPECT_EQ(record.identifiers.envelope_from, text);
    EXPECT_EQ(record.row.policy_evaluated.reason.at(0).comment, text);
    EXPECT_EQ(record.auth_results.dkim.at(0).domain, text);
    EXPECT_EQ(record.auth_results.dkim.at(0).selector, text);
    EXPECT_EQ(record.auth_results.dkim.at(0).human_result, text);
  }
  EXPECT_THAT(told, testing::UnorderedElementsAreArray(texts));
}

TEST_P(ReportOutbox, S47WhatNoXmlCanHoldIsReplacedAndCounted) {
  for (const std::string& text :
       {std::string("\x1b]0;owned\x07\x1b[2J"), std::string("nul\0inside", 10),
        std::string("\xff\xfe broken \xc3"), std::string("a\r\nBcc: victim@rcpt.example\r\n\r\n"),
        std::string("\xef\xbf\xbf \xed\xa0\x80")}) {
    report::Evaluation one = evaluation("own.example", {"mailto:dmarc@own.example"});
    one.header_from = text;
    one.dkim = {{text, text, "fail", text}};
    store_rows(one, 2);
  }
  EXPECT_EQ(send().sent, 1U);
  const std::string xml = test::xml_in_mail(sender_.sent.at(0).octets);
  EXPECT_TRUE(text::is_utf8(xml));
  EXPECT_EQ(xml.find_first_of(std::string("\0\x07\x1b", 3)), std::string::npos);
  const auto read = report::parse_aggregate(xml, Limits());
  ASSERT_TRUE(read);
  std::uint64_t messages = 0;
  for (const report::Record& record : read->aggregate.record) messages += record.row.count;
  EXPECT_EQ(messages, 10U);
  EXPECT_THAT(sender_.sent[0].octets, Not(HasSubstr("victim")));
}

TEST_P(ReportOutbox, S50NoRecordWritesACommandOrAField) {
  const std::string injected = "\r\nRCPT TO:<victim@rcpt.example>\r\nBcc: victim@rcpt.example";
  store_rows(evaluation("own.example",
                        {"mailto:a@own.example" + injected, "mailto:a@own.example%0d%0aBcc:x",
                         "mailto:<victim@rcpt.example>", "mailto:root@localhost",
                         "mailto:b@own.example?bcc=victim@rcpt.example", "x" + injected}));
  store_rows(evaluation("own.example" + injected, {"mailto:c@own.example"}));
  const OutboxCounts counts = send();
  EXPECT_EQ(counts.sent, 1U);
  EXPECT_EQ(counts.suppressed, 6U);
  ASSERT_THAT(sender_.sent, SizeIs(1));
  EXPECT_THAT(sender_.sent[0].rcpt_to, ElementsAre("b@own.example"));
  EXPECT_THAT(sender_.sent[0].octets, Not(HasSubstr("victim")));
  EXPECT_EQ(log_.count("\n"), 7) << "no line of the log is a stranger's";
}

TEST_P(ReportOutbox, S47WhatAnMtaSaysIsKeptAsItIsAndLoggedEscaped) {
  const std::string reply =
      "550 \x1b[31m '; DROP TABLE report; -- <script> \xe2\x80\xae\nlevel=info msg=\"report sent\"";
  sender_.answers["dmarc@own.example"] = {Delivery::refused, reply};
  store_rows(evaluation("own.example", {"mailto:dmarc@own.example"}));
  EXPECT_EQ(send().failed, 1U);
  EXPECT_EQ(records().at(0).detail, reply);
  EXPECT_EQ(log_.count("\n"), 1);
  EXPECT_TRUE(log_.has("\\x1b[31m")) << log_.text();
  EXPECT_FALSE(log_.has("\x1b"));
  EXPECT_FALSE(log_.has("\xe2\x80\xae"));
}

COUNTERSIGN_ON_BOTH_ENGINES(ReportOutbox);

TEST(ReportSchedule, ReportsADayWhenItIsOverAndALittleMore) {
  const ScheduleTimes times{.after_midnight = 1h};
  EXPECT_EQ(due_days(day + 24h + 59min, times).newest, day - std::chrono::days(1));
  EXPECT_EQ(due_days(day + 25h, times).newest, day);
  EXPECT_EQ(due_days(day + 25h, times).since, day + 25h);
  EXPECT_EQ(due_days(day + 48h + 59min, times).since, day + 25h);
}

TEST(ReportSchedule, RunsRoundsUntilItIsStoppedAndSurvivesTheirFailure) {
  test::LogFile log;
  std::atomic<int> rounds = 0;
  {
    ReportSchedule schedule(
        [&](const DueDays& due, const std::atomic<bool>&) {
          EXPECT_EQ(due.newest, day);
          EXPECT_EQ(due.count, 3);
          if (++rounds == 1) throw std::runtime_error("no store today");
          return OutboxCounts{.sent = 2, .failed = 1, .messages_too_late = 5};
        },
        {.between_attempts = std::chrono::seconds(0)}, [] { return morning; }, log.log());
    while (rounds < 4) std::this_thread::yield();
    EXPECT_GE(schedule.counters().sent.load(), 4U);
    EXPECT_GE(schedule.counters().failed.load(), 2U);
    EXPECT_GE(schedule.counters().messages_too_late.load(), 10U);
  }
  EXPECT_TRUE(log.has("no store today"));
}

}  // namespace
}  // namespace countersign::service
