// SPDX-License-Identifier: Apache-2.0
//
// A resolver that answers what the test says, as late as the test says, and counts.

#pragma once

#include <algorithm>
#include <atomic>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <functional>
#include <utility>

#include "service/dns/resolver.hpp"

namespace countersign::test {

/// Must outlive its lookups.
class FakeResolver final : public service::Resolver {
 public:
  /// What is answered; may throw. By default one TXT record that holds the name.
  std::function<dns::Answer(const dns::Question&)> answer = [](const dns::Question& question) {
    return dns::Answer{.status = dns::AnswerStatus::records,
                       .records = {dns::Text{{question.name}}}};
  };
  /// How long each answer takes.
  std::chrono::milliseconds delay{0};
  /// Questions asked so far, open now, and open at once at most.
  std::atomic<int> asked = 0;
  std::atomic<int> open = 0;
  std::atomic<int> open_max = 0;

  [[nodiscard]] boost::asio::awaitable<dns::Answer> lookup(
      dns::Question question, std::chrono::steady_clock::duration deadline) override {
    ++asked;
    open_max = std::max<int>(open_max, ++open);
    if (delay.count() > 0) {
      boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor);
      timer.expires_after(std::min<std::chrono::steady_clock::duration>(delay, deadline));
      co_await timer.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
    }
    --open;
    if (delay > deadline) co_return dns::Answer{.status = dns::AnswerStatus::timeout};
    co_return answer(question);
  }
};

}  // namespace countersign::test
