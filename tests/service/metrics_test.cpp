// SPDX-License-Identifier: Apache-2.0
//
// What is counted of messages, DNS and reloads, and how the parts of the daemon are read.

#include "service/metrics/metrics.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "service/dns/metered_resolver.hpp"
#include "service/run/daemon_metrics.hpp"
#include "tests/support/fake_resolver.hpp"
#include "tests/support/run_awaitable.hpp"

namespace countersign::service {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;
using testing::Not;

milter::MessageFinished finished(mailflow::Outcome outcome) {
  return {.client = "[192.0.2.1]", .outcome = std::move(outcome)};
}

mailflow::Outcome judged(spf::Result spf, dkim::Result dkim, mailflow::Action action) {
  mailflow::Judgement judgement;
  judgement.verdict.mail_from = spf::Outcome{.result = spf};
  judgement.verdict.helo = spf::Outcome{.result = spf::Result::none};
  judgement.verdict.checked_dkim = true;
  judgement.verdict.signatures = {{.result = dkim}};
  judgement.verdict.arc = arc::Outcome{};
  mailflow::Outcome outcome{.action = action};
  outcome.judgement = std::make_shared<const mailflow::Judgement>(std::move(judgement));
  return outcome;
}

mailflow::SignedAs signature(dkim::Algorithm algorithm) {
  return {.sdid = *DomainName::parse("a.example"),
          .selector = *DomainName::parse("s"),
          .algorithm = algorithm};
}

TEST(Metrics, AreThereBeforeAnythingHasHappened) {
  const std::string text = Metrics().text();
  EXPECT_THAT(text, HasSubstr("countersign_build_info{version=\"0.1.0\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("countersign_messages_total{action=\"reject\",kind=\"judged\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("# TYPE countersign_judging_seconds histogram\n"));
  EXPECT_THAT(text, HasSubstr("countersign_reload_success_timestamp_seconds 0\n"));
}

TEST(Metrics, CountMessagesByWhatWasDoneWithThem) {
  Metrics metrics;
  metrics.count(finished({}));
  metrics.count(finished({.action = mailflow::Action::tempfail}));
  metrics.count(finished(judged(spf::Result::fail, dkim::Result::pass, mailflow::Action::reject)));
  mailflow::Outcome ours;
  ours.signatures = {signature(dkim::Algorithm::rsa_sha256),
                     signature(dkim::Algorithm::ed25519_sha256)};
  metrics.count(finished(ours));
  metrics.count(milter::MessageAborted{});
  metrics.count(milter::SessionFailed{});
  const std::string text = metrics.text();
  for (const char* line : {
           "countersign_messages_total{action=\"accept\",kind=\"passed\"} 1\n",
           "countersign_messages_total{action=\"tempfail\",kind=\"passed\"} 1\n",
           "countersign_messages_total{action=\"reject\",kind=\"judged\"} 1\n",
           "countersign_messages_total{action=\"accept\",kind=\"signed\"} 1\n",
           "countersign_messages_aborted_total 1\n",
           "countersign_sessions_failed_total 1\n",
           "countersign_signatures_total{algorithm=\"rsa-sha256\"} 1\n",
           "countersign_signatures_total{algorithm=\"ed25519-sha256\"} 1\n",
       })
    EXPECT_THAT(text, HasSubstr(line));
}

TEST(Metrics, CountTheResultsOfEachMethod) {
  Metrics metrics;
  metrics.count(
      finished(judged(spf::Result::softfail, dkim::Result::temperror, mailflow::Action::accept)));
  const std::string text = metrics.text();
  for (const char* line : {
           "countersign_spf_results_total{identity=\"mailfrom\",result=\"softfail\"} 1\n",
           "countersign_spf_results_total{identity=\"helo\",result=\"none\"} 1\n",
           "countersign_dkim_results_total{result=\"temperror\"} 1\n",
           "countersign_arc_results_total{result=\"none\"} 1\n",
           // It was not checked.
           "countersign_dmarc_results_total{result=\"none\"} 0\n",
       })
    EXPECT_THAT(text, HasSubstr(line));
}

TEST(Metrics, CountReloadsAndRememberTheLastThatSucceeded) {
  Metrics metrics;
  metrics.count_reload(true, std::chrono::sys_seconds{std::chrono::seconds{1'700'000'000}});
  metrics.count_reload(false, std::chrono::sys_seconds{std::chrono::seconds{1'800'000'000}});
  const std::string text = metrics.text();
  EXPECT_THAT(text, HasSubstr("countersign_reloads_total{result=\"success\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("countersign_reloads_total{result=\"failure\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("countersign_reload_success_timestamp_seconds 1700000000\n"));
}

TEST(Metrics, PutTimesIntoBuckets) {
  Metrics metrics;
  metrics.observe_judging(milliseconds{20});
  metrics.observe_judging(milliseconds{2'000});
  const std::string text = metrics.text();
  EXPECT_THAT(text, HasSubstr("countersign_judging_seconds_count 2\n"));
  EXPECT_THAT(text, HasSubstr("countersign_judging_seconds_bucket{le=\"0.01\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("countersign_judging_seconds_bucket{le=\"0.05\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("countersign_judging_seconds_bucket{le=\"+Inf\"} 2\n"));
}

TEST(Metrics, ReadTheirSourcesWhenAsked) {
  Metrics metrics;
  double entries = 1;
  metrics.add({{.name = "countersign_entries",
                .help = "Entries.",
                .label_name = "cache",
                .label_value = "a",
                .read = [&] { return entries; }},
               {.name = "countersign_entries",
                .help = "Entries.",
                .label_name = "cache",
                .label_value = "b",
                .read = [] { return 7.0; }},
               {.kind = MetricSource::Kind::counter,
                .name = "countersign_rows_total",
                .help = "Rows.",
                .read = [] { return 3.0; }}});
  EXPECT_THAT(metrics.text(), HasSubstr("countersign_entries{cache=\"a\"} 1\n"));
  entries = 2;
  const std::string text = metrics.text();
  EXPECT_THAT(text, HasSubstr("countersign_entries{cache=\"a\"} 2\n"
                              "countersign_entries{cache=\"b\"} 7\n"));
  EXPECT_THAT(text, HasSubstr("# TYPE countersign_rows_total counter\n"
                              "countersign_rows_total 3\n"));
  EXPECT_EQ(text.find("# HELP countersign_entries"), text.rfind("# HELP countersign_entries"));
}

TEST(Metrics, LoseNothingWhenManyThreadsCount) {
  Metrics metrics;
  constexpr int each = 2'000;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i)
      threads.emplace_back([&] {
        for (int n = 0; n < each; ++n) {
          metrics.count(finished({}));
          metrics.observe_dns(dns::AnswerStatus::nxdomain, milliseconds{1});
          if (n % 500 == 0) EXPECT_THAT(metrics.text(), Not(HasSubstr("nan")));
        }
      });
  }
  const std::string text = metrics.text();
  EXPECT_THAT(text,
              HasSubstr("countersign_messages_total{action=\"accept\",kind=\"passed\"} 8000\n"));
  EXPECT_THAT(text, HasSubstr("countersign_dns_questions_total{status=\"NXDOMAIN\"} 8000\n"));
  EXPECT_THAT(text, HasSubstr("countersign_dns_seconds_count 8000\n"));
}

std::string read_source(const std::string& path) {
  const char* root = std::getenv("COUNTERSIGN_SOURCE");
  std::ifstream file(std::string(root == nullptr ? "." : root) + "/" + path);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// All names of metrics in a text.
std::set<std::string> names_in(const std::string& text) {
  const std::regex name("countersign_[a-z_]+[a-z]");
  std::set<std::string> names;
  for (std::sregex_iterator found(text.begin(), text.end(), name), end; found != end; ++found)
    names.insert(std::regex_replace(found->str(), std::regex("_(bucket|count|sum)$"), ""));
  return names;
}

TEST(Metrics, DocumentsAndDashboardNameWhatIsThere) {
  Metrics metrics;
  FailureReportCounters failures;
  failures.suppressed = 6;
  failures.dropped = 7;
  metrics.add(sources_of(
      {.connections = [] { return 1U; },
       .keys = [] { return config::KeyFiles{.count = 2, .oldest = 3, .expires = 8}; },
       .cache = [] { return CacheCounts{.hits = 4}; },
       .recorder = [] { return store::RecorderCounters{.queued = 5}; },
       .history =
           [] {
             return store::HistoryCounters{.queued = 8, .written = 9, .lost = 10, .failures = 11};
           },
       .reports = [] { return nullptr; },
       .failures = [&failures] { return &failures; }}));
  const std::string text = metrics.text();
  EXPECT_THAT(text, HasSubstr("countersign_dns_cache_lookups_total{outcome=\"hit\"} 4\n"));
  EXPECT_THAT(text, HasSubstr("countersign_signing_key_oldest_timestamp_seconds 3\n"));
  EXPECT_THAT(text, HasSubstr("countersign_signing_key_expiry_timestamp_seconds 8\n"));
  EXPECT_THAT(text, HasSubstr("countersign_store_queue_rows 5\n"));
  EXPECT_THAT(text, HasSubstr("countersign_history_queue_records 8\n"));
  EXPECT_THAT(text, HasSubstr("countersign_history_records_total 9\n"));
  EXPECT_THAT(text, HasSubstr("countersign_history_lost_records_total 10\n"));
  EXPECT_THAT(text, HasSubstr("countersign_history_failures_total 11\n"));
  EXPECT_THAT(text, HasSubstr("countersign_reports_total{result=\"sent\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("countersign_failure_reports_total{result=\"suppressed\"} 6\n"));
  EXPECT_THAT(text, HasSubstr("countersign_failure_reports_dropped_messages_total 7\n"));

  const std::set<std::string> there = names_in(text);
  EXPECT_EQ(names_in(read_source("docs/metrics.md")), there);
  for (const std::string& name : names_in(read_source("packaging/grafana/countersign.json")))
    EXPECT_TRUE(there.contains(name)) << name;
}

TEST(Metrics, APartThatIsNotThereHasNone) {
  Metrics metrics;
  metrics.add(sources_of({.connections = [] { return 1U; },
                          .keys = [] { return config::KeyFiles{}; },
                          .cache = [] { return CacheCounts{}; },
                          .recorder = {},
                          .history = {},
                          .reports = {},
                          .failures = {}}));
  const std::string text = metrics.text();
  EXPECT_THAT(text, HasSubstr("countersign_connections 1\n"));
  EXPECT_THAT(text, Not(HasSubstr("countersign_store_")));
  EXPECT_THAT(text, Not(HasSubstr("countersign_history_")));
  EXPECT_THAT(text, Not(HasSubstr("countersign_reports_")));
}

TEST(MeteredResolver, TellsHowEachQuestionWasAnswered) {
  boost::asio::io_context io{1};
  test::FakeResolver fake;
  fake.delay = milliseconds{30};
  std::vector<std::pair<dns::AnswerStatus, milliseconds>> seen;
  MeteredResolver resolver(fake, [&](dns::AnswerStatus status, auto took) {
    seen.emplace_back(status, std::chrono::duration_cast<milliseconds>(took));
  });
  const auto ask = [&](std::chrono::steady_clock::duration deadline) {
    return test::run_awaitable(io, resolver.lookup({"a.example", dns::RecordType::txt}, deadline));
  };
  EXPECT_EQ(ask(std::chrono::seconds{5}).status, dns::AnswerStatus::records);
  EXPECT_EQ(ask(milliseconds{1}).status, dns::AnswerStatus::timeout);
  ASSERT_EQ(seen.size(), 2U);
  EXPECT_EQ(seen[0].first, dns::AnswerStatus::records);
  EXPECT_GE(seen[0].second, milliseconds{30});
  EXPECT_EQ(seen[1].first, dns::AnswerStatus::timeout);
}

}  // namespace
}  // namespace countersign::service
