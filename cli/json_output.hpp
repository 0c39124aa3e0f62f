// SPDX-License-Identifier: Apache-2.0
//
// What --json prints: one document on one line, in ASCII, so that a stranger's text in it does
// nothing to a terminal that it ends up on.

#pragma once

#include <boost/json/fwd.hpp>
#include <vector>

#include "service/config/problem.hpp"
#include "service/explain/json_text.hpp"

namespace countersign::cli {

using service::json_text;

/// Prints a document and a line end on standard output; what is not printable ASCII is escaped.
/// RFC 8259 §7
void print_json(const boost::json::value& document);

/// Problems as an array of {severity, file, line, message, remedy}; file and line are null where
/// there is none.
[[nodiscard]] boost::json::array to_json(const std::vector<service::config::Problem>& problems);

}  // namespace countersign::cli
