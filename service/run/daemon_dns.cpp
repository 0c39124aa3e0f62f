// SPDX-License-Identifier: Apache-2.0

#include "service/run/daemon_dns.hpp"

#include <utility>

#include "service/dns/unbound.hpp"
#include "service/dns/zone_file.hpp"
#include "service/dns/zone_resolver.hpp"

namespace countersign::service {
DaemonDns::DaemonDns(const config::DnsSettings& settings, MeteredResolver::Observer observer) {
  if (!settings.zone_file.empty()) {
    front_ = std::make_unique<ZoneResolver>(read_zone_file(settings.zone_file));
    return;
  }
  behind_ = std::make_unique<UnboundResolver>(
      UnboundOptions{.nameservers = settings.nameservers,
                     .trust_anchor_file = settings.trust_anchor_file,
                     .configuration_file = settings.resolver_file});
  if (observer) metered_ = std::make_unique<MeteredResolver>(*behind_, std::move(observer));
  auto cache = std::make_unique<CachingResolver>(metered_ ? *metered_ : *behind_, CacheOptions{});
  cache_ = cache.get();
  front_ = std::move(cache);
}

std::optional<CacheCounts> DaemonDns::cache_counts() const {
  if (cache_ == nullptr) return std::nullopt;
  return cache_->counts();
}

DaemonDns::~DaemonDns() = default;

}  // namespace countersign::service
