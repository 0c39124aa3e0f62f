// SPDX-License-Identifier: Apache-2.0
//
// base64 both ways: any octets survive encoding and decoding, also with folds in between, and any
// text that decodes does so to what its canonical form says.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "countersign/assert.hpp"
#include "countersign/text/base64.hpp"
#include "countersign/text/fold.hpp"

using namespace countersign;
using namespace countersign::text;

namespace {

void decode(std::string_view text) {
  const Result<std::string, Base64Error> octets = decode_base64(text);
  if (octets) {
    COUNTERSIGN_ASSERT(decode_base64(encode_base64(*octets)) == *octets);
  } else {
    COUNTERSIGN_ASSERT(octets.error().offset <= text.size());
  }
}

void encode(std::string_view octets) {
  const std::string text = encode_base64(octets);
  COUNTERSIGN_ASSERT(decode_base64(text) == octets);
  // An empty name: the folded field is the folded text.
  COUNTERSIGN_ASSERT(decode_base64(FoldedField("").run(text).text()) == octets);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view octets(reinterpret_cast<const char*>(data), size);
  decode(octets);
  encode(octets);
  return 0;
}
