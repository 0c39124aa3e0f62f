// SPDX-License-Identifier: Apache-2.0
//
// A record taken apart: directives in their order, and the two modifiers that mean something. The
// whole record is judged before any of it is used, as RFC 7208 §4.6 asks: one bad term anywhere
// makes it permerror.
//
// A record keeps no text: its terms say where they stand in the text that was read, which whoever
// reads it keeps. So a record costs one allocation, however many terms it has, and a tool can point
// at a term as at a fault.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "countersign/domain/address.hpp"
#include "countersign/limits.hpp"
#include "countersign/result.hpp"
#include "countersign/spf/macro.hpp"

namespace countersign::spf {

/// What can be wrong with a record. Each makes it permerror.
enum class RecordErrorCode : std::uint8_t {
  too_long,             ///< over Limits::spf_record_bytes_max
  not_spf,              ///< does not begin with "v=spf1" and a space or the end
  unknown_mechanism,    ///< a name that is no mechanism, or text that is no name
  missing_argument,     ///< include, exists, ip4 and ip6 need ":" and something behind it
  unexpected_argument,  ///< all takes none, and only a and mx take a "/"
  bad_domain,           ///< a domain-spec that is none; RecordError::macro says why
  bad_network,          ///< no address behind ip4: or ip6:
  bad_prefix_length,    ///< "/" without a number of 0..32 or 0..128, or with leading zeros
  bad_modifier_name,    ///< not a letter followed by letters, digits, "-", "_" and "."
  bad_modifier_value,   ///< no macro-string behind the "=" of an unknown modifier
  duplicate_modifier,   ///< redirect= or exp= twice (RFC 7208 §6)
};

/// A fault of a record and where it is.
struct RecordError {
  RecordErrorCode code{};
  std::size_t offset = 0;               ///< octets from the start of the text
  std::optional<MacroErrorCode> macro;  ///< what is wrong with a domain or a value

  friend bool operator==(const RecordError&, const RecordError&) = default;
};

/// Says in a sentence what is wrong and which section rules it.
[[nodiscard]] std::string_view to_string(const RecordError& error);

/// Mechanisms by their names in records. RFC 7208 §5
enum class Mechanism : std::uint8_t { all, include, a, mx, ptr, ip4, ip6, exists };

/// What a match means, in the words of results. RFC 7208 §4.6.2
enum class Qualifier : std::uint8_t { pass, fail, softfail, neutral };

/// A stretch of a record's text.
struct Part {
  std::size_t offset = 0;
  std::size_t size = 0;

  /// The stretch itself, of the text that it was found in.
  [[nodiscard]] std::string_view in(std::string_view text) const {
    return text.substr(offset, size);
  }
  friend bool operator==(const Part&, const Part&) = default;
};

/// A mechanism with its qualifier.
struct Directive {
  Part text;  ///< all of it: "-ip4:192.0.2.0/24"
  Qualifier qualifier = Qualifier::pass;
  Mechanism mechanism = Mechanism::all;
  Part domain_spec;  ///< empty when there is none: then the current domain is meant
  /// The network of ip4 and ip6. Of ip6 the address may be an IPv4 one, when the record has an
  /// IPv4-mapped address with a prefix of 96 bits or more; it matches no client.
  IpAddress network;
  unsigned prefix4 = 32;   ///< of a, mx and ip4
  unsigned prefix6 = 128;  ///< of a, mx and ip6
};

/// A modifier: "redirect=_spf.example.com".
struct Modifier {
  Part text;   ///< all of it
  Part value;  ///< what stands behind the "="
};

/// A record that obeys the grammar.
struct Record {
  std::vector<Directive> directives;
  std::optional<Modifier> redirect;
  std::optional<Modifier> explanation;      ///< exp=
  std::vector<Modifier> unknown_modifiers;  ///< ignored when the record is used (RFC 7208 §6)
};

/// True for a text that claims to be an SPF record: "v=spf1" in any case, then a space or the end.
/// RFC 7208 §4.5
[[nodiscard]] bool is_spf_record(std::string_view text);

/// Parses the joined strings of a record.
///
///   record    = version terms *SP
///   terms     = *( 1*SP ( directive / modifier ) )
///   directive = [ qualifier ] mechanism
///
/// Errors       the first fault, with its offset in octets.
/// RFC 7208 §4.6, §5, §6, §12
[[nodiscard]] countersign::Result<Record, RecordError> parse_record(std::string_view text,
                                                                    const Limits& limits);

/// Every fault of a record, at most one a term, in their order; none for a record that
/// parse_record() takes.
/// RFC 7208 §4.6
[[nodiscard]] std::vector<RecordError> record_errors(std::string_view text, const Limits& limits);

}  // namespace countersign::spf
