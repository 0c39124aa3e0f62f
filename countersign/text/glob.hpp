// SPDX-License-Identifier: Apache-2.0
//
// Patterns of plain octets and "*", as tables and lists of names have them. They need no regular
// expression, and no text can make them slow.

#pragma once

#include <string_view>

namespace countersign::text {

/// True when the whole text matches: "*" stands for any octets or none, every other octet for
/// itself without regard to the case of ASCII letters. Takes time that the product of both sizes
/// bounds.
[[nodiscard]] bool glob_matches(std::string_view glob, std::string_view text);

}  // namespace countersign::text
