// SPDX-License-Identifier: Apache-2.0
//
// A judged message as OpenDMARC's HistoryFile tells of it, for programs that read that.

#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "countersign/mailflow/outcome.hpp"
#include "countersign/report/history.hpp"

namespace countersign::mailflow {

/// The record of a message; nothing for one that adds nothing to reports, as in evaluation_of().
///
/// reporter     our name.
[[nodiscard]] std::optional<report::HistoryRecord> history_record_of(
    const Outcome& outcome, const std::string& reporter, std::chrono::sys_seconds received);

}  // namespace countersign::mailflow
