// SPDX-License-Identifier: Apache-2.0
//
// DKIM's quoted-printable: how i=, z= and n= carry octets that a tag list cannot. It is not MIME's:
// folding space means nothing, and a ";" is always encoded.

#pragma once

#include <string>
#include <string_view>

namespace countersign::dkim {

/// Decodes; folding space anywhere is dropped.
///
///   dkim-quoted-printable = *(FWS / hex-octet / dkim-safe-char)
///
/// Leniency     lower-case digits are taken; a "=" that no two hexadecimal digits follow, and an
///              octet that should have been encoded, stand for themselves, as RFC 2045 §6.7
///              advises.
/// RFC 6376 §2.11
[[nodiscard]] std::string decode_quoted_printable(std::string_view text);

/// Encodes in one unbroken line; "|" is encoded too, as z= needs.
/// RFC 6376 §2.11, §3.5
[[nodiscard]] std::string encode_quoted_printable(std::string_view octets);

}  // namespace countersign::dkim
