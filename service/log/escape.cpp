// SPDX-License-Identifier: Apache-2.0
//
// Works on characters of UTF-8: octets that are none, control characters, and characters that hide
// or reorder text are written as escapes.

#include "service/log/escape.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <iterator>

namespace countersign::service {
namespace {

/// One character of UTF-8 text: its code point and octets; length 0 when the octets are no UTF-8.
struct CodePoint {
  std::uint32_t value = 0;
  std::size_t length = 0;
};

/// Reads the character at the front of a text that is not empty. RFC 3629 §4
CodePoint read_utf8(std::string_view text) {
  const auto octet = [&text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = octet(0);
  if (first < 0x80) return {first, 1};
  const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < length) return {};
  std::uint32_t value = first & (0x7fU >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if ((octet(i) & 0xc0U) != 0x80) return {};
    value = (value << 6U) | (octet(i) & 0x3fU);
  }
  const bool too_long = (length == 3 && value < 0x800) || (length == 4 && value < 0x10000);
  const bool surrogate = value >= 0xd800 && value <= 0xdfff;
  if (too_long || surrogate || value > 0x10ffff) return {};
  return {value, length};
}

bool is_control(std::uint32_t c) { return c < 0x20 || (c >= 0x7f && c < 0xa0); }

bool hides_or_reorders(std::uint32_t c) {
  return (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
         (c >= 0x2060 && c <= 0x206f) || c == 0xfeff || c == 0x061c;
}

enum class Quotes { escape, keep };

void append(std::string& out, std::string_view text, Quotes quotes) {
  while (!text.empty()) {
    const CodePoint c = read_utf8(text);
    const std::string_view octets = text.substr(0, c.length == 0 ? 1 : c.length);
    text.remove_prefix(octets.size());
    if (c.length == 0) {
      fmt::format_to(std::back_inserter(out), "\\x{:02x}", static_cast<unsigned char>(octets[0]));
    } else if (c.value == '\n') {
      out += "\\n";
    } else if (c.value == '\r') {
      out += "\\r";
    } else if (c.value == '\t') {
      out += "\\t";
    } else if (is_control(c.value)) {
      fmt::format_to(std::back_inserter(out), "\\x{:02x}", c.value);
    } else if (hides_or_reorders(c.value)) {
      fmt::format_to(std::back_inserter(out), "\\u{{{:04x}}}", c.value);
    } else {
      if (quotes == Quotes::escape && (c.value == '"' || c.value == '\\')) out += '\\';
      out += octets;
    }
  }
}

}  // namespace

void append_escaped(std::string& out, std::string_view text) { append(out, text, Quotes::escape); }

std::string printable(std::string_view text) {
  std::string out;
  append(out, text, Quotes::keep);
  return out;
}

std::string valid_utf8(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t length = read_utf8(text).length;
    out += length == 0 ? std::string_view("\xef\xbf\xbd") : text.substr(0, length);
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return out;
}

void append_json_escaped(std::string& out, std::string_view text) {
  while (!text.empty()) {
    const CodePoint c = read_utf8(text);
    const std::string_view octets = text.substr(0, c.length == 0 ? 1 : c.length);
    text.remove_prefix(octets.size());
    if (c.length == 0) {
      out += "\xef\xbf\xbd";
    } else if (c.value == '"' || c.value == '\\') {
      out += '\\';
      out += octets;
    } else if (is_control(c.value) || hides_or_reorders(c.value)) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", c.value);
    } else {
      out += octets;
    }
  }
}

}  // namespace countersign::service
