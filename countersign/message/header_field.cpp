// SPDX-License-Identifier: Apache-2.0
//
// Where the name of a header field ends and its value begins. Every field of every message passes
// here once, so each octet is looked at by memchr and copied at most once.

#include "countersign/message/header_field.hpp"

#include <algorithm>
#include <utility>

#include "countersign/text/abnf.hpp"

namespace countersign {

namespace {

// Appends the value with each LF that no CR precedes made CRLF.
void append_with_crlf(std::string& raw, std::string_view value) {
  while (!value.empty()) {
    const std::size_t line_feed = value.find('\n');
    const std::string_view line = value.substr(0, line_feed);
    raw += line;
    if (line_feed == std::string_view::npos) return;
    raw += line.ends_with('\r') ? "\n" : "\r\n";
    value.remove_prefix(line_feed + 1);
  }
}

}  // namespace

HeaderField::HeaderField(std::string raw) : raw_(std::move(raw)) {
  const std::size_t colon = raw_.find(':');
  value_offset_ = colon == std::string::npos ? raw_.size() : colon + 1;
  name_length_ = std::min(colon, raw_.size());
  while (name_length_ > 0 && text::is_fws(raw_[name_length_ - 1])) --name_length_;
}

HeaderField HeaderField::from_parts(std::string_view name, std::string_view value) {
  constexpr std::size_t room_for_line_ends = 16;
  std::string raw;
  raw.reserve(name.size() + 1 + value.size() + room_for_line_ends);
  raw += name;
  raw += ':';
  append_with_crlf(raw, value);
  return HeaderField(std::move(raw));
}

bool HeaderField::is(std::string_view name) const { return equal_names(this->name(), name); }

std::size_t count_fields(const Header& header, std::string_view name) {
  return static_cast<std::size_t>(
      std::ranges::count_if(header, [name](const HeaderField& field) { return field.is(name); }));
}

const HeaderField* find_field(const Header& header, std::string_view name) {
  const auto found =
      std::ranges::find_if(header, [name](const HeaderField& field) { return field.is(name); });
  return found == header.end() ? nullptr : &*found;
}

bool equal_names(std::string_view a, std::string_view b) { return text::equal_ignoring_case(a, b); }

}  // namespace countersign
