// SPDX-License-Identifier: Apache-2.0
//
// The writer of folded fields: it knows the text and where its last line begins, and nothing else.

#include "countersign/text/fold.hpp"

namespace countersign::text {

FoldedField::FoldedField(std::string_view name_and_colon, Continuation continuation)
    : text_(name_and_colon), continuation_(continuation) {}

FoldedField& FoldedField::word(std::string_view token) {
  if (token.empty()) return *this;
  if (token.size() < columns_left()) {
    text_ += ' ';
  } else {
    fold();
  }
  text_ += token;
  return *this;
}

FoldedField& FoldedField::part(std::string_view token) {
  if (token.empty()) return *this;
  if (token.size() > columns_left()) fold();
  text_ += token;
  return *this;
}

FoldedField& FoldedField::run(std::string_view text) {
  while (!text.empty()) {
    if (columns_left() == 0) fold();
    const std::string_view line = text.substr(0, columns_left());
    text_ += line;
    text.remove_prefix(line.size());
  }
  return *this;
}

std::size_t FoldedField::columns_left() const {
  const std::size_t columns = text_.size() - line_begin_;
  return columns < columns_max ? columns_max - columns : 0;
}

void FoldedField::fold() {
  text_ += "\r\n";
  line_begin_ = text_.size();
  text_ += static_cast<char>(continuation_);
}

}  // namespace countersign::text
