// SPDX-License-Identifier: Apache-2.0
//
// The settings of judging as the value that mailflow judges by.

#pragma once

#include <string>

#include "countersign/mailflow/judging_policy.hpp"
#include "service/config/files.hpp"
#include "service/config/problem.hpp"
#include "service/config/settings.hpp"

namespace countersign::service::config {

/// Reads the lists that the settings name and fills in the host name where they name nobody. The
/// authserv-id of the result is one (RFC 8601 §2.5), or a problem is fatal.
[[nodiscard]] mailflow::JudgingPolicy make_judging_policy(const Settings& settings,
                                                          const std::string& host_name,
                                                          const Files& files, Problems& problems);

}  // namespace countersign::service::config
