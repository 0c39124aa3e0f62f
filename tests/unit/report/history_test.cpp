// SPDX-License-Identifier: Apache-2.0
//
// OpenDMARC's HistoryFile. The records that are read here are those that Debian's opendmarc 1.4.2
// wrote; tests/e2e/history.sh asks it again.

#include "countersign/report/history.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/support/evaluations.hpp"

namespace countersign::report {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Code = HistoryErrorCode;
using dmarc::AssessmentPolicy;

constexpr std::string_view rejected =
    "job K1\nreporter vm\nreceived 1795718988\nipaddr 192.0.2.1\nfrom sender.example.org\n"
    "mfrom sender.example.org\nspf 7\npdomain sender.example.org\npolicy 16\n"
    "rua mailto:a@sender.example.org\npct 100\nadkim 114\naspf 115\np 114\nsp 113\nalign_dkim 5\n"
    "align_spf 5\narc 7\narc_policy 2 json:[]\naction 0\n";
constexpr std::string_view passed =
    "job J1\nreporter vm\nreceived 1795718963\nipaddr 192.0.2.1\nfrom sender.example\n"
    "mfrom sender.example\nspf 0\ndkim sender.example june 0\npdomain sender.example\npolicy 15\n"
    "rua mailto:a@sender.example\nrua mailto:b@other.example!10m\npct 50\nadkim 115\naspf 114\n"
    "p 114\nsp 113\nalign_dkim 4\nalign_spf 4\narc 7\narc_policy 2 json:[]\naction 2\n";
constexpr std::string_view without_policy =
    "job K2\nreporter vm\nreceived 1795718989\nipaddr 2001:db8::1\nfrom SUB.Sender.Example.org\n"
    "mfrom \ndkim Sender.Example.org - 0\nspf 0\npdomain Example.org\npolicy 14\nrua -\npct 0\n"
    "adkim 0\naspf 0\np 0\nsp 0\nalign_dkim 0\nalign_spf 0\narc 7\narc_policy 2 json:[]\n"
    "action 2\n";
constexpr std::string_view saved_by_arc =
    "job K8\nreporter vm\nreceived 1795718989\nipaddr 192.0.2.1\nfrom sender.example.org\n"
    "mfrom x.example\nspf 2\npdomain sender.example.org\npolicy 16\n"
    "rua mailto:a@sender.example.org\npct 100\nadkim 114\naspf 115\np 114\nsp 113\nalign_dkim 5\n"
    "align_spf 5\narc 0\n"
    "arc_policy 0 json:[{ \"i\": 1, \"d\":\"fwd.example.org\", \"s\":\"arc\", \"ip\":\"\" }]\n"
    "action 2\n";
constexpr std::string_view many_results =
    "job J5\nreporter vm\nreceived 1795718963\nipaddr 192.0.2.1\nfrom q.example\nmfrom x.example\n"
    "dkim q.example a 5\ndkim q.example b 4\ndkim q.example b 3\ndkim q.example b 8\nspf -1\n"
    "pdomain q.example\npolicy 17\nrua mailto:q@q.example\npct 100\nadkim 114\naspf 114\np 113\n"
    "sp 0\nalign_dkim 5\nalign_spf 5\narc 7\narc_policy 2 json:[]\naction 2\n";

std::vector<HistoryItem> read(std::string_view text, std::size_t chunk = 1'000'000) {
  HistoryReader reader{Limits{}};
  std::vector<HistoryItem> items;
  const auto take = [&items](std::vector<HistoryItem> more) {
    for (HistoryItem& item : more) items.push_back(std::move(item));
  };
  for (std::size_t at = 0; at < text.size(); at += chunk) take(reader.body(text.substr(at, chunk)));
  take(reader.finish());
  return items;
}

/// The record of a text that is one.
HistoryRecord one(std::string_view text) {
  const std::vector<HistoryItem> items = read(text);
  if (items.size() != 1 || !items.front().record || !*items.front().record) {
    ADD_FAILURE() << items.size() << " records, the first of which is none: " << text;
    return {};
  }
  return **items.front().record;
}

/// The text with a line replaced, or without it.
std::string with(std::string_view text, std::string_view key, const std::string& line) {
  std::string changed(text);
  const std::size_t at = changed.find("\n" + std::string(key) + " ") + 1;
  const std::size_t end = changed.find('\n', at);
  changed.replace(at, end - at + 1, line.empty() ? "" : line + "\n");
  return changed;
}

HistoryError error_of(std::string_view text) {
  const std::vector<HistoryItem> items = read(text);
  if (items.size() == 1 && !items.front().record) return items.front().record.error();
  ADD_FAILURE() << "read: " << text;
  return {};
}

// --- what OpenDMARC wrote ------------------------------------------------------------------------

TEST(HistoryReader, ReadsWhatOpenDmarcWrote) {
  const HistoryRecord record = one(passed);
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
  EXPECT_EQ(one(rejected).evaluation.disposition, ActionDisposition::reject);
  EXPECT_THAT(one(rejected).evaluation.reasons, IsEmpty());
  const Evaluation held = one(with(many_results, "action", "action 4")).evaluation;
  EXPECT_EQ(held.disposition, ActionDisposition::quarantine);
  EXPECT_THAT(held.reasons, IsEmpty());
  const Evaluation accepted = one(many_results).evaluation;
  EXPECT_EQ(accepted.disposition, ActionDisposition::none);
  EXPECT_THAT(accepted.reasons, ElementsAre(PolicyOverride{OverrideReason::local_policy, ""}));
  const HistoryRecord forwarded = one(saved_by_arc);
  EXPECT_TRUE(forwarded.has_arc_pass);
  EXPECT_EQ(forwarded.arc_use, HistoryArcUse::pass);
  EXPECT_THAT(forwarded.evaluation.reasons,
              ElementsAre(PolicyOverride{OverrideReason::local_policy, "arc=pass"}));
  EXPECT_EQ(one(with(passed, "p", "p 110")).evaluation.disposition, ActionDisposition::none)
      << "nothing was asked for";
  EXPECT_THAT(one(with(many_results, "policy", "policy 18")).evaluation.reasons, IsEmpty());
  EXPECT_EQ(one(with(rejected, "action", "action 1")).evaluation.disposition,
            ActionDisposition::reject);
}

TEST(HistoryReader, KnowsTheResults) {
  EXPECT_THAT(one(many_results).evaluation.dkim,
              ElementsAre(DkimAuthResult{"q.example", "a", "permerror", ""},
                          DkimAuthResult{"q.example", "b", "temperror", ""},
                          DkimAuthResult{"q.example", "b", "neutral", ""},
                          DkimAuthResult{"q.example", "b", "policy", ""}));
  EXPECT_EQ(one(many_results).evaluation.spf, std::nullopt);
  const char* const words[] = {"pass",      "",     "softfail", "neutral", "temperror",
                               "permerror", "none", "fail",     "policy"};
  for (int i = -1; i <= 12; ++i) {
    const Evaluation row = one(with(passed, "spf", "spf " + std::to_string(i))).evaluation;
    const std::string word = i >= 0 && i <= 8 ? words[i] : "";
    EXPECT_EQ(row.spf ? row.spf->result : "", word) << i;
  }
}

TEST(HistoryReader, CountsOnlyWhatAReportCounts) {
  for (const std::string& text :
       {std::string(without_policy), with(rejected, "policy", "policy 13"),
        with(rejected, "action", "action 3")}) {
    const std::vector<HistoryItem> items = read(text);
    ASSERT_THAT(items, SizeIs(1));
    ASSERT_TRUE(items.front().record) << text;
    EXPECT_EQ(*items.front().record, std::nullopt) << text;
  }
}

TEST(HistoryReader, ReadsWhatOthersAndOlderOnesWrite) {
  // OpenDMARC before 1.4 had no selector and no ARC; the next has no name that a report could tell.
  std::string old = with(passed, "dkim", "dkim sender.example 0");
  for (const char* const key : {"arc", "arc_policy"}) old = with(old, key, "");
  EXPECT_THAT(one(old).evaluation.dkim, IsEmpty());
  EXPECT_TRUE(one(old).evaluation.dkim_aligned);
  // Exim has the action before ARC, and another JSON.
  std::string exim = with(rejected, "arc_policy", "action 0");
  exim = with(exim, "arc", "") + "arc 11\narc_policy 2 json[ ]\n";
  EXPECT_EQ(one(exim).evaluation, one(rejected).evaluation);
  EXPECT_EQ(one(with(rejected, "spf", "")).evaluation.spf, std::nullopt);
  EXPECT_TRUE(one(with(passed, "pct", "pct 0")).evaluation.published.testing);
  std::string crlf(passed);
  for (std::size_t at = 0; (at = crlf.find('\n', at)) != crlf.npos; at += 2) crlf.insert(at, "\r");
  EXPECT_EQ(one(crlf).evaluation, one(passed).evaluation);
}

TEST(HistoryReader, LeavesOutWhatNoReportCanTell) {
  for (const char* const line :
       {"dkim sender.example - 0", "dkim no..name june 0", "dkim sender.example june 11",
        "dkim sender.example june 2", "dkim sender.example ju\"ne 0"})
    EXPECT_THAT(one(with(passed, "dkim", line)).evaluation.dkim, IsEmpty()) << line;
  const Evaluation null_path = one(with(passed, "mfrom", "mfrom ")).evaluation;
  EXPECT_EQ(null_path.envelope_from, "");
  EXPECT_EQ(null_path.spf, std::nullopt);
  const Evaluation literal = one(with(passed, "mfrom", "mfrom [192.0.2.1]")).evaluation;
  EXPECT_EQ(literal.envelope_from, std::nullopt);
  EXPECT_EQ(literal.spf, std::nullopt);
  for (const char* const uri : {"-", "mailto:", "mailto:a@b,mailto:c@d.example", "x", "mailto:a@..",
                                "mailto:a@b.example;p=none"})
    EXPECT_THAT(one(with(rejected, "rua", std::string("rua ") + uri)).evaluation.published.rua,
                IsEmpty())
        << uri;
}

// --- what is wrong -------------------------------------------------------------------------------

TEST(HistoryReader, SaysWhereARecordIsWrong) {
  const auto bad = [](std::string_view key, const std::string& value, Code code) {
    const std::string line = std::string(key) + " " + value;
    const std::string text = with(rejected, key, line);
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
  EXPECT_EQ(error_of(with(passed, "dkim", "dkim a.example s 13")),
            (HistoryError{Code::unknown_code, 8, "dkim"}));
  EXPECT_EQ(error_of(with(passed, "dkim", "dkim a.example")),
            (HistoryError{Code::bad_number, 8, "dkim"}));
}

TEST(HistoryReader, SaysWhatIsMissing) {
  for (const char* const key : {"received", "ipaddr", "from", "pdomain", "policy", "pct", "adkim",
                                "aspf", "p", "sp", "align_dkim", "align_spf", "action"})
    EXPECT_EQ(error_of("\n\n" + with(rejected, key, "")),
              (HistoryError{Code::missing_key, 3, key}));
}

TEST(HistoryReader, ARecordThatIsWrongCostsNoOther) {
  const std::string text = "junk\nmore 1\n" + std::string(passed) +
                           with(rejected, "from", "from .") + "what is this\n" +
                           std::string(saved_by_arc);
  const std::vector<HistoryItem> items = read(text);
  ASSERT_THAT(items, SizeIs(4));
  EXPECT_EQ(items[0].record.error(), (HistoryError{Code::no_job, 1, ""}));
  EXPECT_EQ(items[1].line, 3U);
  EXPECT_EQ(items[1].text, passed);
  EXPECT_EQ(**items[1].record, one(passed));
  EXPECT_EQ(items[2].record.error(), (HistoryError{Code::bad_domain, 29, "from"}));
  EXPECT_EQ(**items[3].record, one(saved_by_arc));
  for (std::size_t chunk = 1; chunk < 40; ++chunk) EXPECT_EQ(read(text, chunk), items) << chunk;
  EXPECT_THAT(read(""), IsEmpty());
  EXPECT_THAT(read("\n \n\r\n"), IsEmpty());
}

TEST(HistoryReader, HostileOctetsStayWhereTheyAre) {
  const std::string nul("from a\0b.example", 16);
  EXPECT_EQ(error_of(with(rejected, "from", nul)).code, Code::bad_domain);
  const std::string unknown = "x" + std::string("\0\x01\xFF", 3) + " y";
  EXPECT_EQ(one(std::string(passed) + unknown).evaluation, one(passed).evaluation);
  EXPECT_EQ(one(std::string(passed) + "from later.example\n").evaluation.header_from,
            "later.example")
      << "of two the last counts, as opendmarc-import has it";
}

TEST(HistoryReader, LinesAndRecordsAreBounded) {
  const std::string longest(history_line_bytes_max - 2, 'x');
  EXPECT_EQ(one(std::string(passed) + "x " + longest).evaluation, one(passed).evaluation);
  const std::string text = std::string(passed) + "x " + longest + "x\n" + std::string(rejected);
  const std::vector<HistoryItem> items = read(text, 4'096);
  ASSERT_THAT(items, SizeIs(2));
  EXPECT_EQ(items[0].record.error(), (HistoryError{Code::too_long, 23, ""}));
  EXPECT_TRUE(items[1].record);

  std::string many(passed);
  for (int i = 0; i < 10'000; ++i) many += "dkim sender.example june 0\nrua mailto:c@d.example\n";
  const HistoryError error = error_of(many);
  EXPECT_EQ(error.code, Code::too_long);
  EXPECT_LE(read(many).front().text.size(), history_record_bytes_max);
  std::string some(passed);
  for (int i = 0; i < 200; ++i) some += "dkim sender.example june 0\nrua mailto:c@d.example\n";
  EXPECT_THAT(one(some).evaluation.dkim, SizeIs(Limits{}.report_signatures_max));
  EXPECT_THAT(one(some).evaluation.published.rua, SizeIs(Limits{}.report_uris_max));
}

// --- writing -------------------------------------------------------------------------------------

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
  HistoryRecord record = one(saved_by_arc);
  record.arc_sets = {{1, "fwd.example.org", "arc"}};
  EXPECT_EQ(format_history(record), saved_by_arc);
  EXPECT_EQ(format_history(one(rejected)), rejected);
  // It has results in the order in which it found them, and a share of mail, which is no more.
  std::string expected = with(with(passed, "spf", ""), "pct", "pct 100");
  expected.insert(expected.find("pdomain"), "spf 0\n");
  expected.replace(expected.find("!10m"), 4, "");
  EXPECT_EQ(format_history(one(passed)), expected);
  record.arc_sets.push_back({2, "b.example", "s"});
  EXPECT_THAT(format_history(record),
              ::testing::HasSubstr("json:[{ \"i\": 1, \"d\":\"fwd.example.org\", \"s\":\"arc\", "
                                   "\"ip\":\"\" }, { \"i\": 2, \"d\":\"b.example\""));
}

TEST(FormatHistory, WhatIsWrittenReadsBackEqual) {
  const HistoryRecord record = plain_record();
  EXPECT_EQ(one(format_history(record)), record);
  for (const ActionDisposition disposition :
       {ActionDisposition::none, ActionDisposition::quarantine, ActionDisposition::reject}) {
    HistoryRecord failed = record;
    failed.evaluation.dkim_aligned = failed.evaluation.spf_aligned = false;
    failed.evaluation.disposition = disposition;
    const HistoryRecord again = one(format_history(failed));
    EXPECT_EQ(again.evaluation.disposition, disposition);
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
    EXPECT_EQ(one(format_history(other)), other);
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

TEST(HistoryError, IsTold) {
  for (int i = 0; i <= static_cast<int>(Code::bad_address); ++i)
    EXPECT_FALSE(to_string(static_cast<Code>(i)).empty());
}

}  // namespace
}  // namespace countersign::report
