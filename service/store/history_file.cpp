// SPDX-License-Identifier: Apache-2.0

#include "service/store/history_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iterator>
#include <optional>
#include <utility>

#include "service/run/descriptor.hpp"

namespace countersign::service::store {
namespace {

// Who sends us mail is no business of other users; the umask may keep the group out too.
constexpr mode_t file_mode = 0660;
// Times that a file may be moved away between being opened and being locked.
constexpr int opens_max = 8;
constexpr std::chrono::milliseconds pause_at_the_end{20};

/// A file that is open, with the lock or with the failure that errno has.
struct Opened {
  Descriptor file;
  bool is_locked_by_others = false;
};

bool is_still_there(int file, const std::string& path) {
  struct stat ours{};
  struct stat found{};
  return ::fstat(file, &ours) == 0 && ::stat(path.c_str(), &found) == 0 &&
         ours.st_dev == found.st_dev && ours.st_ino == found.st_ino;
}

/// Opens the file for adding to it and takes its lock. One that has been moved away meanwhile is
/// somebody's who reads it to its end and will not look again.
Opened open_locked(const std::string& path, bool respects_lock) {
  for (int i = 0; i < opens_max; ++i) {
    // A pipe without a reader must not hold us up.
    Descriptor file(
        ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, file_mode));
    if (!file) return {};
    const bool is_refused = ::flock(file.get(), LOCK_EX | LOCK_NB) != 0;
    // A file system without locks has nobody to respect.
    if (is_refused && errno == EWOULDBLOCK && respects_lock)
      return {.file = {}, .is_locked_by_others = true};
    if (is_still_there(file.get(), path)) return {.file = std::move(file)};
  }
  errno = ESTALE;
  return {};
}

std::optional<off_t> size_of(int file) {
  struct stat found{};
  if (::fstat(file, &found) != 0 || !S_ISREG(found.st_mode)) return std::nullopt;
  return found.st_size;
}

/// Adds a record by one write, whole or not at all; errno says why not.
bool append(int file, std::string_view record) {
  const std::optional<off_t> before = size_of(file);
  ssize_t put = ::write(file, record.data(), record.size());
  while (put < 0 && errno == EINTR) put = ::write(file, record.data(), record.size());
  if (put == static_cast<ssize_t>(record.size())) return true;
  if (put < 0) return false;
  // The disk is full. What was put is taken back, if nobody has added to it.
  if (before && size_of(file) == *before + put && ::ftruncate(file, *before) != 0) return false;
  errno = ENOSPC;
  return false;
}

}  // namespace

HistoryFile::HistoryFile(HistoryOptions options, Log& log)
    : options_(std::move(options)), log_(log), writer_([this] { write_until_stopped(); }) {}

HistoryFile::~HistoryFile() { stop(); }

void HistoryFile::record(std::string record) {
  const std::lock_guard lock(mutex_);
  if (stopping_ || queue_.size() + unwritten_ >= options_.queue) {
    ++counters_.lost;
    if (!stopping_ && queue_outage_.begins_or_lasts())
      log_.write(LogLevel::error,
                 "judged messages are not in store.history_file: its queue is full",
                 {{"messages", std::to_string(counters_.lost)}});
    return;
  }
  queue_.push_back(std::move(record));
  if (queue_.size() == 1) wakes_.notify_one();
}

void HistoryFile::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wakes_.notify_all();
  if (writer_.joinable()) writer_.join();
}

HistoryCounters HistoryFile::counters() const {
  const std::lock_guard lock(mutex_);
  HistoryCounters counters = counters_;
  counters.queued = queue_.size() + unwritten_;
  return counters;
}

// --- the writer ----------------------------------------------------------------------------------

/// Waits for something to do and takes it.
void HistoryFile::take(Batch& batch) {
  std::unique_lock lock(mutex_);
  if (batch.records.empty())
    wakes_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
  else
    wakes_.wait_for(lock, options_.pause, [this] { return stopping_; });
  std::vector<std::string> taken = std::exchange(queue_, {});
  std::ranges::move(taken, std::back_inserter(batch.records));
  unwritten_ = batch.records.size();
  batch.is_last = stopping_;
}

void HistoryFile::write_until_stopped() {
  Batch batch;
  std::optional<std::chrono::steady_clock::time_point> end;
  while (!batch.is_last || !batch.records.empty()) {
    take(batch);
    if (batch.records.empty()) continue;
    const auto now = std::chrono::steady_clock::now();
    if (batch.is_last && !end) end = now + options_.stop_within;
    const Attempt attempt = write(batch, !end || now < *end);
    if (!batch.is_last || attempt == Attempt::written) continue;
    if (attempt == Attempt::failed) break;
    std::this_thread::sleep_for(pause_at_the_end);
  }
  const std::lock_guard lock(mutex_);
  counters_.lost += std::exchange(unwritten_, 0);
}

HistoryFile::Attempt HistoryFile::write(Batch& batch, bool respects_lock) {
  const Opened opened = open_locked(options_.path, respects_lock);
  if (opened.is_locked_by_others) return Attempt::locked;
  if (!opened.file) return give_up("store.history_file cannot be opened; records wait in memory");
  if (!write_records(opened.file.get(), batch))
    return give_up("store.history_file cannot be written to; records wait in memory");
  if (file_outage_.ends())
    log_.write(LogLevel::notice, "store.history_file takes records again",
               {{"file", options_.path}});
  return Attempt::written;
}

/// Writes one after the other; those that were written leave the batch.
bool HistoryFile::write_records(int file, Batch& batch) {
  std::size_t written = 0;
  while (written < batch.records.size() && append(file, batch.records[written])) ++written;
  const int error = errno;
  batch.records.erase(batch.records.begin(),
                      batch.records.begin() + static_cast<std::ptrdiff_t>(written));
  const std::lock_guard lock(mutex_);
  counters_.written += written;
  unwritten_ = batch.records.size();
  errno = error;
  return batch.records.empty();
}

HistoryFile::Attempt HistoryFile::give_up(std::string_view what) {
  const int error = errno;
  if (file_outage_.begins_or_lasts())
    log_.write(LogLevel::error, what, {{"file", options_.path}, {"error", std::strerror(error)}});
  const std::lock_guard lock(mutex_);
  ++counters_.failures;
  return Attempt::failed;
}

}  // namespace countersign::service::store
