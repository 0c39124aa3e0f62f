// SPDX-License-Identifier: Apache-2.0
//
// The lexical tokens of structured header fields: comments and folding white space (CFWS), atoms,
// quoted strings.
//
// Readers move a scanner over one token and leave the white space around it to the caller, so that
// "there was a comment here" stays visible to those who must refuse it. When a token is malformed
// or missing they say so with false or nothing, and the scanner then stands on the octet at fault;
// the caller's cursor puts its own error code on it:
//
//   if (!skip_cfws(cursor, limits)) cursor.fail(Code::bad_comment);
//
// Octets above 127 are taken wherever RFC 6532 takes UTF-8; whether they are valid UTF-8 is for
// those who use the token. Control octets are refused everywhere, quoted ones too: obs-qp and
// obs-NO-WS-CTL of RFC 5322 §4.1 only serve attacks.

#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "countersign/limits.hpp"
#include "countersign/text/cursor.hpp"

namespace countersign::text {

/// Skips one comment, nested ones included; the scanner must be at "(".
///
///   comment = "(" *([FWS] (ctext / quoted-pair / comment)) [FWS] ")"
///
/// Returns      false for a comment without an end, with a control octet, or nested deeper than
///              limits.comment_depth_max.
/// RFC 5322 §3.2.2
[[nodiscard]] bool skip_comment(Scanner& scanner, const Limits& limits);

/// Skips all folding white space and comments that come next, which may be none.
///
///   CFWS = (1*([FWS] comment) [FWS]) / FWS
///
/// Returns      false for a malformed comment, as skip_comment().
/// RFC 5322 §3.2.2
[[nodiscard]] bool skip_cfws(Scanner& scanner, const Limits& limits);

/// Reads the octets of an atom, at least one.
///
///   1*atext
///
/// RFC 5322 §3.2.3, RFC 6532 §3.2
[[nodiscard]] std::optional<std::string_view> read_atom(Scanner& scanner);

/// Reads atoms with single dots between them.
///
///   dot-atom-text = 1*atext *("." 1*atext)
///
/// RFC 5322 §3.2.3, RFC 6532 §3.2
[[nodiscard]] std::optional<std::string_view> read_dot_atom_text(Scanner& scanner);

/// Reads a quoted string and gives what it means: without quotes and backslashes, folds undone.
///
///   quoted-string = DQUOTE *([FWS] qcontent) [FWS] DQUOTE
///
/// Returns      the content, which may be empty; white space in it is kept, line ends of folds are
///              not.
/// RFC 5322 §3.2.4, RFC 6532 §3.2
[[nodiscard]] std::optional<std::string> read_quoted_string(Scanner& scanner);

/// Reads an atom or a quoted string and gives what it means.
///
///   word = atom / quoted-string
///
/// RFC 5322 §3.2.5
[[nodiscard]] std::optional<std::string> read_word(Scanner& scanner);

/// Writes octets as a quoted string, or gives nothing for those that none can hold: control octets
/// other than tab.
/// RFC 5322 §3.2.4
[[nodiscard]] std::optional<std::string> quote(std::string_view content);

}  // namespace countersign::text
