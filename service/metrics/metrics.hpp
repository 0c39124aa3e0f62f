// SPDX-License-Identifier: Apache-2.0
//
// What the daemon counts of its work, for Prometheus: messages by what was done and found, DNS by
// outcome and time, reloads, and whatever its parts offer to be read. Labels are words of the
// program alone, never a domain or an address: what strangers choose must not make time series.

#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "countersign/dns/question.hpp"
#include "countersign/milter/session.hpp"

namespace countersign::service {

/// A value that is read when somebody asks for the metrics.
struct MetricSource {
  /// How a value moves.
  enum class Kind : std::uint8_t {
    counter,  ///< never falls while the daemon runs
    gauge,    ///< rises and falls
  };

  Kind kind = Kind::gauge;
  std::string name;              ///< "countersign_dns_cache_entries"; counters end in "_total"
  std::string help;              ///< a sentence
  std::string label_name;        ///< empty: without a label
  std::string label_value;       ///< several sources of one name differ in this
  std::function<double()> read;  ///< called on the thread that asks; must not block
};

/// The metrics of one daemon. Everything may be called by all threads at once, but add().
class Metrics {
 public:
  Metrics();
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  /// Counts what happened on a milter connection.
  void count(const milter::Event& event);
  /// Counts a message whose judging took that long, its waiting for DNS included.
  void observe_judging(std::chrono::steady_clock::duration took);
  /// Counts a question to DNS that no cache answered.
  void observe_dns(dns::AnswerStatus status, std::chrono::steady_clock::duration took);
  /// Counts an attempt to read the settings anew.
  void count_reload(bool succeeded, std::chrono::sys_seconds now);

  /// Adds values to be read with the others, before anybody asks for them. What their functions use
  /// must outlive this object, or its last text().
  void add(std::vector<MetricSource> sources);

  /// All metrics in the text format of Prometheus, version 0.0.4.
  [[nodiscard]] std::string text() const;
  /// The media type of text().
  static constexpr std::string_view content_type = "text/plain; version=0.0.4; charset=utf-8";

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace countersign::service
