// SPDX-License-Identifier: Apache-2.0
//
// The option --now: a time to sign or to judge as of, in place of the clock, so that an old message
// can be looked at and a run repeated.

#pragma once

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace countersign::cli {

/// The option --now with what was given.
struct ClockOption {
  std::optional<std::int64_t> now;  ///< seconds since 1970 UTC; none: the clock's

  /// Declares the option. purpose: "sign" or "judge".
  void declare(CLI::App& command, const std::string& purpose);
  /// The time that counts.
  [[nodiscard]] std::chrono::sys_seconds time() const;
};

}  // namespace countersign::cli
