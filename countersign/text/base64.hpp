// SPDX-License-Identifier: Apache-2.0
//
// base64 as the mail-authentication fields use it: one line, standard alphabet, padding.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "countersign/result.hpp"

namespace countersign::text {

/// What can be wrong with base64 text.
enum class Base64ErrorCode : std::uint8_t {
  bad_character,  ///< outside the alphabet and not folding space
  bad_padding,    ///< "=" too many, or inside
  bad_length,     ///< a last quantum of one character
};

using Base64Error = SyntaxErrorOf<Base64ErrorCode>;

/// Says in a sentence what is wrong and which section rules it.
[[nodiscard]] std::string_view to_string(Base64ErrorCode code);

/// Decodes base64 in which folding space (SP, HTAB, CR, LF) may stand anywhere.
///
///   base64string = ALPHADIGITPS *([FWS] ALPHADIGITPS) [ [FWS] "=" [ [FWS] "=" ] ]
///
/// Returns      the octets.
/// Leniency     padding may be missing, as the grammar says; the unused bits of the last quantum
///              are ignored, as in deployed verifiers.
/// RFC 6376 §2.10, RFC 4648 §4
[[nodiscard]] Result<std::string, Base64Error> decode_base64(std::string_view text);

/// Encodes octets in one unbroken line with padding. RFC 4648 §4
[[nodiscard]] std::string encode_base64(std::string_view octets);

}  // namespace countersign::text
