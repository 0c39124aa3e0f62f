// SPDX-License-Identifier: Apache-2.0
//
// What can be wrong with any record before its meaning is looked at: how it is laid out in the
// strings of a TXT record, and what zone files and editors leave in it.

#pragma once

#include <span>
#include <string_view>

#include "cli/lint.hpp"

namespace countersign::cli {

/// Judges sizes and octets: strings that hold too much, answers that are too large, octets that are
/// no ASCII, quotes and backslashes left over.
/// RFC 1035 §3.3.14, RFC 7208 §3.3, §3.4
void judge_layout(const LintText& input, LintReport& report);

/// Judges whether a semicolon is missing before a tag, within a string or where two strings of the
/// record join.
/// names  tags of this kind of record, in lower case.
/// RFC 6376 §3.2, RFC 9989 §4.8
void judge_separators(const LintText& input, std::span<const std::string_view> names,
                      LintReport& report);

}  // namespace countersign::cli
