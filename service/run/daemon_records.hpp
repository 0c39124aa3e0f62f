// SPDX-License-Identifier: Apache-2.0
//
// Where judged messages go besides the log: the store, which aggregate reports are made of, the
// history as OpenDMARC writes it, and failure reports. Each is there when the settings ask for it,
// and none makes mail wait. A reload leaves them as they are.

#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "countersign/mailflow/policy.hpp"
#include "service/config/snapshot.hpp"
#include "service/milter/connection.hpp"
#include "service/reporting/failure_reporter.hpp"
#include "service/store/history_file.hpp"
#include "service/store/recorder.hpp"

namespace countersign::service {

class Log;

/// The records of one daemon; made before its workers, and stopped after them.
class DaemonRecords {
 public:
  /// Starts what the settings ask for.
  ///
  /// policy   gives the policy in force, from any thread.
  /// Throws StartError when something can never be stored.
  DaemonRecords(const config::Snapshot& snapshot,
                std::function<std::shared_ptr<const mailflow::Policy>()> policy, Log& log);

  /// What workers call for each judged message; empty when nothing is recorded.
  ///
  /// reporter   our name in the history.
  [[nodiscard]] RecordJudged function(std::string reporter);
  /// Ends them; what they have is brought to the disk.
  void stop();

  /// nullptr when nothing is stored.
  [[nodiscard]] const store::Recorder* recorder() const {
    return recorder_ ? &*recorder_ : nullptr;
  }
  /// nullptr when no history is written.
  [[nodiscard]] const store::HistoryFile* history() const {
    return history_file_ ? &*history_file_ : nullptr;
  }
  /// nullptr when no failure is told.
  [[nodiscard]] const FailureReporter* failures() const {
    return failures_ ? &*failures_ : nullptr;
  }

 private:
  void start_failure_reports(const config::Snapshot& snapshot,
                             std::function<std::shared_ptr<const mailflow::Policy>()> policy);
  void record(const milter::MessageFinished& finished, const std::string& reporter);
  void record_history(const milter::MessageFinished& finished, const std::string& reporter);

  Log& log_;
  std::optional<store::Recorder> recorder_;
  std::optional<store::HistoryFile> history_file_;
  bool history_all_ = false;  // Also of domains without a DMARC record.
  std::optional<FailureReporter> failures_;
};

}  // namespace countersign::service
