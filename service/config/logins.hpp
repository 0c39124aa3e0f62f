// SPDX-License-Identifier: Apache-2.0
//
// [signing.logins]: the table of logins and the identity that signs where it does not agree.

#pragma once

#include "countersign/mailflow/policy.hpp"
#include "service/config/files.hpp"
#include "service/config/problem.hpp"
#include "service/config/settings.hpp"

namespace countersign::service::config {

/// Reads the table, and finds the keys of the fallback among those that the policy has already.
[[nodiscard]] mailflow::LoginPolicy make_login_policy(const Settings& settings,
                                                      const mailflow::Policy& with_keys,
                                                      const Files& files, Problems& problems);

}  // namespace countersign::service::config
