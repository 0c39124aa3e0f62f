// SPDX-License-Identifier: Apache-2.0
//
// Cuts a master file into entries and entries into words: the layer of RFC 1035 §5.1 that knows
// parentheses, quotes, comments and line ends, and nothing of records.

#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "countersign/dns/zone.hpp"
#include "countersign/result.hpp"

namespace countersign::dns {

/// One word of an entry, a view of the file; escapes are still in it, quotes are not.
struct MasterWord {
  std::string_view raw;
  bool quoted = false;
  std::size_t line = 0;  ///< from 1
};

/// One entry: a line, or several that parentheses join.
struct MasterEntry {
  std::vector<MasterWord> words;
  bool begins_blank = false;  ///< white space at its beginning: the owner is the last one stated
  std::size_t line = 0;       ///< where it begins, from 1
};

/// Hands out the entries of a master file one after the other. It views the text, which must
/// outlive it and its entries. RFC 1035 §5.1
class MasterLexer {
 public:
  /// Before the first entry of the text.
  explicit MasterLexer(std::string_view text) : text_(text) {}

  /// The next entry with at least one word; nothing at the end of the file.
  /// Errors       a quote or a parenthesis without its partner.
  [[nodiscard]] Result<std::optional<MasterEntry>, ZoneError> next();

 private:
  [[nodiscard]] bool at_end() const { return offset_ == text_.size(); }
  bool ends_entry(MasterEntry& entry);
  void read_word(MasterEntry& entry);
  void read_quoted(MasterEntry& entry);
  void read_parenthesis();
  void fail(std::size_t line, std::string message);

  std::string_view text_;
  std::size_t offset_ = 0;
  std::size_t line_ = 1;
  std::size_t depth_ = 0;        // Parentheses open.
  std::size_t opened_line_ = 0;  // Where the outermost of them is.
  std::optional<ZoneError> error_;
};

/// The octets that a word stands for: \DDD is the octet with that decimal number, \X is X.
/// Returns      nothing when a backslash ends the word or its number is no octet.
/// RFC 1035 §5.1
[[nodiscard]] std::optional<std::string> unescape(std::string_view raw);

}  // namespace countersign::dns
