// SPDX-License-Identifier: Apache-2.0
//
// Any octets as a public suffix list, asked for the names that the first line has, apart by spaces.
// Whatever the list, the organization of a name is that name or one above it, and has itself for
// its organization; and names below an organization have the same.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "countersign/assert.hpp"
#include "countersign/domain/public_suffix.hpp"

using namespace countersign;

namespace {

void check(const PublicSuffixList& list, const DomainName& name) {
  const DomainName org = list.org_domain(name);
  COUNTERSIGN_ASSERT(name.is_at_or_below(org));
  COUNTERSIGN_ASSERT(list.org_domain(name) == org);
  for (std::size_t labels = org.label_count(); labels <= name.label_count(); ++labels) {
    COUNTERSIGN_ASSERT(list.org_domain(name.ancestor(labels)) == org);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string octets(data, data + size);
  std::string_view text = octets;
  std::string_view names = text.substr(0, text.find('\n'));
  text.remove_prefix(std::min(names.size() + 1, text.size()));
  const auto list = PublicSuffixList::parse(text);
  if (!list) return 0;
  COUNTERSIGN_ASSERT(list->rules() > 0);
  while (!names.empty()) {
    const std::string_view one = names.substr(0, names.find(' '));
    names.remove_prefix(std::min(one.size() + 1, names.size()));
    if (const auto name = DomainName::parse(one)) check(*list, *name);
  }
  return 0;
}
