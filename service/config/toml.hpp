// SPDX-License-Identifier: Apache-2.0
//
// TOML text as plain values with their places, so that only one file knows the TOML library.

#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "service/config/problem.hpp"
#include "service/config/value.hpp"

namespace countersign::service::config {

/// Parses a TOML document. A syntax error is a fatal problem with its line, and nothing is
/// returned; so is a value that no setting takes: a date, a time, a fraction.
[[nodiscard]] std::optional<Value::Table> parse_toml(std::string_view text, const std::string& file,
                                                     Problems& problems);

}  // namespace countersign::service::config
