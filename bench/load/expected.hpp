// SPDX-License-Identifier: Apache-2.0
//
// The results that a message must get, and those that it got.

#pragma once

#include <string>
#include <vector>

#include "countersign/authres/field.hpp"
#include "countersign/message/header_field.hpp"

namespace countersign::bench {

/// What a filter that judges must say of a message, in the words of RFC 8601 §2.7.
struct Expected {
  std::string spf;   ///< of MAIL FROM
  std::string dkim;  ///< of the one signature; "none" when there is none
  std::string dmarc;
};

/// All results that the Authentication-Results fields of a header state, from the top down.
[[nodiscard]] std::vector<authres::MethodResult> results_of(const Header& header);

/// True when each method has the result that it must have, and no other. A message without a
/// signature may have no result for dkim at all; a result of SPF for HELO does not count.
[[nodiscard]] bool is_right(const Expected& expected,
                            const std::vector<authres::MethodResult>& results);

}  // namespace countersign::bench
