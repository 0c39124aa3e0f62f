// SPDX-License-Identifier: Apache-2.0
//
// The numbers of OpenDMARC's HistoryFile, for its writer and its reader. history.hpp has them all.

#pragma once

#include <algorithm>
#include <iterator>
#include <string_view>

#include "countersign/report/evaluation.hpp"

namespace countersign::report::history {

/// What a record asks for.
enum Policy : int {
  no_author = 13,
  absent = 14,
  pass = 15,
  reject = 16,
  quarantine = 17,
  none = 18,
};

/// What was done.
enum Action : int { rejected = 0, discarded = 1, accepted = 2, put_off = 3, quarantined = 4 };

/// Whether a mechanism gave an aligned pass.
enum Alignment : int { unknown = 0, aligned = 4, unaligned = 5 };

/// A word of RFC 8601 and its number.
struct Code {
  std::string_view word;
  int number;
};

/// The results that a report can tell.
inline constexpr Code results[] = {
    {"pass", 0},      {"softfail", 2}, {"neutral", 3}, {"temperror", 4},
    {"permerror", 5}, {"none", 6},     {"fail", 7},    {"policy", 8},
};
/// The least and the greatest number of a result, told or not.
inline constexpr int first_result = -1;
inline constexpr int last_result = 12;

/// The number of a word; that of no result when there is none.
[[nodiscard]] constexpr int number_of(std::string_view word) {
  const auto* const found = std::ranges::find(results, word, &Code::word);
  return found == std::end(results) ? first_result : found->number;
}

/// The word of a number; empty when reports have none.
[[nodiscard]] constexpr std::string_view word_of(int number) {
  const auto* const found = std::ranges::find(results, number, &Code::number);
  return found == std::end(results) ? std::string_view() : found->word;
}

/// The policy that the record has for the author's domain, as far as a row tells: np= counts for
/// names that do not exist, and nothing there says whether it does.
[[nodiscard]] inline dmarc::AssessmentPolicy published_for(const Evaluation& row) {
  const bool is_below = row.header_from != row.published.domain;
  return is_below ? row.published.sp.value_or(row.published.p) : row.published.p;
}

}  // namespace countersign::report::history
