// SPDX-License-Identifier: Apache-2.0
//
// Which fields mail must have to be sealed: regular expressions of the operator, matched against
// the text of strangers. RE2 does it, in time that grows with the text alone.
//
//   X-Spam-Flag: ^NO$        the name, a colon, the expression without the blanks around it

#pragma once

#include <cstddef>
#include <vector>

#include "countersign/mailflow/sealing_policy.hpp"
#include "service/config/files.hpp"
#include "service/config/problem.hpp"
#include "service/config/settings.hpp"

namespace countersign::service::config {

/// Checks that are read.
inline constexpr std::size_t header_checks_max = 100;
/// Octets of one expression.
inline constexpr std::size_t header_check_octets_max = 1'000;
/// Octets of memory that one expression takes, compiled and at work.
inline constexpr std::size_t header_check_memory_max = 1'048'576;

/// Reads checks from a list, or from a file with one a line, where "#" begins a line that is left
/// out. An expression is one of RE2, is found anywhere in a value unless it says otherwise, and
/// tells upper from lower case. Where a value is a JSON string or a list of them, it is looked for
/// in each string instead, as OpenARC does.
/// Errors       a line that is no check, an expression that cannot be compiled or is too large, and
///              more checks than are read are fatal problems, each at its place.
[[nodiscard]] std::vector<mailflow::HeaderCheck> read_header_checks(const DataSet& set,
                                                                    const Files& files,
                                                                    Problems& problems);

}  // namespace countersign::service::config
