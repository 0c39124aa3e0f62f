// SPDX-License-Identifier: Apache-2.0
//
// The daemon's failure reports: workers hand over what failed and go on at once; a thread of its
// own, with its own resolver, sends what has waited long enough. All is in memory: what waits when
// the daemon stops is not told.

#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>

#include "countersign/mailflow/failed_message.hpp"
#include "service/reporting/failure_outbox.hpp"
#include "service/reporting/failure_queue.hpp"

namespace countersign::service {

class Log;

/// How failures are gathered, and how their reports are sent.
struct FailureReporterOptions {
  FailureOutboxOptions outbox;
  std::chrono::seconds grouped{300};  ///< failures of a kind within it are one report
  FailureBounds bounds;
};

/// Gathers failures and sends reports of them.
class FailureReporter {
 public:
  /// log   must outlive this object.
  FailureReporter(CheckDestinations check, std::unique_ptr<MailSender> sender,
                  FailureReporterOptions options, Log& log);
  /// Waits for the mail that is being sent; gives up what waits, and says so in the log.
  ~FailureReporter();
  FailureReporter(const FailureReporter&) = delete;
  FailureReporter& operator=(const FailureReporter&) = delete;

  /// Adds a failure, from any thread. Neither DNS nor the MTA is waited for; what there is no room
  /// for is counted and dropped.
  void take(std::shared_ptr<const mailflow::FailureToReport> failure, std::chrono::sys_seconds now);

  [[nodiscard]] const FailureReportCounters& counters() const { return counters_; }

 private:
  [[nodiscard]] bool is_news(Queued queued);
  void run();
  [[nodiscard]] bool work();
  void wait();
  void tell_drops();
  void tell_losses();

  std::unique_ptr<MailSender> sender_;
  Log& log_;
  std::function<std::chrono::sys_seconds()> now_;
  FailureReportCounters counters_;
  std::mutex mutex_;
  FailureQueue queue_;             // Behind mutex_.
  bool has_news_ = false;          // Likewise: the thread should look.
  bool has_untold_drops_ = false;  // Likewise.
  FailureOutbox outbox_;           // Of the thread alone.
  std::condition_variable wakes_;
  std::atomic<bool> stopping_ = false;
  std::uint64_t told_drops_ = 0;
  std::chrono::steady_clock::time_point drops_told_;
  std::jthread thread_;  // Last: it uses all the others.
};

}  // namespace countersign::service
