// SPDX-License-Identifier: Apache-2.0
//
// Reads the input as a zone file of either form and asks the zone; an answer must keep what
// question.hpp promises.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "countersign/assert.hpp"
#include "countersign/dns/zone.hpp"

namespace {

using countersign::dns::Answer;
using countersign::dns::AnswerStatus;
using countersign::dns::RecordType;
using countersign::dns::Zone;

void ask(const Zone& zone, std::string_view name, RecordType type) {
  const Answer answer = zone.answer({std::string(name), type});
  COUNTERSIGN_ASSERT((answer.status == AnswerStatus::records) == !answer.records.empty());
  COUNTERSIGN_ASSERT(answer.ttl >= std::chrono::seconds{0});
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  countersign::Limits limits;
  limits.zone_records_max = 1'000;
  const auto zone = Zone::parse(text, limits, "example");
  if (!zone) {
    COUNTERSIGN_ASSERT(!zone.error().message.empty());
    return 0;
  }
  for (const std::string_view name : {"", ".", "example", "a.example", "b.a.example", "a..example"})
    for (const RecordType type : {RecordType::txt, RecordType::a, RecordType::cname})
      ask(*zone, name, type);
  return 0;
}
