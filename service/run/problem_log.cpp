// SPDX-License-Identifier: Apache-2.0

#include "service/run/problem_log.hpp"

#include <fmt/format.h>

#include <cstdio>

#include "service/log/escape.hpp"
#include "service/log/log.hpp"

namespace countersign::service {
namespace {

LogLevel level_of(config::Severity severity) {
  switch (severity) {
    case config::Severity::note:
      return LogLevel::info;
    case config::Severity::warning:
      return LogLevel::warning;
    case config::Severity::error:
    case config::Severity::fatal:
      return LogLevel::error;
  }
  return LogLevel::error;
}

}  // namespace

void log_problems(Log& log, const std::vector<config::Problem>& problems) {
  for (const config::Problem& problem : problems) {
    log.write(level_of(problem.severity), "settings",
              {{"place", problem.place.to_string()},
               {"problem", problem.message},
               {"remedy", problem.remedy}});
  }
}

void print_problems(const std::vector<config::Problem>& problems) {
  for (const config::Problem& problem : problems) {
    fmt::print(stderr, "{}\n", printable(to_string(problem)));
  }
}

}  // namespace countersign::service
