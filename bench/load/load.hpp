// SPDX-License-Identifier: Apache-2.0
//
// A load of messages on a milter, or on several in a row, as an MTA would bring it: many sessions
// at once over a unix or inet socket, one thread, one epoll loop, latency of each message from its
// first packet to the verdict of the last filter.

#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "bench/load/expected.hpp"
#include "countersign/milter/mta.hpp"

namespace countersign::bench {

/// What to send where.
struct LoadPlan {
  /// unix:/path or inet:port@host, each; the next one gets the message as the last one left it.
  std::vector<std::string> sockets;
  std::size_t sessions = 16;           ///< connections open at once
  std::size_t messages = 1'000;        ///< in all
  std::size_t messages_a_session = 1;  ///< then the connection is closed and a new one opened
  std::vector<milter::Mail> mails;     ///< sent in turn
  std::vector<Expected> expected;      ///< one for each of the mails, or none: nothing is compared
  milter::MtaOffer offer;
  std::chrono::seconds timeout{120};  ///< for the whole run
};

/// What happened.
struct LoadResult {
  double seconds = 0;
  std::vector<double> latencies_ms;  ///< one a message, sorted
  std::uint64_t changed = 0;         ///< messages whose header the filter changed
  std::uint64_t refused = 0;         ///< messages with a verdict other than accept
  std::uint64_t broken = 0;          ///< messages lost by a connection that broke
  std::uint64_t right = 0;           ///< messages with the results that they must get
  std::uint64_t unmarked = 0;        ///< messages without any results
  std::uint64_t replies = 0;         ///< answers that were waited for
  milter::FilterOutcome first;       ///< of the first message that ended

  /// The latency below which that part (0..1) of the messages lies, in ms.
  [[nodiscard]] double percentile(double part) const;
};

/// Runs the plan to its end. Throws std::runtime_error with a sentence when the filter cannot be
/// reached at all.
[[nodiscard]] LoadResult run_load(const LoadPlan& plan);

}  // namespace countersign::bench
