// SPDX-License-Identifier: Apache-2.0
//
// From the workers to the store, without ever holding a worker up:
//
//   record() → queue in memory ─(writer)─► spool on this host ─(deliverer)─► store
//
// The queue has equal messages once, with their number, as far as one look finds them: those are
// neither copied nor made into octets. The writer adds up the rest and puts all of it on the disk,
// twice in the time that store.durability says. The deliverer carries the spool to the store, at
// its own pace: what comes meanwhile is added up and costs the store no more, and a store that is
// slow or away costs room in the spool and nothing else. What finds the queue or the spool full is
// not counted, and that is counted and told. Between deliveries the deliverer removes what is too
// old from the store.

#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>

#include "countersign/report/evaluation.hpp"
#include "service/config/settings.hpp"
#include "service/store/expiry_schedule.hpp"
#include "service/store/outage.hpp"
#include "service/store/spool.hpp"
#include "service/store/store.hpp"
#include "service/store/waiting_rows.hpp"

namespace countersign::service::store {

/// What the recorder has done since its start, and what waits.
struct RecorderCounters {
  std::uint64_t queued = 0;             ///< messages that wait in memory
  std::uint64_t spool_octets = 0;       ///< on the disk, delivered ones of an open segment too
  std::uint64_t spool_octets_lost = 0;  ///< found unfinished or damaged
  std::uint64_t messages_spooled = 0;   ///< brought to the disk
  std::uint64_t messages_stored = 0;    ///< brought to the store
  std::uint64_t rows_stored = 0;        ///< in which they were counted, batch by batch
  std::uint64_t repeated_batches = 0;   ///< that the store had already
  std::uint64_t lost_to_queue = 0;      ///< messages that found the queue full
  std::uint64_t lost_to_spool = 0;   ///< messages that found the spool full, or no disk at the end
  std::uint64_t spool_failures = 0;  ///< writes and reads that failed; they are tried again
  std::uint64_t store_failures = 0;  ///< likewise
  bool is_store_reached = false;     ///< the last attempt went well
};

/// Records judged messages.
class Recorder {
 public:
  /// Opens the spool and starts. The store is opened by and by: its absence keeps no daemon down.
  /// Throws StoreError when the spool cannot be used.
  Recorder(const config::StoreSettings& settings, Log& log);
  /// Stops.
  ~Recorder();
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  /// Takes a judged message; from any thread, and never waits for disk or store. Returns a row that
  /// is done with: whoever makes the next one has a use for its memory.
  report::Evaluation record(report::Evaluation evaluation, Time when);
  /// Brings everything to the disk, and as much as possible within that time to the store, and
  /// ends. What is recorded after that is not counted.
  void stop(std::chrono::milliseconds deliver_within = std::chrono::seconds(5));

  /// The counters as they are now; from any thread.
  [[nodiscard]] RecorderCounters counters() const;

 private:
  void write_until_stopped();
  void write(Counts& counts);
  void deliver_until_stopped();
  [[nodiscard]] std::optional<std::chrono::steady_clock::duration> deliver();
  void deliver_waiting();
  void deliver_one(const SpooledCounts& waiting);
  void tell_unread(const std::exception& error);
  void tell_unreached(const std::exception& error);
  void expire();

  config::StoreSettings settings_;
  Log& log_;
  Spool spool_;
  mutable std::mutex mutex_;
  std::condition_variable writer_wakes_;
  std::condition_variable deliverer_wakes_;
  WaitingRows waiting_;
  std::uint64_t unwritten_ = 0;  // Messages that the writer has taken and not brought to the disk.
  bool stopping_ = false;
  bool writer_ended_ = false;
  std::uint64_t spooled_batches_ = 0;
  std::chrono::steady_clock::time_point deliver_until_;
  RecorderCounters counters_;   // Under the mutex; the first three are read where they are.
  Outage spool_outage_;         // The writer's.
  Outage queue_outage_;         // Under the mutex.
  Outage store_outage_;         // The deliverer's.
  Outage unread_outage_;        // The deliverer's, of the spool.
  Outage expiry_outage_;        // The deliverer's.
  std::optional<Store> store_;  // The deliverer's.
  ExpirySchedule expiry_;       // Likewise.
  std::jthread writer_;
  std::jthread deliverer_;
};

}  // namespace countersign::service::store
