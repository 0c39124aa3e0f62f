// SPDX-License-Identifier: Apache-2.0
//
// One round of the daemon's sending of reports, by the settings that are in force when it begins: a
// key that was changed by a reload signs the next round.

#pragma once

#include <functional>

#include "service/config/snapshot.hpp"
#include "service/reporting/schedule.hpp"

namespace countersign::service {

/// A round by the settings that `current` gives; called on the schedule's thread. It throws what
/// keeps it from being run: std::runtime_error with a sentence, StartError, store::StoreError.
///
/// now   the clock.
[[nodiscard]] ReportRound make_report_round(std::function<config::Snapshot()> current,
                                            std::function<std::chrono::sys_seconds()> now,
                                            Log& log);

}  // namespace countersign::service
