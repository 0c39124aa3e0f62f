// SPDX-License-Identifier: Apache-2.0
//
// A macro-string and, behind a line end, what %{l} and %{h} stand for. A text that was checked
// expands within its bound, and what comes of it is a name of DNS or none.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "countersign/assert.hpp"
#include "countersign/spf/macro.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace countersign;
  using namespace countersign::spf;
  constexpr std::size_t bytes_max = 8'192;
  const std::string octets(data, data + size);
  const std::size_t end = std::min(octets.find('\n'), octets.size());
  const std::string text = octets.substr(0, end);
  const std::string said = octets.substr(std::min(end + 1, octets.size()));

  const bool is_domain_spec = check_domain_spec(text).has_value();
  const bool is_explanation = check_macro_string(text, MacroPlace::explanation).has_value();
  COUNTERSIGN_ASSERT(!is_domain_spec || is_explanation);
  if (!is_explanation) return 0;
  MacroValues values{.local_part = said,
                     .sender_domain = "example.com",
                     .domain = "example.net",
                     .client_name = "unknown",
                     .helo = said,
                     .receiver = "mx.example.org"};
  const auto expanded = expand_macros(text, values, bytes_max);
  if (!expanded) return 0;
  COUNTERSIGN_ASSERT(expanded->size() <= bytes_max);
  const auto name = query_name(*expanded);
  if (!name) return 0;
  COUNTERSIGN_ASSERT(!name->empty() && name->size() <= 253);
  COUNTERSIGN_ASSERT(query_name(*name) == name);
  return 0;
}
