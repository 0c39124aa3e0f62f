// SPDX-License-Identifier: Apache-2.0
//
// The spool: a directory of this host in which counts wait until the store has them. Everything
// goes through it, so that what is written here survives the end of the program, of the machine,
// and any absence of the store.
//
// It is a row of segments, files that only grow and are removed whole:
//
//   segment = "CSSPOOL1" name           the name is 16 random octets
//   record  = length(4) digest(8) payload     the digest is the beginning of the payload's SHA-256
//
// A record is handed out after it is on the disk. The store keeps for each segment how far it has
// it; name and offset are all that it takes to recognise a record that comes a second time. A new
// process begins a new segment, so no offset ever has two contents.
//
// Only octets that were read are judged: a file that cannot be read for a moment waits. What a
// process that was killed had not finished is dropped; a file with damage in it is kept beside, as
// ".damaged", and one that another version wrote stays where it is.
//
// One thread appends and another one delivers.

#pragma once

#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "service/run/descriptor.hpp"
#include "service/store/store.hpp"

namespace countersign::service {
class Log;
}

namespace countersign::service::store {

/// Octets of one payload: what is longer is damage.
inline constexpr std::uint64_t spool_record_octets_max = 67'108'864;

/// A record of a segment.
struct SpoolRecord {
  std::string_view payload;
  std::uint64_t end = 0;  ///< offset behind it
};

/// Octets of the head of a segment.
inline constexpr std::size_t segment_head_octets = 24;

/// The head of a segment of that name, which has 16 octets.
[[nodiscard]] std::string segment_head(std::string_view name);
/// The name in the head of a segment; nothing when it is none.
[[nodiscard]] std::optional<std::string_view> segment_name(std::string_view segment);
/// Writes one record.
[[nodiscard]] std::string format_record(std::string_view payload);
/// The record at the front of the octets, which stand at that offset; nothing when none is there
/// whole and undamaged.
[[nodiscard]] std::optional<SpoolRecord> parse_record(std::string_view octets,
                                                      std::uint64_t offset);

/// Counts that wait, and where they stand.
struct SpooledCounts {
  Counts counts;
  SpoolPosition position;
};

/// A segment cannot be read at the moment; it stays as it is.
class SpoolError : public StoreError {
 public:
  using StoreError::StoreError;
};

/// What became of a record that was to be appended.
enum class Appended : std::uint8_t {
  durable,  ///< it is on the disk
  full,     ///< the spool is as large as it may be
  failed,   ///< the disk would not take it; nothing of it is there
};

/// A spool.
class Spool {
 public:
  /// Opens the directory, which is made if need be, and locks it. What an earlier process left is
  /// delivered first; what it did not finish writing is told and left out.
  /// Throws StoreError when another process has it or it cannot be written to.
  Spool(std::string directory, std::uint64_t octets_max, Log& log);
  ~Spool();
  Spool(const Spool&) = delete;
  Spool& operator=(const Spool&) = delete;

  /// Appends a record and waits until it is on the disk.
  [[nodiscard]] Appended append(const Counts& counts);

  /// The counts that wait longest: of one record or, when many wait, of several together. They wait
  /// until they are said to be delivered.
  /// Throws SpoolError when what is left to hand out cannot be read at the moment.
  [[nodiscard]] std::optional<SpooledCounts> next();
  /// The store has a segment up to there.
  /// Returns      segments that are not needed any more; they are gone from the disk.
  [[nodiscard]] std::vector<std::string> delivered(std::string_view segment, std::uint64_t end);
  /// True when nothing waits.
  [[nodiscard]] bool is_empty() const;
  /// Octets of all segments.
  [[nodiscard]] std::uint64_t octets() const;
  /// Octets that were given up as unfinished or damaged.
  [[nodiscard]] std::uint64_t octets_lost() const;

 private:
  struct Segment {
    std::string path;
    std::string name;
    std::uint64_t size = 0;  ///< on the disk
    std::uint64_t read = segment_head_octets;
    bool is_closed = false;   ///< nothing more is appended
    bool is_left = false;     ///< by an earlier process, which may have been killed
    bool is_damaged = false;  ///< the file is kept beside
  };

  void find_segments();
  void find_segment(const std::string& path);
  void give_up_file(Segment& segment, std::string_view head);
  void tell_given_up(const Segment& segment, std::uint64_t octets) const;
  [[nodiscard]] bool begin_segment();
  void leave_damaged_segment();
  [[nodiscard]] std::optional<Segment> waiting_segment(const std::vector<std::string>& but) const;
  [[nodiscard]] std::optional<SpooledCounts> read(const Segment& segment);
  void give_up_rest(const Segment& segment, int file);
  void remove_delivered();
  [[nodiscard]] bool remove(const Segment& segment);
  bool sync_directory() const;

  std::string directory_;
  std::uint64_t octets_max_;
  Log& log_;
  Descriptor lock_;
  Descriptor writing_;  // The last segment, unless that is closed.
  mutable std::mutex mutex_;
  std::deque<Segment> segments_;   // Oldest first.
  std::vector<std::string> gone_;  // Names of segments that were removed and not told yet.
  std::uint64_t octets_ = 0;
  std::uint64_t octets_lost_ = 0;
  std::uint64_t next_number_ = 1;  // Of a segment's file.
};

}  // namespace countersign::service::store
