// SPDX-License-Identifier: Apache-2.0
//
// The character classes that the grammars of mail share, and the only place that knows upper from
// lower case.
//
// A class is a predicate made at compile time: one table look-up, no locale, the same for every
// octet of 0..255. Classes of a single document stay with that document's parser, made from these
// with "|" and "-":
//
//   constexpr text::CharClass is_spf_name = text::is_alnum | text::CharClass("-_.");
//
// Names follow the ABNF of the documents: the core rules of RFC 5234 §B.1, tokens of RFC 5322 §3.2
// and RFC 2045 §5.1, tag lists of RFC 6376 §3.2.

#pragma once

#include <array>
#include <string>
#include <string_view>

namespace countersign::text {

/// A set of octets, fixed at compile time; calling it with an octet asks for membership.
class CharClass {
 public:
  /// The octets of the text.
  constexpr explicit CharClass(std::string_view octets) {
    for (const char c : octets) slot(c) = true;
  }
  /// The octets first..last, both included.
  static constexpr CharClass range(unsigned char first, unsigned char last) {
    CharClass result("");
    for (unsigned octet = first; octet <= last; ++octet) result.has_[octet] = true;
    return result;
  }

  /// True when the octet is in the set.
  constexpr bool operator()(char c) const { return has_[static_cast<unsigned char>(c)]; }
  /// True when every octet of the text is in the set, as in an empty text.
  [[nodiscard]] constexpr bool all_of(std::string_view text) const {
    for (const char c : text)
      if (!(*this)(c)) return false;
    return true;
  }

  /// The octets of either set.
  friend constexpr CharClass operator|(const CharClass& a, const CharClass& b) {
    CharClass result("");
    for (unsigned i = 0; i < 256; ++i) result.has_[i] = a.has_[i] || b.has_[i];
    return result;
  }
  /// The octets of the first set that are not in the second.
  friend constexpr CharClass operator-(const CharClass& a, const CharClass& b) {
    CharClass result("");
    for (unsigned i = 0; i < 256; ++i) result.has_[i] = a.has_[i] && !b.has_[i];
    return result;
  }

 private:
  constexpr bool& slot(char c) { return has_[static_cast<unsigned char>(c)]; }
  std::array<bool, 256> has_{};
};

// --- core rules ---

/// Letters A-Z and a-z. RFC 5234 §B.1
inline constexpr CharClass is_alpha = CharClass::range('A', 'Z') | CharClass::range('a', 'z');
/// Digits 0-9. RFC 5234 §B.1
inline constexpr CharClass is_digit = CharClass::range('0', '9');
/// Letters and digits, the "Let-dig" of a host name. RFC 5321 §4.1.2
inline constexpr CharClass is_alnum = is_alpha | is_digit;
/// Hexadecimal digits in both cases; the HEXDIG rule matches without regard to case. RFC 5234 §B.1
inline constexpr CharClass is_hex_digit =
    is_digit | CharClass::range('A', 'F') | CharClass::range('a', 'f');
/// Space and horizontal tab. RFC 5234 §B.1
inline constexpr CharClass is_wsp = CharClass(" \t");
/// Every octet that folding white space is made of: space, tab, CR, LF. RFC 5322 §3.2.2
inline constexpr CharClass is_fws = CharClass(" \t\r\n");
/// Visible ASCII: 33..126. RFC 5234 §B.1
inline constexpr CharClass is_vchar = CharClass::range(0x21, 0x7E);
/// Control octets 0..31 and 127, so tab, CR and LF too. RFC 5234 §B.1
inline constexpr CharClass is_ctl = CharClass::range(0x00, 0x1F) | CharClass::range(0x7F, 0x7F);
/// Octets above 127: parts of UTF-8 text when all is well, anything when not. RFC 6532 §3.1
inline constexpr CharClass is_8bit = CharClass::range(0x80, 0xFF);

// --- header fields ---

/// Octets of a field name: visible ASCII without the colon. RFC 5322 §3.6.8
inline constexpr CharClass is_ftext = is_vchar - CharClass(":");
/// Octets that mean something in a structured field and so end an atom. RFC 5322 §3.2.3
inline constexpr CharClass is_special = CharClass("()<>[]:;@\\,.\"");
/// Octets of an atom in ASCII. RFC 5322 §3.2.3
inline constexpr CharClass is_ascii_atext = is_vchar - is_special;
/// Octets of an atom, internationalized mail included. RFC 5322 §3.2.3, RFC 6532 §3.2
inline constexpr CharClass is_atext = is_ascii_atext | is_8bit;
/// Octets of a dot-atom: those of an atom and the dot. RFC 5322 §3.2.3, RFC 6532 §3.2
inline constexpr CharClass is_dot_atom = is_atext | CharClass(".");
/// Octets that stand for themselves in a comment. RFC 5322 §3.2.2, RFC 6532 §3.2
inline constexpr CharClass is_ctext = (is_vchar - CharClass("()\\")) | is_8bit;
/// Octets that stand for themselves in a quoted-string. RFC 5322 §3.2.4, RFC 6532 §3.2
inline constexpr CharClass is_qtext = (is_vchar - CharClass("\"\\")) | is_8bit;
/// Octets that a backslash may quote: visible ones and white space. RFC 5322 §3.2.1, RFC 6532 §3.2
inline constexpr CharClass is_quotable = is_vchar | is_wsp | is_8bit;
/// Octets of a MIME token, of which Authentication-Results is made too. RFC 2045 §5.1
inline constexpr CharClass is_token = is_vchar - CharClass("()<>@,;:\\\"/[]?=");

// --- tag lists and names ---

/// Octets of a tag name after its first letter. RFC 6376 §3.2
inline constexpr CharClass is_tag_name = is_alnum | CharClass("_");
/// Octets of a tag value (VALCHAR): visible ASCII without ";". RFC 6376 §3.2
inline constexpr CharClass is_tag_value = is_vchar - CharClass(";");
/// Letters, digits and hyphen: the octets of a host name label. RFC 5321 §4.1.2
inline constexpr CharClass is_let_dig_hyphen = is_alnum | CharClass("-");
/// Digits of base64, padding not included. RFC 4648 §4
inline constexpr CharClass is_base64 = is_alnum | CharClass("+/");

// --- case ---

/// The octet in lower case when it is a letter of ASCII, else itself.
[[nodiscard]] constexpr char to_lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

/// A copy of the text with its ASCII letters in lower case; other octets stay.
[[nodiscard]] constexpr std::string to_lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = to_lower(c);
  return result;
}

/// True when both texts are equal without regard to the case of ASCII letters.
[[nodiscard]] constexpr bool equal_ignoring_case(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (to_lower(a[i]) != to_lower(b[i])) return false;
  return true;
}

/// True when the text begins with the prefix without regard to the case of ASCII letters.
[[nodiscard]] constexpr bool starts_with_ignoring_case(std::string_view text,
                                                       std::string_view prefix) {
  return equal_ignoring_case(text.substr(0, prefix.size()), prefix);
}

// --- ends ---

/// The text without the octets of the class at both ends.
[[nodiscard]] constexpr std::string_view trim(std::string_view text, const CharClass& unwanted) {
  while (!text.empty() && unwanted(text.front())) text.remove_prefix(1);
  while (!text.empty() && unwanted(text.back())) text.remove_suffix(1);
  return text;
}

}  // namespace countersign::text
