// SPDX-License-Identifier: Apache-2.0

#include "service/reporting/failure_reporter.hpp"

#include <algorithm>
#include <exception>
#include <optional>
#include <string>
#include <utility>

#include "service/log/log.hpp"

namespace countersign::service {
namespace {

using std::chrono::seconds;

// However far off the next report is: a clock may be set meanwhile.
constexpr seconds longest_wait{60};
// A flood is told of once in so long.
constexpr std::chrono::minutes between_complaints{1};

}  // namespace

FailureReporter::FailureReporter(CheckDestinations check, std::unique_ptr<MailSender> sender,
                                 FailureReporterOptions options, Log& log)
    : sender_(std::move(sender)),
      log_(log),
      now_(options.outbox.now),
      queue_(options.grouped, options.bounds),
      outbox_(std::move(check), *sender_, std::move(options.outbox), counters_, log),
      drops_told_(std::chrono::steady_clock::now() - between_complaints),
      thread_([this] { run(); }) {}

FailureReporter::~FailureReporter() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  wakes_.notify_all();
  thread_.join();
  tell_losses();
}

void FailureReporter::take(std::shared_ptr<const mailflow::FailureToReport> failure,
                           std::chrono::sys_seconds now) {
  const report::FailureKey key = key_of(failure->message);
  failure = queue_.cut(std::move(failure));  // It reads what never changes.
  {
    const std::scoped_lock lock(mutex_);
    const Queued queued = queue_.add(key, std::move(failure), now);
    if (!is_news(queued)) return;
    has_news_ = true;
  }
  wakes_.notify_one();
}

/// True when the thread may sleep longer than it should: until now there was nothing to send, or
/// nothing to complain of.
bool FailureReporter::is_news(Queued queued) {
  if (queued == Queued::dropped) {
    ++counters_.dropped;
    return !std::exchange(has_untold_drops_, true);
  }
  return queued == Queued::first && queue_.groups() == 1;
}

void FailureReporter::run() {
  while (!stopping_) {
    tell_drops();
    try {
      if (work()) continue;
    } catch (const std::exception& error) {
      ++counters_.failed;
      log_.write(LogLevel::error, "a failure report is lost", {{"error", error.what()}});
      continue;
    }
    wait();
  }
}

/// What was begun comes before what is new; false when neither is due.
bool FailureReporter::work() {
  if (outbox_.step()) return true;
  std::optional<FailureGroup> group;
  {
    const std::scoped_lock lock(mutex_);
    group = queue_.take_due(now_());
  }
  if (!group) return false;
  outbox_.take(*std::move(group));
  return true;
}

void FailureReporter::wait() {
  std::unique_lock lock(mutex_);
  std::chrono::sys_seconds next = now_() + longest_wait;
  for (const auto& one : {queue_.next_due(), outbox_.next_attempt()})
    if (one) next = std::min(next, *one);
  const auto pause = std::clamp(next - now_(), seconds(1), longest_wait);
  has_news_ = false;
  wakes_.wait_for(lock, pause, [this] { return stopping_.load() || has_news_; });
}

void FailureReporter::tell_drops() {
  const auto now = std::chrono::steady_clock::now();
  if (now - drops_told_ < between_complaints) return;
  {
    const std::scoped_lock lock(mutex_);
    if (!std::exchange(has_untold_drops_, false)) return;
  }
  const std::uint64_t dropped = counters_.dropped;
  log_.write(LogLevel::warning, "more mail fails than failure reports have room for",
             {{"messages", std::to_string(dropped - told_drops_)}});
  told_drops_ = dropped;
  drops_told_ = now;
}

void FailureReporter::tell_losses() {
  if (queue_.incidents() == 0 && outbox_.waiting() == 0) return;
  log_.write(LogLevel::notice, "failure reports that waited are not sent, as the daemon stops",
             {{"messages", std::to_string(queue_.incidents())},
              {"reports", std::to_string(outbox_.waiting())}});
}

}  // namespace countersign::service
