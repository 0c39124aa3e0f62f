// SPDX-License-Identifier: Apache-2.0

#include "countersign/authres/payload.hpp"

#include <optional>

#include "countersign/assert.hpp"
#include "countersign/authres/field.hpp"
#include "countersign/text/cfws.hpp"

namespace countersign::authres {

namespace {

// What stands behind the first ";" that is in no comment and no quotes: the results. The value has
// been parsed, so there is one.
std::string_view results_of(std::string_view field_value, const Limits& limits) {
  constexpr text::CharClass is_mark = text::CharClass("\"(;");
  text::Scanner scanner(field_value);
  while (!scanner.at_end() && !scanner.accept(';')) {
    scanner.take_until(is_mark);
    if (scanner.at('"'))
      COUNTERSIGN_ASSERT(text::read_quoted_string(scanner).has_value());
    else if (scanner.at('('))
      COUNTERSIGN_ASSERT(text::skip_comment(scanner, limits));
  }
  constexpr text::CharClass is_filling = text::is_fws | text::CharClass(";");
  return text::trim(scanner.rest(), is_filling);
}

bool is_of(const Field& field, std::string_view authserv_id) {
  return text::equal_ignoring_case(field.authserv_id, authserv_id);
}

}  // namespace

std::string merge_payloads(const Header& header, std::string_view authserv_id,
                           const Limits& limits) {
  COUNTERSIGN_ASSERT(is_authserv_id(authserv_id));
  const bool is_plain_id = text::is_token.all_of(authserv_id);
  std::string payload =
      is_plain_id ? std::string(authserv_id) : text::quote(authserv_id).value_or("");
  bool has_results = false;
  for (const HeaderField& field : header) {
    if (!field.is("Authentication-Results")) continue;
    const auto parsed = parse_field(field.value(), limits);
    if (!parsed || !is_of(*parsed, authserv_id) || parsed->results.empty()) continue;
    (payload += "; ") += results_of(field.value(), limits);
    has_results = true;
  }
  if (!has_results) payload += "; none";
  return payload;
}

}  // namespace countersign::authres
