// SPDX-License-Identifier: Apache-2.0
//
// A zone file in the place of DNS: for demonstrations, and for tests of what asks.

#pragma once

#include <memory>

#include "countersign/dns/zone.hpp"
#include "service/dns/resolver.hpp"

namespace countersign::service {

/// Answers from a zone in memory, at once.
class ZoneResolver final : public Resolver {
 public:
  /// Answers from that zone, and knows nothing outside of it.
  explicit ZoneResolver(dns::Zone zone);

  [[nodiscard]] boost::asio::awaitable<dns::Answer> lookup(
      dns::Question question, std::chrono::steady_clock::duration deadline) override;

 private:
  std::shared_ptr<const dns::Zone> zone_;
};

}  // namespace countersign::service
