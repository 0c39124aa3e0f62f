// SPDX-License-Identifier: Apache-2.0
//
// What happens on milter connections, as lines of the log.

#pragma once

#include "countersign/milter/session.hpp"

namespace countersign::service {

class Log;

/// How much the log tells of messages. Those that were refused, or that somebody should do
/// something about, are always told.
struct EventDetail {
  bool successes = true;  ///< a line for each message
  bool explains = false;  ///< a line for each message, with all reasons
};

/// Writes an event.
void log_event(Log& log, const milter::Event& event, EventDetail detail);

}  // namespace countersign::service
