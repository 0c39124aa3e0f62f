// SPDX-License-Identifier: Apache-2.0
//
// How grammars are read here: a position in a text that cannot leave it, and a cursor that adds the
// memory of the first failure. A parser then reads straight down, as its ABNF does, and asks once
// at the end:
//
//   Cursor<Code> cursor(text);
//   const std::string_view name = cursor.take_while(is_tag_name);
//   cursor.expect('=', Code::missing_equals);
//   …
//   if (cursor.failed()) return std::unexpected(cursor.error());
//
// A failed cursor has nothing left to read, so every loop over it ends and every take is empty.

#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "countersign/result.hpp"
#include "countersign/text/abnf.hpp"

namespace countersign::text {

/// A position in a text, moved forward only and never past the end. It views the text, which must
/// outlive it.
class Scanner {
 public:
  /// At the first octet of the text.
  explicit Scanner(std::string_view text) : text_(text) {}

  /// True when nothing is left.
  [[nodiscard]] bool at_end() const { return offset_ == text_.size(); }
  /// True when the next octet is that one.
  [[nodiscard]] bool at(char c) const { return !at_end() && text_[offset_] == c; }
  /// True when the next octet is of that class.
  [[nodiscard]] bool at(const CharClass& wanted) const {
    return !at_end() && wanted(text_[offset_]);
  }
  /// The next octet, which stays; nothing at the end.
  [[nodiscard]] std::optional<char> peek() const {
    return at_end() ? std::nullopt : std::optional<char>(text_[offset_]);
  }
  /// Octets between the start of the text and the position.
  [[nodiscard]] std::size_t offset() const { return offset_; }
  /// What is left to read.
  [[nodiscard]] std::string_view rest() const { return text_.substr(offset_); }
  /// What was read since that offset, which must not lie ahead.
  [[nodiscard]] std::string_view since(std::size_t begin) const {
    return text_.substr(begin, offset_ - begin);
  }

  /// Takes the next octet; nothing at the end.
  std::optional<char> take() {
    return at_end() ? std::nullopt : std::optional<char>(text_[offset_++]);
  }
  /// Takes at most that many octets.
  std::string_view take(std::size_t count);
  /// Takes all octets of that class up to the first other one; may be empty.
  std::string_view take_while(const CharClass& wanted);
  /// Takes all octets up to the first of that class, which stays; all that is left if there is
  /// none.
  std::string_view take_until(const CharClass& unwanted);
  /// Takes the octet if it is the next one, and says so.
  bool accept(char c);
  /// Takes the text if it comes next without regard to the case of ASCII letters, and says so.
  bool accept_ignoring_case(std::string_view word);
  /// Skips spaces and tabs, and says whether there were any.
  bool skip_wsp();
  /// Skips folding white space, and says whether there was any: spaces, tabs, and line ends that a
  /// space or tab follows.
  ///
  ///   FWS = ([*WSP CRLF] 1*WSP) / obs-FWS
  ///
  /// Leniency     a bare LF is a line end as CRLF is: milters hand folded fields over with it.
  /// RFC 5322 §3.2.2, §4.2
  bool skip_fws();

 protected:
  void stop() { offset_ = text_.size(); }

 private:
  [[nodiscard]] std::size_t line_end_length() const;

  std::string_view text_;
  std::size_t offset_ = 0;
};

/// A scanner that keeps the first failure with its offset, in the error code of the parser that
/// uses it.
template <class Code>
class Cursor : public Scanner {
 public:
  using Scanner::Scanner;

  /// Records a failure at the position, unless one is recorded; nothing is left to read then.
  void fail(Code code) { fail(code, offset()); }
  /// Records a failure at an offset that was passed already.
  void fail(Code code, std::size_t offset) {
    if (!error_) error_ = SyntaxErrorOf<Code>{code, offset};
    stop();
  }
  /// Takes the octet or fails with the code.
  void expect(char c, Code code) {
    if (!accept(c)) fail(code);
  }
  /// Takes one octet or more of the class, or fails with the code.
  std::string_view expect_while(const CharClass& wanted, Code code) {
    const std::string_view taken = take_while(wanted);
    if (taken.empty()) fail(code);
    return taken;
  }
  /// Fails with the code unless all was read.
  void expect_end(Code code) {
    if (!at_end()) fail(code);
  }

  /// True when a failure is recorded.
  [[nodiscard]] bool failed() const { return error_.has_value(); }
  /// The first failure; only after failed().
  [[nodiscard]] SyntaxErrorOf<Code> error() const { return error_.value_or(SyntaxErrorOf<Code>{}); }

 private:
  std::optional<SyntaxErrorOf<Code>> error_;
};

}  // namespace countersign::text
