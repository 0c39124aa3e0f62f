// SPDX-License-Identifier: Apache-2.0
//
// The shortest resolver there is.

#include "service/dns/zone_resolver.hpp"

#include <utility>

namespace countersign::service {
namespace {

boost::asio::awaitable<dns::Answer> look_up(std::shared_ptr<const dns::Zone> zone,
                                            dns::Question question) {
  co_return zone->answer(question);
}

}  // namespace

ZoneResolver::ZoneResolver(dns::Zone zone)
    : zone_(std::make_shared<const dns::Zone>(std::move(zone))) {}

boost::asio::awaitable<dns::Answer> ZoneResolver::lookup(
    dns::Question question, std::chrono::steady_clock::duration /*deadline*/) {
  return look_up(zone_, std::move(question));
}

}  // namespace countersign::service
