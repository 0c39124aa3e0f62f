// SPDX-License-Identifier: Apache-2.0

#include "service/explain/json_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <utility>

#include "service/log/escape.hpp"

namespace countersign::service {
namespace {

namespace json = boost::json;

// The code point that begins here, and the octets it takes. The text is UTF-8: json_text() saw to
// it, and everything else in a document is ours.
std::pair<char32_t, std::size_t> code_point(std::string_view text) {
  const auto octet = [text](std::size_t at) {
    return at < text.size() ? static_cast<unsigned char>(text[at]) : 0u;
  };
  const auto tail = [&octet](std::size_t at) { return static_cast<char32_t>(octet(at) & 0x3Fu); };
  const char32_t first = octet(0);
  if (first < 0x80) return {first, 1};
  if (first < 0xE0) return {(first & 0x1F) << 6 | tail(1), 2};
  if (first < 0xF0) return {(first & 0x0F) << 12 | tail(1) << 6 | tail(2), 3};
  return {(first & 0x07) << 18 | tail(1) << 12 | tail(2) << 6 | tail(3), 4};
}

// Outside of strings a document is ASCII, so escapes can only fall inside of them.
std::string to_ascii(std::string_view document) {
  std::string ascii;
  while (!document.empty()) {
    const auto [code, octets] = code_point(document);
    if (code < 0x7F) {
      ascii += static_cast<char>(code);
    } else if (code < 0x10000) {
      ascii += fmt::format("\\u{:04x}", static_cast<unsigned>(code));
    } else {
      const unsigned offset = static_cast<unsigned>(code) - 0x10000u;
      ascii +=
          fmt::format("\\u{:04x}\\u{:04x}", 0xD800u + (offset >> 10), 0xDC00u + (offset & 0x3FFu));
    }
    document.remove_prefix(std::min(octets, document.size()));
  }
  return ascii;
}

}  // namespace

std::string json_text(std::string_view octets) { return valid_utf8(octets); }

json::value text_or_null(std::string_view octets) {
  return octets.empty() ? json::value(nullptr) : json::value(json_text(octets));
}

std::string ascii_json(const json::value& document) { return to_ascii(json::serialize(document)); }

}  // namespace countersign::service
