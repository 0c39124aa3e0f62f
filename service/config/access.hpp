// SPDX-License-Identifier: Apache-2.0
//
// The settings of the policy service as the value that mailflow answers by.

#pragma once

#include <string>

#include "countersign/mailflow/access_policy.hpp"
#include "service/config/files.hpp"
#include "service/config/problem.hpp"
#include "service/config/settings.hpp"

namespace countersign::service::config {

/// Reads the lists that the settings name and fills in the host name where they name nobody. What
/// is set for a policy service that has no socket, and for nothing else, is told.
[[nodiscard]] mailflow::SpfAccessPolicies make_access_policies(const Settings& settings,
                                                               const std::string& host_name,
                                                               const Files& files,
                                                               Problems& problems);

}  // namespace countersign::service::config
