// SPDX-License-Identifier: Apache-2.0
//
// Any octets as an archive: never more comes out than the limits allow, and what we pack ourselves
// unpacks to itself.

#include <cstddef>
#include <cstdint>
#include <string>

#include "countersign/assert.hpp"
#include "countersign/encoding/archive.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace countersign;
  using namespace countersign::encoding;
  const std::string octets(data, data + size);
  Limits limits;
  limits.report_bytes_max = 1'048'576;  // So that a bomb costs a fuzzer little.
  std::size_t taken = 0;
  std::size_t entries = 0;
  const auto unpacked = unpack(octets, limits, [&](std::size_t entry, std::string_view block) {
    COUNTERSIGN_ASSERT(entry + 1 >= entries);
    entries = entry + 1;
    taken += block.size();
    return true;
  });
  COUNTERSIGN_ASSERT(taken <= limits.report_bytes_max);
  COUNTERSIGN_ASSERT(entries <= limits.archive_entries_max);
  if (unpacked) {
    COUNTERSIGN_ASSERT(unpacked->entries <= limits.archive_entries_max);
    COUNTERSIGN_ASSERT(unpacked->layers.size() <= limits.archive_layers_max + 1);
  }
  if (octets.empty()) return 0;
  // What looks like gzip itself would be unpacked too.
  if (octets.starts_with("\x1F\x8B") || octets.starts_with("PK")) return 0;
  const auto packed = unpack_files(gzip(octets), Limits{});
  COUNTERSIGN_ASSERT(packed && packed->files.size() == 1 && packed->files[0] == octets);
  return 0;
}
