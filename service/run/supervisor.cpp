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
#include <string>

#include "service/log/log.hpp"

namespace countersign::service {
namespace {

sigset_t handed_on_signals() {
  sigset_t signals;
  ::sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGCHLD}) {
    ::sigaddset(&signals, signal);
  }
  return signals;
}

/// How a child ended.
struct Ending {
  int status = 0;
  bool was_asked = false;  ///< SIGTERM or SIGINT was handed on to it
};

/// Hands signals on until the child has ended.
Ending wait_for(pid_t child, const sigset_t& signals) {
  Ending ending;
  for (;;) {
    const int signal = ::sigwaitinfo(&signals, nullptr);
    if (signal == SIGCHLD || (signal < 0 && errno == EINTR)) {
      if (::waitpid(child, &ending.status, WNOHANG) == child) return ending;
      continue;
    }
    if (signal == SIGTERM || signal == SIGINT) ending.was_asked = true;
    if (signal > 0) ::kill(child, signal);
  }
}

std::string describe(int status) {
  if (WIFSIGNALED(status)) return std::string("signal ") + ::strsignal(WTERMSIG(status));
  return "exit code " + std::to_string(WEXITSTATUS(status));
}

class RestartBudget {
 public:
  explicit RestartBudget(const RestartPolicy& policy) : policy_(policy) {}

  /// Counts a restart at this moment; false when it is one too many.
  bool spend(std::chrono::steady_clock::time_point now) {
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
  std::deque<std::chrono::steady_clock::time_point> recent_;
};

pid_t start(const std::function<int()>& child, const sigset_t& old_signals) {
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid != 0) return pid;
  ::sigprocmask(SIG_SETMASK, &old_signals, nullptr);
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() != parent) ::_exit(EX_UNAVAILABLE);  // The parent ended before the line above.
  ::_exit(child());
}

}  // namespace

int supervise(const RestartPolicy& policy, Log& log, const std::function<int()>& child) {
  const sigset_t signals = handed_on_signals();
  sigset_t old_signals;
  ::sigprocmask(SIG_BLOCK, &signals, &old_signals);
  RestartBudget budget(policy);
  for (;;) {
    const pid_t pid = start(child, old_signals);
    if (pid < 0) return EX_OSERR;
    const Ending ending = wait_for(pid, signals);
    const int code = WIFEXITED(ending.status) ? WEXITSTATUS(ending.status) : EX_SOFTWARE;
    if (code == EX_OK || ending.was_asked) return code;
    log.write(LogLevel::error, "the daemon ended unexpectedly", {{"how", describe(ending.status)}});
    if (!budget.spend(std::chrono::steady_clock::now())) {
      log.write(LogLevel::error, "restarted too often; giving up");
      return code;
    }
    log.write(LogLevel::notice, "restarting");
  }
}

}  // namespace countersign::service
