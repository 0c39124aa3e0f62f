// SPDX-License-Identifier: Apache-2.0
//
// Any octets as a message, cut whole and in chunks that the input chooses: both ways must give the
// same, within the limits. The first octet sets the chunk sizes, the second the limits.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "countersign/assert.hpp"
#include "countersign/message/splitter.hpp"

namespace {

using namespace countersign;

struct Run {
  bool good = false;
  Header header;
  std::string body;
  SplitError error;
  std::optional<SplitError> stray_line;

  friend bool operator==(const Run&, const Run&) = default;
};

Run run(std::string_view message, std::size_t chunk_size, const Limits& limits) {
  Run result;
  Splitter splitter(limits, [&result](std::string_view chunk) { result.body += chunk; });
  for (std::size_t i = 0; i < message.size(); i += chunk_size)
    splitter.feed(message.substr(i, chunk_size));
  result.good = splitter.finish();
  result.error = splitter.error();
  result.stray_line = splitter.stray_line();
  result.header = splitter.take_header();
  return result;
}

void check_bounds(const Run& result, const Limits& limits) {
  COUNTERSIGN_ASSERT(result.header.size() <= limits.header_fields_max);
  std::size_t header_bytes = 0;
  for (const HeaderField& field : result.header) {
    COUNTERSIGN_ASSERT(field.raw().size() <= limits.field_bytes_max);
    COUNTERSIGN_ASSERT(!field.raw().empty());
    header_bytes += field.raw().size() + 2;
  }
  COUNTERSIGN_ASSERT(header_bytes <= limits.header_bytes_max);
}

// What was cut and is put together again is cut in the same way.
void check_round_trip(const Run& result, const Limits& limits) {
  std::string message;
  for (const HeaderField& field : result.header) message.append(field.raw()).append("\r\n");
  message.append("\r\n").append(result.body);
  if (message.starts_with("From ") || message.find("\r\n") + 1 != message.find('\n')) return;
  const Run again = run(message, message.size(), limits);
  COUNTERSIGN_ASSERT(again.good);
  COUNTERSIGN_ASSERT(again.header == result.header);
  COUNTERSIGN_ASSERT(again.body == result.body);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string octets(data, data + size);
  const std::string_view message = std::string_view(octets).substr(2);
  const std::size_t chunk_size = 1U + data[0] % 64U;
  Limits limits;
  if (data[1] % 2U == 1) {
    limits.header_bytes_max = 64U + data[1];
    limits.field_bytes_max = 32U + data[1] / 2U;
    limits.header_fields_max = 1U + data[1] % 8U;
  }
  const Run whole = run(message, message.size() + 1, limits);
  COUNTERSIGN_ASSERT(run(message, chunk_size, limits) == whole);
  check_bounds(whole, limits);
  if (whole.good) check_round_trip(whole, limits);
  return 0;
}
