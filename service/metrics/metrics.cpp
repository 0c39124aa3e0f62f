// SPDX-License-Identifier: Apache-2.0
//
// Counters are looked up once, when they are made: counting is an addition to an atomic.

#include "service/metrics/metrics.hpp"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <array>
#include <iterator>
#include <string_view>
#include <utility>
#include <variant>

#include "service/run/version.hpp"

namespace countersign::service {
namespace {

using prometheus::Counter;
using prometheus::MetricFamily;
using CounterFamily = prometheus::Family<Counter>;

CounterFamily& counters(prometheus::Registry& registry, const std::string& name,
                        const std::string& help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
}

/// A counter for each value of an enumeration, under its word on the wire.
template <class Enum, Enum last>
class CountersBy {
 public:
  CountersBy(CounterFamily& family, const std::string& label,
             const prometheus::Labels& others = {}) {
    for (std::size_t i = 0; i < counters_.size(); ++i) {
      prometheus::Labels labels = others;
      labels.emplace(label, std::string(to_string(static_cast<Enum>(i))));
      counters_.at(i) = &family.Add(labels);
    }
  }
  void count(Enum value) { counters_.at(static_cast<std::size_t>(value))->Increment(); }

 private:
  std::array<Counter*, static_cast<std::size_t>(last) + 1> counters_{};
};

using ByAction = CountersBy<mailflow::Action, mailflow::Action::tempfail>;
using BySpf = CountersBy<spf::Result, spf::Result::permerror>;
using ByDkim = CountersBy<dkim::Result, dkim::Result::permerror>;
using ByArc = CountersBy<arc::ChainStatus, arc::ChainStatus::fail>;
using ByDmarc = CountersBy<dmarc::Result, dmarc::Result::permerror>;
using ByStatus = CountersBy<dns::AnswerStatus, dns::AnswerStatus::bogus>;

/// Upper bounds in seconds: from an answer in memory to Postfix's patience.
const prometheus::Histogram::BucketBoundaries seconds{0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1,
                                                      0.25,   0.5,    1,     2.5,   5,    10,   30};

double in_seconds(std::chrono::steady_clock::duration duration) {
  return std::chrono::duration<double>(duration).count();
}

prometheus::Histogram& histogram(prometheus::Registry& registry, const std::string& name,
                                 const std::string& help) {
  return prometheus::BuildHistogram().Name(name).Help(help).Register(registry).Add({}, seconds);
}

/// The sources as families, those of one name together as the format wants it.
std::vector<MetricFamily> read_all(const std::vector<MetricSource>& sources) {
  std::vector<MetricFamily> families;
  for (const MetricSource& source : sources) {
    const bool is_counter = source.kind == MetricSource::Kind::counter;
    if (families.empty() || families.back().name != source.name)
      families.push_back(
          {source.name,
           source.help,
           is_counter ? prometheus::MetricType::Counter : prometheus::MetricType::Gauge,
           {}});
    prometheus::ClientMetric metric;
    if (!source.label_name.empty()) metric.label = {{source.label_name, source.label_value}};
    (is_counter ? metric.counter.value : metric.gauge.value) = source.read();
    families.back().metric.push_back(std::move(metric));
  }
  return families;
}

}  // namespace

struct Metrics::State {
  prometheus::Registry registry;

  CounterFamily& messages =
      counters(registry, "countersign_messages_total",
               "Messages that were finished, by what was done with them. kind: signed and judged, "
               "or passed for those that were neither.");
  ByAction signed_messages{messages, "action", {{"kind", "signed"}}};
  ByAction judged_messages{messages, "action", {{"kind", "judged"}}};
  ByAction passed_messages{messages, "action", {{"kind", "passed"}}};
  Counter& aborted = counters(registry, "countersign_messages_aborted_total",
                              "Messages that the MTA gave up before their end.")
                         .Add({});
  Counter& failed_sessions =
      counters(registry, "countersign_sessions_failed_total",
               "Milter sessions that were ended because the MTA broke the protocol.")
          .Add({});

  CounterFamily& signatures = counters(registry, "countersign_signatures_total",
                                       "DKIM signatures that were made, by algorithm.");
  Counter& rsa_signatures = signatures.Add({{"algorithm", "rsa-sha256"}});
  Counter& ed25519_signatures = signatures.Add({{"algorithm", "ed25519-sha256"}});

