// SPDX-License-Identifier: Apache-2.0
//
// Macros: the little language in which a record says "the client's address, reversed" (RFC 7208
// §7). Text is checked once, when the record is read; expansion of a checked text cannot fail,
// only grow too long.
//
//   %{ir}.%{v}._spf.%{d2}   →   3.2.0.192.in-addr._spf.example.com
//     ^^    ^          ^^
//     i, reversed      the last two labels of d

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "countersign/domain/address.hpp"
#include "countersign/result.hpp"

namespace countersign::spf {

/// What can be wrong with a text that may hold macros; each makes a record permerror.
enum class MacroErrorCode : std::uint8_t {
  bad_percent,        ///< "%" without "{", "%", "_" or "-" behind it
  bad_letter,         ///< no macro has that letter
  explanation_only,   ///< %{c}, %{r} or %{t} outside of an explanation
  zero_parts,         ///< a count of parts that is zero
  unfinished,         ///< something but transformers, delimiters and "}" in a macro
  bad_octet,          ///< an octet that is not visible ASCII
  no_domain,          ///< nothing where a domain must stand
  bad_end_of_domain,  ///< a domain-spec that ends in neither ".toplabel" nor a macro
};

using MacroError = SyntaxErrorOf<MacroErrorCode>;

/// Says in a sentence what is wrong and which section rules it.
[[nodiscard]] std::string_view to_string(MacroErrorCode code);

/// Where a macro-string stands, which decides what it may hold.
enum class MacroPlace : std::uint8_t {
  domain_spec,       ///< visible octets; no %{c}, %{r}, %{t}
  unknown_modifier,  ///< visible octets, all macros
  explanation,       ///< spaces too, all macros
};

/// Checks a macro-string.
///
///   macro-string  = *( macro-expand / macro-literal )
///   macro-expand  = ( "%{" macro-letter transformers *delimiter "}" ) / "%%" / "%_" / "%-"
///   macro-literal = %x21-24 / %x26-7E
///   transformers  = *DIGIT [ "r" ]
///
/// Errors       the first that is wrong, with its offset in octets.
/// RFC 7208 §7.1
[[nodiscard]] countersign::Result<void, MacroError> check_macro_string(std::string_view text,
                                                                       MacroPlace place);

/// Checks a domain-spec: a macro-string that ends as a domain does.
///
///   domain-spec = macro-string domain-end
///   domain-end  = ( "." toplabel [ "." ] ) / macro-expand
///
/// Errors       the first that is wrong, with its offset in octets.
/// RFC 7208 §7.1
[[nodiscard]] countersign::Result<void, MacroError> check_domain_spec(std::string_view text);

/// True when the checked text holds a macro of one of these lower-case letters.
[[nodiscard]] bool uses_macro(std::string_view text, std::string_view letters);

/// What macros stand for. It views texts, which must outlive it.
struct MacroValues {
  std::string_view local_part;     ///< l, and s before its "@"
  std::string_view sender_domain;  ///< o, and s behind its "@"
  std::string_view domain;         ///< d: whose record is being evaluated
  IpAddress client_ip;             ///< i, c, v
  std::string_view client_name;    ///< p: "unknown" unless a name was validated
  std::string_view helo;           ///< h
  std::string_view receiver;       ///< r
  std::chrono::sys_seconds now;    ///< t
};

/// Replaces the macros of a checked text by what they stand for.
///
/// bytes_max    the longest expansion in octets.
/// Returns      nothing when the expansion is longer.
/// RFC 7208 §7.2, §7.3
[[nodiscard]] std::optional<std::string> expand_macros(std::string_view text,
                                                       const MacroValues& values,
                                                       std::size_t bytes_max);

/// Makes of an expanded domain-spec the name that DNS is asked for: lower case, no dot at the end,
/// labels taken off the left until it has 253 octets.
///
/// Returns      nothing when that is no name of DNS: a label that is empty or has more than 63
///              octets, or an octet that is not printable ASCII.
/// RFC 7208 §7.3, §4.3
[[nodiscard]] std::optional<std::string> query_name(std::string_view expanded);

/// The address as labels, most significant first: "192.0.2.3", or 32 hexadecimal digits with dots
/// between them.
/// RFC 7208 §7.3
[[nodiscard]] std::string dotted(const IpAddress& address);

}  // namespace countersign::spf
