// SPDX-License-Identifier: Apache-2.0
//
// What the parts of the daemon offer to be read, as metrics. A part that is not there, as the store
// without its settings, has none.

#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <vector>

#include "service/config/key_store.hpp"
#include "service/dns/cache.hpp"
#include "service/metrics/metrics.hpp"
#include "service/reporting/failure_outbox.hpp"
#include "service/reporting/schedule.hpp"
#include "service/store/history_file.hpp"
#include "service/store/recorder.hpp"

namespace countersign::service {

/// The parts, each as a function that is called when somebody asks, on the thread that serves HTTP.
struct MeteredParts {
  std::function<std::size_t()> connections;
  std::function<config::KeyFiles()> keys;
  std::function<std::optional<CacheCounts>()> cache;       ///< nothing: a zone file answers
  std::function<store::RecorderCounters()> recorder;       ///< empty: nothing is stored
  std::function<store::HistoryCounters()> history;         ///< empty: none is written
  std::function<const ReportCounters*()> reports;          ///< empty: none are sent
  std::function<const FailureReportCounters*()> failures;  ///< likewise
};

/// The values of the parts. docs/metrics.md lists them.
[[nodiscard]] std::vector<MetricSource> sources_of(const MeteredParts& parts);

}  // namespace countersign::service
