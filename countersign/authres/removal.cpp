// SPDX-License-Identifier: Apache-2.0
//
// Reads the authserv-id of a field in every way that comes to mind.

#include "countersign/authres/removal.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "countersign/domain/name.hpp"
#include "countersign/text/abnf.hpp"
#include "countersign/text/cfws.hpp"

namespace countersign::authres {

namespace {

constexpr text::CharClass is_id_octet = text::is_let_dig_hyphen | text::CharClass("._");
constexpr text::CharClass ends_id = text::is_fws | text::CharClass(";(");
// What stands for itself in front of the first semicolon.
constexpr text::CharClass is_plain = text::is_vchar - text::CharClass("\"\\(;");

std::string_view without_dots_behind(std::string_view text) {
  while (text.ends_with('.')) text.remove_suffix(1);
  return text;
}

// The form in which ids are compared: as domain names where they are that.
std::string comparable(std::string_view id) {
  const std::string_view bare = without_dots_behind(id);
  const auto name = DomainName::parse(bare);
  return name ? name->text() : text::to_lower(bare);
}

// Only the octets of that class, in lower case, whatever stood in between.
std::string squeeze(std::string_view text, const text::CharClass& wanted) {
  std::string result;
  for (const char c : text)
    if (wanted(c)) result += text::to_lower(c);
  return result;
}

// True when the id is somewhere in the text, with A-labels or U-labels; dots do not count, as some
// readers make them of other code points.
bool is_anywhere(std::string_view text, std::string_view id) {
  const auto name = DomainName::parse(id);
  const std::string all = squeeze(text, text::is_alnum);
  const auto has = [&all](std::string_view form) {
    const std::string letters = squeeze(form, text::is_alnum);
    return !letters.empty() && all.contains(letters);
  };
  return has(id) || (name && has(name->display()));
}

// The first word, unquoted, as the grammar has it.
std::string first_word(std::string_view value, const Limits& limits) {
  text::Scanner scanner(value);
  if (!text::skip_cfws(scanner, limits)) return {};
  if (scanner.at('"')) return text::read_quoted_string(scanner).value_or("");
  return std::string(scanner.take_until(ends_id));
}

// The name at the start of a word: "mx.example.org" of "mx.example.org:".
std::string_view name_in(std::string_view word) {
  return text::Scanner(word).take_while(is_id_octet);
}

// All in front of the first semicolon, without comments and quotes. Nothing when that has something
// in it that readers take in different ways.
std::optional<std::string> first_part(std::string_view value, const Limits& limits) {
  text::Scanner scanner(value);
  std::string part;
  while (!scanner.at_end() && !scanner.at(';')) {
    if (scanner.at('(')) {
      if (!text::skip_comment(scanner, limits)) return std::nullopt;
    } else if (scanner.at('"')) {
      const std::optional<std::string> quoted = text::read_quoted_string(scanner);
      if (!quoted) return std::nullopt;
      part += *quoted;
    } else if (const std::string_view plain = scanner.take_while(is_plain); !plain.empty()) {
      part += plain;
    } else if (!scanner.skip_fws()) {
      return std::nullopt;
    }
  }
  return part;
}

// What stands in front of the first "/": some write the queue id behind their id.
std::string_view without_job(std::string_view text) { return text.substr(0, text.find('/')); }

// True when the text is the id, or the id and a version.
bool is_id_with_version(std::string_view text, std::string_view id) {
  return !id.empty() && text.starts_with(id) && text::is_digit.all_of(text.substr(id.size()));
}

}  // namespace

bool claims_authserv_id(std::string_view field_value, std::string_view authserv_id,
                        const Limits& limits) {
  const std::string ours = comparable(authserv_id);
  if (ours.empty()) return false;
  const std::string word = first_word(field_value, limits);
  for (const std::string_view reading : {std::string_view(word), without_job(word), name_in(word)})
    if (comparable(reading) == ours) return true;
  const std::optional<std::string> part = first_part(field_value, limits);
  if (!part) return is_anywhere(field_value, ours);
  // No id has an encoded word, which may decode to any.
  if (part->contains("=?")) return true;
  const std::string id = squeeze(ours, is_id_octet);
  return std::ranges::any_of(std::array{std::string_view(*part), without_job(*part)},
                             [&id](std::string_view text) {
                               const std::string squeezed = squeeze(text, is_id_octet);
                               return is_id_with_version(without_dots_behind(squeezed), id);
                             });
}

std::vector<std::size_t> fields_to_remove(const Header& header,
                                          const std::vector<std::string>& our_ids,
                                          const Limits& limits) {
  std::vector<std::size_t> numbers;
  std::size_t number = 0;
  for (const HeaderField& field : header) {
    if (!field.is("Authentication-Results")) continue;
    ++number;
    const bool is_claimed = std::ranges::any_of(our_ids, [&](const std::string& id) {
      return claims_authserv_id(field.value(), id, limits);
    });
    if (is_claimed) numbers.push_back(number);
  }
  std::ranges::reverse(numbers);
  return numbers;
}

}  // namespace countersign::authres
