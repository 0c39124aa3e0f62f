// SPDX-License-Identifier: Apache-2.0
//
// Whether the settings of reports come to reports: from whom they come, who signs them, where what
// they tell is kept, and that a secret is one.

#pragma once

#include "countersign/mailflow/policy.hpp"
#include "service/config/accounts.hpp"
#include "service/config/files.hpp"
#include "service/config/problem.hpp"
#include "service/config/settings.hpp"

namespace countersign::service::config {

/// Whom the daemon runs as, and what it finds there.
struct ReportSurroundings {
  const User& user;
  const Files& files;
  const Accounts& accounts;
};

/// Tells what is wrong with [reports] and [metrics].
///
/// policy       made of the same settings: its keys sign the reports.
void check_reports(const Settings& settings, const mailflow::Policy& policy,
                   const ReportSurroundings& surroundings, Problems& problems);

}  // namespace countersign::service::config
