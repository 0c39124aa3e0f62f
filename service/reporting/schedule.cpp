// SPDX-License-Identifier: Apache-2.0

#include "service/reporting/schedule.hpp"

#include <exception>
#include <utility>

#include "service/log/log.hpp"

namespace countersign::service {

void ReportCounters::add(const OutboxCounts& counts) {
  sent += counts.sent;
  deferred += counts.deferred;
  failed += counts.failed;
  uncertain += counts.uncertain;
  suppressed += counts.suppressed;
  messages_too_late += counts.messages_too_late;
}

DueDays due_days(std::chrono::sys_seconds now, const ScheduleTimes& times) {
  const auto midnight = std::chrono::floor<std::chrono::days>(now - times.after_midnight);
  return {.newest = midnight - std::chrono::days(1),
          .count = times.days_back,
          .since = midnight + times.after_midnight};
}

ReportSchedule::ReportSchedule(ReportRound round, ScheduleTimes times,
                               std::function<std::chrono::sys_seconds()> now, Log& log)
    : round_(std::move(round)), times_(times), now_(std::move(now)), log_(log), thread_([this] {
        run();
      }) {}

ReportSchedule::~ReportSchedule() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  wakes_.notify_all();
  thread_.join();
}

void ReportSchedule::run() {
  while (!stopping_) {
    run_round();
    std::unique_lock lock(mutex_);
    wakes_.wait_for(lock, times_.between_attempts, [this] { return stopping_.load(); });
  }
}

/// Whatever fails is told and tried again with the next round.
void ReportSchedule::run_round() {
  try {
    counters_.add(round_(due_days(now_(), times_), stopping_));
  } catch (const std::exception& error) {
    log_.write(LogLevel::error, "reports cannot be sent now; it is tried again",
               {{"error", error.what()}});
  }
}

}  // namespace countersign::service
