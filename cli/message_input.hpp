// SPDX-License-Identifier: Apache-2.0
//
// A message that is read to be signed: what is added stands above it, so it is held until the
// signatures are made, and then printed octet by octet as it came.

#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "countersign/limits.hpp"
#include "countersign/message/header_field.hpp"
#include "countersign/message/splitter.hpp"

namespace countersign::cli {

/// A message in memory. Line ends are CRLF or, throughout, LF alone; they are printed as they came.
class MessageInput {
 public:
  /// Reads a file, or standard input for "-", and cuts the header.
  /// Throws Failure: exit_no_input when it cannot be read, exit_data when it is no message that we
  /// take.
  explicit MessageInput(const std::string& file);
  MessageInput(const MessageInput&) = delete;
  MessageInput& operator=(const MessageInput&) = delete;

  [[nodiscard]] const Header& header() const { return header_; }
  [[nodiscard]] bool has_lf_line_ends() const { return splitter_.has_lf_line_ends(); }

  /// Hands the body on in chunks, line ends as CRLF. Once.
  void feed_body(const std::function<void(std::string_view)>& on_body);

  /// Prints the fields and below them the message, on standard output.
  /// with_lf      the fields' lines end with LF alone.
  void print_below(const std::vector<HeaderField>& fields, bool with_lf) const;

  /// Prints the message with another header in place of its own.
  void print_with(const Header& header) const;

 private:
  std::string octets_;
  std::size_t header_at_ = 0;  // Behind the first line of an mbox file, which is no field.
  std::size_t body_at_ = 0;    // Behind the empty line; the end of the octets when there is none.
  std::function<void(std::string_view)> on_body_;
  Splitter splitter_;
  Header header_;
};

}  // namespace countersign::cli