  CounterFamily& spf = counters(registry, "countersign_spf_results_total",
                                "SPF results of judged messages, by identity.");
  BySpf spf_mail_from{spf, "result", {{"identity", "mailfrom"}}};
  BySpf spf_helo{spf, "result", {{"identity", "helo"}}};
  ByDkim dkim{counters(registry, "countersign_dkim_results_total",
                       "DKIM results of judged messages: the best of their signatures."),
              "result"};
  ByArc arc{counters(registry, "countersign_arc_results_total", "ARC results of judged messages."),
            "result"};
  ByDmarc dmarc{
      counters(registry, "countersign_dmarc_results_total", "DMARC results of judged messages."),
      "result"};
  Counter& replays = counters(registry, "countersign_replays_total",
                              "Messages that look like one signed message sent again to many.")
                         .Add({});

  prometheus::Histogram& judging =
      histogram(registry, "countersign_judging_seconds",
                "How long judging a message took at its end, waiting for DNS included.");
  ByStatus dns_questions{
      counters(registry, "countersign_dns_questions_total",
               "Questions that the cache did not answer, by how DNS answered them."),
      "status"};
  prometheus::Histogram& dns_time = histogram(registry, "countersign_dns_seconds",
                                              "How long DNS took to answer such a question.");

  CounterFamily& reloads =
      counters(registry, "countersign_reloads_total", "Attempts to read the settings anew.");
  Counter& reloads_done = reloads.Add({{"result", "success"}});
  Counter& reloads_failed = reloads.Add({{"result", "failure"}});
  prometheus::Gauge& last_reload =
      prometheus::BuildGauge()
          .Name("countersign_reload_success_timestamp_seconds")
          .Help("When the settings that are in force were read anew; 0 until then.")
          .Register(registry)
          .Add({});
  prometheus::Gauge& build_info = prometheus::BuildGauge()
                                      .Name("countersign_build_info")
                                      .Help("1, with the version as a label.")
                                      .Register(registry)
                                      .Add({{"version", std::string(version)}});

  std::vector<MetricSource> sources;

  void count(const mailflow::Outcome& outcome) {
    const bool was_judged = outcome.judgement != nullptr;
    const bool was_signed = !outcome.signatures.empty();
    (was_signed   ? signed_messages
     : was_judged ? judged_messages
                  : passed_messages)
        .count(outcome.action);
    for (const mailflow::SignedAs& one : outcome.signatures)
      (one.algorithm == dkim::Algorithm::ed25519_sha256 ? ed25519_signatures : rsa_signatures)
          .Increment();
    if (was_judged) count(outcome.judgement->verdict);
  }

  void count(const mailflow::Verdict& verdict) {
    if (verdict.mail_from) spf_mail_from.count(verdict.mail_from->result);
    if (verdict.helo) spf_helo.count(verdict.helo->result);
    if (verdict.checked_dkim) dkim.count(dkim::summarize(verdict.signatures));
    if (verdict.arc) arc.count(verdict.arc->status);
    if (const auto result = verdict.dmarc_result()) dmarc.count(*result);
    if (verdict.replay.is_replay) replays.Increment();
  }
};

Metrics::Metrics() : state_(std::make_unique<State>()) { state_->build_info.Set(1); }

Metrics::~Metrics() = default;

void Metrics::count(const milter::Event& event) {
  if (const auto* finished = std::get_if<milter::MessageFinished>(&event))
    state_->count(finished->outcome);
  else if (std::holds_alternative<milter::MessageAborted>(event))
    state_->aborted.Increment();
  else if (std::holds_alternative<milter::SessionFailed>(event))
    state_->failed_sessions.Increment();
}

void Metrics::observe_judging(std::chrono::steady_clock::duration took) {
  state_->judging.Observe(in_seconds(took));
}

void Metrics::observe_dns(dns::AnswerStatus status, std::chrono::steady_clock::duration took) {
  state_->dns_questions.count(status);
  state_->dns_time.Observe(in_seconds(took));
}

void Metrics::count_reload(bool succeeded, std::chrono::sys_seconds now) {
  (succeeded ? state_->reloads_done : state_->reloads_failed).Increment();
  if (succeeded) state_->last_reload.Set(static_cast<double>(now.time_since_epoch().count()));
}

void Metrics::add(std::vector<MetricSource> sources) {
  state_->sources.insert(state_->sources.end(), std::make_move_iterator(sources.begin()),
                         std::make_move_iterator(sources.end()));
}

std::string Metrics::text() const {
  std::vector<MetricFamily> families = state_->registry.Collect();
  std::vector<MetricFamily> read = read_all(state_->sources);
  families.insert(families.end(), std::make_move_iterator(read.begin()),
                  std::make_move_iterator(read.end()));
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace countersign::service
