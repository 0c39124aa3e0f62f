// SPDX-License-Identifier: Apache-2.0

#include "service/config/import/foreign_value.hpp"

#include <algorithm>
#include <array>

#include "countersign/text/abnf.hpp"

namespace countersign::service::config {

std::optional<bool> parse_foreign_boolean(std::string_view text) {
  if (text.empty()) return std::nullopt;
  if (std::string_view("TtYy1").find(text.front()) != std::string_view::npos) return true;
  if (std::string_view("FfNn0").find(text.front()) != std::string_view::npos) return false;
  return std::nullopt;
}

std::optional<std::int64_t> parse_foreign_integer(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  std::int64_t base = 10;
  if (text::starts_with_ignoring_case(text, "0x")) {
    base = 16;
    text.remove_prefix(2);
  } else if (text.size() > 1 && text.front() == '0') {
    base = 8;
  }
  if (text.empty()) return std::nullopt;
  constexpr std::int64_t most = std::int64_t{1} << 40;
  std::int64_t number = 0;
  for (const char c : text) {
    const std::size_t digit = std::string_view("0123456789abcdef").find(text::to_lower(c));
    if (digit == std::string_view::npos || static_cast<std::int64_t>(digit) >= base) {
      return std::nullopt;
    }
    number = std::min(number * base + static_cast<std::int64_t>(digit), most);
  }
  return negative ? -number : number;
}

std::vector<std::string> split_list(std::string_view text) {
  std::vector<std::string> items;
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    const std::string_view item = text::trim(text.substr(0, comma), text::is_wsp);
    if (!item.empty()) items.emplace_back(item);
    text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
  }
  return items;
}

std::string expand_action(std::string_view text) {
  constexpr std::array<std::string_view, 5> words{"accept", "discard", "quarantine", "reject",
                                                  "tempfail"};
  for (const std::string_view word : words) {
    if (text.size() == 1 && text::equal_ignoring_case(text, word.substr(0, 1))) {
      return std::string(word);
    }
  }
  return std::string(text);
}

}  // namespace countersign::service::config
