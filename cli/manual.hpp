// SPDX-License-Identifier: Apache-2.0
//
// The command line for people, made from the declared options themselves: docs/cli.md and the
// manual page countersign(1). A test holds the committed files to what is made here.

#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace countersign::cli {

/// docs/cli.md.
[[nodiscard]] std::string cli_markdown(const CLI::App& root);

/// The source of countersign(1) for scdoc(1).
[[nodiscard]] std::string cli_manual(const CLI::App& root);

}  // namespace countersign::cli
