// SPDX-License-Identifier: Apache-2.0
//
// Any octets as a DMARC record. What is read must be bounded, and what is wrong must have a place
// in the text.

#include <cstddef>
#include <cstdint>
#include <string>

#include "countersign/assert.hpp"
#include "countersign/dmarc/record.hpp"
#include "countersign/text/abnf.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace countersign;
  using namespace countersign::dmarc;
  const std::string text(data, data + size);
  const Limits limits;
  const auto record = parse_record(text, limits);
  if (!record) {
    COUNTERSIGN_ASSERT(record.error().offset <= size);
    return 0;
  }
  for (const RecordProblem& problem : record->problems) {
    COUNTERSIGN_ASSERT(problem.offset <= size);
    COUNTERSIGN_ASSERT(text::is_alpha.all_of(problem.tag));
  }
  for (const auto* uris : {&record->rua, &record->ruf}) {
    COUNTERSIGN_ASSERT(uris->size() <= limits.report_uris_max);
    for (const std::string& uri : *uris) COUNTERSIGN_ASSERT(text::is_vchar.all_of(uri));
  }
  if (!record->is_usable()) COUNTERSIGN_ASSERT(record->rua.empty());
  if (record->has_bad_policy())
    COUNTERSIGN_ASSERT(policy_for_nonexistent(*record) == AssessmentPolicy::none);

  // Tags that nobody reads change nothing that is read.
  auto longer = parse_record(text + ";zzz=1", limits);
  if (!longer) return 0;
  longer->problems = record->problems;
  COUNTERSIGN_ASSERT(*longer == *record);
  return 0;
}
