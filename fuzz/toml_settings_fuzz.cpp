// SPDX-License-Identifier: Apache-2.0
//
// Any octets as countersign.toml, read up to the policy. A line "@file NAME" in the input begins
// another file, so that tables and keys come from the input too.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "countersign/assert.hpp"
#include "service/config/snapshot.hpp"
#include "tests/support/memory_files.hpp"

using namespace countersign;
using namespace countersign::service;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const test::MemoryFiles files = test::MemoryFiles::cut("/conf", input);
  const test::MemoryAccounts accounts;
  const config::Snapshot snapshot = config::load({config::Source::Form::countersign, "/conf", {}},
                                                 {files, accounts, "host.example"});
  const bool fatal = worst(snapshot.problems) == config::Severity::fatal;
  COUNTERSIGN_ASSERT(fatal == (snapshot.policy == nullptr));
  if (snapshot.policy) COUNTERSIGN_ASSERT(!snapshot.policy->signed_octets_max);
  return 0;
}
