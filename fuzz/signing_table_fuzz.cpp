// SPDX-License-Identifier: Apache-2.0
//
// The first line is an address, the others are lines of a table, keyed or of patterns by the first
// octet of the input. The first match is the first of all matches, a table of patterns answers in
// the order of its lines, and both kinds agree on lines without wildcards.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "countersign/assert.hpp"
#include "countersign/mailflow/signing_table.hpp"

namespace {

using namespace countersign;
using namespace countersign::mailflow;
using Kind = SigningTable::Kind;

std::string_view take_line(std::string_view& input) {
  const std::size_t length = std::min(input.find('\n'), input.size());
  const std::string_view line = input.substr(0, length);
  input.remove_prefix(std::min(length + 1, input.size()));
  return line;
}

void check(const SigningTable& table, Kind kind, std::string_view local_part,
           const DomainName& domain) {
  const auto all = table.match(local_part, domain, false);
  const auto first = table.match(local_part, domain, true);
  COUNTERSIGN_ASSERT(first.empty() == all.empty());
  COUNTERSIGN_ASSERT(first.empty() || (first.size() == 1 && first[0] == all[0]));
  if (kind == Kind::patterns) COUNTERSIGN_ASSERT(std::ranges::is_sorted(all));
  for (const SigningEntry* entry : all) COUNTERSIGN_ASSERT(!entry->key_name.empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t size_max = 4'096;  // Long tables of slow expressions teach nothing.
  if (size == 0 || size > size_max) return 0;
  const Kind kind = (data[0] & 1) != 0 ? Kind::patterns : Kind::keys;
  const std::string text(data + 1, data + size);
  std::string_view input = text;

  const std::string_view address = take_line(input);
  const std::size_t at = address.rfind('@');
  if (at == std::string_view::npos) return 0;
  const auto domain = DomainName::parse(address.substr(at + 1));
  if (!domain) return 0;

  SigningTable table(kind);
  SigningTable exact(kind == Kind::keys ? Kind::patterns : Kind::keys);
  bool is_plain = true;
  while (!input.empty()) {
    const std::string pattern(take_line(input));
    const std::size_t before = table.entries().size();
    const bool is_refused = table.add({.pattern = pattern, .key_name = "key"}).has_value();
    COUNTERSIGN_ASSERT(table.entries().size() == before + (is_refused ? 0 : 1));
    is_plain = is_plain && pattern.find_first_of("*[](){}^$|?\\") == std::string::npos;
    if (is_plain)
      COUNTERSIGN_ASSERT(exact.add({.pattern = pattern, .key_name = "key"}) == std::nullopt ||
                         is_refused);
  }
  check(table, kind, address.substr(0, at), *domain);
  if (is_plain)
    COUNTERSIGN_ASSERT(table.match(address.substr(0, at), *domain, false).size() ==
                       exact.match(address.substr(0, at), *domain, false).size());
  return 0;
}
