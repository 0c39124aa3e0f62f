// SPDX-License-Identifier: Apache-2.0
//
// Waiting for what another thread or process will do.

#pragma once

#include <chrono>
#include <thread>

namespace countersign::test {

/// True as soon as the condition holds; false when it does not within that time, which is long
/// enough for a busy machine under a sanitizer.
template <class Condition>
[[nodiscard]] bool eventually(const Condition& holds,
                              std::chrono::milliseconds within = std::chrono::seconds(20)) {
  const auto end = std::chrono::steady_clock::now() + within;
  while (!holds()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

}  // namespace countersign::test
