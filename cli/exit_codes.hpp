// SPDX-License-Identifier: Apache-2.0
//
// The exit codes of every subcommand, in one place; docs/cli.md repeats them for people.

#pragma once

#include <sysexits.h>

namespace countersign::cli {

/// 0 means yes or done, 1 means no (a signature that does not pass, a check with warnings), the
/// rest are sysexits.
enum ExitCode : int {
  exit_ok = EX_OK,
  exit_no = 1,                        ///< the question was answered, the answer is no
  exit_usage = EX_USAGE,              ///< 64: the command line cannot be understood
  exit_data = EX_DATAERR,             ///< 65: a message, key or zone that cannot be read as such
  exit_no_input = EX_NOINPUT,         ///< 66: a file that cannot be opened
  exit_unavailable = EX_UNAVAILABLE,  ///< 69: something needed is not there
  exit_internal = EX_SOFTWARE,        ///< 70: a bug of ours
  exit_cannot_create = EX_CANTCREAT,  ///< 73: an output file cannot be written
  exit_temporary = EX_TEMPFAIL,       ///< 75: DNS did not answer; try again
  exit_config = EX_CONFIG,            ///< 78: settings with errors
};

}  // namespace countersign::cli
