// SPDX-License-Identifier: Apache-2.0

#include "service/dns/metered_resolver.hpp"

#include <utility>

namespace countersign::service {

MeteredResolver::MeteredResolver(Resolver& behind, Observer observer)
    : behind_(behind), observer_(std::move(observer)) {}

boost::asio::awaitable<dns::Answer> MeteredResolver::lookup(
    dns::Question question, std::chrono::steady_clock::duration deadline) {
  const auto began = std::chrono::steady_clock::now();
  dns::Answer answer = co_await behind_.lookup(std::move(question), deadline);
  observer_(answer.status, std::chrono::steady_clock::now() - began);
  co_return answer;
}

}  // namespace countersign::service
