// SPDX-License-Identifier: Apache-2.0
//
// A DMARC evaluation as people read it: the walk, the alignment, the outcome.

#pragma once

#include "cli/json_view.hpp"
#include "cli/terminal.hpp"

namespace countersign::cli {

/// Prints an evaluation for people on standard output.
///
/// check   a document of service/explain/dmarc_json.hpp
void print_dmarc(const Terminal& terminal, const JsonView& check);

}  // namespace countersign::cli
