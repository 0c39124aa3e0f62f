// SPDX-License-Identifier: Apache-2.0
//
// The Authentication-Results field, both ways.
//
//   Authentication-Results: mx.example.org;
//       spf=pass smtp.mailfrom=example.net;
//       dkim=fail reason="body hash" header.d=example.net header.s=june
//
// Reading is lenient where deployed fields need it. Writing is strict, because those who read what
// we write believe it: whatever came from a message is a value in the grammar, or quoted, or left
// out. Nothing that a sender chose can end a value, begin a comment or look like another result to
// a reader of the grammar. RFC 8601 §2.2

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "countersign/limits.hpp"
#include "countersign/result.hpp"
#include "countersign/text/fold.hpp"

namespace countersign::authres {

/// What a result says of one part of the message: "header.d=example.net". RFC 8601 §2.2
struct Property {
  std::string ptype;  ///< smtp, header, body, policy or another keyword, in lower case
  std::string name;   ///< the "property" of the grammar, in lower case
  std::string value;  ///< the "pvalue", without quotes

  friend bool operator==(const Property&, const Property&) = default;
};

/// What one method said: the "resinfo" of the grammar. RFC 8601 §2.2
struct MethodResult {
  std::string method;         ///< spf, dkim, dmarc, …, in lower case
  std::string result;         ///< pass, fail, …, in lower case
  std::uint32_t version = 1;  ///< of the method's specification
  std::optional<std::string> reason;
  std::vector<Property> properties;
  /// For people, written only on demand and never read.
  std::string comment;

  /// The value of the first property of that name, or nullptr.
  [[nodiscard]] const std::string* find(std::string_view ptype, std::string_view name) const;
  friend bool operator==(const MethodResult&, const MethodResult&) = default;
};

/// A whole field. RFC 8601 §2.2
struct Field {
  std::string authserv_id;            ///< who checked; without quotes
  std::vector<MethodResult> results;  ///< empty: nothing was checked, "none"

  friend bool operator==(const Field&, const Field&) = default;
};

/// What can be wrong with a field.
enum class FieldErrorCode : std::uint8_t {
  bad_authserv_id,    ///< there is no authserv-id at the start
  unknown_version,    ///< its version is not 1: whoever does not know it must ignore the field
  missing_results,    ///< no ";" behind it, or nothing behind that
  none_with_results,  ///< "none" and results exclude each other
  bad_comment,        ///< a comment without an end, or nested too deep
  bad_method,         ///< no keyword and "=" where a method belongs
  bad_result,         ///< no keyword behind "="
  bad_property,       ///< neither reason= nor ptype.property= where one belongs
  bad_value,          ///< a value that does not end where it should
  too_many,           ///< over Limits::authres_results_max
};

using FieldError = SyntaxErrorOf<FieldErrorCode>;

/// Says in a sentence what is wrong and which section rules it.
[[nodiscard]] std::string_view to_string(FieldErrorCode code);

/// Parses the value of an Authentication-Results field: all after the colon, still folded.
///
///   authres-payload = [CFWS] authserv-id [CFWS authres-version] (no-result / 1*resinfo) [CFWS]
///   resinfo         = [CFWS] ";" methodspec [CFWS reasonspec] [CFWS 1*propspec]
///
/// Errors       each FieldErrorCode, with its offset in octets; the first one.
/// Leniency     a ";" at the end and empty results (";;") are skipped; values need no quotes around
///              octets that only a token may not have, as in "header.b=AbC/+="; a property may lack
///              its ptype ("action=none"), and has an empty one then; reason= may stand among the
///              properties; names may have "_". A comment right behind a value, with no space
///              between, is refused though the grammar has it: "legit.example(.attack.example)" is
///              two names to two readers.
/// RFC 8601 §2.2, §2.5
[[nodiscard]] Result<Field, FieldError> parse_field(std::string_view field_value,
                                                    const Limits& limits);

/// How a field is written.
struct FormatOptions {
  /// Writes MethodResult::comment. Off, as some large receivers misread comments.
  bool comments = false;
  /// Lets values be UTF-8: only where the message is internationalized. RFC 8616 §5
  bool utf8 = false;
};

/// True when the text can be our authserv-id: printable ASCII, at most 255 octets, with a letter or
/// a digit, by which a forged field is known in every spelling. Those that are no token are written
/// quoted. RFC 8601 §2.5
[[nodiscard]] bool is_authserv_id(std::string_view text);

/// Writes a field with its name and without a line end at its end, folded at 78 columns. What is no
/// keyword where one belongs, and what no quoted string can hold (control octets, text above
/// Limits::authres_value_bytes_max, 8-bit text unless options.utf8), is left out: a whole result
/// for its method or result, else the one reason or property.
///
/// field        its authserv_id must satisfy is_authserv_id().
/// RFC 8601 §2.2
[[nodiscard]] std::string format_field(const Field& field, const FormatOptions& options,
                                       const Limits& limits);

/// Writes what follows the name of a field behind what is there already, as ARC's field needs it.
/// RFC 8601 §2.2, RFC 8617 §4.1.1
void append_payload(text::FoldedField& line, const Field& field, const FormatOptions& options,
                    const Limits& limits);

}  // namespace countersign::authres
