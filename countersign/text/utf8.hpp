// SPDX-License-Identifier: Apache-2.0
//
// UTF-8 octets to code points, for the few places that judge what people see: internationalized
// names and the text of internationalized header fields.

#pragma once

#include <optional>
#include <string_view>

namespace countersign::text {

/// Takes the first code point off the text, or nothing, leaving the text, when it is empty or does
/// not begin with well-formed UTF-8: overlong forms, surrogates and anything above U+10FFFF are
/// not. RFC 3629 §3, §4
[[nodiscard]] std::optional<char32_t> take_code_point(std::string_view& text);

/// True when the text is well-formed UTF-8 from its first octet to its last. RFC 3629 §4
[[nodiscard]] bool is_utf8(std::string_view text);

}  // namespace countersign::text
