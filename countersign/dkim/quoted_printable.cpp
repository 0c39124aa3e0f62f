// SPDX-License-Identifier: Apache-2.0
//
// Decodes leniently, as what is in i= and n= is for people to read, and encodes all that any reader
// could stumble over.

#include "countersign/dkim/quoted_printable.hpp"

#include <cstddef>

#include "countersign/text/abnf.hpp"

namespace countersign::dkim {

namespace {

// dkim-safe-char is visible ASCII without ";" and "="; "|" separates the copies in z=.
constexpr text::CharClass is_safe = text::is_vchar - text::CharClass(";=|");

int digit_of(char c) { return text::is_digit(c) ? c - '0' : text::to_lower(c) - 'a' + 10; }

bool is_hex_octet(std::string_view text, std::size_t at) {
  return text[at] == '=' && at + 2 < text.size() && text::is_hex_digit(text[at + 1]) &&
         text::is_hex_digit(text[at + 2]);
}

}  // namespace

std::string decode_quoted_printable(std::string_view text) {
  std::string octets;
  octets.reserve(text.size());
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (is_hex_octet(text, at)) {
      octets += static_cast<char>(digit_of(text[at + 1]) * 16 + digit_of(text[at + 2]));
      at += 2;
    } else if (!text::is_fws(text[at])) {
      octets += text[at];
    }
  }
  return octets;
}

std::string encode_quoted_printable(std::string_view octets) {
  static constexpr std::string_view digits = "0123456789ABCDEF";
  std::string text;
  text.reserve(octets.size() + octets.size() / 4);
  for (const char c : octets) {
    if (is_safe(c)) {
      text += c;
      continue;
    }
    const auto octet = static_cast<unsigned char>(c);
    text += '=';
    text += digits[octet / 16];
    text += digits[octet % 16];
  }
  return text;
}

}  // namespace countersign::dkim
