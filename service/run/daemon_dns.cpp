// SPDX-License-Identifier: Apache-2.0

#include "service/run/daemon_dns.hpp"

#include <sysexits.h>

#include <fstream>
#include <iterator>
#include <string>
#include <utility>

#include "countersign/dns/zone.hpp"
#include "service/dns/cache.hpp"
#include "service/dns/unbound.hpp"
#include "service/dns/zone_resolver.hpp"
#include "service/run/start_error.hpp"

namespace countersign::service {
namespace {

dns::Zone read_zone(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  if (!file) throw StartError("cannot read the zone file " + path, EX_NOINPUT);
  Result<dns::Zone, dns::ZoneError> zone = dns::Zone::parse(text, Limits());
  if (!zone)
    throw StartError(path + ":" + std::to_string(zone.error().line) + ": " + zone.error().message,
                     EX_DATAERR);
  return *std::move(zone);
}

}  // namespace

DaemonDns::DaemonDns(const config::DnsSettings& settings) {
  if (!settings.zone_file.empty()) {
    front_ = std::make_unique<ZoneResolver>(read_zone(settings.zone_file));
    return;
  }
  behind_ = std::make_unique<UnboundResolver>(
      UnboundOptions{.nameservers = settings.nameservers,
                     .trust_anchor_file = settings.trust_anchor_file,
                     .configuration_file = settings.resolver_file});
  front_ = std::make_unique<CachingResolver>(*behind_, CacheOptions{});
}

DaemonDns::~DaemonDns() = default;

}  // namespace countersign::service
