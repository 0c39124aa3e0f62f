// SPDX-License-Identifier: Apache-2.0
//
// Code under test that forks, becomes somebody else or ends the process, in a process of its own.

#pragma once

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <exception>
#include <new>
#include <stdexcept>
#include <type_traits>
#include <utility>

#include "service/run/start_error.hpp"

namespace countersign::test {

/// A child process; ended with the object if it has not ended by itself.
class ChildProcess {
 public:
  /// Forks; the child ends with the code that `run` gives, or with that of the StartError that it
  /// throws. Its standard error goes to that descriptor, if one is given.
  template <class Run>
  explicit ChildProcess(const Run& run, int standard_error = -1) {
    pid_ = ::fork();
    if (pid_ < 0) throw std::runtime_error("cannot fork");
    if (pid_ > 0) return;
    if (standard_error >= 0) ::dup2(standard_error, STDERR_FILENO);
    ::_exit(guarded(run));
  }
  ~ChildProcess() {
    if (pid_ <= 0) return;
    kill(SIGKILL);
    static_cast<void>(status());
  }
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  [[nodiscard]] pid_t pid() const { return pid_; }
  void kill(int signal) const { ::kill(pid_, signal); }
  /// Waits for the end; the exit code, or 128 and the signal as shells count.
  [[nodiscard]] int exit_code() {
    const int ended = status();
    return WIFSIGNALED(ended) ? 128 + WTERMSIG(ended) : WEXITSTATUS(ended);
  }

 private:
  template <class Run>
  static int guarded(const Run& run) {
    try {
      return run();
    } catch (const service::StartError& error) {
      std::fprintf(stderr, "%s\n", error.what());
      return error.exit_code();
    } catch (const std::exception& error) {
      std::fprintf(stderr, "%s\n", error.what());
      return EX_SOFTWARE;
    }
  }
  [[nodiscard]] int status() {
    int ended = 0;
    while (::waitpid(pid_, &ended, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    return ended;
  }

  pid_t pid_ = -1;
};

/// A value that parent and children share.
template <class T>
class SharedMemory {
 public:
  SharedMemory() {
    void* place =
        ::mmap(nullptr, sizeof(T), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (place == MAP_FAILED) throw std::bad_alloc();
    value_ = new (place) T();
  }
  ~SharedMemory() { ::munmap(value_, sizeof(T)); }
  SharedMemory(const SharedMemory&) = delete;
  SharedMemory& operator=(const SharedMemory&) = delete;

  T* operator->() const { return value_; }
  T& operator*() const { return *value_; }

 private:
  static_assert(std::is_trivially_destructible_v<T>);
  T* value_;
};

/// What `action` throws: the exit code that the program would end with, and the sentence.
template <class Action>
[[nodiscard]] std::pair<int, std::string> start_error(const Action& action) {
  try {
    action();
  } catch (const service::StartError& error) {
    return {error.exit_code(), error.what()};
  }
  return {0, ""};
}

}  // namespace countersign::test
