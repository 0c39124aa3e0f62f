// SPDX-License-Identifier: Apache-2.0
//
// Records as people paste them into a zone file.

#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace countersign::dns {

/// Cuts a text into the character-strings of one TXT record, each at most 255 octets.
/// break_before   where a new string begins when this text is found, so that a key starts on a line
///                of its own; empty for none.
[[nodiscard]] std::vector<std::string> split_txt(std::string_view text,
                                                 std::string_view break_before);

/// One character-string with its quotes: quotes and backslashes escaped, octets that are not
/// printable as \DDD.
/// RFC 1035 §5.1
[[nodiscard]] std::string quote_txt(std::string_view string);

/// What stands on the lines of a TXT record.
struct TxtRecordText {
  std::string owner;         ///< as to be written: relative, or absolute with its dot
  std::string text;          ///< the joined strings
  std::string break_before;  ///< as for split_txt()
  std::string comment;       ///< behind the record; empty for none
};

/// A TXT record over several lines: `owner IN TXT ( "…" "…" ) ; comment`, tabs between the parts.
/// RFC 1035 §5.1
[[nodiscard]] std::string format_txt_record(const TxtRecordText& record);

}  // namespace countersign::dns
