// SPDX-License-Identifier: Apache-2.0
//
// Strangers' text as JSON can hold it.

#pragma once

#include <boost/json/fwd.hpp>
#include <string>
#include <string_view>

namespace countersign::service {

/// Octets as text that JSON can hold: broken UTF-8 becomes U+FFFD.
[[nodiscard]] std::string json_text(std::string_view octets);

/// The text, or null when it is empty.
[[nodiscard]] boost::json::value text_or_null(std::string_view octets);

/// A document on one line, in ASCII: what is not printable in its strings is escaped, so that a
/// stranger's text does nothing to a terminal that it ends up on. RFC 8259 §7
[[nodiscard]] std::string ascii_json(const boost::json::value& document);

}  // namespace countersign::service
