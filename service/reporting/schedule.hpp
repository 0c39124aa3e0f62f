// SPDX-License-Identifier: Apache-2.0
//
// The daemon's own sending of reports: each day, some time after midnight UTC, what the day before
// has in the store is planned and sent; what was deferred is tried again through the day. Its
// thread has its own connection to the store and its own resolver, and mail never waits for it.

#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>

#include "service/reporting/outbox.hpp"

namespace countersign::service {

class Log;

/// What the schedule has done since its start.
struct ReportCounters {
  std::atomic<std::uint64_t> sent = 0;
  std::atomic<std::uint64_t> deferred = 0;
  std::atomic<std::uint64_t> failed = 0;
  std::atomic<std::uint64_t> uncertain = 0;
  std::atomic<std::uint64_t> suppressed = 0;
  std::atomic<std::uint64_t> messages_too_late = 0;

  /// Adds what a run came to.
  void add(const OutboxCounts& counts);
};

/// When the reports of a day are due: that long after its end.
struct ScheduleTimes {
  std::chrono::seconds after_midnight{3'600};  ///< rows of other nodes may still be under way
  std::chrono::seconds between_attempts{900};
  int days_back = 3;  ///< days that are still reported after an outage, and counts that come late
};

/// The days whose reports are due.
struct DueDays {
  store::Day newest;
  int count = 0;  ///< with those before it
  /// When the newest became due. What has come of the older ones is reported once a day, from then
  /// on.
  std::chrono::sys_seconds since;
};

/// What is due at that time.
[[nodiscard]] DueDays due_days(std::chrono::sys_seconds now, const ScheduleTimes& times);

/// One round: plans the days that are due and sends. It may throw store::StoreError.
using ReportRound =
    std::function<OutboxCounts(const DueDays& due, const std::atomic<bool>& stopping)>;

/// Runs rounds on a thread of its own.
class ReportSchedule {
 public:
  ReportSchedule(ReportRound round, ScheduleTimes times,
                 std::function<std::chrono::sys_seconds()> now, Log& log);
  /// Ends the round that is under way after the report that is being sent.
  ~ReportSchedule();
  ReportSchedule(const ReportSchedule&) = delete;
  ReportSchedule& operator=(const ReportSchedule&) = delete;

  [[nodiscard]] const ReportCounters& counters() const { return counters_; }

 private:
  void run();
  void run_round();

  ReportRound round_;
  ScheduleTimes times_;
  std::function<std::chrono::sys_seconds()> now_;
  Log& log_;
  ReportCounters counters_;
  std::mutex mutex_;
  std::condition_variable wakes_;
  std::atomic<bool> stopping_ = false;
  std::jthread thread_;  // Last: it uses all the others.
};

}  // namespace countersign::service
