// SPDX-License-Identifier: Apache-2.0
//
// One reader of macro-strings, used by the checks, which look at what it says is wrong, and by the
// expansion, which knows that nothing is.

#include "countersign/spf/macro.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "countersign/assert.hpp"
#include "countersign/text/abnf.hpp"
#include "countersign/text/cursor.hpp"

namespace countersign::spf {

namespace {

using Code = MacroErrorCode;
using MacroCursor = text::Cursor<Code>;

constexpr std::size_t label_octets_max = 63;  // RFC 1035 §2.3.4
constexpr std::size_t name_octets_max = 253;  // RFC 7208 §7.3

constexpr text::CharClass is_percent("%");
constexpr text::CharClass is_macro_literal = text::is_vchar - is_percent;
constexpr text::CharClass is_explanation_literal = is_macro_literal | text::CharClass(" ");
constexpr text::CharClass is_macro_letter("slodiphcrtv");
constexpr text::CharClass is_explanation_letter("crt");
constexpr text::CharClass is_delimiter(".-+,/_=");
constexpr text::CharClass is_unreserved =
    text::is_alnum | text::CharClass("-._~");  // RFC 3986 §2.3
constexpr text::CharClass is_printable = text::is_vchar | text::CharClass(" ");

// "%{" macro-letter transformers *delimiter "}"
struct Macro {
  char letter = '\0';     // In lower case.
  bool escaped = false;   // It was in upper case.
  std::size_t parts = 0;  // How many parts from the right; 0 for all.
  bool reversed = false;
  std::string_view delimiters;  // None means ".".

