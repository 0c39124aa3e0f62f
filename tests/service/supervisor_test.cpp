// SPDX-License-Identifier: Apache-2.0
//
// The supervisor: what it restarts and how often, whom it tells, and that a stop is a stop at any
// moment.

#include "service/run/supervisor.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <thread>

#include "service/run/descriptor.hpp"
#include "tests/support/child_process.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/log_file.hpp"

namespace countersign::service {
namespace {

using namespace std::chrono_literals;
using test::ChildProcess;
using test::eventually;

struct Seen {
  std::atomic<int> runs = 0;
  std::atomic<int> hangups = 0;
  std::atomic<int> user_signals = 0;
  std::atomic<int> stops = 0;  // In the supervisor.
  std::atomic<bool> is_up = false;
  std::atomic<pid_t> child = 0;
};

constexpr RestartPolicy at_once{.pause = 0ms};

sigset_t our_signals() {
  sigset_t signals;
  ::sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGUSR1}) ::sigaddset(&signals, signal);
  return signals;
}

/// A supervisor in a process of its own, which has its child in another.
class Supervision {
 public:
  template <class Run>
  Supervision(const RestartPolicy& policy, const Run& run)
      : supervisor_([&] {
          return supervise(policy, file_.log(),
                           {.run =
                                [&] {
                                  ++seen_->runs;
                                  seen_->child = ::getpid();
                                  return run(*seen_);
                                },
                            .on_stop = [&] { ++seen_->stops; }});
        }) {}

  [[nodiscard]] int exit_code() { return supervisor_.exit_code(); }
  void kill(int signal) const { supervisor_.kill(signal); }
  [[nodiscard]] bool is_up() const {
    return eventually([this] { return seen_->is_up.load(); });
  }
  [[nodiscard]] bool is_told(std::string_view text) const {
    return eventually([&] { return file_.has(text); });
  }
  [[nodiscard]] const Seen& seen() const { return *seen_; }
  [[nodiscard]] const test::LogFile& log() const { return file_; }

 private:
  test::LogFile file_;
  test::SharedMemory<Seen> seen_;
  ChildProcess supervisor_;
};

/// A child as the daemon is one: counts what it is told until it is told to stop.
int run_until_stopped(Seen& seen) {
  const sigset_t signals = our_signals();
  seen.is_up = true;
  for (;;) {
    const int signal = ::sigwaitinfo(&signals, nullptr);
    if (signal == SIGHUP) ++seen.hangups;
    if (signal == SIGUSR1) ++seen.user_signals;
    if (signal == SIGTERM || signal == SIGINT) return 0;
  }
}

TEST(Supervisor, EndsWithAChildThatEndedWell) {
  Supervision supervision(at_once, [](Seen&) { return 0; });
  EXPECT_EQ(supervision.exit_code(), 0);
  EXPECT_EQ(supervision.seen().runs, 1);
  EXPECT_EQ(supervision.log().text(), "");
}

TEST(Supervisor, RestartsWhateverEndedOtherwise) {
  Supervision supervision(at_once, [](Seen& seen) -> int {
    switch (seen.runs) {
      case 1:
        return 3;
      case 2:
        return ::raise(SIGKILL);
      case 3:
        std::abort();
      case 4:
        throw std::runtime_error("thrown");
      case 5:
        throw StartError("cannot start", EX_OSERR);
      default:
        return 0;
    }
  });
  EXPECT_EQ(supervision.exit_code(), 0);
  EXPECT_EQ(supervision.seen().runs, 6);
  const test::LogFile& log = supervision.log();
  EXPECT_EQ(log.count("msg=restarting"), 5) << log.text();
  for (const char* how :
       {"how=\"exit code 3\"", "how=\"signal Killed\"", "how=\"signal Aborted\"", "error=thrown",
        "how=\"exit code 70\"", "error=\"cannot start\"", "how=\"exit code 71\""}) {
    EXPECT_TRUE(log.has(how)) << how << '\n' << log.text();
  }
}

TEST(Supervisor, GivesUpAfterSoManyRestarts) {
  Supervision supervision({.restarts_max = 3, .pause = 0ms}, [](Seen&) { return 5; });
  EXPECT_EQ(supervision.exit_code(), 5);
  EXPECT_EQ(supervision.seen().runs, 4);
  EXPECT_TRUE(supervision.log().has("restarted too often"));
}

