// SPDX-License-Identifier: Apache-2.0
//
// A resolver that tells how each question was answered and how long that took. It stands between
// the cache and libunbound, so that it sees what the cache did not answer.

#pragma once

#include <chrono>
#include <functional>

#include "service/dns/resolver.hpp"

namespace countersign::service {

/// Passes questions on and observes the answers.
class MeteredResolver final : public Resolver {
 public:
  /// Called once for each question, on the thread of whoever asked.
  using Observer = std::function<void(dns::AnswerStatus, std::chrono::steady_clock::duration)>;

  /// behind   must outlive this object and what lookup() returns, as the observer must.
  MeteredResolver(Resolver& behind, Observer observer);

  [[nodiscard]] boost::asio::awaitable<dns::Answer> lookup(
      dns::Question question, std::chrono::steady_clock::duration deadline) override;

 private:
  Resolver& behind_;
  Observer observer_;
};

}  // namespace countersign::service
