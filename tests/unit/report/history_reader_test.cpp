// SPDX-License-Identifier: Apache-2.0
//
// Files of OpenDMARC and others, whole and broken, as HistoryReader takes them.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "countersign/report/history.hpp"
#include "tests/support/history.hpp"

namespace countersign::report {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Code = HistoryErrorCode;
using dmarc::AssessmentPolicy;
using test::many_results;
using test::one_record;
using test::passed;
using test::read_history;
using test::rejected;
using test::saved_by_arc;
using test::with_line;
using test::without_policy;

HistoryError error_of(std::string_view text) {
  const std::vector<HistoryItem> items = read_history(text);
  if (items.size() == 1 && !items.front().record) return items.front().record.error();
  ADD_FAILURE() << "read: " << text;
  return {};
}

// --- what OpenDMARC wrote ------------------------------------------------------------------------

TEST(HistoryReader, ReadsWhatOpenDmarcWrote) {
  const HistoryRecord record = one_record(passed);
  EXPECT_EQ(record.job, "J1");
  EXPECT_EQ(record.reporter, "vm");
  EXPECT_EQ(record.received, 1'795'718'963);
  const Evaluation expected{
      .published = {.domain = "sender.example",
                    .p = AssessmentPolicy::reject,
                    .sp = AssessmentPolicy::quarantine,
                    .np = std::nullopt,
                    .adkim = dmarc::Alignment::strict,
                    .aspf = dmarc::Alignment::relaxed,
                    .discovery_method = DiscoveryMethod::psl,
                    .rua = {"mailto:a@sender.example", "mailto:b@other.example"}},
      .source_ip = IpAddress::parse("192.0.2.1").value(),
      .disposition = ActionDisposition::pass,
      .dkim_aligned = true,
      .spf_aligned = true,
      .reasons = {},
      .header_from = "sender.example",
      .envelope_from = "sender.example",
      .envelope_to = std::nullopt,
      .dkim = {{"sender.example", "june", "pass", ""}},
      .spf = SpfAuthResult{"sender.example", "pass", ""}};
  EXPECT_EQ(record.evaluation, expected);
}

TEST(HistoryReader, TellsWhatWasDone) {
  EXPECT_EQ(one_record(rejected).evaluation.disposition, ActionDisposition::reject);
  EXPECT_THAT(one_record(rejected).evaluation.reasons, IsEmpty());
  const Evaluation held = one_record(with_line(many_results, "action", "action 4")).evaluation;
  EXPECT_EQ(held.disposition, ActionDisposition::quarantine);
  EXPECT_THAT(held.reasons, IsEmpty());
  const Evaluation accepted = one_record(many_results).evaluation;
  EXPECT_EQ(accepted.disposition, ActionDisposition::none);
  EXPECT_THAT(accepted.reasons, ElementsAre(PolicyOverride{OverrideReason::local_policy, ""}));
  const HistoryRecord forwarded = one_record(saved_by_arc);
  EXPECT_TRUE(forwarded.has_arc_pass);
  EXPECT_EQ(forwarded.arc_use, HistoryArcUse::pass);
  EXPECT_THAT(forwarded.evaluation.reasons,
              ElementsAre(PolicyOverride{OverrideReason::local_policy, "arc=pass"}));
  EXPECT_EQ(one_record(with_line(passed, "p", "p 110")).evaluation.disposition,
            ActionDisposition::none)
      << "nothing was asked for";
  EXPECT_THAT(one_record(with_line(many_results, "policy", "policy 18")).evaluation.reasons,
              IsEmpty());
  EXPECT_EQ(one_record(with_line(rejected, "action", "action 1")).evaluation.disposition,
            ActionDisposition::reject);
}

// RFC 9990 §3.1.1.11
TEST(HistoryReader, GivesAReasonWhereAPolicyWasNotCarriedOut) {
  const auto reasons_of = [](const char* p, const char* policy, const char* action) {
    const std::string asks = with_line(with_line(many_results, "p", p), "policy", policy);
    return one_record(with_line(asks, "action", action)).evaluation.reasons;
  };
  const PolicyOverride reason{OverrideReason::local_policy, ""};
  EXPECT_THAT(reasons_of("p 114", "policy 16", "action 4"), ElementsAre(reason)) << "held";
  EXPECT_THAT(reasons_of("p 114", "policy 16", "action 2"), ElementsAre(reason)) << "accepted";
  EXPECT_THAT(reasons_of("p 114", "policy 16", "action 0"), IsEmpty());
  EXPECT_THAT(reasons_of("p 113", "policy 17", "action 0"), ElementsAre(reason)) << "rejected";
  EXPECT_THAT(reasons_of("p 113", "policy 17", "action 1"), ElementsAre(reason)) << "discarded";
  EXPECT_THAT(reasons_of("p 113", "policy 17", "action 4"), IsEmpty());
  EXPECT_THAT(reasons_of("p 110", "policy 18", "action 0"), ElementsAre(reason));
  EXPECT_THAT(reasons_of("p 110", "policy 18", "action 4"), ElementsAre(reason));
  EXPECT_THAT(reasons_of("p 110", "policy 18", "action 2"), IsEmpty());
  EXPECT_THAT(reasons_of("p 113", "policy 16", "action 0"), ElementsAre(reason))
      << "more than was published, whoever asked for it";
  const std::string held = with_line(saved_by_arc, "action", "action 4");
  EXPECT_THAT(one_record(held).evaluation.reasons, ElementsAre(reason)) << "ARC did not save it";
}

TEST(HistoryReader, KnowsTheResults) {
  EXPECT_THAT(one_record(many_results).evaluation.dkim,
              ElementsAre(DkimAuthResult{"q.example", "a", "permerror", ""},
                          DkimAuthResult{"q.example", "b", "temperror", ""},
                          DkimAuthResult{"q.example", "b", "neutral", ""},
                          DkimAuthResult{"q.example", "b", "policy", ""}));
  EXPECT_EQ(one_record(many_results).evaluation.spf, std::nullopt);
  const char* const words[] = {"pass",      "",     "softfail", "neutral", "temperror",
                               "permerror", "none", "fail",     "policy"};
  for (int i = -1; i <= 12; ++i) {
    const Evaluation row =
        one_record(with_line(passed, "spf", "spf " + std::to_string(i))).evaluation;
    const std::string word = i >= 0 && i <= 8 ? words[i] : "";
    EXPECT_EQ(row.spf ? row.spf->result : "", word) << i;
  }
}

TEST(HistoryReader, CountsOnlyWhatAReportCounts) {
  for (const std::string& text :
       {std::string(without_policy), with_line(rejected, "policy", "policy 13"),
        with_line(rejected, "action", "action 3")}) {
    const std::vector<HistoryItem> items = read_history(text);
    ASSERT_THAT(items, SizeIs(1));
    ASSERT_TRUE(items.front().record) << text;
    EXPECT_EQ(*items.front().record, std::nullopt) << text;
  }
}

TEST(HistoryReader, ReadsWhatOthersAndOlderOnesWrite) {
  // OpenDMARC before 1.4 had no selector and no ARC; the next has no name that a report could tell.
  std::string old = with_line(passed, "dkim", "dkim sender.example 0");
  for (const char* const key : {"arc", "arc_policy"}) old = with_line(old, key, "");
  EXPECT_THAT(one_record(old).evaluation.dkim, IsEmpty());
  EXPECT_TRUE(one_record(old).evaluation.dkim_aligned);
  // Exim has the action before ARC, and another JSON.
  std::string exim = with_line(rejected, "arc_policy", "action 0");
  exim = with_line(exim, "arc", "") + "arc 11\narc_policy 2 json[ ]\n";
  EXPECT_EQ(one_record(exim).evaluation, one_record(rejected).evaluation);
  EXPECT_EQ(one_record(with_line(rejected, "spf", "")).evaluation.spf, std::nullopt);
  EXPECT_TRUE(one_record(with_line(passed, "pct", "pct 0")).evaluation.published.testing);
  std::string crlf(passed);
  for (std::size_t at = 0; (at = crlf.find('\n', at)) != crlf.npos; at += 2) crlf.insert(at, "\r");
  EXPECT_EQ(one_record(crlf).evaluation, one_record(passed).evaluation);
}

TEST(HistoryReader, LeavesOutWhatNoReportCanTell) {
  for (const char* const line :
       {"dkim sender.example - 0", "dkim no..name june 0", "dkim sender.example june 11",
        "dkim sender.example june 2", "dkim sender.example ju\"ne 0"})
    EXPECT_THAT(one_record(with_line(passed, "dkim", line)).evaluation.dkim, IsEmpty()) << line;
  const Evaluation null_path = one_record(with_line(passed, "mfrom", "mfrom ")).evaluation;
  EXPECT_EQ(null_path.envelope_from, "");
  EXPECT_EQ(null_path.spf, std::nullopt);
  const Evaluation literal = one_record(with_line(passed, "mfrom", "mfrom [192.0.2.1]")).evaluation;
  EXPECT_EQ(literal.envelope_from, std::nullopt);
  EXPECT_EQ(literal.spf, std::nullopt);
  for (const char* const uri : {"-", "mailto:", "mailto:a@b,mailto:c@d.example", "x", "mailto:a@..",
                                "mailto:a@b.example;p=none"})
    EXPECT_THAT(
        one_record(with_line(rejected, "rua", std::string("rua ") + uri)).evaluation.published.rua,
        IsEmpty())
        << uri;
}

// --- what is wrong -------------------------------------------------------------------------------

TEST(HistoryReader, SaysWhereARecordIsWrong) {
  const auto bad = [](std::string_view key, const std::string& value, Code code) {
    const std::string line = std::string(key) + " " + value;
    const std::string text = with_line(rejected, key, line);
    const std::string before = text.substr(0, text.find(line));
    const auto number = static_cast<std::uint64_t>(std::ranges::count(before, '\n')) + 1;
    EXPECT_EQ(error_of(text), (HistoryError{code, number, std::string(key)})) << line;
  };
  for (const char* const value : {"", "x", "1x", "0x1", "1.0", "99999999999999999999", "-1"})
    bad("received", value, Code::bad_number);
  bad("received", "32503680001", Code::bad_number);
  for (const char* const value : {"", "192.0.2", "localhost", "192.0.2.1:25"})
    bad("ipaddr", value, Code::bad_address);
  for (const char* const key : {"from", "pdomain"})
    for (const char* const value : {"", "-", "a..b", "[192.0.2.1]", "a\"b.example"})
      bad(key, value, Code::bad_domain);
  for (const char* const key :
       {"policy", "adkim", "aspf", "p", "sp", "align_dkim", "align_spf", "action", "arc_policy"}) {
    bad(key, "99", Code::unknown_code);
    bad(key, "none", Code::bad_number);
  }
  bad("spf", "13", Code::bad_number);
  bad("spf", "-2", Code::bad_number);
  bad("pct", "101", Code::bad_number);
  EXPECT_EQ(error_of(with_line(passed, "dkim", "dkim a.example s 13")),
            (HistoryError{Code::unknown_code, 8, "dkim"}));
  EXPECT_EQ(error_of(with_line(passed, "dkim", "dkim a.example")),
            (HistoryError{Code::bad_number, 8, "dkim"}));
}

TEST(HistoryReader, SaysWhatIsMissing) {
  for (const char* const key : {"received", "ipaddr", "from", "pdomain", "policy", "pct", "adkim",
                                "aspf", "p", "sp", "align_dkim", "align_spf", "action"})
    EXPECT_EQ(error_of("\n\n" + with_line(rejected, key, "")),
              (HistoryError{Code::missing_key, 3, key}));
}

TEST(HistoryReader, ARecordThatIsWrongCostsNoOther) {
  const std::string text = "junk\nmore 1\n" + std::string(passed) +
                           with_line(rejected, "from", "from .") + "what is this\n" +
                           std::string(saved_by_arc);
  const std::vector<HistoryItem> items = read_history(text);
  ASSERT_THAT(items, SizeIs(4));
  EXPECT_EQ(items[0].record.error(), (HistoryError{Code::no_job, 1, ""}));
  EXPECT_EQ(items[1].line, 3U);
  EXPECT_EQ(items[1].text, passed);
  EXPECT_EQ(**items[1].record, one_record(passed));
  EXPECT_EQ(items[2].record.error(), (HistoryError{Code::bad_domain, 29, "from"}));
  EXPECT_EQ(**items[3].record, one_record(saved_by_arc));
  for (std::size_t chunk = 1; chunk < 40; ++chunk)
    EXPECT_EQ(read_history(text, chunk), items) << chunk;
  EXPECT_THAT(read_history(""), IsEmpty());
  EXPECT_THAT(read_history("\n \n\r\n"), IsEmpty());
}

TEST(HistoryReader, HostileOctetsStayWhereTheyAre) {
  const std::string nul("from a\0b.example", 16);
  EXPECT_EQ(error_of(with_line(rejected, "from", nul)).code, Code::bad_domain);
  const std::string unknown = "x" + std::string("\0\x01\xFF", 3) + " y";
  EXPECT_EQ(one_record(std::string(passed) + unknown).evaluation, one_record(passed).evaluation);
  EXPECT_EQ(one_record(std::string(passed) + "from later.example\n").evaluation.header_from,
            "later.example")
      << "of two the last counts, as opendmarc-import has it";
}

TEST(HistoryReader, LinesAndRecordsAreBounded) {
  const std::string longest(Limits{}.history_line_bytes_max - 2, 'x');
  EXPECT_EQ(one_record(std::string(passed) + "x " + longest).evaluation,
            one_record(passed).evaluation);
  const std::string text = std::string(passed) + "x " + longest + "x\n" + std::string(rejected);
  const std::vector<HistoryItem> items = read_history(text, 4'096);
  ASSERT_THAT(items, SizeIs(2));
  EXPECT_EQ(items[0].record.error(), (HistoryError{Code::too_long, 23, ""}));
  EXPECT_TRUE(items[1].record);

  std::string many(passed);
  for (int i = 0; i < 10'000; ++i) many += "dkim sender.example june 0\nrua mailto:c@d.example\n";
  const HistoryError error = error_of(many);
  EXPECT_EQ(error.code, Code::too_long);
  EXPECT_LE(read_history(many).front().text.size(), Limits{}.history_record_bytes_max);
  std::string some(passed);
  for (int i = 0; i < 200; ++i) some += "dkim sender.example june 0\nrua mailto:c@d.example\n";
  EXPECT_THAT(one_record(some).evaluation.dkim, SizeIs(Limits{}.report_signatures_max));
  EXPECT_THAT(one_record(some).evaluation.published.rua, SizeIs(Limits{}.report_uris_max));
}

TEST(HistoryError, IsTold) {
  for (int i = 0; i <= static_cast<int>(Code::bad_address); ++i)
    EXPECT_FALSE(to_string(static_cast<Code>(i)).empty());
}

}  // namespace
}  // namespace countersign::report
