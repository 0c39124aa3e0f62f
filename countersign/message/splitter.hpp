// SPDX-License-Identifier: Apache-2.0
//
// A push parser that cuts a message into header fields and body: chunks of any size go in, events
// come out. The CLI and the tests use it on files; a milter peer has cut the message already.

#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "countersign/limits.hpp"
#include "countersign/message/header_field.hpp"
#include "countersign/result.hpp"

namespace countersign {

/// Why a message cannot be cut.
enum class SplitErrorCode : std::uint8_t {
  header_too_large,  ///< over Limits::header_bytes_max
  too_many_fields,   ///< over Limits::header_fields_max
  field_too_long,    ///< over Limits::field_bytes_max
  /// a header line that is neither a field nor folding (reported, the line is kept as a field)
  no_colon,
};

using SplitError = SyntaxErrorOf<SplitErrorCode>;

/// Says in a sentence what is wrong.
[[nodiscard]] std::string_view to_string(SplitErrorCode code);

/// Cuts a message. Line ends: CRLF; a message whose first line end is a bare LF is read as a file
/// with LF line ends, every bare LF then standing for CRLF, in header and body. In a CRLF message a
/// bare CR or LF is content (S-08).
class Splitter {
 public:
  /// on_body is called with each chunk of body octets, line ends as CRLF, any number of times.
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
  /// True when the message came with bare LF line ends.
  [[nodiscard]] bool has_lf_line_ends() const { return lf_line_ends_; }

 private:
  Limits limits_;
  std::function<void(std::string_view)> on_body_;
  Header header_;
  std::string line_;
  std::string field_;
  std::size_t offset_ = 0;
  std::size_t header_bytes_ = 0;
  SplitError error_{};
  bool line_end_known_ = false;
  bool lf_line_ends_ = false;
  bool pending_cr_ = false;
  bool in_body_ = false;
  bool failed_ = false;
};

/// A whole message in memory, for tools and tests.
struct Message {
  Header header;
  std::string body;  ///< line ends as CRLF
};

/// Cuts a message that is at hand as a whole.
[[nodiscard]] Result<Message, SplitError> split_message(std::string_view octets,
                                                        const Limits& limits);

}  // namespace countersign
