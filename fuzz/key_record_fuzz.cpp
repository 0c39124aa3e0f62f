// SPDX-License-Identifier: Apache-2.0
//
// Any octets as a key record, and the same read again without what must not matter.

#include <cstddef>
#include <cstdint>
#include <string>

#include "countersign/assert.hpp"
#include "countersign/dkim/key_record.hpp"
#include "countersign/dkim/quoted_printable.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace countersign;
  using namespace countersign::dkim;
  const std::string text(data, data + size);
  const auto record = parse_key_record(text, Limits{});
  if (!record) {
    COUNTERSIGN_ASSERT(record.error().offset <= size);
  } else {
    COUNTERSIGN_ASSERT(record->key.bits() > 0);
    const auto with_line_end = parse_key_record(text + "\n", Limits{});
    COUNTERSIGN_ASSERT(with_line_end || with_line_end.error().code == KeyRecordErrorCode::too_long);
  }

  const std::string notes = decode_quoted_printable(text);
  COUNTERSIGN_ASSERT(notes.size() <= size);
  COUNTERSIGN_ASSERT(decode_quoted_printable(encode_quoted_printable(text)) == text);
  return 0;
}
