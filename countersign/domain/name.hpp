// SPDX-License-Identifier: Apache-2.0
//
// Domain names in the one form in which they are compared and asked for: A-labels, lower case, no
// dot at the end.
//
// A domain decides whose mail this is, so two readers must never see two names in one text. Names
// of ASCII letters, digits, "-" and "_" are all that DNS needs; internationalized ones become that
// through IDNA2008 with the mapping of UTS 46, non-transitional, as libidn2 does it. Beyond it this
// folder refuses what would let a name look like another: code points that the mapping drops
// (U+00AD, U+200B, …), code points that it turns into dots or other ASCII punctuation, and "xn--"
// labels that are not the encoding of the U-label to which they decode.

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
  /// Parses a name as found in a message, a record or a setting.
  ///
  /// text         mixed case, U-labels in UTF-8 and one dot at the end are taken; "_" may stand
  ///              anywhere in a label, as in the DNS names of records.
  /// Errors       each DomainNameErrorCode, with the offset of the label at fault; 0 when it is
  ///              the whole name.
  /// Leniency     U-labels are mapped as UTS 46 says, so upper case and decomposed text are taken.
  ///              Only "." separates labels: U+3002 and its kin, which RFC 5895 §2 lets a user
  ///              interface turn into dots, are bad_idna on the wire, because a reader who does
  ///              not turn them sees another name.
  /// RFC 5321 §4.1.2, RFC 6531 §3.3, RFC 5891 §5
  [[nodiscard]] static Result<DomainName, DomainNameError> parse(std::string_view text);

  /// Parses a name that says no more than whom DNS is to be asked about: a client's or a signer's.
  /// The rules of SPF and DKIM are those of host names (RFC 7208 §4.3, RFC 6376 §3.5), which know
  /// nothing of IDNA: "xn--" labels of ASCII are taken as they stand, also where IDNA2008 has no
  /// U-label for them; else as parse(). A name with such a label equals none of parse()'s, and
  /// is shown as it stands.
  [[nodiscard]] static Result<DomainName, DomainNameError> parse_host(std::string_view text);

  /// The name as A-labels, lower case, without a dot at the end.
  [[nodiscard]] const std::string& text() const { return text_; }
  /// The name with U-labels, for people to read only; equals text() where there are none. It never
  /// holds control octets, bidirectional overrides or invisible code points other than the joiners
  /// that a script needs, as no valid U-label does; homographs it cannot tell. RFC 5892 §2.3
  [[nodiscard]] std::string display() const;
  /// Number of labels, at least 1.
  [[nodiscard]] std::size_t label_count() const;
  /// The name made of the last `count` labels; the whole name when it has no more, nothing for 0.
  [[nodiscard]] std::string_view suffix(std::size_t count) const;
  /// The name made of the last `count` labels, as suffix() but a name of its own; count is 1 or
  /// more.
  [[nodiscard]] DomainName ancestor(std::size_t count) const;
  /// True when this name is `other` or below it.
  [[nodiscard]] bool is_at_or_below(const DomainName& other) const;

  friend auto operator<=>(const DomainName&, const DomainName&) = default;

 private:
  enum class FakeLabels : std::uint8_t { refused, taken };
  static Result<DomainName, DomainNameError> parse(std::string_view text, FakeLabels fakes);
  explicit DomainName(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

}  // namespace countersign
