// SPDX-License-Identifier: Apache-2.0
//
// What happens on milter connections, as lines of the log.

#pragma once

#include "countersign/milter/session.hpp"

namespace countersign::service {

class Log;

/// Writes an event. A message that was signed is written only when log_successes is set; one that
/// failed always.
void log_event(Log& log, const milter::Event& event, bool log_successes);

}  // namespace countersign::service
