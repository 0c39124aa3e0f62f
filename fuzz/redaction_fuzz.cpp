// SPDX-License-Identifier: Apache-2.0
//
// Any octets as each kind of field that failure reports show: what is left has one digest before
// each "@" and nothing else of a local part, and is one field whatever the octets were.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "countersign/assert.hpp"
#include "countersign/report/redaction.hpp"
#include "countersign/text/abnf.hpp"

namespace {

using namespace countersign;

constexpr std::array<std::string_view, 9> names = {
    "Received",    "DKIM-Signature", "ARC-Seal", "ARC-Message-Signature", "From", "Message-ID",
    "Return-Path", "List-Id",        "Date"};

/// What stands before an "@" is empty or a digest.
void check_local_part(std::string_view text) {
  std::size_t begin = text.size();
  while (begin > 0 && text::is_dot_atom(text[begin - 1]) && text[begin - 1] != '=') --begin;
  const std::string_view local_part = text.substr(begin);
  COUNTERSIGN_ASSERT(local_part.empty() ||
                     (local_part.size() == 20 && text::is_hex_digit.all_of(local_part)));
}

void check(std::string_view field, std::string_view name) {
  if (field.empty()) return;
  COUNTERSIGN_ASSERT(field.starts_with(name) && field.ends_with("\r\n"));
  field.remove_suffix(2);
  for (std::size_t i = 0; i < field.size(); ++i) {
    if (field[i] == '@') check_local_part(field.substr(0, i));
    if (field[i] == '\r') COUNTERSIGN_ASSERT(field.substr(i + 1).starts_with('\n'));
    if (field[i] != '\n') continue;
    COUNTERSIGN_ASSERT(i > 0 && field[i - 1] == '\r');
    COUNTERSIGN_ASSERT(i + 1 < field.size() && text::is_wsp(field[i + 1]));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string octets(data, data + size);
  const report::Redactor redactor("key");
  for (const std::string_view name : names)
    check(redactor.header({HeaderField::from_parts(name, octets)}, Limits{}), name);
  const std::string address = redactor.address(octets);
  check_local_part(std::string_view(address).substr(0, address.find('@')));
  return 0;
}
