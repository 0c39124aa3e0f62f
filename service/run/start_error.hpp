// SPDX-License-Identifier: Apache-2.0
//
// The one exception of start-up: a sentence for a human and the exit code that goes with it.

#pragma once

#include <sysexits.h>

#include <stdexcept>
#include <string>

namespace countersign::service {

/// Ends the start of the daemon; caught once, in cli/main.cpp.
class StartError : public std::runtime_error {
 public:
  /// sentence   what failed and what to do about it.
  /// exit_code  of sysexits.h: EX_CONFIG, EX_NOPERM, EX_UNAVAILABLE, EX_NOUSER, EX_OSERR …
  StartError(std::string sentence, int exit_code)
      : std::runtime_error(std::move(sentence)), exit_code_(exit_code) {}

  /// The exit code of the program.
  [[nodiscard]] int exit_code() const { return exit_code_; }

 private:
  int exit_code_;
};

}  // namespace countersign::service
