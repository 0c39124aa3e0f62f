// SPDX-License-Identifier: Apache-2.0
//
// What the Authentication-Results fields of a message say under one authserv-id, as one text. ARC
// wants it in a single field, in the words in which it was found. RFC 8617 §4.1.1

#pragma once

#include <string>
#include <string_view>

#include "countersign/limits.hpp"
#include "countersign/message/header_field.hpp"

namespace countersign::authres {

/// Joins the results of all fields that bear the authserv-id, from the top down, comments kept.
///
/// authserv_id  must satisfy is_authserv_id(); compared without regard to case, as domain names
///              are. Fields that parse_field() cannot read are left out.
/// Returns      the value of a field: "mx.example.org; spf=pass …; dkim=pass …", still folded; ends
///              in "; none" when there is no result.
/// RFC 8601 §2.2, RFC 8617 §4.1.1
[[nodiscard]] std::string merge_payloads(const Header& header, std::string_view authserv_id,
                                         const Limits& limits);

}  // namespace countersign::authres
