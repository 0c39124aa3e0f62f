// SPDX-License-Identifier: Apache-2.0
//
// Movements of the scanner. Every one of them stops at the end of the text.

#include "countersign/text/cursor.hpp"

#include <algorithm>

namespace countersign::text {

std::string_view Scanner::take(std::size_t count) {
  const std::string_view taken = text_.substr(offset_, count);
  offset_ += taken.size();
  return taken;
}

std::string_view Scanner::take_while(const CharClass& wanted) {
  const std::string_view left = rest();
  std::size_t count = 0;
  while (count < left.size() && wanted(left[count])) ++count;
  return take(count);
}

std::string_view Scanner::take_until(const CharClass& unwanted) {
  const std::string_view left = rest();
  std::size_t count = 0;
  while (count < left.size() && !unwanted(left[count])) ++count;
  return take(count);
}

bool Scanner::accept(char c) {
  if (!at(c)) return false;
  ++offset_;
  return true;
}

bool Scanner::accept_ignoring_case(std::string_view word) {
  if (!starts_with_ignoring_case(rest(), word)) return false;
  offset_ += word.size();
  return true;
}

bool Scanner::skip_wsp() { return !take_while(is_wsp).empty(); }

bool Scanner::skip_fws() {
  const std::size_t begin = offset_;
  for (;;) {
    skip_wsp();
    const std::size_t line_end = line_end_length();
    const std::size_t next = offset_ + line_end;
    if (line_end == 0 || next == text_.size() || !is_wsp(text_[next])) break;
    offset_ = next;
  }
  return offset_ != begin;
}

std::size_t Scanner::line_end_length() const {
  if (at('\n')) return 1;
  return rest().starts_with("\r\n") ? 2 : 0;
}

}  // namespace countersign::text
