// SPDX-License-Identifier: Apache-2.0
//
// Who is told that the daemon is ready: the command that started it in the background, which ends
// then and not before, and systemd.

#include "service/run/background.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "service/run/descriptor.hpp"
#include "tests/support/child_process.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/notify_socket.hpp"

namespace countersign::service {
namespace {

using namespace std::chrono_literals;
using test::ChildProcess;
using test::eventually;

struct Progress {
  std::atomic<pid_t> daemon = 0;
  std::atomic<pid_t> session = 0;
  std::atomic<bool> is_ready = false;
  std::atomic<bool> may_end = false;
};

TEST(Background, CommandReturnsWhenTheDaemonIsReadyAndNotBefore) {
  test::SharedMemory<Progress> progress;
  ChildProcess command([&] {
    Readiness readiness = enter_background();
    progress->daemon = ::getpid();
    progress->session = ::getsid(0);
    std::this_thread::sleep_for(200ms);
    progress->is_ready = true;
    readiness.ready();
    static_cast<void>(eventually([&] { return progress->may_end.load(); }));
    readiness.ready();  // After a reload: nobody is left to tell.
    return 9;
  });
  EXPECT_EQ(command.exit_code(), EX_OK);
  EXPECT_TRUE(progress->is_ready);
  EXPECT_EQ(progress->session, progress->daemon) << "the daemon has a session of its own";
  EXPECT_EQ(::kill(progress->daemon, 0), 0) << "the daemon lives on";
  progress->may_end = true;
}

TEST(Background, CommandHandsTheExitCodeOfAFailedStartOn) {
  ChildProcess failing([] {
    static_cast<void>(enter_background());
    return 69;
  });
  EXPECT_EQ(failing.exit_code(), 69);
  ChildProcess throwing([]() -> int {
    static_cast<void>(enter_background());
    throw StartError("no", EX_NOPERM);
  });
  EXPECT_EQ(throwing.exit_code(), EX_NOPERM);
  ChildProcess crashing([] {
    static_cast<void>(enter_background());
    return ::raise(SIGKILL);
  });
  EXPECT_EQ(crashing.exit_code(), EX_SOFTWARE);
}

TEST(Background, ReadinessOfADaemonsChildCounts) {
  ChildProcess command([] {
    Readiness readiness = enter_background();
    ChildProcess supervised([&readiness] {
      readiness.ready();
      return 0;
    });
    static_cast<void>(supervised.exit_code());
    std::this_thread::sleep_for(200ms);
    return 9;
  });
  EXPECT_EQ(command.exit_code(), EX_OK);
}

TEST(Background, LeavesTheTerminal) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  const Descriptor reading(ends[0]);
  Descriptor writing(ends[1]);
  test::SharedMemory<Progress> progress;
  ChildProcess daemon([&] {
    for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
      ::dup2(writing.get(), stream);
    }
    writing.close();
    leave_terminal();
    for (const std::string stream : {"0", "1", "2"}) {
      if (std::filesystem::read_symlink("/proc/self/fd/" + stream) != "/dev/null") return 1;
    }
    progress->is_ready = true;
    static_cast<void>(eventually([&] { return progress->may_end.load(); }));
    return 0;
  });
  writing.close();
  ASSERT_TRUE(eventually([&] { return progress->is_ready.load(); }));
  char octet = 0;
  EXPECT_EQ(::read(reading.get(), &octet, 1), 0) << "a reader of our output is not kept waiting";
  progress->may_end = true;
  EXPECT_EQ(daemon.exit_code(), 0);
}

TEST(Readiness, IsToldToSystemd) {
  const test::NotifySocket systemd;
  Readiness readiness;
  readiness.ready();
  EXPECT_EQ(systemd.take(), "READY=1");
  Readiness::reloading();
  EXPECT_THAT(systemd.take(), testing::MatchesRegex("RELOADING=1\nMONOTONIC_USEC=[0-9]+"));
  readiness.ready();
  EXPECT_EQ(systemd.take(), "READY=1");
  Readiness::stopping();
  EXPECT_EQ(systemd.take(), "STOPPING=1");
  EXPECT_EQ(systemd.take(), "");
}

TEST(Readiness, TellsTheTimeOfAReloadOnTheMonotonicClock) {
  const test::NotifySocket systemd;
  const auto microseconds = [&systemd] {
    Readiness::reloading();
    const std::string message = systemd.take();
    return std::stoll(message.substr(message.rfind('=') + 1));
  };
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  const std::int64_t before = now.tv_sec * std::int64_t{1'000'000} + now.tv_nsec / 1'000;
  const std::int64_t told = microseconds();
  EXPECT_GE(told, before);
  EXPECT_LT(told, before + 60'000'000);
  EXPECT_LE(told, microseconds());
}

TEST(Readiness, IsNobodysBusinessWithoutSystemd) {
  ::unsetenv("NOTIFY_SOCKET");
  Readiness readiness;
  EXPECT_NO_FATAL_FAILURE(readiness.ready());
}

}  // namespace
}  // namespace countersign::service
