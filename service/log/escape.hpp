// SPDX-License-Identifier: Apache-2.0
//
// Strangers' text made safe to show: in a log line, on a terminal, in JSON. No control octet, no
// broken UTF-8 and no character that reorders or hides text passes.

#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace countersign::service {

/// Octets of one value that a log line shows.
inline constexpr std::size_t log_value_octets_max = 1'024;

/// Appends text with control octets and broken UTF-8 as \xHH, line ends as \r \n, quotes and
/// backslashes with a backslash, and bidirectional or invisible characters as \u{HHHH}.
void append_escaped(std::string& out, std::string_view text);

/// Appends text as the inside of a JSON string; broken UTF-8 becomes U+FFFD, and what
/// append_escaped() escapes is escaped as JSON does it. RFC 8259 §7
void append_json_escaped(std::string& out, std::string_view text);

/// The text as append_escaped() writes it, quotes left alone: for terminals.
[[nodiscard]] std::string printable(std::string_view text);

/// The text with every octet that is no UTF-8 replaced by U+FFFD.
[[nodiscard]] std::string valid_utf8(std::string_view text);

}  // namespace countersign::service
