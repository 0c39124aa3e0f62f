// SPDX-License-Identifier: Apache-2.0
//
// Any octets as the configurations of other programs, read up to the policy. The first octet says
// which program the file /conf is of; a line "@file NAME" begins another file, and those that are
// named after a program are read together with it.

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string_view>

#include "countersign/assert.hpp"
#include "service/config/snapshot.hpp"
#include "tests/support/memory_files.hpp"

using namespace countersign;
using namespace countersign::service;
using config::Form;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr Form forms[] = {Form::any,     Form::opendkim,    Form::opendmarc,
                            Form::openarc, Form::policyd_spf, Form::dkimpy};
  constexpr const char* others[] = {"/opendkim.conf", "/opendmarc.conf", "/openarc.conf",
                                    "/policyd-spf.conf", "/dkimpy-milter.conf"};
  if (size == 0) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data + 1), size - 1);
  const test::MemoryFiles files = test::MemoryFiles::cut("/conf", input);
  const test::MemoryAccounts accounts;
  config::Source source{forms[data[0] % std::size(forms)], "/conf", {}};
  for (const char* other : others) {
    if (files.read(other)) source.others.push_back({Form::any, other});
  }
  const config::Snapshot snapshot = config::load(source, {files, accounts, "host.example"});
  const bool fatal = worst(snapshot.problems) == config::Severity::fatal;
  COUNTERSIGN_ASSERT(fatal == (snapshot.policy == nullptr));
  COUNTERSIGN_ASSERT(snapshot.problems.size() <= config::problems_max + 1);
  for (const config::Problem& problem : snapshot.problems) {
    COUNTERSIGN_ASSERT(!problem.message.empty());
  }
  return 0;
}
