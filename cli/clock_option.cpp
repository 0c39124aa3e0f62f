// SPDX-License-Identifier: Apache-2.0

#include "cli/clock_option.hpp"

#include "service/run/clock.hpp"

namespace countersign::cli {

void ClockOption::declare(CLI::App& command, const std::string& purpose) {
  // Twelve digits are what t= and x= may have (RFC 6376 §3.5).
  constexpr std::int64_t latest = 999'999'999'999;
  command.add_option("--now", now, purpose + " as of this time, seconds since 1970 UTC")
      ->check(CLI::Range(std::int64_t{0}, latest))
      ->option_text("UNIX");
}

std::chrono::sys_seconds ClockOption::time() const {
  if (now) return std::chrono::sys_seconds(std::chrono::seconds(*now));
  return service::now();
}

}  // namespace countersign::cli
