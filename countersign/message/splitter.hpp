// SPDX-License-Identifier: Apache-2.0
//
// A push parser that cuts a message into header fields and body: chunks of any size go in, fields
// and body octets come out, and where the chunks were cut makes no difference. The CLI and the
// tests use it on files; a milter peer has cut the message already.
//
// The header ends at the first empty line and nowhere else (S-07). A line before it that is no
// field does not end it either: another reader may well take such a line for the beginning of the
// body, so it is kept, octet by octet, as a field of its own, and reported.

#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "countersign/limits.hpp"
#include "countersign/message/header_field.hpp"
#include "countersign/result.hpp"

namespace countersign {

/// Why a message cannot be cut, or what is odd about its header.
enum class SplitErrorCode : std::uint8_t {
  header_too_large,  ///< over Limits::header_bytes_max
  too_many_fields,   ///< over Limits::header_fields_max
  field_too_long,    ///< over Limits::field_bytes_max
  /// a header line that is neither a field nor folding (reported, the line is kept as a field)
  no_colon,
  /// a header line with a colon behind something that is no field name, as white space at the
  /// start of the first line (reported, the line is kept as a field)
  bad_name,
};

/// What is wrong, and where: the offset of the field at fault in the message as it was fed.
using SplitError = SyntaxErrorOf<SplitErrorCode>;

/// Says in a sentence what is wrong.
[[nodiscard]] std::string_view to_string(SplitErrorCode code);

/// Cuts a message. Line ends: CRLF; a message whose first line end is a bare LF is read as a file
/// with LF line ends, every bare LF then standing for CRLF, in header and body. In a CRLF message a
/// bare CR or LF is content (S-08).
///
/// Memory       the header, within the limits; the body is never kept, and in a CRLF message not
///              copied either.
/// Leniency     a first line as of an mbox file ("From " and an envelope sender) is dropped; white
///              space alone on a line is folding.
/// RFC 5322 §2.1, §2.2, RFC 4155
class Splitter {
 public:
  /// on_body is called with each chunk of body octets, line ends as CRLF, any number of times;
  /// when it is empty, the body is dropped.
  Splitter(const Limits& limits, std::function<void(std::string_view)> on_body);

  /// Feeds a chunk; false once a limit was passed, the rest is then ignored.
  bool feed(std::string_view chunk);
  /// Ends the message: the last field is complete even without an empty line.
  bool finish();

  /// True when the empty line was seen, so that header() is complete.
  [[nodiscard]] bool header_complete() const { return in_body_; }
  [[nodiscard]] const Header& header() const { return header_; }
  [[nodiscard]] Header take_header() { return std::move(header_); }
  /// The error that feed() or finish() returned false for.
  [[nodiscard]] const SplitError& error() const { return error_; }
  /// The first line of the header that is kept though it is no field, if there is one.
  [[nodiscard]] const std::optional<SplitError>& stray_line() const { return stray_line_; }
  /// True when the message came with bare LF line ends.
  [[nodiscard]] bool has_lf_line_ends() const { return lf_line_ends_; }

 private:
  [[nodiscard]] std::string_view feed_header(std::string_view chunk);
  void feed_body(std::string_view chunk);
  void emit(std::string_view body);
  void append_to_line(std::string_view text);
  void check_room(char first, std::size_t line_bytes);
  void take_line_feed();
  void end_line();
  void keep_line();
  void end_field();
  [[nodiscard]] bool is_folding(char first) const;
  void fail(SplitErrorCode code, std::size_t offset);

  Limits limits_;
  std::function<void(std::string_view)> on_body_;
  Header header_;
  std::string line_;              // The line being read, without its line end.
  std::string field_;             // The lines before it that may still be folded on.
  std::size_t offset_ = 0;        // Octets taken of the message; counted in the header only.
  std::size_t line_offset_ = 0;   // Where line_ began.
  std::size_t field_offset_ = 0;  // Where field_ began.
  std::size_t header_bytes_ = 0;  // Of all whole lines, with their line ends.
  SplitError error_{};
  std::optional<SplitError> stray_line_;
  bool line_end_known_ = false;
  bool lf_line_ends_ = false;
  bool after_cr_ = false;  // The body octet before the chunk was a CR.
  bool in_body_ = false;
  bool failed_ = false;
};

/// A whole message in memory, for tools and tests.
struct Message {
  Header header;
  std::string body;                        ///< line ends as CRLF
  std::optional<SplitError> stray_line{};  ///< as Splitter::stray_line()
};

/// Cuts a message that is at hand as a whole.
/// Errors       header_too_large, too_many_fields, field_too_long.
[[nodiscard]] Result<Message, SplitError> split_message(std::string_view octets,
                                                        const Limits& limits);

}  // namespace countersign
