// SPDX-License-Identifier: Apache-2.0
//
// Aggregate reports as XML: strict outwards, lenient inwards. What is written is valid against the
// schema of RFC 9990 or is not written. What is read may follow RFC 9990, RFC 7489, one of the
// drafts, or somebody's memory of them; what was overlooked is listed. All text of a report that
// was read is a stranger's (S-47).

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "countersign/encoding/xml_reader.hpp"
#include "countersign/limits.hpp"
#include "countersign/report/aggregate.hpp"
#include "countersign/result.hpp"

namespace countersign::report {

/// The namespace of a report. RFC 9990 §3.1
inline constexpr std::string_view aggregate_namespace = "urn:ietf:params:xml:ns:dmarc-2.0";
/// The namespace that RFC 7489 §C has for it.
inline constexpr std::string_view legacy_namespace = "http://dmarc.org/dmarc-xml/0.1";

/// What keeps a report from being written.
enum class AggregateFault : std::uint8_t {
  bad_metadata,    ///< org_name, email or domain is missing
  bad_report_id,   ///< is_report_id() does not hold
  bad_date_range,  ///< it ends before it begins, or lies before 1970
  no_policy,       ///< p is missing
  no_record,       ///< a report has one at least
  bad_row,         ///< source_ip, count, disposition or an aligned result is missing
  bad_result,      ///< a result is no word of the schema, a domain or a selector is missing
  several_spf,     ///< more than one, or one of HELO
};

/// Says in a sentence what is wrong.
[[nodiscard]] std::string_view to_string(AggregateFault fault);

/// True for an identifier that goes into XML, subject and Message-ID alike.
///
///   ridtxt = dot-atom-text ["@" dot-atom-text]
///
/// RFC 9990 §3.5.2
[[nodiscard]] bool is_report_id(std::string_view text);

/// True when the schema has all that the record says, and the record all that the schema wants.
[[nodiscard]] bool is_writable(const Record& record);

/// Writes a report. The version is always 1.0, whatever the model says.
/// Errors       the first AggregateFault.
/// RFC 9990 §3.1
[[nodiscard]] Result<std::string, AggregateFault> format_aggregate(const Aggregate& aggregate);

/// What a report that was read had that it should not, or lacked.
enum class LeniencyCode : std::uint8_t {
  no_namespace,     ///< elements belong to no namespace
  other_namespace,  ///< they belong to that of RFC 7489, or to one that nobody knows
  other_version,    ///< version is absent or not 1.0
  missing,          ///< an element that must be there is absent or empty
  repeated,         ///< an element stands twice; the first counts
  bad_value,        ///< a value is none of those allowed; it is left out
  removed,          ///< an element or a value of RFC 7489 that RFC 9990 has no more
  unknown,          ///< an element that no document has; it is skipped
  not_utf8,         ///< a text is no UTF-8; it was taken for ISO 8859-1
  too_long,         ///< a text or a list was cut
  odd_period,       ///< the period is empty or longer than a month
};

/// Says in a sentence what it is.
[[nodiscard]] std::string_view to_string(LeniencyCode code);
/// The enumerator itself, "no_namespace", for programs that read our JSON.
[[nodiscard]] std::string_view name_of(LeniencyCode code);

/// A departure from RFC 9990, once for each element however often it stands there.
struct Leniency {
  LeniencyCode code{};
  std::string element;  ///< a name of the schema; empty for the whole, and for unknown ones

  friend bool operator==(const Leniency&, const Leniency&) = default;
};

/// Why a report is not taken.
enum class AggregateErrorCode : std::uint8_t {
  bad_xml,           ///< AggregateError::xml says why
  no_feedback,       ///< the outermost element is another one
  no_report_id,      ///< without it the report cannot be told from others
  no_domain,         ///< nobody can tell whose report it is
  bad_date_range,    ///< begin and end are no times, or end lies before begin (S-48)
  bad_count,         ///< a count is no number, negative or absurd (S-48)
  too_many_records,  ///< over Limits::report_records_max
};

/// Says in a sentence what is wrong.
[[nodiscard]] std::string_view to_string(AggregateErrorCode code);

/// Why a report is not taken, and where its XML is wrong if it is that.
struct AggregateError {
  AggregateErrorCode code{};
  encoding::XmlError xml;  ///< for bad_xml

  friend bool operator==(const AggregateError&, const AggregateError&) = default;
};

/// A sentence for people, with the place if there is one.
[[nodiscard]] std::string to_string(const AggregateError& error);

/// A report that was read, and how well it was written.
struct ReadAggregate {
  Aggregate aggregate;
  std::string xml_namespace;         ///< of the outermost element; empty for none
  std::vector<Leniency> leniencies;  ///< at most Limits::report_leniencies_max
};

/// Reads a report.
///
/// xml          unpacked.
/// Errors       each AggregateErrorCode. Everything else that is missing or wrong is left out of
///              the model and noted as a leniency.
/// Leniency     as LeniencyCode says; elements may come in any order, prefixed or not.
/// RFC 9990 §3.1, RFC 7489 §C
[[nodiscard]] Result<ReadAggregate, AggregateError> parse_aggregate(std::string_view xml,
                                                                    const Limits& limits);

}  // namespace countersign::report
