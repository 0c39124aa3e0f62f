// SPDX-License-Identifier: Apache-2.0

#include "bench/load/process_usage.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <fstream>
#include <sstream>
#include <string>

namespace countersign::bench {
namespace {

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

}  // namespace

ProcessUsage usage_of(pid_t process) {
  ProcessUsage usage;
  const std::string folder = "/proc/" + std::to_string(process);
  std::string line;
  std::ifstream stat(folder + "/stat");
  std::getline(stat, line);
  if (line.empty()) return usage;
  // The command's name stands in parentheses and may hold blanks; utime is the 12th field after it.
  std::istringstream fields(line.substr(line.rfind(')') + 1));
  std::string skipped;
  for (int i = 0; i < 11; ++i) fields >> skipped;
  double user = 0;
  double system = 0;
  fields >> user >> system;
  usage.cpu_seconds = (user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
  std::ifstream status(folder + "/status");
  while (std::getline(status, line)) {
    std::istringstream words(line);
    std::string key;
    std::uint64_t value = 0;
    words >> key >> value;
    if (key == "VmHWM:") usage.rss_peak_kib = value;
    if (key == "Threads:") usage.threads = value;
  }
  return usage;
}

ProcessUsage usage_of(const std::vector<pid_t>& processes) {
  ProcessUsage sum;
  for (const pid_t process : processes) {
    const ProcessUsage one = usage_of(process);
    sum.cpu_seconds += one.cpu_seconds;
    sum.rss_peak_kib += one.rss_peak_kib;
    sum.threads += one.threads;
  }
  return sum;
}

double own_cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

}  // namespace countersign::bench
