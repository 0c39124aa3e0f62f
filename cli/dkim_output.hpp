// SPDX-License-Identifier: Apache-2.0
//
// What became of a DKIM signature, as people read it.

#pragma once

#include "cli/json_view.hpp"
#include "cli/terminal.hpp"

namespace countersign::cli {

/// Prints a signature for people on standard output.
///
/// result   a document of service/explain/dkim_json.hpp
void print_dkim(const Terminal& terminal, const JsonView& result);

}  // namespace countersign::cli
