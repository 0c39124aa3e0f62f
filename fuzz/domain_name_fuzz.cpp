// SPDX-License-Identifier: Apache-2.0
//
// Any octets as a domain name. What is accepted is a host name of DNS in its one form, and what
// people are shown for it is the same name again, without anything that could disturb a terminal.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "countersign/assert.hpp"
#include "countersign/domain/name.hpp"
#include "countersign/text/abnf.hpp"
#include "countersign/text/utf8.hpp"

using namespace countersign;

namespace {

constexpr text::CharClass is_name =
    text::CharClass::range('a', 'z') | text::is_digit | text::CharClass("-_.");

bool disturbs(char32_t point) {
  return point < 0x20 || (point >= 0x7F && point < 0xA0) || (point >= 0x202A && point <= 0x202E) ||
         (point >= 0x2066 && point <= 0x2069);
}

void check_display(const DomainName& name) {
  const std::string shown = name.display();
  COUNTERSIGN_ASSERT(text::is_utf8(shown));
  COUNTERSIGN_ASSERT(DomainName::parse(shown) == name);
  std::string_view rest = shown;
  while (const auto point = text::take_code_point(rest)) COUNTERSIGN_ASSERT(!disturbs(*point));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view octets(reinterpret_cast<const char*>(data), size);
  const Result<DomainName, DomainNameError> name = DomainName::parse(octets);
  if (!name) {
    COUNTERSIGN_ASSERT(name.error().offset <= size);
    return 0;
  }
  COUNTERSIGN_ASSERT(!name->text().empty() && name->text().size() <= 253);
  COUNTERSIGN_ASSERT(is_name.all_of(name->text()));
  COUNTERSIGN_ASSERT(DomainName::parse(name->text()) == *name);
  COUNTERSIGN_ASSERT(name->suffix(name->label_count()) == name->text());
  check_display(*name);
  return 0;
}
