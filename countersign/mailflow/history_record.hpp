// SPDX-License-Identifier: Apache-2.0
//
// A judged message as OpenDMARC's HistoryFile tells of it, for programs that read that.

#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "countersign/mailflow/envelope.hpp"
#include "countersign/mailflow/outcome.hpp"
#include "countersign/report/history.hpp"

namespace countersign::mailflow {

/// The record of a message; nothing for one that is not counted or adds nothing to reports, as in
/// evaluation_of().
///
/// reporter     our name.
[[nodiscard]] std::optional<report::HistoryRecord> history_record_of(
    const Outcome& outcome, const Envelope& envelope, const std::string& reporter,
    std::chrono::sys_seconds received);

/// The record of a message whose author's domain has no DMARC record; nothing for any other, for
/// one that was not judged or put off, and for one that was for our report addresses alone.
///
/// reporter     our name.
[[nodiscard]] std::optional<report::HistoryRecord> history_record_without_policy(
    const Outcome& outcome, const Envelope& envelope, const std::string& reporter,
    std::chrono::sys_seconds received);

}  // namespace countersign::mailflow
