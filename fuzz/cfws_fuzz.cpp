// SPDX-License-Identifier: Apache-2.0
//
// Any octets as a structured field: words and specials with comments between them, read to the
// first fault. Every step must move on, and a word that is quoted again must read back the same.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "countersign/assert.hpp"
#include "countersign/text/cfws.hpp"

using namespace countersign;
using namespace countersign::text;

namespace {

void check_quoting(const std::string& word) {
  const std::optional<std::string> quoted = quote(word);
  COUNTERSIGN_ASSERT(quoted);
  Scanner scanner(*quoted);
  COUNTERSIGN_ASSERT(read_quoted_string(scanner) == word && scanner.at_end());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Scanner scanner({reinterpret_cast<const char*>(data), size});
  const Limits limits;
  while (skip_cfws(scanner, limits) && !scanner.at_end()) {
    const std::size_t begin = scanner.offset();
    const bool is_other_special = scanner.at(is_special) && !scanner.at('"');
    if (is_other_special) {
      scanner.take();
    } else if (const std::optional<std::string> word = read_word(scanner)) {
      check_quoting(*word);
    } else {
      break;
    }
    COUNTERSIGN_ASSERT(scanner.offset() > begin);
  }
  return 0;
}
