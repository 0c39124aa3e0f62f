// SPDX-License-Identifier: Apache-2.0
//
// Rows to reports: what is counted together, what is kept apart, and in which order.

#include "countersign/report/tally.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <set>
#include <string>
#include <vector>

#include "countersign/encoding/archive.hpp"
#include "countersign/report/aggregate_xml.hpp"
#include "tests/support/reports.hpp"

namespace countersign::report {
namespace {

using sample::passed_row;
using sample::tally_request;

std::uint64_t messages_of(const Tally& made) {
  std::uint64_t count = 0;
  for (const Report& one : made.reports)
    for (const Record& record : one.aggregate.record) count += record.row.count;
  return count;
}

std::vector<CountedEvaluation> many_rows(unsigned count) {
  std::vector<CountedEvaluation> rows;
  for (unsigned i = 0; i < count; ++i)
    rows.push_back(
        {passed_row("10.0." + std::to_string(i / 256) + "." + std::to_string(i % 256)), i + 1});
  return rows;
}

TEST(Tally, CountsWhatIsAlikeAsOneRow) {
  const Tally made = tally({{passed_row(), 2}, {passed_row("192.0.2.2"), 1}, {passed_row(), 5}},
                           tally_request(), Limits{});
  ASSERT_EQ(made.reports.size(), 1U);
  const std::vector<Record>& records = made.reports[0].aggregate.record;
  ASSERT_EQ(records.size(), 2U);
  EXPECT_EQ(records[0].row.source_ip->to_string(), "192.0.2.1");
  EXPECT_EQ(records[0].row.count, 7U);
  EXPECT_EQ(records[1].row.count, 1U);
  EXPECT_EQ(made.dropped, 0U);
}

TEST(Tally, WritesWhatTheRowSays) {
  const Report report = sample::report();
  const ReportMetadata& metadata = report.aggregate.report_metadata;
  EXPECT_EQ(metadata.date_range, sample::day);
  EXPECT_TRUE(is_report_id(metadata.report_id));
  EXPECT_THAT(metadata.report_id, testing::EndsWith("@mx.example.net"));
  EXPECT_EQ(report.rua, std::vector<std::string>{"mailto:reports@example.com"});
  EXPECT_EQ(report.aggregate.policy_published.np, dmarc::AssessmentPolicy::reject);
  const Record& forwarded = report.aggregate.record[1];
  EXPECT_EQ(forwarded.identifiers.envelope_from, "");
  EXPECT_EQ(forwarded.identifiers.envelope_to, std::nullopt);
  EXPECT_EQ(forwarded.row.policy_evaluated.dkim, DmarcResult::fail);
  EXPECT_EQ(forwarded.row.policy_evaluated.reason.size(), 2U);
  EXPECT_EQ(forwarded.auth_results.spf.at(0).scope, SpfScope::mfrom);
}

TEST(Tally, EachConfigurationOfAPolicyHasItsReport) {
  Evaluation changed = passed_row();
  changed.published.p = dmarc::AssessmentPolicy::none;
  Evaluation elsewhere = passed_row();
  elsewhere.published.rua = {"mailto:other@example.com"};
  Evaluation other = passed_row();
  other.published.domain = "example.edu";
  const Tally made = tally({{other, 1}, {passed_row(), 1}, {changed, 1}, {elsewhere, 1}},
                           tally_request(), Limits{});
  ASSERT_EQ(made.reports.size(), 4U);
  std::set<std::string> ids;
  for (const Report& one : made.reports) ids.insert(one.aggregate.report_metadata.report_id);
  EXPECT_EQ(ids.size(), 4U);
  EXPECT_EQ(made.reports.back().aggregate.policy_published.domain, "example.edu");
}

TEST(Tally, TagsThatWereNotPublishedHaveTheirDefaults) {
  using P = dmarc::AssessmentPolicy;
  Evaluation row = passed_row();
  row.published.sp = row.published.np = std::nullopt;
  const auto policy_of = [](const Evaluation& one) {
    return tally({{one, 1}}, tally_request(), Limits{}).reports.at(0).aggregate.policy_published;
  };
  EXPECT_EQ(policy_of(row).sp, P::reject);
  EXPECT_EQ(policy_of(row).np, P::reject);
  row.published.sp = P::none;
  EXPECT_EQ(policy_of(row).sp, P::none);
  EXPECT_EQ(policy_of(row).np, P::none) << "as sp says of all below the domain";
}

TEST(Tally, DoesNotDependOnTheOrderOfRows) {
  std::vector<CountedEvaluation> rows = many_rows(40);
  const Tally first = tally(rows, tally_request(), Limits{});
  std::ranges::reverse(rows);
  EXPECT_EQ(tally(rows, tally_request(), Limits{}).reports, first.reports);
  TallyRequest another = tally_request();
  another.run = "another";
  EXPECT_NE(tally(rows, another, Limits{}).reports, first.reports) << "its identifier is new";
}

TEST(Tally, DividesWhatIsTooLarge) {
  const std::vector<CountedEvaluation> rows = many_rows(500);
  const Tally whole = tally(rows, tally_request(), Limits{});
  ASSERT_EQ(whole.reports.size(), 1U);
  TallyRequest request = tally_request();
  request.packed_bytes_max = 2'000;
  const Tally divided = tally(rows, request, Limits{});
  ASSERT_GT(divided.reports.size(), 1U);
  std::vector<Record> joined;
  std::set<std::string> ids;
  for (const Report& one : divided.reports) {
    const auto xml = format_aggregate(one.aggregate);
    ASSERT_TRUE(xml);
    EXPECT_LE(encoding::gzip(*xml).size(), request.packed_bytes_max);
    std::ranges::copy(one.aggregate.record, std::back_inserter(joined));
    ids.insert(one.aggregate.report_metadata.report_id);
  }
  EXPECT_EQ(joined, whole.reports[0].aggregate.record);
  EXPECT_EQ(ids.size(), divided.reports.size());
}

TEST(Tally, ARowAloneIsNotDivided) {
  TallyRequest request = tally_request();
  request.packed_bytes_max = 1;
  EXPECT_EQ(tally(many_rows(3), request, Limits{}).reports.size(), 3U);
  Limits limits;
  limits.report_records_max = 2;
  for (const Report& one : tally(many_rows(9), tally_request(), limits).reports)
    EXPECT_LE(one.aggregate.record.size(), 2U);
}

TEST(Tally, IsCutWhereverItsRowsTakeTooMuch) {
  // Long names, of which a report of a few rows is far below what its XML may have.
  Limits limits;
  limits.report_bytes_max = 100'000;
  PolicyTally tally(tally_request(), limits);
  std::vector<Report> parts;
  std::uint64_t messages = 0;
  for (const CountedEvaluation& row : many_rows(1'000)) {
    Evaluation evaluation = row.evaluation;
    evaluation.dkim[0].human_result.assign(1'000, 'x');
    messages += row.count;
    if (!tally.add(evaluation, row.count)) continue;
    std::ranges::move(tally.take(), std::back_inserter(parts));
    EXPECT_TRUE(tally.take().empty()) << "nothing is kept";
  }
  EXPECT_GT(parts.size(), 10U) << "before the last row has come";
  std::ranges::move(tally.take(), std::back_inserter(parts));
  std::set<std::string> ids;
  for (const Report& one : parts) {
    EXPECT_LE(format_aggregate(one.aggregate)->size(), limits.report_bytes_max);
    ids.insert(one.aggregate.report_metadata.report_id);
    for (const Record& record : one.aggregate.record) messages -= record.row.count;
  }
  EXPECT_EQ(ids.size(), parts.size());
  EXPECT_EQ(messages, 0U) << "each is told of once";
}

TEST(Tally, RowsOfAPolicyGiveTheSameReportsOneByOne) {
  TallyRequest request = tally_request();
  request.packed_bytes_max = 2'000;
  Limits limits;
  limits.report_records_max = 90;
  const std::vector<CountedEvaluation> rows = many_rows(500);
  PolicyTally one_by_one(request, limits);
  std::vector<Report> parts;
  for (const CountedEvaluation& row : rows)
    if (one_by_one.add(row.evaluation, row.count))
      std::ranges::move(one_by_one.take(), std::back_inserter(parts));
  std::ranges::move(one_by_one.take(), std::back_inserter(parts));
  EXPECT_GT(parts.size(), 5U);
  EXPECT_EQ(parts, tally(rows, request, limits).reports);
}

TEST(Tally, LeavesOutWhatNoReportCanSay) {
  Evaluation nobody = passed_row();
  nobody.header_from.clear();
  Evaluation odd = passed_row();
  odd.dkim[0].result = "perhaps";
  const Tally made = tally({{nobody, 2}, {odd, 3}, {passed_row(), 4}, {passed_row(), 0}},
                           tally_request(), Limits{});
  EXPECT_EQ(made.dropped, 5U);
  EXPECT_EQ(messages_of(made), 4U);
  EXPECT_TRUE(tally({}, tally_request(), Limits{}).reports.empty());
}

}  // namespace
}  // namespace countersign::report
