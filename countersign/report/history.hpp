// SPDX-License-Identifier: Apache-2.0
//
// Judged messages as OpenDMARC keeps them in its HistoryFile, from which its opendmarc-import fills
// a data base and its opendmarc-reports makes reports; Exim writes the same. No document defines
// the format: what stands here is what OpenDMARC 1.4.2 was seen to write and its import to read.
//
// A message is one record, a record is lines of "key value", each ended by LF. The first line is
// its job; the next "job" or the end of the file ends it:
//
//   job 4XyZ12                      queue id
//   reporter mx.example             who judged
//   received 1795718963             seconds since 1970 UTC
//   ipaddr 192.0.2.1                the client
//   from sender.example             domain of From, in any case
//   mfrom bounce.example            domain of MAIL FROM; nothing for the null path
//   dkim sender.example june 0      one line a signature: d=, s= or "-", result
//   spf 7                           result; -1: none was found
//   pdomain sender.example          whose record applied
//   policy 16                       what it asks for: 14 no record, 15 DMARC passed, 16 reject,
//                                   17 quarantine, 18 none
//   rua mailto:a@sender.example     one line an address; "-": none
//   pct 100
//   adkim 114                       octets of the letters: r 114, s 115
//   aspf 114
//   p 114                           n 110, q 113, r 114, 0: not published
//   sp 0                            likewise
//   align_dkim 5                    4 aligned pass, 5 none, 0 without a record
//   align_spf 4                     likewise
//   arc 7                           0 the chain passes, 7 any other case
//   arc_policy 2 json:[…]           0 it saved the message, 1 it did not, 2 nobody asked; its sets
//   action 2                        0 and 1 rejected, 2 accepted, 3 put off, 4 quarantined
//
// Results: 0 pass, 2 softfail, 3 neutral, 4 temperror, 5 permerror, 6 none, 7 fail, 8 policy; other
// numbers up to 12 and -1 are words that no report has.

#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "countersign/limits.hpp"
#include "countersign/report/evaluation.hpp"
#include "countersign/result.hpp"

namespace countersign::report {

/// What became of the ARC chain when the policy was to be carried out, in the number of arc_policy.
enum class HistoryArcUse : std::uint8_t { pass = 0, fail = 1, unused = 2 };

/// One ARC Set: i= with d= and s= of its seal.
struct HistoryArcSet {
  unsigned instance = 0;
  std::string domain;
  std::string selector;

  friend bool operator==(const HistoryArcSet&, const HistoryArcSet&) = default;
};

/// One record.
struct HistoryRecord {
  std::string job;            ///< any text; empty when the MTA gave none
  std::string reporter;       ///< any text
  std::int64_t received = 0;  ///< seconds since 1970 UTC
  bool has_arc_pass = false;
  HistoryArcUse arc_use = HistoryArcUse::unused;
  std::vector<HistoryArcSet> arc_sets;  ///< written, and not read
  /// False when no DMARC record applied; `evaluation.published` has the Organizational Domain then
  /// and nothing else. No such record is read: there is nobody to tell of it.
  bool has_policy = true;
  Evaluation evaluation;

  friend bool operator==(const HistoryRecord&, const HistoryRecord&) = default;
};

/// Writes a record, in the order of lines in which OpenDMARC has them.
///
/// Whatever the texts hold, each stays in its line: octets that are no visible ASCII become "?",
/// and an address for reports that has any is left out. The format knows no np, no t=y (told as pct
/// 0, which meant the same), no reasons and no domain of recipients.
[[nodiscard]] std::string format_history(const HistoryRecord& record);

/// What may be wrong with a record.
enum class HistoryErrorCode : std::uint8_t {
  no_job,        ///< lines before the first job
  too_long,      ///< a line over history_line_bytes_max, or a record over history_record_bytes_max
  missing_key,   ///< a key that every record has is not there: it may have been cut off
  bad_number,    ///< no decimal number, or one out of bounds
  unknown_code,  ///< a number that stands for nothing
  bad_domain,    ///< no domain name
  bad_address,   ///< no IP address
};

/// Says in a sentence what is wrong.
[[nodiscard]] std::string_view to_string(HistoryErrorCode code);

/// What is wrong and where.
struct HistoryError {
  HistoryErrorCode code{};
  std::uint64_t line = 0;  ///< from 1
  std::string key;         ///< one of those above; empty when it is none of them

  friend bool operator==(const HistoryError&, const HistoryError&) = default;
};

/// One record as it was found.
struct HistoryItem {
  std::uint64_t line = 0;  ///< of its first line, from 1
  std::string text;        ///< its lines as they stand, cut at history_record_bytes_max
  /// The record; nothing for a message that no report counts: without a DMARC record, or put off.
  Result<std::optional<HistoryRecord>, HistoryError> record;

  friend bool operator==(const HistoryItem&, const HistoryItem&) = default;
};

/// Reads a file of any length; a record that cannot be read costs no other.
///
/// Leniency     keys may come in any order, and unknown ones are stepped over; of a key that comes
///              twice the last counts, as opendmarc-import has it. A signature without a usable
///              name or selector is left out, as a report cannot tell of it (RFC 9990 §3.1.1.13);
///              so is a MAIL FROM domain that is none, and with it the result of SPF, and so are
///              unusable addresses for reports.
/// Reasons      the format has none, and a report must have one where the policy was not carried
///              out (RFC 9990 §3.1.1.11): that is local_policy then, for ARC with "arc=pass".
class HistoryReader {
 public:
  explicit HistoryReader(const Limits& limits) : limits_(limits) {}

  /// Takes octets, in chunks of any size; the records that ended in it.
  [[nodiscard]] std::vector<HistoryItem> body(std::string_view chunk);
  /// Takes the end of the file; the last record.
  [[nodiscard]] std::vector<HistoryItem> finish();

 private:
  /// A value with the number of its line.
  struct Field {
    std::string value;
    std::uint64_t line = 0;
  };
  class Record;

  void take_line(std::vector<HistoryItem>& items);
  void begin_record();
  void end_record(std::vector<HistoryItem>& items);
  void keep(std::string_view key, std::string_view value);
  void fail(HistoryErrorCode code, std::string_view key);

  Limits limits_;
  std::string line_;           // As far as it was seen.
  bool line_is_long_ = false;  // The rest of it is dropped.
  std::uint64_t lines_ = 0;
  bool is_open_ = false;  // A record has begun.
  std::uint64_t first_line_ = 0;
  std::string text_;
  std::map<std::string_view, Field> fields_;  // By keys that are constants.
  std::vector<Field> signatures_;
  std::vector<Field> addresses_;
  std::optional<HistoryError> error_;  // The first.
};

}  // namespace countersign::report
