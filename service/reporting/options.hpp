// SPDX-License-Identifier: Apache-2.0
//
// The settings of reports as the values that the outbox and the sender work by.

#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "countersign/result.hpp"
#include "service/config/snapshot.hpp"
#include "service/reporting/failure_reporter.hpp"
#include "service/reporting/mail_sender.hpp"
#include "service/reporting/outbox.hpp"

namespace countersign::service {

/// The MTA that takes reports.
/// Errors       a sentence: the password file cannot be read.
[[nodiscard]] Result<SmtpServer, std::string> smtp_server(const config::Snapshot& snapshot);

/// How reports are made and sent.
///
/// now          the clock.
/// Errors       a sentence that names the setting: no address that they come from, or none whose
///              domain a key of ours signs for.
[[nodiscard]] Result<OutboxOptions, std::string> outbox_options(
    const config::Snapshot& snapshot, std::function<std::chrono::sys_seconds()> now);

/// How failure reports are made and sent. Whether a key signs for them is looked at when they are:
/// a reload may bring one.
///
/// policy       gives the policy in force.
/// now          the clock.
/// Errors       a sentence that names the setting: no address that they come from, a copy for what
///              is no address, a secret that cannot be read.
[[nodiscard]] Result<FailureReporterOptions, std::string> failure_reporter_options(
    const config::Snapshot& snapshot,
    std::function<std::shared_ptr<const mailflow::Policy>()> policy,
    std::function<std::chrono::sys_seconds()> now);

}  // namespace countersign::service
