// SPDX-License-Identifier: Apache-2.0

#include "service/store/spool.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>
#include <vector>

#include "countersign/crypto/digest.hpp"
#include "service/log/log.hpp"

namespace countersign::service::store {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view magic = "CSSPOOL1";
constexpr std::size_t name_octets = 16;
constexpr std::size_t record_head_octets = 12;
constexpr std::size_t digest_octets = 8;
// A segment that is this long is closed: so much is read again after a start, and so much stays on
// the disk though it is delivered.
constexpr std::uint64_t segment_octets = 8'388'608;
// As much is read in one go.
constexpr std::uint64_t chunk_octets = 1'048'576;
// Rows of so many octets the store takes in one transaction; a chunk more, if need be.
constexpr std::uint64_t batch_octets = 1'048'576;

std::string digest(std::string_view payload) {
  return std::string(crypto::as_octets(crypto::sha256(payload)).substr(0, digest_octets));
}

std::uint64_t read_length(std::string_view octets) {
  std::uint64_t length = 0;
  for (const char c : octets.substr(0, 4)) length = length << 8 | static_cast<unsigned char>(c);
  return length;
}

bool write_all(int file, std::string_view octets) {
  while (!octets.empty()) {
    const ssize_t put = ::write(file, octets.data(), octets.size());
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return false;
    octets.remove_prefix(static_cast<std::size_t>(put));
  }
  return true;
}

/// Octets of a file from an offset on; fewer at its end.
std::string read_at(int file, std::uint64_t offset, std::uint64_t most) {
  std::string octets(most, '\0');
  std::size_t size = 0;
  while (size < most) {
    const ssize_t got =
        ::pread(file, octets.data() + size, most - size, static_cast<off_t>(offset + size));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    size += static_cast<std::size_t>(got);
  }
  octets.resize(size);
  return octets;
}

/// What waits of a segment from an offset on: a chunk, or a record whole that is longer.
std::string read_chunk(int file, std::uint64_t offset, std::uint64_t segment_size) {
  const std::uint64_t waiting = segment_size - offset;
  std::string chunk = read_at(file, offset, std::min(waiting, chunk_octets));
  const std::uint64_t first =
      chunk.size() < record_head_octets ? 0 : std::min(read_length(chunk), spool_record_octets_max);
  if (first + record_head_octets <= chunk.size()) return chunk;
  return read_at(file, offset, std::min(waiting, first + record_head_octets));
}

/// Adds the counts of another record.
/// Returns      octets of the rows that are new among them.
std::uint64_t add_counts(Counts more, Counts& counts) {
  std::uint64_t octets = 0;
  while (!more.empty()) {
    const auto added = counts.insert(more.extract(more.begin()));
    const RowKey& key = added.position->first;
    if (added.inserted) {
      octets += key.policy.size() + key.source.size() + key.identity.size();
    } else {
      added.position->second += added.node.mapped();
    }
  }
  return octets;
}

/// Adds the counts of the records at the front of a chunk, which begins where the others end.
/// Returns      octets of the rows that are new among them.
std::uint64_t take_records(std::string_view chunk, SpooledCounts& found) {
  std::uint64_t octets = 0;
  while (const auto record = parse_record(chunk, found.position.end)) {
    std::optional<Counts> counts = decode_counts(record->payload, found.counts);
    if (!counts) break;
    octets += add_counts(*std::move(counts), found.counts);
    chunk.remove_prefix(record->end - found.position.end);
    found.position.end = record->end;
  }
  return octets;
}

/// A name that no other segment has; empty when the system gives no random octets.
std::string random_name() {
  std::string name(name_octets, '\0');
  if (::getrandom(name.data(), name.size(), 0) != static_cast<ssize_t>(name.size())) return {};
  return name;
}

[[noreturn]] void fail(const std::string& directory, std::string_view what) {
  throw StoreError(Remedy::operate, fmt::format("the spool {}: {}: {}; see store.spool_directory",
                                                directory, what, std::strerror(errno)));
}

}  // namespace

// --- the form of a segment -----------------------------------------------------------------------

std::string segment_head(std::string_view name) { return std::string(magic) + std::string(name); }

std::optional<std::string_view> segment_name(std::string_view segment) {
  if (segment.size() < segment_head_octets || !segment.starts_with(magic)) return std::nullopt;
  return segment.substr(magic.size(), name_octets);
}

