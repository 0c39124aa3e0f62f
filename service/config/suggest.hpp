// SPDX-License-Identifier: Apache-2.0
//
// "Did you mean …": the known name that is nearest to a mistyped one.

#pragma once

#include <span>
#include <string>
#include <string_view>

namespace countersign::service::config {

/// "did you mean NAME?" for the known name with the fewest insertions, deletions, replacements and
/// swaps of neighbours, case not counted; empty when none is near.
[[nodiscard]] std::string suggestion(std::string_view name,
                                     std::span<const std::string_view> known);

}  // namespace countersign::service::config
