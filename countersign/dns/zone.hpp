// SPDX-License-Identifier: Apache-2.0
//
// A zone in memory that stands in for live DNS: tests, `--zone FILE`, the quickstart. It answers as
// a resolver would, CNAMEs followed, and can be told to fail for names. It is read from a master
// file (zone_master.cpp, RFC 1035 §5) or from JSON (zone_json.cpp).

#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "countersign/dns/asking.hpp"
#include "countersign/dns/question.hpp"
#include "countersign/limits.hpp"
#include "countersign/result.hpp"

namespace countersign::dns {

/// Why a zone file cannot be read.
struct ZoneError {
  std::size_t line = 0;  ///< of a master file, from 1; 0 in a JSON file
  std::string message;   ///< a sentence that says what to do
};

/// Names and their records. Names compare without regard to case.
class Zone {
 public:
  /// Reads an RFC 1035 §5 master file: $ORIGIN, $TTL, parentheses, comments, quoted strings, "@",
  /// relative names, blank owner, class IN and a TTL in either order; types A AAAA MX TXT PTR CNAME
  /// NS; SOA and others are read over.
  ///
  /// origin       the domain that relative names belong to until an $ORIGIN line; may end in a dot.
  ///              Without one a relative name before the first $ORIGIN is an error.
  /// Errors       the line at fault and what to write instead. $INCLUDE is refused: this library
  ///              opens no files.
  /// RFC 1035 §5, RFC 2308 §4
  [[nodiscard]] static Result<Zone, ZoneError> parse_master(std::string_view text,
                                                            const Limits& limits,
                                                            std::string_view origin = {});

  /// Reads one JSON zone object: {"records": [{name, type, data | strings | preference}], "errors":
  /// [{name, type, rcode}]}; octet strings hold one code point U+0000..U+00FF an octet. rcode is
  /// SERVFAIL, REFUSED or TIMEOUT, type "*" stands for every type that has no record.
  [[nodiscard]] static Result<Zone, ZoneError> parse_json(std::string_view text,
                                                          const Limits& limits);

  /// Reads either form: JSON when the first character that is no white space is "{". The origin is
  /// for a master file.
  [[nodiscard]] static Result<Zone, ZoneError> parse(std::string_view text, const Limits& limits,
                                                     std::string_view origin = {});

  /// Adds a record; the name may be in any case and end in a dot. Records of one name and type are
  /// answered together with the least of their TTLs.
  void add(std::string_view name, RecordType type, RecordData data,
           std::chrono::seconds ttl = std::chrono::seconds{60});
  /// Adds a TXT record of one text, cut into strings of 255 octets.
  void add_txt(std::string_view name, std::string_view text);
  /// Makes a name exist without a record that can be asked for: it answers NODATA, not NXDOMAIN.
  void add_name(std::string_view name);
  /// Makes every question for the name and type fail with that status.
  void fail(std::string_view name, RecordType type, AnswerStatus status);
  /// Makes every question for the name fail for which it has no record.
  void fail_all(std::string_view name, AnswerStatus status);

  /// Answers one question: records, NODATA for a name with other records or with names below it,
  /// else the records of the wildcard that covers the name, else NXDOMAIN; at most 16 CNAMEs are
  /// followed, more or a loop is SERVFAIL. RFC 1034 §4.3.2, RFC 4592 §3.3
  [[nodiscard]] Answer answer(const Question& question) const;

  /// Drives an evaluation to its end with answers from this zone.
  template <class T>
  [[nodiscard]] T run(Asking<T> asking) const {
    return run_with(std::move(asking),
                    [this](const Question& question) { return answer(question); });
  }

 private:
  struct RecordSet {
    std::vector<RecordData> records;
    std::chrono::seconds ttl{};
  };
  struct Node {
    std::map<RecordType, RecordSet> sets;
    std::map<RecordType, AnswerStatus> failures;
    std::optional<AnswerStatus> failure_of_rest;

    /// How a question for that type fails here; nothing when it does not.
    [[nodiscard]] std::optional<AnswerStatus> failure(RecordType type) const;
  };
  [[nodiscard]] const Node* find(const std::string& name) const;
  [[nodiscard]] const Node* find_existing(const std::string& key) const;
  Node& node(std::string_view name);
  /// Keyed by the name with its labels in reverse order, so that a name's descendants follow it.
  std::map<std::string, Node> nodes_;
};

}  // namespace countersign::dns
