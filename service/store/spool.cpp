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
#include <exception>
#include <filesystem>
#include <utility>
#include <vector>

#include "countersign/crypto/digest.hpp"
#include "service/log/log.hpp"

namespace countersign::service::store {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view magic = "CSSPOOL1";
// Every version's, followed by its number.
constexpr std::string_view any_magic = "CSSPOOL";
constexpr std::size_t name_octets = 16;
constexpr std::size_t record_head_octets = 12;
constexpr std::size_t digest_octets = 8;
// A segment that is this long is closed: so much is read again after a start, and so much stays on
// the disk though it is delivered.
constexpr std::uint64_t segment_octets = 8'388'608;
// As much is read in one go.
constexpr std::uint64_t chunk_octets = 1'048'576;
// What is added to the name of a file that is kept beside.
constexpr const char* kept_end = ".damaged";
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

/// Octets of a file; fewer than were asked for when they cannot be read, and then why.
struct FilePart {
  std::string octets;
  int error = 0;  ///< as errno has it
};

/// Octets of a file from an offset on, which has them.
FilePart read_at(int file, std::uint64_t offset, std::uint64_t size) {
  FilePart part{.octets = std::string(size, '\0')};
  std::size_t done = 0;
  while (done < size && part.error == 0) {
    const ssize_t got =
        ::pread(file, part.octets.data() + done, size - done, static_cast<off_t>(offset + done));
    if (got > 0) {
      done += static_cast<std::size_t>(got);
    } else if (got == 0) {
      part.error = ENODATA;  // The file is shorter than it was.
    } else if (errno != EINTR) {
      part.error = errno;
    }
  }
  part.octets.resize(done);
  return part;
}

/// What waits of a segment from an offset on: a chunk, or a record whole that is longer.
FilePart read_chunk(int file, std::uint64_t offset, std::uint64_t segment_size) {
  const std::uint64_t waiting = segment_size - offset;
  FilePart chunk = read_at(file, offset, std::min(waiting, chunk_octets));
  if (chunk.error != 0 || chunk.octets.size() < record_head_octets) return chunk;
  const std::uint64_t first = std::min(read_length(chunk.octets), spool_record_octets_max);
  if (first + record_head_octets <= chunk.octets.size()) return chunk;
  return read_at(file, offset, std::min(waiting, first + record_head_octets));
}

/// True when these octets, of which no record stands at the front, have a whole one further on.
bool has_record(std::string_view octets) {
  // Text makes lengths that are out of all bounds, so hardly anything is digested for nothing.
  for (std::size_t at = 1; at + record_head_octets < octets.size(); ++at) {
    const std::string_view rest = octets.substr(at);
    const std::uint64_t length = read_length(rest);
    if (length == 0 || length > rest.size() - record_head_octets) continue;
    const std::string_view behind = rest.substr(record_head_octets + length);
    const bool is_followed =
        behind.size() < record_head_octets || read_length(behind) <= spool_record_octets_max;
    if (is_followed && parse_record(rest, 0)) return true;
  }
  return false;
}

/// True when the octets at the end of a segment are a record that was begun and not finished: the
/// end that it states is not there, and it is the last one.
bool is_unfinished_record(std::string_view octets) {
  if (octets.size() < record_head_octets) return true;
  const std::uint64_t length = read_length(octets);
  const std::string_view payload = octets.substr(record_head_octets);
  if (length > spool_record_octets_max || length <= payload.size()) return false;
  return octets.substr(4, digest_octets) != digest(payload) && !has_record(octets);
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

[[noreturn]] void fail_to_read(const std::string& file, int error) {
  throw SpoolError(
      Remedy::wait,
      fmt::format("the spool's {}: {}; it is tried again, see store.spool_directory", file,
                  error == ENODATA ? "it is shorter than it was" : std::strerror(error)));
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
  if (length > std::min(octets.size() - record_head_octets, spool_record_octets_max))
    return std::nullopt;
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
    if (name.find(".spool") == std::string::npos) continue;
    const std::uint64_t number = std::strtoull(name.c_str(), nullptr, 16);
    // Nor is a file that is kept beside ever overwritten.
    next_number_ = std::max(next_number_, number + 1);
    if (name.ends_with(".spool")) files.emplace_back(number, entry.path().string());
  }
  if (error) fail(directory_, "cannot be read");
  std::ranges::sort(files);
  for (const auto& [number, path] : files) find_segment(path);
}

void Spool::find_segment(const std::string& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status{};
  if (!file || ::fstat(file.get(), &status) != 0) fail(path, "cannot be read");
  Segment segment{.path = path, .size = static_cast<std::uint64_t>(status.st_size)};
  segment.is_closed = segment.is_left = true;
  const FilePart head =
      read_at(file.get(), 0, std::min<std::uint64_t>(segment.size, segment_head_octets));
  if (head.error != 0) {
    errno = head.error;
    fail(path, "cannot be read");
  }
  if (const auto name = segment_name(head.octets)) {
    segment.name = *name;
    octets_ += segment.size;
    segments_.push_back(std::move(segment));
  } else {
    give_up_file(segment, head.octets);
  }
}

/// Leaves out a file without the head of a segment.
void Spool::give_up_file(Segment& segment, std::string_view head) {
  // The first record comes after the head is on the disk.
  const bool is_unfinished =
      head.size() < segment_head_octets && magic.starts_with(head.substr(0, magic.size()));
  if (!is_unfinished && head.starts_with(any_magic)) {
    log_.write(LogLevel::error,
               "another version of countersign wrote this segment of the spool; it stays where it "
               "is, for that version",
               {{"file", segment.path}});
    return;
  }
  octets_ += segment.size;
  octets_lost_ += segment.size;
  segment.is_damaged = !is_unfinished;
  tell_given_up(segment, segment.size);
  static_cast<void>(remove(segment));
}

void Spool::tell_given_up(const Segment& segment, std::uint64_t octets) const {
  if (segment.is_damaged) {
    log_.write(LogLevel::error,
               "the spool is damaged; the rest of a segment is not counted, its file is kept",
               {{"file", segment.path + kept_end}, {"octets", std::to_string(octets)}});
  } else {
    log_.write(LogLevel::warning, "the spool ends in what an earlier process did not finish",
               {{"file", segment.path}, {"octets", std::to_string(octets)}});
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

/// Behind damage nothing is written: who reads the file later stops there.
void Spool::leave_damaged_segment() {
  const std::lock_guard lock(mutex_);
  if (!writing_ || !segments_.back().is_damaged) return;
  segments_.back().is_closed = true;
  writing_.close();
}

Appended Spool::append(const Counts& counts) {
  const std::string record = format_record(encode_counts(counts));
  if (octets() + record.size() + segment_head_octets > octets_max_) return Appended::full;
  leave_damaged_segment();
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
  // One that cannot be read holds no other up.
  std::vector<std::string> unreadable;
  std::exception_ptr error;
  while (const std::optional<Segment> segment = waiting_segment(unreadable)) {
    try {
      if (std::optional<SpooledCounts> found = read(*segment)) return found;
    } catch (const SpoolError&) {
      if (!error) error = std::current_exception();
      unreadable.push_back(segment->path);
    }
  }
  if (error) std::rethrow_exception(error);
  return std::nullopt;
}

/// The oldest segment of which something waits, but for those paths.
std::optional<Spool::Segment> Spool::waiting_segment(const std::vector<std::string>& but) const {
  const std::lock_guard lock(mutex_);
  const auto waits = [&but](const Segment& one) {
    return one.read < one.size && std::ranges::find(but, one.path) == but.end();
  };
  const auto found = std::ranges::find_if(segments_, waits);
  return found == segments_.end() ? std::nullopt : std::optional(*found);
}

/// What stands at the front of what waits of a segment; nothing when that is no record, and is
/// given up.
std::optional<SpooledCounts> Spool::read(const Segment& segment) {
  const Descriptor file(::open(segment.path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) fail_to_read(segment.path, errno);
  SpooledCounts found{.counts = {}, .position = {segment.name, segment.read, segment.read}};
  const FilePart chunk = read_chunk(file.get(), segment.read, segment.size);
  std::uint64_t octets = take_records(chunk.octets, found);
  if (found.position.end == segment.read) {
    if (chunk.error != 0) fail_to_read(segment.path, chunk.error);
    give_up_rest(segment, file.get());
    return std::nullopt;
  }
  // Records that wait have much in common, and together they cost the store little more.
  for (auto end = segment.read; end < found.position.end && octets < batch_octets;) {
    end = found.position.end;
    octets += take_records(read_chunk(file.get(), end, segment.size).octets, found);
  }
  return found;
}

/// Nothing can be read from here on. At the end of what a process left when it was killed that is
/// what it was writing; elsewhere it is damage, and the file is kept for whoever looks into it.
void Spool::give_up_rest(const Segment& segment, int file) {
  bool is_unfinished = false;
  // What is longer was closed, after its last record.
  if (segment.is_left && segment.read < segment_octets) {
    const FilePart rest = read_at(file, segment.read, segment.size - segment.read);
    if (rest.error != 0) fail_to_read(segment.path, rest.error);
    is_unfinished = is_unfinished_record(rest.octets);
  }
  const std::lock_guard lock(mutex_);
  const auto one = std::ranges::find(segments_, segment.path, &Segment::path);
  octets_lost_ += segment.size - segment.read;
  // What was appended meanwhile can be read.
  one->read = segment.size;
  one->is_damaged = !is_unfinished;
  tell_given_up(*one, segment.size - segment.read);
  remove_delivered();
}

std::vector<std::string> Spool::delivered(std::string_view name, std::uint64_t end) {
  const std::lock_guard lock(mutex_);
  for (Segment& segment : segments_) {
    if (segment.name == name) segment.read = std::max(segment.read, end);
  }
  remove_delivered();
  return std::exchange(gone_, {});
}

void Spool::remove_delivered() {
  std::erase_if(segments_, [this](const Segment& one) {
    if (!one.is_closed || one.read < one.size) return false;
    if (remove(one)) gone_.push_back(one.name);
    return true;
  });
}

/// Takes the file of a segment away.
/// Returns      true when it cannot come back, so that the store may forget the segment.
bool Spool::remove(const Segment& segment) {
  octets_ -= segment.size;
  const int failed = segment.is_damaged
                         ? ::rename(segment.path.c_str(), (segment.path + kept_end).c_str())
                         : ::unlink(segment.path.c_str());
  if (failed == 0 || errno == ENOENT) return sync_directory();
  log_.write(LogLevel::error, "a segment of the spool that is done with cannot be removed",
             {{"file", segment.path}, {"error", std::strerror(errno)}});
  return false;
}

bool Spool::sync_directory() const {
  const Descriptor directory(::open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return directory && ::fsync(directory.get()) == 0;
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
