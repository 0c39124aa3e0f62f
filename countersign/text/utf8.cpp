// SPDX-License-Identifier: Apache-2.0
//
// The decoder of RFC 3629 §4. Ranges of code points, not of octets, tell overlong and surrogate
// forms.

#include "countersign/text/utf8.hpp"

#include <array>
#include <cstddef>
#include <cstdint>

namespace countersign::text {

namespace {

// Sequences by their first octet: how long they are and which code points need that length.
struct Form {
  std::uint8_t first_octet_mask;
  std::uint8_t first_octet;
  std::uint8_t length;
  char32_t least;
};

constexpr std::array<Form, 4> forms = {{
    {0x80, 0x00, 1, 0x0},
    {0xE0, 0xC0, 2, 0x80},
    {0xF0, 0xE0, 3, 0x800},
    {0xF8, 0xF0, 4, 0x10000},
}};

constexpr bool is_scalar_value(char32_t point) {
  return point <= 0x10FFFF && !(point >= 0xD800 && point <= 0xDFFF);
}

const Form* find_form(std::uint8_t first_octet) {
  for (const Form& form : forms)
    if ((first_octet & form.first_octet_mask) == form.first_octet) return &form;
  return nullptr;
}

}  // namespace

std::optional<char32_t> take_code_point(std::string_view& text) {
  if (text.empty()) return std::nullopt;
  const auto octet = [&text](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const Form* form = find_form(octet(0));
  if (!form || text.size() < form->length) return std::nullopt;
  char32_t point = octet(0) & ~form->first_octet_mask & 0xFFU;
  for (std::size_t i = 1; i < form->length; ++i) {
    if ((octet(i) & 0xC0U) != 0x80) return std::nullopt;
    point = point << 6 | (octet(i) & 0x3FU);
  }
  if (point < form->least || !is_scalar_value(point)) return std::nullopt;
  text.remove_prefix(form->length);
  return point;
}

bool is_utf8(std::string_view text) {
  while (take_code_point(text)) {
  }
  return text.empty();
}

}  // namespace countersign::text
