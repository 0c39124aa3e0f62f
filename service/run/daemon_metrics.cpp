// SPDX-License-Identifier: Apache-2.0

#include "service/run/daemon_metrics.hpp"

#include <utility>

namespace countersign::service {
namespace {

using Kind = MetricSource::Kind;
using Sources = std::vector<MetricSource>;

template <class Number>
double value(Number number) {
  return static_cast<double>(number);
}

void add_daemon(const MeteredParts& parts, Sources& sources) {
  sources.push_back({.name = "countersign_connections",
                     .help = "Open milter and policy connections.",
                     .read = [read = parts.connections] { return value(read()); }});
  sources.push_back({.name = "countersign_signing_keys",
                     .help = "Files of private keys that sign.",
                     .read = [read = parts.keys] { return value(read().count); }});
  sources.push_back({.name = "countersign_signing_key_oldest_timestamp_seconds",
                     .help = "When the oldest of these files was written; 0 without one.",
                     .read = [read = parts.keys] { return value(read().oldest); }});
  sources.push_back({.name = "countersign_signing_key_expiry_timestamp_seconds",
                     .help = "When the first of them is due for a new key "
                             "(signing.key_lifetime); 0 where none ever is.",
                     .read = [read = parts.keys] { return value(read().expires); }});
}

void add_cache(const MeteredParts& parts, Sources& sources) {
  const auto reader = [&parts](std::uint64_t CacheCounts::* member) {
    return [read = parts.cache, member] { return value(read().value_or(CacheCounts{}).*member); };
  };
  const std::pair<const char*, std::uint64_t CacheCounts::*> outcomes[] = {
      {"hit", &CacheCounts::hits},
      {"coalesced", &CacheCounts::coalesced},
      {"miss", &CacheCounts::misses},
      {"refused", &CacheCounts::refused}};
  for (const auto& [outcome, member] : outcomes)
    sources.push_back({.kind = Kind::counter,
                       .name = "countersign_dns_cache_lookups_total",
                       .help = "Questions to DNS, by whether the cache had the answer.",
                       .label_name = "outcome",
                       .label_value = outcome,
                       .read = reader(member)});
  sources.push_back({.kind = Kind::counter,
                     .name = "countersign_dns_cache_evictions_total",
                     .help = "Answers that went before their time to make room.",
                     .read = reader(&CacheCounts::evictions)});
  sources.push_back(
      {.name = "countersign_dns_cache_entries",
       .help = "Answers in memory.",
       .read = [read = parts.cache] { return value(read().value_or(CacheCounts{}).entries); }});
}

void add_recorder(const MeteredParts& parts, Sources& sources) {
  struct Row {
    Kind kind;
    const char* name;
    const char* help;
    std::uint64_t store::RecorderCounters::* member;
  };
  using Counters = store::RecorderCounters;
  const Row rows[] = {{Kind::gauge, "countersign_store_queue_rows",
                       "Messages that wait in memory for the spool.", &Counters::queued},
                      {Kind::gauge, "countersign_store_spool_octets",
                       "Octets that wait on disk for the store.", &Counters::spool_octets},
                      {Kind::counter, "countersign_store_messages_total",
                       "Messages that the store has got.", &Counters::messages_stored},
                      {Kind::counter, "countersign_store_rows_total",
                       "Rows in which they were counted.", &Counters::rows_stored},
                      {Kind::counter, "countersign_store_failures_total",
                       "Failed attempts to reach the store.", &Counters::store_failures},
                      {Kind::counter, "countersign_spool_failures_total",
                       "Failed writes and reads of the spool.", &Counters::spool_failures}};
  for (const Row& row : rows)
    sources.push_back(
        {.kind = row.kind,
         .name = row.name,
         .help = row.help,
         .read = [read = parts.recorder, member = row.member] { return value(read().*member); }});
  const std::pair<const char*, std::uint64_t Counters::*> losses[] = {
      {"queue", &Counters::lost_to_queue}, {"spool", &Counters::lost_to_spool}};
  for (const auto& [place, member] : losses)
    sources.push_back({.kind = Kind::counter,
                       .name = "countersign_store_lost_messages_total",
                       .help = "Messages that were not counted, as a place was full.",
                       .label_name = "full",
                       .label_value = place,
                       .read = [read = parts.recorder, member] { return value(read().*member); }});
}

void add_history(const MeteredParts& parts, Sources& sources) {
  struct Row {
    Kind kind;
    const char* name;
    const char* help;
    std::uint64_t store::HistoryCounters::* member;
  };
  using Counters = store::HistoryCounters;
  const Row rows[] = {
      {Kind::gauge, "countersign_history_queue_records",
       "Records that wait in memory for store.history_file.", &Counters::queued},
      {Kind::counter, "countersign_history_records_total", "Records that were written to it.",
       &Counters::written},
      {Kind::counter, "countersign_history_lost_records_total",
       "Records that were not written, as the queue was full or at the end.", &Counters::lost},
      {Kind::counter, "countersign_history_failures_total", "Failed attempts to write to it.",
       &Counters::failures}};
  for (const Row& row : rows)
    sources.push_back(
        {.kind = row.kind,
         .name = row.name,
         .help = row.help,
         .read = [read = parts.history, member = row.member] { return value(read().*member); }});
}

void add_reports(const MeteredParts& parts, Sources& sources) {
  using Member = std::atomic<std::uint64_t> ReportCounters::*;
  const std::pair<const char*, Member> results[] = {{"sent", &ReportCounters::sent},
                                                    {"deferred", &ReportCounters::deferred},
                                                    {"failed", &ReportCounters::failed},
                                                    {"uncertain", &ReportCounters::uncertain},
                                                    {"suppressed", &ReportCounters::suppressed}};
  for (const auto& [result, member] : results)
    sources.push_back({.kind = Kind::counter,
                       .name = "countersign_reports_total",
                       .help = "Aggregate reports, by what became of them.",
                       .label_name = "result",
                       .label_value = result,
                       .read = [read = parts.reports, member] {
                         const ReportCounters* counters = read();
                         return counters == nullptr ? 0 : value((counters->*member).load());
                       }});
  sources.push_back({.kind = Kind::counter,
                     .name = "countersign_reports_late_messages_total",
                     .help = "Messages that reached the store when their day was reported no more.",
                     .read = [read = parts.reports] {
                       const ReportCounters* counters = read();
                       return counters == nullptr ? 0 : value(counters->messages_too_late.load());
                     }});
}

void add_failures(const MeteredParts& parts, Sources& sources) {
  using Member = std::atomic<std::uint64_t> FailureReportCounters::*;
  const auto reader = [&parts](Member member) {
    return [read = parts.failures, member] {
      const FailureReportCounters* counters = read();
      return counters == nullptr ? 0 : value((counters->*member).load());
    };
  };
  const std::pair<const char*, Member> results[] = {
      {"sent", &FailureReportCounters::sent},
      {"failed", &FailureReportCounters::failed},
      {"uncertain", &FailureReportCounters::uncertain},
      {"suppressed", &FailureReportCounters::suppressed},
      {"no_room", &FailureReportCounters::no_room}};
  for (const auto& [result, member] : results)
    sources.push_back({.kind = Kind::counter,
                       .name = "countersign_failure_reports_total",
                       .help = "Failure reports, by what became of them.",
                       .label_name = "result",
                       .label_value = result,
                       .read = reader(member)});
  sources.push_back({.kind = Kind::counter,
                     .name = "countersign_failure_reports_dropped_messages_total",
                     .help = "Messages that failed and that no failure report had room for.",
                     .read = reader(&FailureReportCounters::dropped)});
}

}  // namespace

std::vector<MetricSource> sources_of(const MeteredParts& parts) {
  Sources sources;
  add_daemon(parts, sources);
  add_cache(parts, sources);
  if (parts.recorder) add_recorder(parts, sources);
  if (parts.history) add_history(parts, sources);
  if (parts.reports) add_reports(parts, sources);
  if (parts.failures) add_failures(parts, sources);
  return sources;
}

}  // namespace countersign::service
