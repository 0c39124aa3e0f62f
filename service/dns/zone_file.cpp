// SPDX-License-Identifier: Apache-2.0

#include "service/dns/zone_file.hpp"

#include <sysexits.h>

#include <fstream>
#include <iterator>
#include <utility>

#include "service/run/start_error.hpp"

namespace countersign::service {

dns::Zone read_zone_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  if (!file) throw StartError("cannot read the zone file " + path, EX_NOINPUT);
  Result<dns::Zone, dns::ZoneError> zone = dns::Zone::parse(text, Limits());
  if (!zone)
    throw StartError(path + ":" + std::to_string(zone.error().line) + ": " + zone.error().message,
                     EX_DATAERR);
  return *std::move(zone);
}

}  // namespace countersign::service
