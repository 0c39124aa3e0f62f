// SPDX-License-Identifier: Apache-2.0
//
// One header field, byte-exact, and the header as the ordered list that it is. Signatures cover
// octets: nothing here is ever rewritten, trimmed or re-folded.

#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace countersign {

/// One header field as it stands in the message, folding kept, without its last line end.
///
///   "Subject: Hello\r\n world"      raw()
///    ^^^^^^^                        name(): up to the colon, white space before the colon cut
///            ^^^^^^^^^^^^^^^^       value(): all after the colon, the leading space included
///
/// Line ends inside are CRLF. Nothing is judged here: what stands before the colon may be no field
/// name at all.
/// RFC 5322 §2.2, §3.6.8
class HeaderField {
 public:
  /// A field from its raw octets, without the last line end. A text without a colon has an empty
  /// value and is all name.
  explicit HeaderField(std::string raw);
  /// A field from name and value as a milter hands them over.
  ///
  /// value        with its leading space if the peer kept it; line ends inside may be LF or CRLF
  ///              and become CRLF, a CR without LF stays what it is.
  [[nodiscard]] static HeaderField from_parts(std::string_view name, std::string_view value);

  [[nodiscard]] std::string_view raw() const { return raw_; }
  [[nodiscard]] std::string_view name() const {
    return std::string_view(raw_).substr(0, name_length_);
  }
  [[nodiscard]] std::string_view value() const {
    return std::string_view(raw_).substr(value_offset_);
  }
  /// True when it is a field and not a stray line: there is a colon.
  [[nodiscard]] bool has_colon() const {
    return value_offset_ > 0 && raw_[value_offset_ - 1] == ':';
  }
  /// True when the field has that name, in any case and with any white space before the colon:
  /// "From :" and "from\r\n :" are From to some reader (S-02).
  [[nodiscard]] bool is(std::string_view name) const;

  friend bool operator==(const HeaderField& a, const HeaderField& b) { return a.raw_ == b.raw_; }

 private:
  std::string raw_;
  std::size_t name_length_ = 0;
  std::size_t value_offset_ = 0;
};

/// The header of a message: its fields from the top down.
using Header = std::vector<HeaderField>;

/// Counts the fields of that name, in any case.
[[nodiscard]] std::size_t count_fields(const Header& header, std::string_view name);

/// The first field of that name from the top, or nullptr.
[[nodiscard]] const HeaderField* find_field(const Header& header, std::string_view name);

/// True when both names are equal without regard to ASCII case.
[[nodiscard]] bool equal_names(std::string_view a, std::string_view b);

}  // namespace countersign
