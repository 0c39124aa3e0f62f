// SPDX-License-Identifier: Apache-2.0
//
// The whole verdict on a message, as people read it. It is drawn from the document that programs
// read, so that a message looks the same whether it was judged here or by the daemon.

#pragma once

#include "cli/json_view.hpp"
#include "cli/terminal.hpp"

namespace countersign::cli {

/// Prints the verdict for people on standard output, as a tree.
///
/// verdict   a document of service/explain/verdict_json.hpp
void print_verdict(const Terminal& terminal, const JsonView& verdict);

}  // namespace countersign::cli
