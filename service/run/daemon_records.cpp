// SPDX-License-Identifier: Apache-2.0

#include "service/run/daemon_records.hpp"

#include <sysexits.h>

#include <chrono>
#include <utility>

#include "countersign/mailflow/evaluation.hpp"
#include "countersign/mailflow/history_record.hpp"
#include "service/log/log.hpp"
#include "service/reporting/options.hpp"
#include "service/run/clock.hpp"
#include "service/run/start_error.hpp"

namespace countersign::service {

DaemonRecords::DaemonRecords(const config::Snapshot& snapshot,
                             std::function<std::shared_ptr<const mailflow::Policy>()> policy,
                             Log& log)
    : log_(log) {
  const config::StoreSettings& settings = snapshot.settings.store;
  try {
    if (settings.is_on()) recorder_.emplace(settings, log_);
  } catch (const store::StoreError& error) {
    throw StartError(error.what(), EX_CONFIG);
  }
  history_all_ = settings.history_all;
  if (!settings.history_file.empty())
    history_file_.emplace(
        store::HistoryOptions{.path = settings.history_file, .queue = settings.queue}, log_);
  if (!snapshot.settings.reports.from.empty()) start_failure_reports(snapshot, std::move(policy));
}

/// Ready even while nothing is told, which a reload may change. Mail does not depend on it.
void DaemonRecords::start_failure_reports(
    const config::Snapshot& snapshot,
    std::function<std::shared_ptr<const mailflow::Policy>()> policy) {
  auto options = failure_reporter_options(snapshot, std::move(policy), now);
  auto server = smtp_server(snapshot);
  if (!options || !server) {
    log_.write(LogLevel::error, "failure reports cannot be sent",
               {{"error", options ? server.error() : options.error()}});
    return;
  }
  // A stop waits for the mail that is under way.
  server->connect_patience = std::chrono::seconds(10);
  server->patience = std::chrono::seconds(30);
  failures_.emplace(
      [settings = snapshot.settings.dns, check = CheckDestinations()](auto asking) mutable {
        if (!check) check = make_destination_check(settings);
        return check(std::move(asking));
      },
      std::make_unique<SmtpSender>(*std::move(server)), *std::move(options), log_);
}

RecordJudged DaemonRecords::function(std::string reporter) {
  if (!recorder_ && !history_file_ && !failures_) return {};
  return [this, reporter = std::move(reporter)](const milter::MessageFinished& finished) {
    record(finished, reporter);
  };
}

void DaemonRecords::record(const milter::MessageFinished& finished, const std::string& reporter) {
  const mailflow::Judgement& judgement = *finished.outcome.judgement;
  if (recorder_ && judgement.is_counted) {
    // Most messages come to a row that waits already: its memory serves the next one.
    thread_local report::Evaluation memory;
    auto row = mailflow::evaluation_of(judgement, finished.envelope, std::move(memory));
    if (row) memory = recorder_->record(*std::move(row), now());
  }
  if (history_file_) record_history(finished, reporter);
  if (failures_ && finished.outcome.failure) failures_->take(finished.outcome.failure, now());
}

void DaemonRecords::record_history(const milter::MessageFinished& finished,
                                   const std::string& reporter) {
  auto record = mailflow::history_record_of(finished.outcome, finished.envelope, reporter, now());
  if (!record && history_all_) {
    record = mailflow::history_record_without_policy(finished.outcome, finished.envelope, reporter,
                                                     now());
  }
  if (record) history_file_->record(report::format_history(*record));
}

void DaemonRecords::stop() {
  failures_.reset();
  if (recorder_) recorder_->stop();
  if (history_file_) history_file_->stop();
}

}  // namespace countersign::service
