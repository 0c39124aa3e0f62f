// SPDX-License-Identifier: Apache-2.0
//
// Any octets as a segment of the spool, and as what a record holds: what can be read is written
// again as the same octets, and what it means is a message's row.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "countersign/assert.hpp"
#include "service/store/spool.hpp"

using namespace countersign;
using namespace countersign::service;

namespace {

void read_counts(std::string_view octets) {
  const auto counts = store::decode_counts(octets);
  if (!counts) return;
  const std::string written = store::encode_counts(*counts);
  COUNTERSIGN_ASSERT(store::decode_counts(written) == counts);
  for (const auto& [key, messages] : *counts) {
    const auto evaluation = store::evaluation_of(key);
    COUNTERSIGN_ASSERT(evaluation);
    COUNTERSIGN_ASSERT(store::row_key(*evaluation, key.day) == key);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view input(reinterpret_cast<const char*>(data), size);
  read_counts(input);  // The digest of a record is too much for a fuzzer to find.
  if (!store::segment_name(input)) return 0;
  std::uint64_t offset = store::segment_head_octets;
  while (const auto record = store::parse_record(input.substr(offset), offset)) {
    COUNTERSIGN_ASSERT(record->end > offset && record->end <= input.size());
    COUNTERSIGN_ASSERT(store::format_record(record->payload) ==
                       input.substr(offset, record->end - offset));
    read_counts(record->payload);
    offset = record->end;
  }
  return 0;
}
