// SPDX-License-Identifier: Apache-2.0
//
// Any octets as opendkim.conf, read up to the policy. A line "@file NAME" in the input begins
// another file, so that included files, tables and keys come from the input too.

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
  const config::Snapshot snapshot = config::load({config::Source::Form::opendkim, "/conf", {}},
                                                 {files, accounts, "host.example"});
  const bool fatal = worst(snapshot.problems) == config::Severity::fatal;
  COUNTERSIGN_ASSERT(fatal == (snapshot.policy == nullptr));
  COUNTERSIGN_ASSERT(snapshot.problems.size() <= config::problems_max + 1);
  for (const config::Problem& problem : snapshot.problems) {
    COUNTERSIGN_ASSERT(!problem.message.empty());
  }
  return 0;
}
