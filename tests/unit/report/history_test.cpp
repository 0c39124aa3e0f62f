// SPDX-License-Identifier: Apache-2.0
//
// Records as they are written for programs that read OpenDMARC's.

#include "countersign/report/history.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "tests/support/evaluations.hpp"
#include "tests/support/history.hpp"

namespace countersign::report {
namespace {

using dmarc::AssessmentPolicy;
using test::one_record;
using test::passed;
using test::rejected;
using test::saved_by_arc;
using test::with_line;

/// An evaluation without what the format cannot say.
HistoryRecord plain_record() {
  HistoryRecord record{.job = "4XyZ12",
                       .reporter = "mx.example",
                       .received = 1'795'718'963,
                       .evaluation = test::evaluation()};
  Evaluation& row = record.evaluation;
  row.published.np = std::nullopt;
  row.published.fo = "0";
  row.reasons.clear();
  row.envelope_to = std::nullopt;
  row.disposition = ActionDisposition::pass;
  for (DkimAuthResult& one : row.dkim) one.human_result = "";
  row.spf->human_result = "";
  return record;
}

TEST(FormatHistory, WritesAsOpenDmarcDoes) {
  HistoryRecord record = one_record(saved_by_arc);
  record.arc_sets = {{1, "fwd.example.org", "arc"}};
  EXPECT_EQ(format_history(record), saved_by_arc);
  EXPECT_EQ(format_history(one_record(rejected)), rejected);
  // It has results in the order in which it found them, and a share of mail, which is no more.
  std::string expected = with_line(with_line(passed, "spf", ""), "pct", "pct 100");
  expected.insert(expected.find("pdomain"), "spf 0\n");
  expected.replace(expected.find("!10m"), 4, "");
  EXPECT_EQ(format_history(one_record(passed)), expected);
  record.arc_sets.push_back({2, "b.example", "s"});
  EXPECT_THAT(format_history(record),
              ::testing::HasSubstr("json:[{ \"i\": 1, \"d\":\"fwd.example.org\", \"s\":\"arc\", "
                                   "\"ip\":\"\" }, { \"i\": 2, \"d\":\"b.example\""));
}

TEST(FormatHistory, WritesMailWithoutARecordAsOpenDmarcDoes) {
  HistoryRecord record = one_record(rejected);
  record.has_policy = false;
  record.evaluation.published = {.domain = "example.org", .rua = {"mailto:a@sender.example.org"}};
  record.evaluation.disposition = ActionDisposition::none;
  std::string expected(rejected);
  expected.replace(expected.find("pdomain"), std::string::npos,
                   "pdomain example.org\npolicy 14\nrua -\npct 0\nadkim 0\naspf 0\np 0\nsp 0\n"
                   "align_dkim 0\nalign_spf 0\narc 7\narc_policy 2 json:[]\naction 2\n");
  EXPECT_EQ(format_history(record), expected);
  const std::vector<HistoryItem> items = test::read_history(format_history(record));
  ASSERT_EQ(items.size(), 1u);
  ASSERT_TRUE(items.front().record);
  EXPECT_FALSE(*items.front().record) << "no report counts it";
}

TEST(FormatHistory, WhatIsWrittenReadsBackEqual) {
  const HistoryRecord record = plain_record();
  EXPECT_EQ(one_record(format_history(record)), record);
  for (const ActionDisposition disposition :
       {ActionDisposition::none, ActionDisposition::quarantine, ActionDisposition::reject}) {
    HistoryRecord failed = record;
    failed.evaluation.dkim_aligned = failed.evaluation.spf_aligned = false;
    failed.evaluation.disposition = disposition;
    const HistoryRecord again = one_record(format_history(failed));
    EXPECT_EQ(again.evaluation.disposition, disposition);
    // The format has no reasons; whoever reads it gives one where RFC 9990 asks for it.
    const bool is_carried_out = disposition == ActionDisposition::quarantine;  // sp=quarantine
    EXPECT_EQ(again.evaluation.reasons.size(), is_carried_out ? 0U : 1U) << to_string(disposition);
    EXPECT_FALSE(again.evaluation.dkim_aligned || again.evaluation.spf_aligned);
    EXPECT_EQ(again.evaluation.published, failed.evaluation.published);
  }
  for (const AssessmentPolicy policy :
       {AssessmentPolicy::none, AssessmentPolicy::quarantine, AssessmentPolicy::reject}) {
    HistoryRecord other = record;
    other.evaluation.published.p = policy;
    other.evaluation.published.sp = std::nullopt;
    other.evaluation.published.testing = false;
    other.evaluation.envelope_from = "";
    other.evaluation.spf = std::nullopt;
    other.evaluation.disposition =
        policy == AssessmentPolicy::none ? ActionDisposition::none : ActionDisposition::pass;
    EXPECT_EQ(one_record(format_history(other)), other);
  }
}

TEST(FormatHistory, SaysWhatAppliesToTheAuthorsDomain) {
  const auto policy_of = [](HistoryRecord record) {
    record.evaluation.dkim_aligned = record.evaluation.spf_aligned = false;
    const std::string text = format_history(record);
    return text.substr(text.find("\npolicy ") + 8, 2);
  };
  HistoryRecord record = plain_record();
  record.evaluation.disposition = ActionDisposition::none;
  EXPECT_EQ(policy_of(record), "17") << "sp=quarantine";
  record.evaluation.header_from = record.evaluation.published.domain;
  EXPECT_EQ(policy_of(record), "16") << "p=reject";
  record.evaluation.published.p = AssessmentPolicy::none;
  EXPECT_EQ(policy_of(record), "18");
  record.evaluation.disposition = ActionDisposition::quarantine;
  EXPECT_EQ(policy_of(record), "17") << "it must have been asked for";
  record.evaluation.disposition = ActionDisposition::reject;
  EXPECT_EQ(policy_of(record), "16");
}

TEST(FormatHistory, NoTextEndsALine) {
  const std::string evil = std::string("a\njob b\r\n c\0\x7F\xC3\xA4", 15);
  HistoryRecord record = plain_record();
  record.job = record.reporter = evil;
  Evaluation& row = record.evaluation;
  row.header_from = row.published.domain = evil;
  row.envelope_from = evil;
  row.dkim = {{evil, evil, evil, evil}};
  row.spf = SpfAuthResult{evil, evil, evil};
  row.published.rua = {evil, "mailto:a@b.example", "mailto:a b"};
  record.arc_sets = {{1, evil, "s\"t"}, {2, "\\", "s"}, {3, evil, evil}};
  const std::string text = format_history(record);
  EXPECT_EQ(std::ranges::count(text, '\n'),
            std::ranges::count(format_history(plain_record()), '\n') - 2);
  EXPECT_EQ(text.find("\njob"), text.npos);
  EXPECT_THAT(text, ::testing::StartsWith("job a?job?b???c??"));
  for (const char c : text) EXPECT_TRUE(c == '\n' || (c >= ' ' && c <= '~'));
  record.job = record.reporter = "";
  EXPECT_THAT(format_history(record), ::testing::StartsWith("job -\nreporter -\n"));
}

}  // namespace
}  // namespace countersign::report
