// SPDX-License-Identifier: Apache-2.0
//
// Folding of the header fields that we write. Lines break only where their grammar has folding
// white space, so the writer of a field says where that is, token by token:
//
//   FoldedField field("DKIM-Signature:");
//   field.word("v=1;").word("a=rsa-sha256;").word("h=from:").part("to:").part("subject;");
//   field.word("b=");                         // field.text() is what gets signed,
//   field.run(encode_base64(signature));      // which then fills its line and more.

#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace countersign::text {

/// What the lines of a field that we write go on with after CRLF.
enum class Continuation : char {
  space = ' ',
  tab = '\t',
};

/// A header field in the making, wrapped at 78 columns with CRLF and one octet of continuation.
///
/// Lines become longer only where one token is: nothing is broken that the caller calls whole. No
/// line consists of white space alone, as such lines get lost on the way. RFC 5322 §2.1.1, §2.2.3
class FoldedField {
 public:
  /// Octets of a line without its CRLF at most. RFC 5322 §2.1.1
  static constexpr std::size_t columns_max = 78;

  /// A field that begins with its name and colon.
  explicit FoldedField(std::string_view name_and_colon,
                       Continuation continuation = Continuation::tab);

  /// Adds an unbreakable token after one space, or on a new line if it does not fit. An empty token
  /// adds nothing.
  FoldedField& word(std::string_view token);
  /// Adds an unbreakable token right behind the last one, or on a new line if it does not fit.
  FoldedField& part(std::string_view token);
  /// Adds text that may break between any two octets, as base64 does, right behind the last token.
  FoldedField& run(std::string_view text);

  /// The field so far, without a line end at its end.
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  [[nodiscard]] std::size_t columns_left() const;
  void fold();

  std::string text_;
  std::size_t line_begin_ = 0;
  Continuation continuation_;
};

}  // namespace countersign::text
