// SPDX-License-Identifier: Apache-2.0
//
// Any octets as an SPF record: parse_record() and record_errors() agree, and every part that a
// record names lies in its text.

#include <cstddef>
#include <cstdint>
#include <string>

#include "countersign/assert.hpp"
#include "countersign/spf/record.hpp"

namespace {

using namespace countersign::spf;

void check(Part part, std::size_t size) {
  COUNTERSIGN_ASSERT(part.offset <= size && part.size <= size - part.offset);
}

void check(const Record& record, std::string_view text) {
  for (const Directive& directive : record.directives) {
    check(directive.text, text.size());
    check(directive.domain_spec, text.size());
    COUNTERSIGN_ASSERT(directive.prefix4 <= 32 && directive.prefix6 <= 128);
    const std::string_view spec = directive.domain_spec.in(text);
    COUNTERSIGN_ASSERT(spec.empty() || check_domain_spec(spec));
  }
  for (const auto& modifier : {record.redirect, record.explanation})
    if (modifier) COUNTERSIGN_ASSERT(check_domain_spec(modifier->value.in(text)));
  for (const Modifier& modifier : record.unknown_modifiers) check(modifier.value, text.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const countersign::Limits limits;
  // With the version in front most inputs get as far as their terms.
  const std::string octets(data, data + size);
  for (const std::string& text : {octets, "v=spf1 " + octets}) {
    const auto record = parse_record(text, limits);
    const std::vector<RecordError> errors = record_errors(text, limits);
    COUNTERSIGN_ASSERT(record.has_value() == errors.empty());
    for (const RecordError& error : errors) COUNTERSIGN_ASSERT(error.offset <= text.size());
    if (record) check(*record, text);
  }
  return 0;
}
