// SPDX-License-Identifier: Apache-2.0
//
// The one thing that workers share of the mail that they judge: to how many recipients a signature
// has come (S-32). It is in memory, of one host, and gone with the process.

#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>

#include "countersign/mailflow/replay.hpp"

namespace countersign::service {

/// A counter for all workers; from any thread.
class ReplayMemory {
 public:
  /// As mailflow::RecipientCounter::count().
  [[nodiscard]] std::uint64_t count(const mailflow::SeenSignature& seen,
                                    const mailflow::ReplayPolicy& policy,
                                    std::chrono::sys_seconds now) {
    const std::scoped_lock lock(mutex_);
    return counter_.count(seen, policy, now);
  }

 private:
  std::mutex mutex_;
  mailflow::RecipientCounter counter_;
};

}  // namespace countersign::service
