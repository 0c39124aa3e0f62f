// SPDX-License-Identifier: Apache-2.0
//
// What is counted of messages, DNS and reloads, and how the parts of the daemon are read.

#include "service/metrics/metrics.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/json.hpp>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
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
using testing::IsEmpty;
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

/// All matches of an expression in a text.
std::vector<std::smatch> matches(const std::string& text, const std::regex& expression) {
  return {std::sregex_iterator(text.begin(), text.end(), expression), std::sregex_iterator()};
}

using Words = std::set<std::string>;
/// The labels of each time series with their values.
using Series = std::map<std::string, std::map<std::string, Words>>;

Series series_in(const std::string& exposition) {
  const std::regex line("(^|\n)(countersign_[a-z_]+)(\\{[^}]*\\})? ");
  const std::regex label("([a-z_]+)=\"([^\"]*)\"");
  Series series;
  for (const std::smatch& one : matches(exposition, line)) {
    const std::string labels = one[3];
    auto& values = series[one[2]];
    for (const std::smatch& pair : matches(labels, label)) values[pair[1]].insert(pair[2]);
  }
  return series;
}

/// What is wrong with the labels that a text in PromQL asks of our time series, and with the names
/// of these. Prometheus itself adds "instance".
Words faults_of(const std::string& query, const Series& series) {
  const std::regex selector("(countersign_[a-z_]+[a-z])(\\{[^}]*\\})?");
  const std::regex matcher("([a-z_]+)(=~|!~|!=|=)\"([^\"]*)\"");
  Words faults;
  for (const std::smatch& one : matches(query, selector)) {
    const auto found = series.find(one[1]);
    if (found == series.end()) {
      faults.insert(one[1]);
      continue;
    }
    const std::string asked = one[2];
    for (const std::smatch& pair : matches(asked, matcher)) {
      if (pair[1] == "instance") continue;
      const auto label = found->second.find(pair[1]);
      if (label == found->second.end() || !label->second.contains(pair[3]))
        faults.insert(one[1].str() + " " + pair[0].str());
    }
  }
  return faults;
}

/// The labels by which a query tells its lines apart, of those that its time series have.
Words labels_of(const std::string& query, const Series& series) {
  Words labels{"instance"};
  for (const std::smatch& one : matches(query, std::regex("countersign_[a-z_]+[a-z]")))
    if (const auto found = series.find(one[0]); found != series.end())
      for (const auto& [label, values] : found->second) labels.insert(label);
  return labels;
}

/// The words between the brackets of "by (…)", or of all "{{…}}".
Words words_in(const std::string& text, const std::regex& brackets) {
  Words words;
  for (const std::smatch& one : matches(text, brackets)) {
    const std::string inside = one[1];
    for (const std::smatch& word : matches(inside, std::regex("[a-z_]+"))) words.insert(word[0]);
  }
  return words;
}

Words grouped_by(const std::string& query) {
  return words_in(query, std::regex("by ?\\(([^)]*)\\)"));
}

/// What is wrong with one query of the dashboard and the name of its lines.
Words faults_of(const boost::json::object& target, const Series& series) {
  const std::string query(target.at("expr").as_string());
  const std::string legend(target.at("legendFormat").as_string());
  Words faults = faults_of(query, series);
  const Words labels = labels_of(query, series);
  const Words groups = grouped_by(query);
  for (const std::string& one : groups)
    if (!labels.contains(one)) faults.insert("by (" + one + ") in " + query);
  const bool is_one = std::regex_search(query, std::regex("(sum|min|max)\\("));
  const Words& told_apart = is_one || !groups.empty() ? groups : labels;
  for (const std::string& one : words_in(legend, std::regex("\\{\\{([^}]*)\\}\\}")))
    if (!told_apart.contains(one)) faults.insert("{{" + one + "}} of " + query);
  return faults;
}

/// The labels that each row of the table in docs/metrics.md names.
std::map<std::string, Words> documented_labels(const std::string& text) {
  std::map<std::string, Words> labels;
  const std::regex row("\\n\\| (`countersign_[^|]*) \\|([^|]*)\\|");
  for (const std::smatch& one : matches(text, row)) {
    const std::string names = one[1];
    const std::string cell = one[2];
    for (const std::string& name : names_in(names))
      labels[name] = words_in(cell, std::regex("`([^`]*)`"));
  }
  return labels;
}

/// All that there is to read, of a daemon that does everything.
std::string all_metrics() {
  Metrics metrics;
  FailureReportCounters failures;
  failures.suppressed = 6;
  failures.no_room = 5;
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
  return metrics.text();
}

TEST(Metrics, AreReadFromAllParts) {
  const std::string text = all_metrics();
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
  EXPECT_THAT(text, HasSubstr("countersign_failure_reports_total{result=\"no_room\"} 5\n"));
  EXPECT_THAT(text, HasSubstr("countersign_failure_reports_dropped_messages_total 7\n"));
}

TEST(Metrics, AreDocumentedWithTheirLabels) {
  const std::string exposition = all_metrics();
  const std::string document = read_source("docs/metrics.md");
  EXPECT_EQ(names_in(document), names_in(exposition));
  const Series series = series_in(exposition);
  std::map<std::string, Words> labels;
  for (const auto& [name, values] : series) {
    Words& all = labels[*names_in(name).begin()];
    for (const auto& [label, ignored] : values)
      if (label != "le") all.insert(label);
  }
  EXPECT_EQ(documented_labels(document), labels);
  const std::size_t alarms = document.find("Worth an alarm");
  ASSERT_NE(alarms, document.npos);
  EXPECT_THAT(faults_of(document.substr(alarms), series), IsEmpty());
}

TEST(Metrics, AreAllOnTheDashboardAsTheyAre) {
  const std::string exposition = all_metrics();
  const std::string dashboard = read_source("packaging/grafana/countersign.json");
  EXPECT_EQ(names_in(dashboard), names_in(exposition));
  const Series series = series_in(exposition);
  std::size_t queries = 0;
  for (const auto& panel : boost::json::parse(dashboard).at("panels").as_array()) {
    if (panel.at("type").as_string() == "row") continue;
    for (const auto& target : panel.at("targets").as_array()) {
      EXPECT_THAT(faults_of(target.as_object(), series), IsEmpty());
      ++queries;
    }
  }
  EXPECT_GT(queries, 0U);
}

TEST(Metrics, ADashboardWithWrongLabelsIsNoticed) {
  const Series series = series_in(all_metrics());
  const auto faults = [&series](const char* query, const char* legend = "") {
    return faults_of(boost::json::object{{"expr", query}, {"legendFormat", legend}}, series).size();
  };
  EXPECT_EQ(faults("sum by (kind) (countersign_messages_total{instance=~\"$i\"})", "{{kind}}"), 0U);
  EXPECT_EQ(faults("countersign_message_total"), 1U);
  EXPECT_EQ(faults("countersign_messages_total{kind=\"judge\"}"), 1U);
  EXPECT_EQ(faults("countersign_messages_total{result=\"judged\"}"), 1U);
  EXPECT_EQ(faults("sum by (result) (countersign_messages_total)"), 1U);
  EXPECT_EQ(faults("sum(countersign_messages_total)", "{{kind}}"), 1U);
  EXPECT_EQ(faults("countersign_connections", "{{kind}} {{instance}}"), 1U);
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
