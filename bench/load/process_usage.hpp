// SPDX-License-Identifier: Apache-2.0
//
// What a process costs, read from /proc.

#pragma once

#include <sys/types.h>

#include <cstdint>
#include <vector>

namespace countersign::bench {

/// CPU and memory of a process with all its threads.
struct ProcessUsage {
  double cpu_seconds = 0;
  std::uint64_t rss_peak_kib = 0;
  std::uint64_t threads = 0;
};

/// Reads it; all zero when there is no such process.
[[nodiscard]] ProcessUsage usage_of(pid_t process);

/// Reads those of several processes and adds them up.
[[nodiscard]] ProcessUsage usage_of(const std::vector<pid_t>& processes);

/// CPU of this process.
[[nodiscard]] double own_cpu_seconds();

}  // namespace countersign::bench
