// SPDX-License-Identifier: Apache-2.0
//
// Code points to UTF-8, so that tests can write them as the numbers that the standards give.

#pragma once

#include <string>

namespace countersign::test {

/// The UTF-8 octets of a code point. RFC 3629 §3
[[nodiscard]] inline std::string utf8(char32_t point) {
  const auto continuation = [point](unsigned shift) {
    return static_cast<char>(0x80 | (point >> shift & 0x3F));
  };
  if (point < 0x80) return {static_cast<char>(point)};
  if (point < 0x800) return {static_cast<char>(0xC0 | point >> 6), continuation(0)};
  if (point < 0x10000)
    return {static_cast<char>(0xE0 | point >> 12), continuation(6), continuation(0)};
  return {static_cast<char>(0xF0 | point >> 18), continuation(12), continuation(6),
          continuation(0)};
}

}  // namespace countersign::test
