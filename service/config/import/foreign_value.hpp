// SPDX-License-Identifier: Apache-2.0
//
// Values as the milters that we replace read them.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace countersign::service::config {

/// A boolean: only the first character counts, one of TtYy1 or FfNn0.
[[nodiscard]] std::optional<bool> parse_foreign_boolean(std::string_view text);

/// An integer with a base as in C: 0x…, 0…, else decimal; a sign is taken. What is larger than 2^40
/// is 2^40.
[[nodiscard]] std::optional<std::int64_t> parse_foreign_integer(std::string_view text);

/// The items of a comma list, without blanks around them and without empty ones.
[[nodiscard]] std::vector<std::string> split_list(std::string_view text);

/// The whole word for the first letter of an action: "r" is "reject". Other text stays as it is.
[[nodiscard]] std::string expand_action(std::string_view text);

}  // namespace countersign::service::config
