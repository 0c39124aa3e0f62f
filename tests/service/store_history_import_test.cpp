// SPDX-License-Identifier: Apache-2.0
//
// A HistoryFile on its way into the store: once, however often it comes and however it grows.

#include "service/store/history_import.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/store_engines.hpp"

namespace countersign::service::store {
namespace {

using namespace std::chrono_literals;
using report::HistoryError;
using report::HistoryErrorCode;
using ::testing::ElementsAre;

constexpr Time now{std::chrono::sys_days{std::chrono::year{2026} / 11 / 26} + 10h};

std::string record(const std::string& job, Time received = now - 1h, int policy = 16) {
  report::HistoryRecord one{.job = job,
                            .reporter = "mx.example",
                            .received = received.time_since_epoch().count(),
                            .evaluation = {}};
  report::Evaluation& row = one.evaluation;
  row.published.domain = row.header_from = "example.org";
  row.published.p = dmarc::AssessmentPolicy::reject;
  row.source_ip = IpAddress::parse("192.0.2.1").value();
  row.disposition = report::ActionDisposition::reject;
  row.envelope_from = "example.org";
  std::string text = report::format_history(one);
  return text.replace(text.find("policy 16"), 9, "policy " + std::to_string(policy));
}

std::string records(int first, int last) {
  std::string text;
  for (int i = first; i <= last; ++i) text += record("J" + std::to_string(i));
  return text;
}

class HistoryImportContract : public test::StoreTest {
 protected:
  HistoryImportCounts import(const std::string& text, std::size_t chunk = 10'000) {
    Store store = open();
    errors_.clear();
    HistoryImport import(store, now,
                         [this](const HistoryError& error) { errors_.push_back(error); });
    for (std::size_t at = 0; at < text.size(); at += chunk) import.body(text.substr(at, chunk));
    return import.finish();
  }
  [[nodiscard]] std::uint64_t stored() const { return open().size().messages; }

  std::vector<HistoryError> errors_;
};

TEST_P(HistoryImportContract, BringsEachRecordToItsDay) {
  const HistoryImportCounts counts =
      import(record("A") + record("B", now - 24h) + record("C", now - 24h));
  EXPECT_EQ(counts.records, 3U);
  EXPECT_EQ(counts.added, 3U);
  EXPECT_EQ(counts.known + counts.uncounted + counts.expired + counts.refused, 0U);
  Store store = open();
  const Day today = std::chrono::floor<std::chrono::days>(now);
  const std::vector<StoredPolicy> policies = store.policies({today - std::chrono::days(1)});
  ASSERT_EQ(policies.size(), 1U);
  EXPECT_EQ(policies.front().messages, 2U);
  EXPECT_EQ(policies.front().published.domain, "example.org");
  EXPECT_EQ(policies.front().published.discovery_method, report::DiscoveryMethod::psl);
  EXPECT_EQ(store.policies({today}).front().messages, 1U);
}

TEST_P(HistoryImportContract, TheSameFileAgainAddsNothing) {
  const std::string text = records(1, 2'500);
  EXPECT_EQ(import(text).added, 2'500U);
  for (const std::size_t chunk : {1'000'000UL, 4'097UL}) {
    const HistoryImportCounts again = import(text, chunk);
    EXPECT_EQ(again.added, 0U);
    EXPECT_EQ(again.known, 2'500U);
  }
  EXPECT_EQ(stored(), 2'500U);
}

TEST_P(HistoryImportContract, OfAFileThatHasGrownOnlyTheRestIsAdded) {
  int before = 0;
  for (const int end : {1, 2, 999, 1'000, 1'001, 1'500, 2'000, 3'250}) {
    const HistoryImportCounts counts = import(records(1, end));
    EXPECT_EQ(counts.known, static_cast<std::uint64_t>(before)) << end;
    EXPECT_EQ(counts.added, static_cast<std::uint64_t>(end - before)) << end;
    before = end;
  }
  EXPECT_EQ(stored(), 3'250U);
}

TEST_P(HistoryImportContract, AnotherFileIsAnotherFile) {
  EXPECT_EQ(import(records(1, 10)).added, 10U);
  EXPECT_EQ(import(records(11, 20)).added, 10U);
  EXPECT_EQ(import(records(1, 5)).added, 0U) << "a file that was cut off behind";
  EXPECT_EQ(import("").records, 0U);
  EXPECT_EQ(stored(), 20U);
}

// Messages of a second that the MTA gave no queue id look alike.
TEST_P(HistoryImportContract, EqualRecordsAreAsManyMessages) {
  std::string text;
  for (int i = 0; i < 2'100; ++i) text += record("-");
  EXPECT_EQ(import(text).added, 2'100U);
  EXPECT_EQ(import(text).known, 2'100U);
  EXPECT_EQ(stored(), 2'100U);
}

TEST_P(HistoryImportContract, WhatNoReportCountsIsNotAdded) {
  const HistoryImportCounts counts = import(record("A", now, 14) + record("B", now - 100 * 24h) +
                                            record("C", now + 25h) + record("D"));
  EXPECT_EQ(counts.records, 4U);
  EXPECT_EQ(counts.added, 1U);
  EXPECT_EQ(counts.uncounted, 1U);
  EXPECT_EQ(counts.expired, 1U);
  EXPECT_EQ(counts.refused, 1U);
  EXPECT_THAT(errors_, ElementsAre(HistoryError{HistoryErrorCode::bad_number, 41, "received"}));
  EXPECT_EQ(stored(), 1U);
}

TEST_P(HistoryImportContract, ARecordThatHasOnlyBegunComesWhenItIsWhole) {
  const std::string whole = records(1, 3);
  const std::string cut = whole.substr(0, whole.rfind("arc_policy"));
  const HistoryImportCounts first = import(cut);
  EXPECT_EQ(first.added, 2U);
  EXPECT_EQ(first.refused, 1U);
  EXPECT_THAT(errors_, ElementsAre(HistoryError{HistoryErrorCode::missing_key, 41, "action"}));
  const HistoryImportCounts second = import(whole);
  EXPECT_EQ(second.known, 2U);
  EXPECT_EQ(second.added, 1U);
  // So it is when it begins a block, or is all that there is.
  const std::string block = records(1, 1'001);
  EXPECT_EQ(import(block.substr(0, block.rfind("arc_policy"))).added, 997U);
  EXPECT_EQ(import(block).added, 1U);
  EXPECT_EQ(import("job X\nreceived").refused, 1U);
  EXPECT_EQ(import(record("X")).added, 1U);
  EXPECT_EQ(stored(), 1'002U);
}

TEST_P(HistoryImportContract, ARecordThatIsWrongKeepsItsPlace) {
  std::string text = records(1, 3);
  text.replace(text.find("ipaddr 192.0.2.1", text.find("job J2")), 16, "ipaddr 192.0.2.x");
  EXPECT_EQ(import(text).added, 2U);
  const HistoryImportCounts again = import(text + record("J4"));
  EXPECT_EQ(again.added, 1U);
  EXPECT_EQ(again.known, 2U);
  EXPECT_EQ(again.refused, 1U);
  EXPECT_EQ(stored(), 3U);
}

COUNTERSIGN_ON_BOTH_ENGINES(HistoryImportContract);

}  // namespace
}  // namespace countersign::service::store
