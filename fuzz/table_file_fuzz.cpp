// SPDX-License-Identifier: Apache-2.0
//
// Any octets as a KeyTable, a SigningTable of either kind and a host list. What was read is asked
// about a few addresses; lines that are kept must name a key.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "countersign/assert.hpp"
#include "service/config/lists.hpp"
#include "service/config/tables.hpp"
#include "tests/support/memory_files.hpp"

using namespace countersign;
using namespace countersign::service;

namespace {

void ask(const config::Tables& tables) {
  for (const char* domain : {"example.org", "a.b.example.org", "xn--mller-kva.example"}) {
    const auto name = DomainName::parse(domain);
    const auto all = tables.lines.match("joe", *name, false);
    const auto first = tables.lines.match("joe", *name, true);
    COUNTERSIGN_ASSERT(first.size() == (all.empty() ? 0u : 1u));
    COUNTERSIGN_ASSERT(all.empty() || all.front() == first.front());
  }
  for (const auto& line : tables.lines.entries()) {
    COUNTERSIGN_ASSERT(!line.key_name.empty());
    COUNTERSIGN_ASSERT(line.place.line > 0);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const test::MemoryFiles files = test::MemoryFiles::cut("/table", input);
  const test::MemoryAccounts accounts;
  for (const std::string source : {"file:/table", "refile:/table"}) {
    config::Problems problems;
    config::SigningSettings settings;
    settings.key_table.source = source;
    settings.signing_table.source = source;
    config::KeyStore store({.user = accounts.current()}, files, accounts, problems);
    ask(read_tables(settings, files, store, problems));
    const auto hosts = read_host_list(settings.key_table, files, problems);
    (void)hosts.match("mail.example.org", IpAddress::parse("192.0.2.1"));
    (void)read_recipients(settings.key_table, files, problems);
    (void)read_macros(settings.key_table, files, problems);
    COUNTERSIGN_ASSERT(problems.all().size() <= config::problems_max);
  }
  return 0;
}
