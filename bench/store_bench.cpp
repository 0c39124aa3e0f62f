// SPDX-License-Identifier: Apache-2.0
//
// What the store can take, how large it gets and how fast it becomes reports. No Google Benchmark:
// one run over a million messages is what there is to see.
//
//   store_bench FILE [MESSAGES]                     SQLite, in a file that must not exist
//   store_bench "host=… dbname=…" [MESSAGES]        PostgreSQL, in an empty schema
//
// Mail of one day: 50,000 sources of very different size send for 10,000 domains; what a source
// sends for a domain looks the same each time, but for one message in twenty.

#include <fmt/format.h>
#include <sys/resource.h>

#include <chrono>
#include <cmath>
#include <cstdlib>
#include <random>
#include <string>

#include "countersign/encoding/archive.hpp"
#include "countersign/report/aggregate_xml.hpp"
#include "countersign/report/tally.hpp"
#include "service/store/store.hpp"

namespace {

using namespace countersign;
using namespace countersign::service;
using Clock = std::chrono::steady_clock;

constexpr store::Day day{std::chrono::days(20'000)};
constexpr std::uint64_t batch_messages = 5'000;
constexpr std::uint32_t sources = 50'000;
constexpr std::uint32_t domains = 10'000;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

/// A number below `count`, small ones far more often: the share of the n-th is as 1/n.
std::uint32_t skewed(std::mt19937& random, std::uint32_t count) {
  const double share = std::uniform_real_distribution(0.0, 1.0)(random);
  return static_cast<std::uint32_t>(std::pow(static_cast<double>(count), share)) - 1;
}

report::Evaluation message_of(std::mt19937& random) {
  const std::uint32_t source = skewed(random, sources);
  // A source sends for a few domains, a large one for many.
  const std::uint32_t domain = (source * 2'654'435'761U + skewed(random, 200)) % domains;
  const std::string name = fmt::format("domain{}.example", domain);
  const bool passes = source % 10 != 0;
  report::Evaluation evaluation;
  evaluation.published.domain = name;
  evaluation.published.p = dmarc::AssessmentPolicy::reject;
  evaluation.published.rua = {"mailto:dmarc-reports@" + name};
  evaluation.source_ip =
      *IpAddress::parse(fmt::format("10.{}.{}.{}", source >> 16, source >> 8 & 255, source & 255));
  evaluation.dkim_aligned = passes;
  evaluation.spf_aligned = passes;
  evaluation.disposition =
      passes ? report::ActionDisposition::pass : report::ActionDisposition::reject;
  evaluation.header_from = name;
  evaluation.envelope_from = "bounces." + name;
  evaluation.dkim = {{name, passes ? "selector1" : "other", passes ? "pass" : "fail", ""}};
  if (random() % 20 == 0) {
    evaluation.dkim.push_back({"esp.example", fmt::format("s{}", random() % 4), "pass", ""});
  }
  evaluation.spf = report::SpfAuthResult{"bounces." + name, passes ? "pass" : "fail", ""};
  return evaluation;
}

void write(store::Store& into, std::uint64_t messages) {
  std::mt19937 random(1);
  const store::Time now = day + std::chrono::hours(12);
  double in_store = 0;
  std::uint64_t rows = 0;
  const Clock::time_point begin = Clock::now();
  for (std::uint64_t done = 0; done < messages; done += batch_messages) {
    store::Counts counts;
    for (std::uint64_t i = 0; i < batch_messages; ++i) {
      ++counts[store::row_key(message_of(random), day)];
    }
    const Clock::time_point batch = Clock::now();
    static_cast<void>(into.append(counts, {"bench's segment!", done, done + batch_messages}, now));
    in_store += seconds_since(batch);
    rows += counts.size();
  }
  fmt::print(
      "written: {} messages in {:.1f} s, of which {:.1f} s in the store: {:.0f} rows/s, {:.0f} "
      "messages/s\n",
      messages, seconds_since(begin), in_store, static_cast<double>(rows) / in_store,
      static_cast<double>(messages) / in_store);
}

/// All rows of a policy of the day.
std::vector<report::CountedEvaluation> rows_of(store::Store& from, store::PolicyId policy) {
  std::vector<report::CountedEvaluation> rows;
  from.read({day}, policy, [&rows](const store::CountedEvaluation& row) {
    rows.push_back({.evaluation = row.evaluation, .count = row.messages});
    return true;
  });
  return rows;
}

/// What has been made of a store.
struct Made {
  std::uint64_t reports = 0;
  std::uint64_t rows = 0;
  std::uint64_t messages = 0;
  std::uint64_t octets = 0;  // Of all reports, packed.
};

/// Makes the reports of a policy, as far as to what is attached to a mail.
void make_reports(store::Store& from, const store::StoredPolicy& policy, Made& made) {
  const std::vector<report::CountedEvaluation> rows = rows_of(from, policy.id);
  made.rows += rows.size();
  const report::Tally tally =
      report::tally(rows,
                    {.reporter = {.submitter = *DomainName::parse("mx.example"),
                                  .org_name = "Example",
                                  .email = "reports@mx.example",
                                  .generator = "store_bench"},
                     .period = report::day_period(day),
                     .run = std::to_string(policy.id)},
                    Limits());
  for (const report::Report& one : tally.reports) {
    for (const report::Record& record : one.aggregate.record) made.messages += record.row.count;
    made.octets += encoding::gzip(format_aggregate(one.aggregate).value()).size();
    ++made.reports;
  }
}

void make_all_reports(store::Store& from) {
  const Clock::time_point begin = Clock::now();
  Made made;
  for (store::PolicyId after = 0;;) {
    const std::vector<store::StoredPolicy> page = from.policies({day}, after);
    if (page.empty()) break;
    for (const store::StoredPolicy& policy : page) make_reports(from, policy, made);
    after = page.back().id;
  }
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  fmt::print(
      "reported: {} messages in {} rows became {} reports of {} octets in {:.1f} s; at most {} MB "
      "resident\n",
      made.messages, made.rows, made.reports, made.octets, seconds_since(begin),
      usage.ru_maxrss / 1'000);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    fmt::print(stderr, "usage: store_bench FILE|CONNECTION [MESSAGES]\n");
    return EXIT_FAILURE;
  }
  const std::string where = argv[1];
  const std::uint64_t messages = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1'000'000;
  config::StoreSettings settings;
  if (where.find('=') != std::string::npos) {
    settings.engine = config::StoreEngine::postgresql;
    settings.connection = where;
  } else {
    settings.path = where;
  }
  try {
    store::Store opened(settings);
    write(opened, messages);
    const store::StoreSize size = opened.size();
    fmt::print("stored: {} rows, {} policies, {} identities\n", size.rows, size.policies,
               size.identities);
    make_all_reports(opened);
  } catch (const store::StoreError& error) {
    fmt::print(stderr, "{}\n", error.what());
    return EXIT_FAILURE;
  }
  return EXIT_SUCCESS;
}
