// SPDX-License-Identifier: Apache-2.0
//
// The first line is a login, the second an address, the others are lines of a table of logins. The
// login may use the address only by lines that are about it, all those are about it alike, and
// neither case nor the lines of others change the answer.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "countersign/assert.hpp"
#include "countersign/mailflow/login_table.hpp"
#include "countersign/text/abnf.hpp"

namespace {

using namespace countersign;
using namespace countersign::mailflow;

std::string_view take_line(std::string_view& input) {
  const std::size_t length = std::min(input.find('\n'), input.size());
  const std::string_view line = input.substr(0, length);
  input.remove_prefix(std::min(length + 1, input.size()));
  return line;
}

bool allows(const LoginTable& table, const Login& login, const Mailbox& sender) {
  return std::ranges::any_of(table.find(login),
                             [&](const LoginLine* line) { return line->allows(login, sender); });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t size_max = 8'192;
  if (size > size_max) return 0;
  const std::string text(data, data + size);
  std::string_view input = text;

  const std::string_view login_text = take_line(input);
  const Login login = Login::parse(login_text);
  COUNTERSIGN_ASSERT(login.domain.has_value() == !login.local_part.empty());
  COUNTERSIGN_ASSERT(Login::parse(login.text).text == login.text);
  const std::string_view address = take_line(input);
  const std::size_t at = std::min(address.rfind('@'), address.size());
  const auto domain = DomainName::parse(address.substr(std::min(at + 1, address.size())));
  if (!domain) return 0;
  const Mailbox sender{std::string(address.substr(0, at)), *domain};

  LoginTable table;
  LoginTable alone;  // The lines of the login that counts.
  std::size_t number = 0;
  const std::string_view lines = input;
  while (!input.empty()) {
    const std::string_view line = take_line(input);
    const std::size_t blank = std::min(line.find(' '), line.size());
    static_cast<void>(table.add(line.substr(0, blank), line.substr(blank), {"fuzz", ++number}));
  }
  const auto found = table.find(login);
  COUNTERSIGN_ASSERT(
      std::ranges::is_sorted(found, {}, [](const LoginLine* line) { return line->place.line; }));
  input = lines;
  for (number = 1; !input.empty(); ++number) {
    const std::string_view line = take_line(input);
    const bool counts = std::ranges::any_of(
        found, [number](const LoginLine* one) { return one->place.line == number; });
    const std::size_t blank = std::min(line.find(' '), line.size());
    if (counts)
      static_cast<void>(alone.add(line.substr(0, blank), line.substr(blank), {"fuzz", number}));
  }
  const bool may = allows(table, login, sender);
  COUNTERSIGN_ASSERT(alone.size() == found.size());
  COUNTERSIGN_ASSERT(allows(alone, login, sender) == may);
  const Mailbox lower{text::to_lower(sender.local_part), sender.domain};
  COUNTERSIGN_ASSERT(allows(table, Login::parse(text::to_lower(login_text)), lower) == may);
  for (const LoginLine* line : found) COUNTERSIGN_ASSERT(!line->allows_everything() || may);
  return 0;
}
