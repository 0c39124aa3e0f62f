// SPDX-License-Identifier: Apache-2.0
//
// The layer below the records: where words begin and end, and what a backslash means.

#include "countersign/dns/master_lexer.hpp"

#include <algorithm>
#include <utility>

#include "countersign/text/abnf.hpp"

namespace countersign::dns {
namespace {

constexpr text::CharClass is_blank{" \t\r"};
constexpr text::CharClass ends_word{" \t\r\n;()\""};

}  // namespace

Result<std::optional<MasterEntry>, ZoneError> MasterLexer::next() {
  MasterEntry entry{.begins_blank = !at_end() && is_blank(text_[offset_]), .line = line_};
  while (!error_ && !at_end()) {
    const char c = text_[offset_];
    if (c == '\n') {
      if (ends_entry(entry)) return entry;
    } else if (c == ';') {
      offset_ = std::min(text_.find('\n', offset_), text_.size());
    } else if (c == '(' || c == ')') {
      read_parenthesis();
    } else if (c == '"') {
      read_quoted(entry);
    } else if (is_blank(c)) {
      ++offset_;
    } else {
      read_word(entry);
    }
  }
  if (depth_ > 0) fail(opened_line_, "this \"(\" is never closed; add the \")\"");
  if (error_) return std::unexpected(*error_);
  if (entry.words.empty()) return std::nullopt;
  return entry;
}

// Passes a line end; says whether an entry is complete with it. An empty line is none.
bool MasterLexer::ends_entry(MasterEntry& entry) {
  ++offset_;
  ++line_;
  if (depth_ > 0) return false;
  if (!entry.words.empty()) return true;
  entry.begins_blank = !at_end() && is_blank(text_[offset_]);
  entry.line = line_;
  return false;
}

void MasterLexer::read_parenthesis() {
  if (text_[offset_] == '(') {
    if (depth_++ == 0) opened_line_ = line_;
  } else if (depth_ == 0) {
    fail(line_, "this \")\" closes nothing; remove it or add the \"(\"");
  } else {
    --depth_;
  }
  ++offset_;
}

void MasterLexer::read_word(MasterEntry& entry) {
  const std::size_t begin = offset_;
  while (!at_end() && !ends_word(text_[offset_])) {
    const bool escapes =
        text_[offset_] == '\\' && offset_ + 1 < text_.size() && text_[offset_ + 1] != '\n';
    offset_ += escapes ? 2 : 1;
  }
  entry.words.push_back({text_.substr(begin, offset_ - begin), false, line_});
}

void MasterLexer::read_quoted(MasterEntry& entry) {
  const std::size_t begin = ++offset_;
  while (!at_end() && text_[offset_] != '"' && text_[offset_] != '\n') {
    const bool escapes =
        text_[offset_] == '\\' && offset_ + 1 < text_.size() && text_[offset_ + 1] != '\n';
    offset_ += escapes ? 2 : 1;
  }
  if (at_end() || text_[offset_] == '\n') {
    fail(line_, "a quoted string does not end on its line; close it with a double quote");
    return;
  }
  entry.words.push_back({text_.substr(begin, offset_ - begin), true, line_});
  ++offset_;
}

void MasterLexer::fail(std::size_t line, std::string message) {
  if (!error_) error_ = ZoneError{line, std::move(message)};
}

std::optional<std::string> unescape(std::string_view raw) {
  std::string octets;
  octets.reserve(raw.size());
  for (std::size_t i = 0; i < raw.size(); ++i) {
    if (raw[i] != '\\') {
      octets.push_back(raw[i]);
      continue;
    }
    if (++i == raw.size()) return std::nullopt;
    if (!text::is_digit(raw[i])) {
      octets.push_back(raw[i]);
      continue;
    }
    const std::string_view digits = raw.substr(i, 3);
    if (digits.size() != 3 || !text::is_digit.all_of(digits)) return std::nullopt;
    const int number = (digits[0] - '0') * 100 + (digits[1] - '0') * 10 + (digits[2] - '0');
    if (number > 255) return std::nullopt;
    octets.push_back(static_cast<char>(number));
    i += 2;
  }
  return octets;
}

}  // namespace countersign::dns
