// SPDX-License-Identifier: Apache-2.0
//
// The DMARC record: what the owner of a domain asks receivers to do with mail that fails.
//
//   v=DMARC1; p=reject; sp=quarantine; np=reject; rua=mailto:reports@example.com
//
// It is read as RFC 9989 wants: only v=DMARC1 at the start makes it a record; whatever else is
// wrong costs the one tag that it is in, which then has its default. What was wrong is kept as a
// list, with places, for those who repair records. RFC 9989 §4.7, §4.8

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "countersign/limits.hpp"
#include "countersign/result.hpp"

namespace countersign::dmarc {

/// What the Domain Owner asks for: the Domain Owner Assessment Policy. RFC 9989 §3.2.3
enum class AssessmentPolicy : std::uint8_t { none, quarantine, reject };

/// Identifier alignment, in the letters of adkim and aspf. RFC 9989 §4.4
enum class Alignment : std::uint8_t {
  relaxed,  ///< r: the same Organizational Domain
  strict,   ///< s: the same name
};

/// What a record says of its own name: psd=. RFC 9989 §4.7
enum class Psd : std::uint8_t {
  u,  ///< unknown, the tree walk decides
  y,  ///< a Public Suffix Domain: those below it belong to others
  n,  ///< an Organizational Domain: the top of its organization
};

/// The word on the wire.
[[nodiscard]] std::string_view to_string(AssessmentPolicy policy);
/// The letter on the wire.
[[nodiscard]] std::string_view to_string(Alignment alignment);
/// The letter on the wire.
[[nodiscard]] std::string_view to_string(Psd psd);

/// When failure reports are asked for: fo=. RFC 9989 §4.7
struct FailureOptions {
  bool all = true;    ///< 0: no mechanism gave an aligned pass; the default
  bool any = false;   ///< 1: a mechanism gave none
  bool dkim = false;  ///< d: a signature failed, aligned or not
  bool spf = false;   ///< s: SPF failed, aligned or not

  friend bool operator==(const FailureOptions&, const FailureOptions&) = default;
};

/// The value of fo= in its normal form: "0", "d:s", "1:s".
[[nodiscard]] std::string to_string(const FailureOptions& options);

/// What may be wrong with, or worth a word about, one tag of a record.
enum class RecordProblemCode : std::uint8_t {
  bad_tag,         ///< no "name=value", or octets that no value holds: the tag is dropped
  repeated_tag,    ///< the same tag twice: no value of it counts
  unknown_tag,     ///< nobody reads it
  removed_tag,     ///< pct, rf and ri of RFC 7489: nobody reads them any more
  missing_policy,  ///< no p=
  bad_policy,      ///< p=, sp= or np= is none of the three words
  bad_value,       ///< another tag has no value of its list: its default holds
  bad_uri,         ///< an address of rua= or ruf= is no URI: it is dropped
  obsolete_size,   ///< a "!10m" behind an address, which is ignored
  too_many_uris,   ///< more addresses than Limits::report_uris_max: the rest is dropped
  unused_tag,      ///< fo= without ruf=
};

/// Says in a sentence what is wrong, what follows, and which section rules it.
[[nodiscard]] std::string_view to_string(RecordProblemCode code);
/// The enumerator itself, "repeated_tag", for programs that read our JSON.
[[nodiscard]] std::string_view name_of(RecordProblemCode code);

/// One problem of a record and where it is.
struct RecordProblem {
  RecordProblemCode code{};
  std::string tag;         ///< its name in lower case; empty where there is none
  std::size_t offset = 0;  ///< of the tag or value at fault, octets

  friend bool operator==(const RecordProblem&, const RecordProblem&) = default;
};

/// A DMARC record as values. Tags that are absent or dropped have their defaults.
struct Record {
  std::optional<AssessmentPolicy> p;   ///< when published and valid
  std::optional<AssessmentPolicy> sp;  ///< for existing subdomains
  std::optional<AssessmentPolicy> np;  ///< for subdomains that do not exist
  bool testing = false;                ///< t=y: one step less than the policy says
  Psd psd = Psd::u;
  Alignment adkim = Alignment::relaxed;
  Alignment aspf = Alignment::relaxed;
  std::vector<std::string> rua;  ///< URIs, valid ones only, an obsolete size cut off
  std::vector<std::string> ruf;  ///< likewise, for failure reports
  FailureOptions fo;
  std::vector<RecordProblem> problems;  ///< in the order of the text

  /// False when the record asks for nothing that can be told: p= is missing or a policy is
  /// malformed, and no valid rua= says that the owner wants to monitor. No DMARC processing follows
  /// then. RFC 9989 §4.10.1
  [[nodiscard]] bool is_usable() const;
  /// Whether p=, sp= or np= is there but malformed. A usable record then counts as p=none alone.
  [[nodiscard]] bool has_bad_policy() const;

  friend bool operator==(const Record&, const Record&) = default;
};

/// The policy that a usable record has for its own name. RFC 9989 §4.10.1
[[nodiscard]] AssessmentPolicy policy_for_domain(const Record& record);
/// The policy that it has for existing names below: sp, else p. RFC 9989 §4.7
[[nodiscard]] AssessmentPolicy policy_for_subdomains(const Record& record);
/// The policy that it has for names below that do not exist: np, else sp, else p. RFC 9989 §4.7
[[nodiscard]] AssessmentPolicy policy_for_nonexistent(const Record& record);

/// What makes a text no DMARC record at all.
enum class RecordErrorCode : std::uint8_t {
  no_version,     ///< it does not begin with v=DMARC1
  too_long,       ///< over Limits::dmarc_record_bytes_max
  too_many_tags,  ///< over Limits::tags_max
};

using RecordError = SyntaxErrorOf<RecordErrorCode>;

/// Says in a sentence what is wrong and which section rules it.
[[nodiscard]] std::string_view to_string(RecordErrorCode code);

/// Parses the joined strings of one TXT record.
///
///   dmarc-record  = dmarc-version *(dmarc-sep dmarc-tag) [dmarc-sep] *WSP
///   dmarc-version = "v" equals %s"DMARC1"
///
/// Errors       no_version, too_long, too_many_tags: the text counts as no DMARC record.
/// Leniency     names of tags and their keywords match in any case, as RFC 5234 strings do; empty
///              tags (";;") are skipped; line ends at the ends of values are dropped, which people
///              paste into their zones. White space before v= is not taken: who reads such a text
///              as a record and who does not would see two policies.
/// RFC 9989 §4.7, §4.8
[[nodiscard]] Result<Record, RecordError> parse_record(std::string_view text, const Limits& limits);

}  // namespace countersign::dmarc
