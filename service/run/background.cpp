// SPDX-License-Identifier: Apache-2.0

#include "service/run/background.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <systemd/sd-daemon.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <utility>

#include "service/run/descriptor.hpp"
#include "service/run/start_error.hpp"

namespace countersign::service {
namespace {

[[noreturn]] void wait_and_exit(pid_t child, int pipe) {
  char octet = 0;
  ssize_t got = 0;
  do {
    got = ::read(pipe, &octet, 1);
  } while (got < 0 && errno == EINTR);
  if (got == 1) ::_exit(EX_OK);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  ::_exit(WIFEXITED(status) ? WEXITSTATUS(status) : EX_SOFTWARE);
}

std::string monotonic_microseconds() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return std::to_string(std::int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1'000);
}

}  // namespace

void Readiness::ready() {
  ::sd_notify(0, "READY=1");
  if (pipe_ < 0) return;
  const char octet = 1;
  while (::write(pipe_, &octet, 1) < 0 && errno == EINTR) {
  }
  ::close(std::exchange(pipe_, -1));
}

void Readiness::reloading() {
  ::sd_notify(0, ("RELOADING=1\nMONOTONIC_USEC=" + monotonic_microseconds()).c_str());
}

void Readiness::stopping() { ::sd_notify(0, "STOPPING=1"); }

Readiness enter_background() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw StartError("cannot make a pipe", EX_OSERR);
  Descriptor reading(ends[0]);
  Descriptor writing(ends[1]);
  const pid_t child = ::fork();
  if (child < 0) throw StartError("cannot start a process in the background", EX_OSERR);
  if (child > 0) {
    writing.close();
    wait_and_exit(child, reading.get());
  }
  ::setsid();
  return Readiness(writing.release());
}

void leave_terminal() {
  const Descriptor nothing(::open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!nothing) return;
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    ::dup2(nothing.get(), stream);
  }
}

}  // namespace countersign::service
