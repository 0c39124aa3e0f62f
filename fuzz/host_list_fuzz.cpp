// SPDX-License-Identifier: Apache-2.0
//
// The first line is a host name, the second an address, the others are entries of a list. An
// address that can be read is written and read back equal; a host gets in only by an entry that
// stands in the list, and never by one that is negated.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>

#include "countersign/assert.hpp"
#include "countersign/mailflow/host_list.hpp"

namespace {

using namespace countersign;
using namespace countersign::mailflow;

std::string_view take_line(std::string_view& input) {
  const std::size_t length = std::min(input.find('\n'), input.size());
  const std::string_view line = input.substr(0, length);
  input.remove_prefix(std::min(length + 1, input.size()));
  return line;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(data, data + size);
  std::string_view input = text;
  const std::string_view host = take_line(input);
  const auto address = IpAddress::parse(take_line(input));
  if (address) COUNTERSIGN_ASSERT(IpAddress::parse(address->to_string()) == address);

  HostList list;
  std::set<std::size_t> granting;
  for (std::size_t line = 1; !input.empty(); ++line) {
    const std::string_view entry = take_line(input);
    if (list.add(entry, {"fuzz", line}) == HostList::Added::not_an_entry) continue;
    if (entry.find('!') == std::string_view::npos) granting.insert(line);
    if (const auto network = IpNetwork::parse(entry))
      COUNTERSIGN_ASSERT(network->contains(network->address));
  }
  const auto place = list.match(host, address);
  if (place) COUNTERSIGN_ASSERT(granting.contains(place->line));
  if (place && list.denies(host)) COUNTERSIGN_ASSERT(address);
  if (list.empty()) COUNTERSIGN_ASSERT(!place);
  return 0;
}
