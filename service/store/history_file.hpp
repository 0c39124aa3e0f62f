// SPDX-License-Identifier: Apache-2.0
//
// The file of store.history_file: each judged message is added to it as OpenDMARC adds it to its
// HistoryFile, for opendmarc-import and whatever else reads that.
//
//   record() → queue in memory ─(writer)─► the file
//
// Each batch opens the file anew, so one that was moved away is left alone and the next begins.
// Whoever reads with the lock that opendmarc-import takes (flock) sees whole records only, and none
// comes after it has moved the file away and got the lock. What finds the queue full is not
// written, and that is told.

#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "service/log/log.hpp"
#include "service/store/outage.hpp"

namespace countersign::service::store {

/// What the writer has done since its start, and what waits.
struct HistoryCounters {
  std::uint64_t queued = 0;    ///< records that wait in memory
  std::uint64_t written = 0;   ///< records
  std::uint64_t lost = 0;      ///< records that found the queue full, or no disk at the end
  std::uint64_t failures = 0;  ///< writes that failed; they are tried again
};

/// How it works.
struct HistoryOptions {
  std::string path;
  std::uint64_t queue = 100'000;  ///< records in memory
  /// Between two attempts at a file that is locked or cannot be written.
  std::chrono::milliseconds pause{500};
  /// How long a reader's lock is respected when the daemon stops.
  std::chrono::milliseconds stop_within{2'000};
};

/// Adds records to the file.
class HistoryFile {
 public:
  /// Starts the writer. The file is opened by and by: its absence keeps no daemon down.
  HistoryFile(HistoryOptions options, Log& log);
  /// Stops.
  ~HistoryFile();
  HistoryFile(const HistoryFile&) = delete;
  HistoryFile& operator=(const HistoryFile&) = delete;

  /// Takes a record; from any thread, and never waits for the disk.
  void record(std::string record);
  /// Writes what waits, as far as the disk lets it, and ends. What is recorded after that is lost.
  void stop();

  /// The counters as they are now; from any thread.
  [[nodiscard]] HistoryCounters counters() const;

 private:
  /// How an attempt at writing went.
  enum class Attempt : std::uint8_t { written, locked, failed };

  /// What the writer works on.
  struct Batch {
    std::vector<std::string> records;
    bool is_last = false;  ///< the daemon stops
  };

  void write_until_stopped();
  void take(Batch& batch);
  [[nodiscard]] Attempt write(Batch& batch, bool respects_lock);
  [[nodiscard]] bool write_records(int file, Batch& batch);
  [[nodiscard]] Attempt give_up(std::string_view what);

  HistoryOptions options_;
  Log& log_;
  mutable std::mutex mutex_;
  std::condition_variable wakes_;
  std::vector<std::string> queue_;
  std::uint64_t unwritten_ = 0;  // Records that the writer has taken and not written.
  bool stopping_ = false;
  HistoryCounters counters_;  // Under the mutex; the first is read where it is.
  Outage queue_outage_;       // Under the mutex.
  Outage file_outage_;        // The writer's.
  std::jthread writer_;
};

}  // namespace countersign::service::store
