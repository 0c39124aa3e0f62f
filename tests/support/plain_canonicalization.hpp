// SPDX-License-Identifier: Apache-2.0
//
// The body canonicalizations of RFC 6376 §3.4 once more, as slowly and plainly as they can be
// written: line by line over a whole body. What the streaming one gives is compared with this.

#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace countersign::test {

/// A line without white space at its end, and with one space for each run of white space in it.
[[nodiscard]] inline std::string plain_relaxed_line(std::string_view line) {
  std::string out;
  bool space = false;
  for (const char c : line) {
    if (c == ' ' || c == '\t') {
      space = true;
      continue;
    }
    if (space) out += ' ';
    space = false;
    out += c;
  }
  return out;
}

/// The canonical body.
[[nodiscard]] inline std::string plain_canonical_body(std::string_view body, bool relaxed) {
  std::vector<std::string> lines;
  while (!body.empty()) {
    const std::size_t end = body.find("\r\n");
    const std::string_view line = body.substr(0, end);
    lines.push_back(relaxed ? plain_relaxed_line(line) : std::string(line));
    body.remove_prefix(end == body.npos ? body.size() : end + 2);
  }
  while (!lines.empty() && lines.back().empty()) lines.pop_back();
  std::string out;
  for (const std::string& line : lines) out += line + "\r\n";
  return out.empty() && !relaxed ? "\r\n" : out;
}

}  // namespace countersign::test
