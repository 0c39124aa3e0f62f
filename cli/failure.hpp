// SPDX-License-Identifier: Apache-2.0
//
// How a subcommand gives up: one sentence for the user and an exit code.

#pragma once

#include <stdexcept>
#include <string>

#include "cli/exit_codes.hpp"

namespace countersign::cli {

/// Ends the subcommand; caught once, in main.cpp, which prints the sentence on standard error.
class Failure : public std::runtime_error {
 public:
  /// sentence   what failed and what to do about it, without the program's name in front.
  Failure(int exit_code, const std::string& sentence)
      : std::runtime_error(sentence), exit_code_(exit_code) {}

  /// The exit code of the program.
  [[nodiscard]] int exit_code() const { return exit_code_; }

 private:
  int exit_code_;
};

}  // namespace countersign::cli
