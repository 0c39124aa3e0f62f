// SPDX-License-Identifier: Apache-2.0
//
// A cache of answers in front of a resolver. Mail comes in bursts that ask the same questions; the
// answer that one worker got serves all workers without a step to the resolver's thread. With the
// answer is kept what the question's reader made of it: a key is decoded once in the life of its
// record, and not for each message.

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "countersign/limits.hpp"
#include "service/dns/resolver.hpp"

namespace countersign::service {

/// The bounds of the cache, each with its reason.
struct CacheOptions {
  /// Memory of all answers together, in octets (an estimate). 32 MiB hold some 100,000 answers.
  std::size_t room_octets = std::size_t{32} << 20U;
  /// Locks; keys are spread over them.
  std::size_t shards = 16;
  /// Records hold at most this long, whatever their TTL says.
  std::chrono::seconds ttl_max{86'400};
  /// Absence holds at most this long: a new key must work soon after it was published, even where
  /// somebody asked too early. RFC 2308 §5 allows up to hours.
  std::chrono::seconds absence_ttl_max{300};
  /// Failures are kept this long, so that a dead name server is not asked for each message of a
  /// burst, and mail that waits for it does not wait for us. RFC 2308 §7 allows 5 minutes.
  std::chrono::seconds failure_ttl{5};
  /// How long a question may be under way to the resolver, however short the patience of who asked
  /// first: others wait for the same answer, and it is kept.
  std::chrono::steady_clock::duration lookup_deadline = std::chrono::seconds{10};
  /// Different questions under way at once; one more is answered SERVFAIL.
  std::size_t under_way_max = 20'000;
  /// Bounds for what readers make of answers. No setting changes those that they look at, so a
  /// reload may leave the cache as it is.
  Limits limits;
  /// The clock, for tests.
  std::function<std::chrono::steady_clock::time_point()> now = std::chrono::steady_clock::now;
};

/// What the cache has done since it was made.
struct CacheCounts {
  std::uint64_t hits = 0;       ///< answered from memory
  std::uint64_t coalesced = 0;  ///< waited for an answer that was under way already
  std::uint64_t misses = 0;     ///< asked of the resolver
  std::uint64_t refused = 0;    ///< answered SERVFAIL because too much was under way
  std::uint64_t failures = 0;   ///< misses that ended in a failure
  std::uint64_t evictions = 0;  ///< answers that went before their time to make room
  std::size_t entries = 0;      ///< answers in memory now
  std::size_t under_way = 0;    ///< questions under way now
};

/// Answers from memory as long as an answer holds, and asks the resolver behind it once for all who
/// ask the same at the same time. Who stops waiting does not stop the question. The TTL of an
/// answer from memory is what is left of it. An answer has what the reader of the first who asked
/// made of it, and from memory nothing else when that is the reader of who asks.
class CachingResolver final : public Resolver {
 public:
  /// A cache in front of `behind`, which must outlive it.
  CachingResolver(Resolver& behind, CacheOptions options);
  ~CachingResolver() override;

  [[nodiscard]] boost::asio::awaitable<dns::Answer> lookup(
      dns::Question question, std::chrono::steady_clock::duration deadline) override;
  [[nodiscard]] std::optional<dns::Answer> at_hand(const dns::Question& question) override;

  /// Forgets all answers; questions under way go on.
  void clear();
  /// The counts, each true at some moment of the call.
  [[nodiscard]] CacheCounts counts() const;

 private:
  class State;
  std::shared_ptr<State> state_;
};

}  // namespace countersign::service
