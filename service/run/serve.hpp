// SPDX-License-Identifier: Apache-2.0
//
// The start of the daemon, in the one order that works: settings are read and judged while a
// terminal is there to tell, the process goes to the background, sockets are bound while it may,
// then it becomes the mail user, and only then starts threads.

#pragma once

#include "service/run/daemon.hpp"

namespace countersign::service {

/// How the command line overrules the settings.
struct ServeOptions {
  bool foreground = false;  ///< stay, whatever the settings say
};

/// Runs the daemon to its end; the exit code of the program. Throws StartError when it cannot
/// start.
[[nodiscard]] int serve(const LoadSnapshot& load, const ServeOptions& options);

}  // namespace countersign::service