std::string format_record(std::string_view payload) {
  std::string record;
  for (unsigned i = 4; i-- > 0;) {
    record += static_cast<char>(static_cast<unsigned char>(payload.size() >> (8 * i)));
  }
  record += digest(payload);
  record += payload;
  return record;
}

std::optional<SpoolRecord> parse_record(std::string_view octets, std::uint64_t offset) {
  if (octets.size() < record_head_octets) return std::nullopt;
  const std::uint64_t length = read_length(octets);
  if (length > octets.size() - record_head_octets) return std::nullopt;
  const std::string_view payload = octets.substr(record_head_octets, length);
  if (octets.substr(4, digest_octets) != digest(payload)) return std::nullopt;
  return SpoolRecord{payload, offset + record_head_octets + length};
}

// --- opening -------------------------------------------------------------------------------------

Spool::Spool(std::string directory, std::uint64_t octets_max, Log& log)
    : directory_(std::move(directory)), octets_max_(octets_max), log_(log) {
  std::error_code error;
  fs::create_directories(fs::path(directory_).parent_path(), error);
  // Who sends us mail is nobody else's business.
  if (::mkdir(directory_.c_str(), 0700) != 0 && errno != EEXIST) fail(directory_, "cannot be made");
  lock_ = Descriptor(::open((directory_ + "/lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!lock_) fail(directory_, "cannot be written to");
  if (::flock(lock_.get(), LOCK_EX | LOCK_NB) != 0) {
    throw StoreError(Remedy::operate, "the spool " + directory_ +
                                          " is another daemon's; give each its own "
                                          "store.spool_directory");
  }
  find_segments();
}

Spool::~Spool() {
  const std::lock_guard lock(mutex_);
  if (writing_) segments_.back().is_closed = true;
  remove_delivered();
}

void Spool::find_segments() {
  std::vector<std::pair<std::uint64_t, std::string>> files;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(directory_, error)) {
    const std::string name = entry.path().filename().string();
    if (!name.ends_with(".spool")) continue;
    const std::uint64_t number = std::strtoull(name.c_str(), nullptr, 16);
    files.emplace_back(number, entry.path().string());
    next_number_ = std::max(next_number_, number + 1);
  }
  if (error) fail(directory_, "cannot be read");
  std::ranges::sort(files);
  for (const auto& [number, path] : files) {
    const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file) fail(path, "cannot be read");
    struct stat status{};
    if (::fstat(file.get(), &status) != 0) fail(path, "cannot be read");
    Segment segment{.path = path, .size = static_cast<std::uint64_t>(status.st_size)};
    segment.is_closed = true;
    const std::string head = read_at(file.get(), 0, segment_head_octets);
    octets_ += segment.size;
    if (const auto name = segment_name(head)) {
      segment.name = *name;
      segments_.push_back(std::move(segment));
    } else {
      // Begun and not finished: the first record comes after the head is on the disk.
      give_up_rest(segment, head);
      remove(segment);
    }
  }
}

// --- appending -----------------------------------------------------------------------------------

/// Makes a file that is on the disk, with its name, before anything is appended.
bool Spool::begin_segment() {
  Segment segment{.path = fmt::format("{}/{:016x}.spool", directory_, next_number_++),
                  .name = random_name(),
                  .size = segment_head_octets};
  Descriptor file(
      ::open(segment.path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600));
  if (!file || segment.name.empty()) return false;
  if (!write_all(file.get(), segment_head(segment.name)) || ::fdatasync(file.get()) != 0) {
    ::unlink(segment.path.c_str());
    return false;
  }
  sync_directory();
  writing_ = std::move(file);
  const std::lock_guard lock(mutex_);
  octets_ += segment.size;
  segments_.push_back(std::move(segment));
  return true;
}

Appended Spool::append(const Counts& counts) {
  const std::string record = format_record(encode_counts(counts));
  if (octets() + record.size() + segment_head_octets > octets_max_) return Appended::full;
  if (!writing_ && !begin_segment()) return Appended::failed;
  const bool written = write_all(writing_.get(), record);
  // Octets that did not get to the disk now may still do so; the record is there all the same.
  const bool synced = written && ::fdatasync(writing_.get()) == 0;
  const std::lock_guard lock(mutex_);
  Segment& segment = segments_.back();
  if (!written) {
    // Cut off what got there; where that fails too, nobody may write behind it.
    segment.is_closed = ::ftruncate(writing_.get(), static_cast<off_t>(segment.size)) != 0;
  } else {
    segment.size += record.size();
    octets_ += record.size();
    segment.is_closed = !synced || segment.size >= segment_octets;
  }
  if (segment.is_closed) writing_.close();
  if (written && !synced) {
    log_.write(LogLevel::error, "the disk of the spool does not confirm what is written",
               {{"file", segment.path}});
  }
  return written ? Appended::durable : Appended::failed;
}

// --- delivering ----------------------------------------------------------------------------------

std::optional<SpooledCounts> Spool::next() {
  for (;;) {
    Segment segment;
    {
      const std::lock_guard lock(mutex_);
      const auto waits = [](const Segment& one) { return one.read < one.size; };
      const auto found = std::ranges::find_if(segments_, waits);
      if (found == segments_.end()) return std::nullopt;
      segment = *found;
    }
    const Descriptor file(::open(segment.path.c_str(), O_RDONLY | O_CLOEXEC));
    SpooledCounts found{.counts = {}, .position = {segment.name, segment.read, segment.read}};
    std::string chunk = read_chunk(file.get(), segment.read, segment.size);
    std::uint64_t octets = take_records(chunk, found);
    const bool is_damaged = found.position.end == segment.read;
    // Records that wait have much in common, and together they cost the store little more.
    for (auto end = segment.read; end < found.position.end && octets < batch_octets;) {
      end = found.position.end;
      octets += take_records(read_chunk(file.get(), end, segment.size), found);
    }
    if (!is_damaged) return found;
    const std::lock_guard lock(mutex_);
    for (Segment& one : segments_) {
      if (one.name == segment.name) give_up_rest(one, chunk);
    }
  }
}

/// Nothing can be read from here on. At the end of what a process left when it was killed that is
/// what it was writing; elsewhere it is damage, and the file is kept for whoever looks into it.
void Spool::give_up_rest(Segment& segment, std::string_view rest) {
  const bool is_unfinished =
      rest.size() < record_head_octets || read_length(rest) > rest.size() - record_head_octets;
  const std::uint64_t lost = segment.size - std::min(segment.size, segment.read);
  octets_lost_ += std::max<std::uint64_t>(lost, rest.size());
  segment.read = segment.size;
  segment.is_closed = true;
  if (is_unfinished) {
    log_.write(LogLevel::warning, "the spool ends in what an earlier process did not finish",
               {{"file", segment.path}, {"octets", std::to_string(lost)}});
    return;
  }
  const std::string kept = segment.path + ".damaged";
  const bool is_kept = ::link(segment.path.c_str(), kept.c_str()) == 0;
  log_.write(LogLevel::error, "the spool is damaged; the rest of a segment is not counted",
             {{"file", is_kept ? kept : segment.path}, {"octets", std::to_string(lost)}});
}

std::vector<std::string> Spool::delivered(std::string_view name, std::uint64_t end) {
  const std::lock_guard lock(mutex_);
  for (Segment& segment : segments_) {
    if (segment.name == name) segment.read = std::max(segment.read, end);
  }
  return remove_delivered();
}

std::vector<std::string> Spool::remove_delivered() {
  std::vector<std::string> names;
  while (!segments_.empty()) {
    const Segment& oldest = segments_.front();
    if (!oldest.is_closed || oldest.read < oldest.size) break;
    remove(oldest);
    names.push_back(oldest.name);
    segments_.pop_front();
  }
  return names;
}

void Spool::remove(const Segment& segment) {
  ::unlink(segment.path.c_str());
  // Before the store forgets the segment, it must not be able to come back.
  sync_directory();
  octets_ -= segment.size;
}

void Spool::sync_directory() const {
  const Descriptor directory(::open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory) ::fsync(directory.get());
}

bool Spool::is_empty() const {
  const std::lock_guard lock(mutex_);
  return std::ranges::all_of(segments_, [](const Segment& one) { return one.read >= one.size; });
}

std::uint64_t Spool::octets() const {
  const std::lock_guard lock(mutex_);
  return octets_;
}

std::uint64_t Spool::octets_lost() const {
  const std::lock_guard lock(mutex_);
  return octets_lost_;
}

}  // namespace countersign::service::store
