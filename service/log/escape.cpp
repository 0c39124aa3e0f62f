// SPDX-License-Identifier: Apache-2.0
//
// Works on characters of UTF-8: octets that are none, control characters, and characters that hide
// or reorder text are written as escapes.

#include "service/log/escape.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <iterator>
#include <optional>

#include "countersign/text/utf8.hpp"

namespace countersign::service {
namespace {

/// A character of a text that claims to be UTF-8, and its octets; no code point when they are none.
struct Character {
  std::optional<char32_t> point;
  std::string_view octets;
};

/// Takes the character, or the one octet that is none, off the front of a text that is not empty.
Character take_character(std::string_view& text) {
  const std::string_view before = text;
  const std::optional<char32_t> point = text::take_code_point(text);
  if (!point) text.remove_prefix(1);
  return {point, before.substr(0, before.size() - text.size())};
}

bool is_control(char32_t c) { return c < 0x20 || (c >= 0x7f && c < 0xa0); }

// Soft hyphen, Arabic letter mark, zero-width and bidirectional controls, line separators,
// annotation marks, and the tags and variation selectors that may hide a whole text.
bool hides_or_reorders(char32_t c) {
  return c == 0xad || c == 0x061c || c == 0x180e || (c >= 0x200b && c <= 0x200f) ||
         (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff ||
         (c >= 0xfff9 && c <= 0xfffb) || (c >= 0xe0000 && c <= 0xe0fff);
}

constexpr std::string_view replacement_character = "\xef\xbf\xbd";  // U+FFFD

enum class Quotes : std::uint8_t { escape, keep };

/// The escape of a control character, by its letter or its number.
void append_control(std::string& out, char32_t c) {
  switch (c) {
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      fmt::format_to(std::back_inserter(out), "\\x{:02x}", std::uint32_t{c});
  }
}

void append(std::string& out, std::string_view text, Quotes quotes) {
  while (!text.empty()) {
    const auto [point, octets] = take_character(text);
    if (!point) {
      append_control(out, static_cast<unsigned char>(octets[0]));
    } else if (is_control(*point)) {
      append_control(out, *point);
    } else if (hides_or_reorders(*point)) {
      fmt::format_to(std::back_inserter(out), "\\u{{{:04x}}}", std::uint32_t{*point});
    } else {
      if (quotes == Quotes::escape && (*point == '"' || *point == '\\')) out += '\\';
      out += octets;
    }
  }
}

/// JSON writes a character beyond U+FFFF as two surrogates. RFC 8259 §7
void append_json_escape(std::string& out, char32_t c) {
  if (c < 0x10000) {
    fmt::format_to(std::back_inserter(out), "\\u{:04x}", std::uint32_t{c});
    return;
  }
  const std::uint32_t rest = std::uint32_t{c} - 0x10000;
  fmt::format_to(std::back_inserter(out), "\\u{:04x}\\u{:04x}", 0xd800 + (rest >> 10U),
                 0xdc00 + (rest & 0x3ffU));
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
    const auto [point, octets] = take_character(text);
    out += point ? octets : replacement_character;
  }
  return out;
}

void append_json_escaped(std::string& out, std::string_view text) {
  while (!text.empty()) {
    const auto [point, octets] = take_character(text);
    if (!point) {
      out += replacement_character;
    } else if (*point == '"' || *point == '\\') {
      out += '\\';
      out += octets;
    } else if (is_control(*point) || hides_or_reorders(*point)) {
      append_json_escape(out, *point);
    } else {
      out += octets;
    }
  }
}

}  // namespace countersign::service
