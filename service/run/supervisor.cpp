// SPDX-License-Identifier: Apache-2.0

#include "service/run/supervisor.hpp"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <deque>
#include <exception>
#include <optional>
#include <string>

#include "service/log/log.hpp"
#include "service/run/start_error.hpp"

namespace countersign::service {
namespace {

using Clock = std::chrono::steady_clock;

sigset_t handed_on_signals() {
  sigset_t signals;
  ::sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGCHLD}) {
    ::sigaddset(&signals, signal);
  }
  return signals;
}

bool asks_to_stop(int signal) { return signal == SIGTERM || signal == SIGINT; }

std::string describe(int status) {
  if (WIFSIGNALED(status)) return std::string("signal ") + ::strsignal(WTERMSIG(status));
  return "exit code " + std::to_string(WEXITSTATUS(status));
}

class RestartBudget {
 public:
  explicit RestartBudget(const RestartPolicy& policy) : policy_(policy) {}

  /// Counts a restart at this moment; false when it is one too many.
  bool spend(Clock::time_point now) {
    ++total_;
    if (policy_.restarts_max != 0 && total_ > policy_.restarts_max) return false;
    if (policy_.rate_max == 0) return true;
    recent_.push_back(now);
    while (now - recent_.front() > policy_.rate_period) recent_.pop_front();
    return recent_.size() <= policy_.rate_max;
  }

 private:
  RestartPolicy policy_;
  unsigned total_ = 0;
  std::deque<Clock::time_point> recent_;
};

int run_guarded(const Supervised& child, Log& log) {
  try {
    return child.run();
  } catch (const StartError& error) {
    log.write(LogLevel::error, "the daemon cannot run", {{"error", error.what()}});
    return error.exit_code();
  } catch (const std::exception& error) {
    log.write(LogLevel::error, "the daemon cannot run", {{"error", error.what()}});
    return EX_SOFTWARE;
  }
}

class Supervisor {
 public:
  Supervisor(const RestartPolicy& policy, Log& log, const Supervised& child)
      : policy_(policy), log_(log), child_(child), signals_(handed_on_signals()), budget_(policy) {
    ::signal(SIGCHLD, SIG_DFL);  // Who started us may have ignored it, and so would we.
    ::pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
  }

  int run() {
    for (;;) {
      const Clock::time_point begun = Clock::now();
      const pid_t child = start();
      if (child < 0) return EX_OSERR;
      const int status = wait_for(child);
      if (asked_to_stop_) return WIFSIGNALED(status) ? EX_OK : WEXITSTATUS(status);
      const int code = WIFSIGNALED(status) ? EX_SOFTWARE : WEXITSTATUS(status);
      if (code == EX_OK) return code;
      log_.write(LogLevel::error, "the daemon ended unexpectedly", {{"how", describe(status)}});
      if (!budget_.spend(Clock::now())) {
        log_.write(LogLevel::error, "restarted too often; giving up");
        return code;
      }
      if (Clock::now() - begun < policy_.pause && is_stopped_within(policy_.pause)) return EX_OK;
      log_.write(LogLevel::notice, "restarting");
    }
  }

 private:
  pid_t start() {
    const pid_t parent = ::getpid();
    const pid_t child = ::fork();
    if (child != 0) return child;
    ::setpgid(0, 0);  // Ctrl-C reaches the supervisor, which hands it on, once.
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (::getppid() != parent) ::_exit(EX_UNAVAILABLE);  // The parent ended before the line above.
    ::_exit(run_guarded(child_, log_));
  }

  /// Hands signals on until the child has ended; its status.
  int wait_for(pid_t child) {
    for (;;) {
      int status = 0;
      if (::waitpid(child, &status, WNOHANG) == child) return status;
      const int signal = ::sigwaitinfo(&signals_, nullptr);
      if (signal < 0 || signal == SIGCHLD) continue;
      ::kill(child, signal);
      if (asks_to_stop(signal)) stop();
    }
  }

  /// Waits so long; true when it was asked to stop meanwhile.
  bool is_stopped_within(std::chrono::milliseconds time) {
    const Clock::time_point end = Clock::now() + time;
    for (;;) {
      const auto left = std::chrono::duration_cast<std::chrono::nanoseconds>(end - Clock::now());
      if (left.count() <= 0) return false;
      const timespec wait{.tv_sec = static_cast<time_t>(left.count() / 1'000'000'000),
                          .tv_nsec = static_cast<long>(left.count() % 1'000'000'000)};
      if (asks_to_stop(::sigtimedwait(&signals_, nullptr, &wait))) {
        stop();
        return true;
      }
    }
  }

  void stop() {
    if (!asked_to_stop_ && child_.on_stop) child_.on_stop();
    asked_to_stop_ = true;
  }

  RestartPolicy policy_;
  Log& log_;
  const Supervised& child_;
  sigset_t signals_;
  RestartBudget budget_;
  bool asked_to_stop_ = false;
};

}  // namespace

int supervise(const RestartPolicy& policy, Log& log, const Supervised& child) {
  return Supervisor(policy, log, child).run();
}

}  // namespace countersign::service
