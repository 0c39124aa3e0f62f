// SPDX-License-Identifier: Apache-2.0
//
// Readers of the lexical tokens of RFC 5322 §3.2. Nesting is counted, never recursed into: the
// depth is a stranger's choice.

#include "countersign/text/cfws.hpp"

namespace countersign::text {

namespace {

constexpr CharClass is_line_end = CharClass("\r\n");

// The octet that a backslash quotes; the scanner is behind the backslash.
std::optional<char> take_quoted(Scanner& scanner) {
  return scanner.at(is_quotable) ? scanner.take() : std::nullopt;
}

}  // namespace

bool skip_comment(Scanner& scanner, const Limits& limits) {
  if (!scanner.at('(')) return false;
  std::size_t depth = 0;
  do {
    if (scanner.at('(')) {
      if (depth == limits.comment_depth_max) return false;
      scanner.take();
      ++depth;
    } else if (scanner.accept(')')) {
      --depth;
    } else if (scanner.accept('\\')) {
      if (!take_quoted(scanner)) return false;
    } else if (scanner.take_while(is_ctext).empty() && !scanner.skip_fws()) {
      return false;
    }
  } while (depth > 0);
  return true;
}

bool skip_cfws(Scanner& scanner, const Limits& limits) {
  scanner.skip_fws();
  while (scanner.at('(')) {
    if (!skip_comment(scanner, limits)) return false;
    scanner.skip_fws();
  }
  return true;
}

std::optional<std::string_view> read_atom(Scanner& scanner) {
  const std::string_view atom = scanner.take_while(is_atext);
  return atom.empty() ? std::nullopt : std::optional(atom);
}

std::optional<std::string_view> read_dot_atom_text(Scanner& scanner) {
  const std::size_t begin = scanner.offset();
  do {
    if (!read_atom(scanner)) return std::nullopt;
  } while (scanner.accept('.'));
  return scanner.since(begin);
}

std::optional<std::string> read_quoted_string(Scanner& scanner) {
  if (!scanner.accept('"')) return std::nullopt;
  std::string content;
  while (!scanner.accept('"')) {
    content += scanner.take_while(is_qtext);
    const std::size_t space_begin = scanner.offset();
    if (scanner.accept('\\')) {
      const std::optional<char> quoted = take_quoted(scanner);
      if (!quoted) return std::nullopt;
      content += *quoted;
    } else if (scanner.skip_fws()) {
      for (const char c : scanner.since(space_begin))
        if (!is_line_end(c)) content += c;
    } else if (!scanner.at('"')) {
      return std::nullopt;
    }
  }
  return content;
}

std::optional<std::string> read_word(Scanner& scanner) {
  if (scanner.at('"')) return read_quoted_string(scanner);
  const std::optional<std::string_view> atom = read_atom(scanner);
  return atom ? std::optional<std::string>(*atom) : std::nullopt;
}

std::optional<std::string> quote(std::string_view content) {
  std::string result = "\"";
  for (const char c : content) {
    if (!is_quotable(c)) return std::nullopt;
    if (!is_qtext(c) && !is_wsp(c)) result += '\\';
    result += c;
  }
  return result + '"';
}

}  // namespace countersign::text
