// SPDX-License-Identifier: Apache-2.0
//
// How the program speaks of its own command line: --help, and the one sentence when the command
// line cannot be understood.

#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace countersign::cli {

/// What stands behind an option's help: what it is without the option, or that it must be given.
/// Empty when there is nothing to say.
[[nodiscard]] std::string default_note(const CLI::Option& option);

/// Gives the root, and every subcommand that is added later, our help and our sentence.
void set_help(CLI::App& root);

}  // namespace countersign::cli
