// SPDX-License-Identifier: Apache-2.0
//
// Going to the background as daemons do, but honestly: the command returns only when the daemon
// answers or has failed, with the daemon's exit code.

#pragma once

namespace countersign::service {

/// Readiness, told to whoever waits: the foreground command after enter_background(), and systemd.
class Readiness {
 public:
  Readiness() = default;
  /// Tells over this pipe end too.
  explicit Readiness(int pipe) : pipe_(pipe) {}

  /// The daemon answers, for the first time or after reloading().
  void ready();
  /// The daemon reloads its settings; ready() follows.
  static void reloading();
  /// The daemon stops.
  static void stopping();

 private:
  int pipe_ = -1;
};

/// Forks; the child is returned to in a session of its own, the parent waits until ready() and
/// exits with 0, or with the child's exit code if that ends first. Call before the first thread.
/// Throws StartError when it cannot fork.
[[nodiscard]] Readiness enter_background();

/// Points the standard streams to nothing: the terminal may go away, and whoever waits for the end
/// of our output is not to wait for ours.
void leave_terminal();

}  // namespace countersign::service
