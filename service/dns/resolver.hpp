// SPDX-License-Identifier: Apache-2.0
//
// Whoever answers questions about DNS in the daemon: libunbound, a cache in front of it, or a zone
// file in its place.

#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <optional>

#include "countersign/dns/question.hpp"

namespace countersign::service {

/// Answers questions without blocking. May be used by all threads at once.
class Resolver {
 public:
  virtual ~Resolver() = default;

  /// Answers one question. The awaiting coroutine's executor must be serial: an I/O context that
  /// one thread runs, or a strand.
  ///
  /// deadline     how long to wait; then the answer is a timeout.
  /// Returns      always an answer, a failure too being one. Cancelled, it returns a timeout at
  ///              once. What is returned owns what it needs and may outlive the resolver, which
  ///              then answers nothing but failures.
  [[nodiscard]] virtual boost::asio::awaitable<dns::Answer> lookup(
      dns::Question question, std::chrono::steady_clock::duration deadline) = 0;

  /// The answer where it is in memory already, for those who would rather not suspend for it;
  /// nothing where lookup() has to find it.
  [[nodiscard]] virtual std::optional<dns::Answer> at_hand(const dns::Question&) {
    return std::nullopt;
  }
};

}  // namespace countersign::service
