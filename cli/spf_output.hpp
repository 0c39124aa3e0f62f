// SPDX-License-Identifier: Apache-2.0
//
// An SPF check as people read it: the result, why, and every term that was tried with what DNS said
// to it, as a tree.

#pragma once

#include "cli/json_view.hpp"
#include "cli/terminal.hpp"

namespace countersign::cli {

/// Prints a check for people on standard output.
///
/// check   a document of service/explain/spf_json.hpp
void print_spf(const Terminal& terminal, const JsonView& check);

}  // namespace countersign::cli
