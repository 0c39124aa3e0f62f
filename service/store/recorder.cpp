// SPDX-License-Identifier: Apache-2.0

#include "service/store/recorder.hpp"

#include <algorithm>
#include <exception>
#include <random>
#include <string>
#include <utility>

#include "service/log/log.hpp"
#include "service/run/clock.hpp"

namespace countersign::service::store {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::milliseconds first_pause{500};
constexpr std::chrono::milliseconds longest_pause{30'000};
constexpr std::chrono::minutes idle_pause{10};
// After each delivery the deliverer rests for as many times what it took, up to the longest rest:
// equal rows that come meanwhile are one row of the next delivery.
constexpr int rest_factor = 100;
constexpr std::chrono::milliseconds longest_rest{10'000};
// As long the expiry works before it lets the deliverer look at what waits.
constexpr std::chrono::seconds longest_expiry{5};
// Octets of one record, roughly: what the deliverer reads in one go.
constexpr std::uint64_t record_octets = 1'048'576;

std::uint64_t messages_of(const Counts& counts) {
  std::uint64_t sum = 0;
  for (const auto& [key, messages] : counts) sum += messages;
  return sum;
}

/// Takes as many counts off the front as make one record.
Counts take_record(Counts& counts) {
  Counts taken;
  std::uint64_t octets = 0;
  while (!counts.empty() && octets < record_octets) {
    auto row = counts.extract(counts.begin());
    octets += row.key().policy.size() + row.key().identity.size() + row.key().source.size();
    taken.insert(taken.end(), std::move(row));
  }
  return taken;
}

/// Another one on each node, and at each start.
std::chrono::seconds expiry_delay() {
  std::random_device random;
  return std::chrono::seconds(std::uniform_int_distribution<std::chrono::seconds::rep>(
      0, ExpirySchedule::longest_delay.count())(random));
}

}  // namespace

Recorder::Recorder(const config::StoreSettings& settings, Log& log)
    : settings_(settings),
      log_(log),
      spool_(settings.spool_directory, settings.spool_octets, log),
      expiry_(expiry_delay()),
      writer_([this] { write_until_stopped(); }),
      deliverer_([this] { deliver_until_stopped(); }) {}

Recorder::~Recorder() { stop(); }

report::Evaluation Recorder::record(report::Evaluation evaluation, Time when) {
  const std::size_t hash = hash_of(evaluation);
  const Day day = std::chrono::floor<std::chrono::days>(when);
  const std::lock_guard lock(mutex_);
  if (stopping_ || waiting_.messages() + unwritten_ >= settings_.queue) {
    ++counters_.lost_to_queue;
    if (!stopping_ && queue_outage_.begins_or_lasts()) {
      log_.write(LogLevel::error, "judged messages are not counted: store.queue is full",
                 {{"messages", std::to_string(counters_.lost_to_queue)}});
    }
    return evaluation;
  }
  waiting_.add(hash, day, evaluation);
  const std::uint64_t messages = waiting_.messages();
  if (messages == 1 || messages == settings_.queue / 2) writer_wakes_.notify_one();
  return evaluation;
}

void Recorder::stop(std::chrono::milliseconds deliver_within) {
  {
    const std::lock_guard lock(mutex_);
    if (!stopping_) deliver_until_ = steady_clock::now() + deliver_within;
    stopping_ = true;
  }
  writer_wakes_.notify_all();
  deliverer_wakes_.notify_all();
  if (writer_.joinable()) writer_.join();
  if (deliverer_.joinable()) deliverer_.join();
}

RecorderCounters Recorder::counters() const {
  const std::uint64_t octets = spool_.octets();
  const std::uint64_t lost = spool_.octets_lost();
  const std::lock_guard lock(mutex_);
  RecorderCounters counters = counters_;
  counters.queued = waiting_.messages() + unwritten_;
  counters.spool_octets = octets;
  counters.spool_octets_lost = lost;
  return counters;
}

// --- the writer ----------------------------------------------------------------------------------

void Recorder::write_until_stopped() {
  // Half of the time to wait, and as much for the disk.
  const auto interval =
      std::chrono::duration_cast<std::chrono::milliseconds>(settings_.durability) / 2;
  Counts counts;
  WaitingRows taken;
  for (bool stops = false; !stops;) {
    {
      std::unique_lock lock(mutex_);
      writer_wakes_.wait(lock,
                         [&] { return stopping_ || waiting_.messages() > 0 || unwritten_ > 0; });
      writer_wakes_.wait_for(
          lock, interval, [&] { return stopping_ || waiting_.messages() >= settings_.queue / 2; });
      std::swap(taken, waiting_);
      unwritten_ += taken.messages();
      stops = stopping_;
    }
    for (const WaitingRow& row : taken.rows())
      counts[row_key(row.evaluation, row.day)] += row.messages;
    taken.clear();
    write(counts);
  }
  const std::lock_guard lock(mutex_);
  counters_.lost_to_spool += std::exchange(unwritten_, 0);
  writer_ended_ = true;
  deliverer_wakes_.notify_all();
}

void Recorder::write(Counts& counts) {
  while (!counts.empty()) {
    Counts record = take_record(counts);
    const std::uint64_t messages = messages_of(record);
    const Appended appended = spool_.append(record);
    std::unique_lock lock(mutex_);
    if (appended != Appended::failed) unwritten_ -= messages;
    if (appended == Appended::durable) counters_.messages_spooled += messages;
    if (appended == Appended::full) counters_.lost_to_spool += messages;
    if (appended == Appended::failed) ++counters_.spool_failures;
    ++spooled_batches_;
    lock.unlock();
    if (appended == Appended::durable) {
      deliverer_wakes_.notify_one();
      if (spool_outage_.ends()) log_.write(LogLevel::notice, "the spool takes counts again");
      continue;
    }
    if (spool_outage_.begins_or_lasts()) {
      log_.write(LogLevel::error,
                 appended == Appended::full
                     ? "judged messages are not counted: the spool is as large as "
                       "store.spool_octets allows"
                     : "the spool cannot be written to; counts wait in memory",
                 {{"directory", settings_.spool_directory}});
    }
    if (appended == Appended::full) continue;
    counts.merge(record);
    return;
  }
}

// --- the deliverer -------------------------------------------------------------------------------

void Recorder::deliver_until_stopped() {
  std::chrono::milliseconds pause{0};
  for (;;) {
    std::uint64_t seen = 0;
    {
      const std::lock_guard lock(mutex_);
      seen = spooled_batches_;
    }
    const std::optional<steady_clock::duration> took = deliver();
    pause = took ? std::chrono::milliseconds(0) : std::clamp(pause * 2, first_pause, longest_pause);
    std::unique_lock lock(mutex_);
    if (pause.count() > 0) {
      deliverer_wakes_.wait_for(lock, pause, [&] { return stopping_; });
    } else {
      const auto rest = std::min<steady_clock::duration>(*took * rest_factor, longest_rest);
      deliverer_wakes_.wait_for(lock, rest, [&] { return stopping_; });
      // Expiry looks at the day now and then, mail or no mail, and goes on when it left off.
      const bool expires = expiry_.is_due(now(), steady_clock::now());
      deliverer_wakes_.wait_for(lock, expires ? std::chrono::minutes(0) : idle_pause, [&] {
        return writer_ended_ || spooled_batches_ != seen || !spool_.is_empty();
      });
    }
    if (!stopping_) continue;
    deliverer_wakes_.wait(lock, [&] { return writer_ended_; });
    // A store that is away is not waited for at the end; the spool keeps what it has not got.
    if (spool_.is_empty() || pause.count() > 0 || steady_clock::now() >= deliver_until_) return;
  }
}

/// Brings what waits to the store; how long that took, or nothing when it failed.
std::optional<steady_clock::duration> Recorder::deliver() {
  std::optional<steady_clock::duration> took;
  bool is_reached = true;
  try {
    if (!store_) store_.emplace(settings_);
    const auto began = steady_clock::now();
    deliver_waiting();
    took = steady_clock::now() - began;
    if (unread_outage_.ends()) log_.write(LogLevel::notice, "the spool can be read again");
  } catch (const SpoolError& error) {
    tell_unread(error);
  } catch (const std::exception& error) {
    is_reached = false;
    tell_unreached(error);
  }
  if (is_reached) {
    if (store_outage_.ends()) log_.write(LogLevel::notice, "the store is reached again");
    const std::lock_guard lock(mutex_);
    counters_.is_store_reached = true;
  }
  // Also when it takes nothing: it may be full of what is too old.
  if (store_) expire();
  if (!is_reached) store_.reset();
  return took;
}

void Recorder::deliver_waiting() {
  while (const std::optional<SpooledCounts> waiting = spool_.next()) {
    deliver_one(*waiting);
    const std::lock_guard lock(mutex_);
    if (stopping_ && steady_clock::now() >= deliver_until_) break;
  }
}

void Recorder::tell_unread(const std::exception& error) {
  if (unread_outage_.begins_or_lasts()) {
    log_.write(LogLevel::error, "the spool cannot be read; counts wait in it",
               {{"error", error.what()}});
  }
  const std::lock_guard lock(mutex_);
  ++counters_.spool_failures;
}

void Recorder::tell_unreached(const std::exception& error) {
  if (store_outage_.begins_or_lasts()) {
    log_.write(LogLevel::error, "the store cannot be reached; counts wait in the spool",
               {{"error", error.what()}});
  }
  const std::lock_guard lock(mutex_);
  ++counters_.store_failures;
  counters_.is_store_reached = false;
}

/// Removes what is too old from the store. What fails here holds no counts up.
void Recorder::expire() {
  const auto began = steady_clock::now();
  const Time time = now();
  if (!expiry_.is_due(time, began)) return;
  const auto goes_on = [&] {
    const std::lock_guard lock(mutex_);
    return !stopping_ && steady_clock::now() - began < longest_expiry;
  };
  try {
    if (!store_->expire(time, goes_on)) return;
    expiry_.done(time);
    if (expiry_outage_.ends())
      log_.write(LogLevel::notice, "what is older than store.retention is removed again");
  } catch (const std::exception& error) {
    expiry_.failed(steady_clock::now());
    // A deadline for locks that several nodes want passes by itself.
    if (expiry_outage_.begins_or_lasts()) {
      log_.write(LogLevel::error,
                 "what is older than store.retention cannot be removed from the store; it is tried "
                 "again in ten minutes, and docs/scale.md says what to do if that does not help",
                 {{"error", error.what()}});
    }
  }
}

void Recorder::deliver_one(const SpooledCounts& waiting) {
  const AppendResult result = store_->append(waiting.counts, waiting.position, now());
  const std::vector<std::string> done = spool_.delivered(waiting.position.segment, result.end);
  {
    const std::lock_guard lock(mutex_);
    if (result.is_new) {
      counters_.messages_stored += messages_of(waiting.counts);
      counters_.rows_stored += waiting.counts.size();
    } else {
      ++counters_.repeated_batches;
    }
  }
  for (const std::string& segment : done) store_->forget(segment);
}

}  // namespace countersign::service::store