TEST(Supervisor, GivesUpWhenRestartsComeTooFast) {
  Supervision fast({.rate_max = 2, .rate_period = 3600s, .pause = 0ms}, [](Seen&) { return 5; });
  EXPECT_EQ(fast.exit_code(), 5);
  EXPECT_EQ(fast.seen().runs, 3);
  // No two of these restarts are in the same second.
  Supervision slow({.restarts_max = 3, .rate_max = 1, .rate_period = 1s, .pause = 1'100ms},
                   [](Seen&) { return 5; });
  EXPECT_EQ(slow.exit_code(), 5);
  EXPECT_EQ(slow.seen().runs, 4);
}

TEST(Supervisor, PausesBeforeItRestartsAChildThatCannotLive) {
  const auto begun = std::chrono::steady_clock::now();
  Supervision supervision({.restarts_max = 2, .pause = 300ms}, [](Seen&) { return 5; });
  EXPECT_EQ(supervision.exit_code(), 5);
  EXPECT_GE(std::chrono::steady_clock::now() - begun, 600ms);
}

TEST(Supervisor, HandsSignalsOn) {
  Supervision supervision(at_once, run_until_stopped);
  ASSERT_TRUE(supervision.is_up());
  supervision.kill(SIGHUP);
  EXPECT_TRUE(eventually([&] { return supervision.seen().hangups == 1; }));
  supervision.kill(SIGUSR1);
  EXPECT_TRUE(eventually([&] { return supervision.seen().user_signals == 1; }));
  EXPECT_EQ(supervision.seen().stops, 0);
  supervision.kill(SIGTERM);
  EXPECT_EQ(supervision.exit_code(), 0);
  EXPECT_EQ(supervision.seen().runs, 1);
  EXPECT_EQ(supervision.seen().stops, 1);
}

TEST(Supervisor, LosesNoSignalBeforeItsChildCanTakeIt) {
  Supervision supervision(at_once, [](Seen& seen) {
    std::this_thread::sleep_for(300ms);
    return run_until_stopped(seen);
  });
  ASSERT_TRUE(eventually([&] { return supervision.seen().runs == 1; }));
  supervision.kill(SIGHUP);
  supervision.kill(SIGINT);
  EXPECT_EQ(supervision.exit_code(), 0);
  EXPECT_EQ(supervision.seen().runs, 1);
}

TEST(Supervisor, TakesACrashWhileStoppingForTheStop) {
  Supervision supervision(at_once, [](Seen& seen) {
    static_cast<void>(run_until_stopped(seen));
    return ::raise(SIGKILL);
  });
  ASSERT_TRUE(supervision.is_up());
  supervision.kill(SIGTERM);
  EXPECT_EQ(supervision.exit_code(), EX_OK);
  EXPECT_EQ(supervision.seen().runs, 1);
}

TEST(Supervisor, StopsInItsPause) {
  const auto begun = std::chrono::steady_clock::now();
  Supervision supervision({.pause = 60s}, [](Seen&) { return 5; });
  ASSERT_TRUE(supervision.is_told("ended unexpectedly"));
  supervision.kill(SIGHUP);  // Nobody to tell, and no reason to hurry.
  supervision.kill(SIGTERM);
  EXPECT_EQ(supervision.exit_code(), EX_OK);
  EXPECT_EQ(supervision.seen().runs, 1);
  EXPECT_EQ(supervision.seen().stops, 1);
  EXPECT_LT(std::chrono::steady_clock::now() - begun, 30s);
}

TEST(Supervisor, SeesTheEndOfItsChildEvenIfItsStarterIgnoredSuchThings) {
  ::signal(SIGCHLD, SIG_IGN);
  Supervision supervision(at_once, [](Seen& seen) { return seen.runs == 1 ? 5 : 0; });
  ::signal(SIGCHLD, SIG_DFL);
  EXPECT_EQ(supervision.exit_code(), 0);
  EXPECT_EQ(supervision.seen().runs, 2);
}

TEST(Supervisor, TakesItsChildWithItWhenItIsKilled) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  const Descriptor reading(ends[0]);
  Descriptor writing(ends[1]);
  Supervision supervision(at_once, run_until_stopped);
  ASSERT_TRUE(supervision.is_up());
  writing.close();
  supervision.kill(SIGKILL);
  EXPECT_EQ(supervision.exit_code(), 128 + SIGKILL);
  pollfd child{.fd = reading.get(), .events = POLLIN, .revents = 0};
  EXPECT_EQ(::poll(&child, 1, 20'000), 1) << "the child holds the other end until it dies";
}

TEST(Supervisor, KeepsItsChildOutOfTheTerminalsProcessGroup) {
  Supervision supervision(at_once, run_until_stopped);
  ASSERT_TRUE(supervision.is_up());
  const pid_t child = supervision.seen().child;
  EXPECT_EQ(::getpgid(child), child);
  supervision.kill(SIGTERM);
  EXPECT_EQ(supervision.exit_code(), 0);
}

}  // namespace
}  // namespace countersign::service