  [[nodiscard]] bool transforms() const { return parts != 0 || reversed || !delimiters.empty(); }
};

// What a macro-string is made of: octets that stand for themselves, or a macro.
struct Piece {
  std::string_view literal;
  std::optional<Macro> macro;
  bool is_expand = true;  // Grammar calls "%%", "%_" and "%-" macro-expand, too.
};

// The count of a transformer. More parts than any name has labels is as good as all.
std::size_t number_of(std::string_view digits) {
  constexpr std::size_t enough = 1'000'000;
  std::size_t number = 0;
  for (const char digit : digits)
    number = std::min(enough, number * 10 + static_cast<std::size_t>(digit - '0'));
  return number;
}

Macro read_macro(MacroCursor& cursor) {
  Macro macro;
  const char letter = cursor.peek().value_or('\0');
  macro.letter = text::to_lower(letter);
  macro.escaped = letter != macro.letter;
  if (!is_macro_letter(macro.letter)) cursor.fail(Code::bad_letter);
  cursor.take();

  const std::size_t digits_at = cursor.offset();
  const std::string_view digits = cursor.take_while(text::is_digit);
  macro.parts = number_of(digits);
  if (!digits.empty() && macro.parts == 0) cursor.fail(Code::zero_parts, digits_at);
  macro.reversed = cursor.accept_ignoring_case("r");
  macro.delimiters = cursor.take_while(is_delimiter);
  cursor.expect('}', Code::unfinished);
  return macro;
}

// Reads one piece; the cursor is not at its end.
Piece read_piece(MacroCursor& cursor, const text::CharClass& is_literal) {
  const std::size_t begin = cursor.offset();
  if (!cursor.accept('%')) return {cursor.expect_while(is_literal, Code::bad_octet), {}, false};
  if (cursor.accept('%')) return {.literal = "%"};
  if (cursor.accept('_')) return {.literal = " "};
  if (cursor.accept('-')) return {.literal = "%20"};
  if (!cursor.accept('{')) cursor.fail(Code::bad_percent, begin);
  return {.macro = read_macro(cursor)};
}

// toplabel = ( *alphanum ALPHA *alphanum ) / ( 1*alphanum "-" *( alphanum / "-" ) alphanum )
bool is_toplabel(std::string_view label) {
  return !label.empty() && text::is_let_dig_hyphen.all_of(label) && label.front() != '-' &&
         label.back() != '-' && !text::is_digit.all_of(label);
}

bool ends_in_toplabel(std::string_view text) {
  if (text.ends_with('.')) text.remove_suffix(1);
  const std::size_t dot = text.rfind('.');
  return dot != std::string_view::npos && is_toplabel(text.substr(dot + 1));
}

std::string value_of(char letter, const MacroValues& values) {
  switch (letter) {
    case 's':
      return (std::string(values.local_part) += '@') += values.sender_domain;
    case 'l':
      return std::string(values.local_part);
    case 'o':
      return std::string(values.sender_domain);
    case 'd':
      return std::string(values.domain);
    case 'i':
      return dotted(values.client_ip);
    case 'p':
      return std::string(values.client_name);
    case 'v':
      return values.client_ip.is_v4() ? "in-addr" : "ip6";
    case 'h':
      return std::string(values.helo);
    case 'c':
      return values.client_ip.to_string();
    case 'r':
      return std::string(values.receiver);
    case 't':
      return std::to_string(values.now.time_since_epoch().count());
    default:
      COUNTERSIGN_ASSERT(false && "the text was not checked");
  }
}

// Splits at the delimiters, reverses, keeps the parts on the right, joins with dots.
std::string transform(const std::string& value, const Macro& macro) {
  const text::CharClass is_split(macro.delimiters.empty() ? "." : macro.delimiters);
  std::vector<std::string_view> parts;
  text::Scanner scanner(value);
  do parts.push_back(scanner.take_until(is_split));
  while (scanner.take());
  if (macro.reversed) std::ranges::reverse(parts);
  const std::size_t kept = macro.parts == 0 ? parts.size() : std::min(macro.parts, parts.size());

  std::string joined;
  joined.reserve(value.size());
  for (std::size_t i = parts.size() - kept; i < parts.size(); ++i) {
    joined += parts[i];
    if (i + 1 < parts.size()) joined += '.';
  }
  return joined;
}

constexpr char hex_digit(unsigned value, std::string_view digits) { return digits[value & 0xFU]; }

void append_url_escaped(std::string& out, std::string_view value) {
  constexpr std::string_view digits = "0123456789ABCDEF";  // RFC 3986 §2.1
  for (const char c : value) {
    if (is_unreserved(c)) {
      out += c;
      continue;
    }
    const auto octet = static_cast<unsigned char>(c);
    out += {'%', hex_digit(octet >> 4U, digits), hex_digit(octet, digits)};
  }
}

void append_expansion(std::string& out, const Macro& macro, const MacroValues& values) {
  std::string value = value_of(macro.letter, values);
  if (macro.transforms()) value = transform(value, macro);
  if (macro.escaped)
    append_url_escaped(out, value);
  else
    out += value;
}

bool is_label(std::string_view label) {
  return !label.empty() && label.size() <= label_octets_max && is_printable.all_of(label);
}

bool is_name(std::string_view name) {
  for (;;) {
    const std::size_t dot = name.find('.');
    if (!is_label(name.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    name.remove_prefix(dot + 1);
  }
}

}  // namespace

std::string_view to_string(MacroErrorCode code) {
  switch (code) {
    case Code::bad_percent:
      return "\"%\" must begin a macro as %{d}, or be written %% (RFC 7208 §7.1)";
    case Code::bad_letter:
      return "no macro has this letter; known are s l o d i p v h c r t (RFC 7208 §7.2)";
    case Code::explanation_only:
      return "%{c}, %{r} and %{t} may stand in explanations only (RFC 7208 §7.2)";
    case Code::zero_parts:
      return "the number of parts that a macro keeps must not be 0 (RFC 7208 §7.3)";
    case Code::unfinished:
      return "in a macro only digits, \"r\" and delimiters may stand before \"}\" (RFC 7208 §7.1)";
    case Code::bad_octet:
      return "only visible ASCII may stand here (RFC 7208 §7.1)";
    case Code::no_domain:
      return "a domain is missing here (RFC 7208 §7.1)";
    case Code::bad_end_of_domain:
      return "a domain must end in a dot and a label as \".com\", or in a macro (RFC 7208 §7.1)";
  }
  return "unknown error";
}

countersign::Result<void, MacroError> check_macro_string(std::string_view text, MacroPlace place) {
  const text::CharClass& is_literal =
      place == MacroPlace::explanation ? is_explanation_literal : is_macro_literal;
  MacroCursor cursor(text);
  while (!cursor.at_end()) {
    const std::size_t begin = cursor.offset();
    const Piece piece = read_piece(cursor, is_literal);
    if (place == MacroPlace::domain_spec && piece.macro &&
        is_explanation_letter(piece.macro->letter))
      cursor.fail(Code::explanation_only, begin);
  }
  if (cursor.failed()) return std::unexpected(cursor.error());
  return {};
}

countersign::Result<void, MacroError> check_domain_spec(std::string_view text) {
  if (text.empty()) return std::unexpected(MacroError{Code::no_domain, 0});
  if (const auto checked = check_macro_string(text, MacroPlace::domain_spec); !checked)
    return checked;
  MacroCursor cursor(text);
  Piece last;
  std::size_t begin = 0;
  while (!cursor.at_end()) {
    begin = cursor.offset();
    last = read_piece(cursor, is_macro_literal);
  }
  if (!last.is_expand && !ends_in_toplabel(text))
    return std::unexpected(MacroError{Code::bad_end_of_domain, begin});
  return {};
}

bool uses_macro(std::string_view text, std::string_view letters) {
  MacroCursor cursor(text);
  while (!cursor.at_end()) {
    const Piece piece = read_piece(cursor, is_explanation_literal);
    if (piece.macro && letters.contains(piece.macro->letter)) return true;
  }
  return false;
}

std::optional<std::string> expand_macros(std::string_view text, const MacroValues& values,
                                         std::size_t bytes_max) {
  std::string expanded;
  MacroCursor cursor(text);
  while (!cursor.at_end()) {
    const Piece piece = read_piece(cursor, is_explanation_literal);
    expanded += piece.literal;
    if (piece.macro) append_expansion(expanded, *piece.macro, values);
    if (expanded.size() > bytes_max) return std::nullopt;
  }
  COUNTERSIGN_ASSERT(!cursor.failed());
  return expanded;
}

std::optional<std::string> query_name(std::string_view expanded) {
  if (expanded.ends_with('.')) expanded.remove_suffix(1);
  while (expanded.size() > name_octets_max) {
    const std::size_t dot = expanded.find('.');
    if (dot == std::string_view::npos) return std::nullopt;
    expanded.remove_prefix(dot + 1);
  }
  return is_name(expanded) ? std::optional(text::to_lower(expanded)) : std::nullopt;
}

std::string dotted(const IpAddress& address) {
  if (address.is_v4()) return address.to_string();
  constexpr std::string_view digits = "0123456789abcdef";
  std::string labels;
  labels.reserve(address.octets().size() * 4);
  for (const std::uint8_t octet : address.octets()) {
    if (!labels.empty()) labels += '.';
    labels += {hex_digit(octet >> 4U, digits), '.', hex_digit(octet, digits)};
  }
  return labels;
}

}  // namespace countersign::spf
