// SPDX-License-Identifier: Apache-2.0
//
// Problems of the settings, told to whoever is there: the terminal at the start, the log
// afterwards.

#pragma once

#include <vector>

#include "service/config/problem.hpp"

namespace countersign::service {

class Log;

/// Writes one line a problem: notes as info, warnings as warning, the rest as error.
void log_problems(Log& log, const std::vector<config::Problem>& problems);

/// Prints one line a problem on standard error.
void print_problems(const std::vector<config::Problem>& problems);

}  // namespace countersign::service
