// SPDX-License-Identifier: Apache-2.0
//
// A supervisor for machines without one: it restarts the daemon when that ends unexpectedly, within
// a rate. The listening sockets, settings and keys are the supervisor's, so that a restart needs no
// privilege and loses no connection that waits.

#pragma once

#include <chrono>
#include <functional>

namespace countersign::service {

class Log;

/// When to restart and when to give up.
struct RestartPolicy {
  unsigned restarts_max = 0;  ///< in all; 0 means no bound
  unsigned rate_max = 0;      ///< within rate_period; 0 means no bound
  std::chrono::seconds rate_period{};
  /// A child that lived shorter than this is restarted only after as long again, so that one that
  /// cannot live does not keep the machine busy.
  std::chrono::milliseconds pause{1'000};
};

/// What is supervised.
struct Supervised {
  std::function<int()> run;       ///< in the child; gives its exit code
  std::function<void()> on_stop;  ///< in the supervisor, when it is asked to stop
};

/// Runs `child` in a process of its own, again and again while it ends by a signal, an exception or
/// with an exit code other than 0, and returns the exit code for the supervisor itself. SIGTERM,
/// SIGINT, SIGHUP and SIGUSR1 are handed on to the child, which begins with these blocked and
/// unblocks them when it can take them.
/// Call before the first thread.
[[nodiscard]] int supervise(const RestartPolicy& policy, Log& log, const Supervised& child);

}  // namespace countersign::service
