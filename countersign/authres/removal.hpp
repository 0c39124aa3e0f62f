// SPDX-License-Identifier: Apache-2.0
//
// Which Authentication-Results fields of a message that comes in must go: those that claim to be
// ours. Whoever reads mail behind us believes what bears our authserv-id, so a sender who could
// bring it along would write his own verdict.
//
// A reader that is more lenient than ours must not find our id where we did not. So this errs to
// one side: a field goes when any way of reading it gives our id, and when it cannot be read at all
// and has our id anywhere in it. RFC 8601 §5

#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "countersign/limits.hpp"
#include "countersign/message/header_field.hpp"

namespace countersign::authres {

/// True when the value of an Authentication-Results field may be read as claiming the authserv-id:
/// in any case, quoted, folded, commented, with a version, a dot, "/" or other punctuation and more
/// behind it, as A-labels or U-labels, with octets in between that some reader drops, and where an
/// encoded word may hide it.
///
/// field_value  all after the colon, of any length; linear in it.
/// RFC 8601 §5
[[nodiscard]] bool claims_authserv_id(std::string_view field_value, std::string_view authserv_id,
                                      const Limits& limits);

/// The fields named Authentication-Results that claim one of our ids, each by its number among the
/// fields of that name, the topmost being 1.
///
/// Returns      the highest number first, so that removing one by one leaves the others their
///              numbers.
/// RFC 8601 §5
[[nodiscard]] std::vector<std::size_t> fields_to_remove(const Header& header,
                                                        const std::vector<std::string>& our_ids,
                                                        const Limits& limits);

}  // namespace countersign::authres
