// SPDX-License-Identifier: Apache-2.0
//
// The time of day. Whoever needs it for a decision takes it as a value; it is read here and handed
// on.

#pragma once

#include <chrono>

namespace countersign::service {

/// The time of day, to the second.
[[nodiscard]] inline std::chrono::sys_seconds now() {
  return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

}  // namespace countersign::service
