// SPDX-License-Identifier: Apache-2.0
//
// Domain names in the one form in which they are compared and asked for: A-labels, lower case, no
// dot at the end.

#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "countersign/result.hpp"

namespace countersign {

/// What can be wrong with a domain name.
enum class DomainNameErrorCode : std::uint8_t {
  empty,           ///< no octet at all, or only a dot
  empty_label,     ///< two dots in a row or a dot in front
  label_too_long,  ///< more than 63 octets as A-label (RFC 1035 §2.3.4)
  name_too_long,   ///< more than 253 octets as A-labels
  bad_character,   ///< something but letters, digits, "-", "_" and valid U-labels
  /// 8-bit text that is not UTF-8 or no valid U-label, or a fake "xn--" label (RFC 5891)
  bad_idna,
};

using DomainNameError = SyntaxErrorOf<DomainNameErrorCode>;

/// Says in a sentence what is wrong and which section rules it.
[[nodiscard]] std::string_view to_string(DomainNameErrorCode code);

/// A validated domain name: lower-case A-labels, 1..253 octets, labels of 1..63 letters, digits,
/// "-" and "_".
/// Comparison of two names is comparison of their octets. RFC 5890 §2.3.2, RFC 8616 §2
class DomainName {
 public:
  /// Parses a name as found in a message, a record or a setting: mixed case, U-labels (UTF-8) and
  /// one dot at the end are taken; labels may begin with "_", as DNS names of records do.
  /// Errors       each DomainNameErrorCode, with the offset of the label at fault.
  [[nodiscard]] static Result<DomainName, DomainNameError> parse(std::string_view text);

  /// The name as A-labels, lower case, without a dot at the end.
  [[nodiscard]] const std::string& text() const { return text_; }
  /// The name with U-labels, for people to read only; equals text() where there are none.
  [[nodiscard]] std::string display() const;
  /// Number of labels, at least 1.
  [[nodiscard]] std::size_t label_count() const;
  /// The name made of the last `count` labels; the whole name when it has no more.
  [[nodiscard]] std::string_view suffix(std::size_t count) const;
  /// True when this name is `other` or below it.
  [[nodiscard]] bool is_at_or_below(const DomainName& other) const;

  friend auto operator<=>(const DomainName&, const DomainName&) = default;

 private:
  explicit DomainName(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

}  // namespace countersign
