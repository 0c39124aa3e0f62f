// SPDX-License-Identifier: Apache-2.0

#include "service/config/suggest.hpp"

#include <algorithm>
#include <array>
#include <numeric>
#include <vector>

#include "countersign/text/abnf.hpp"

namespace countersign::service::config {
namespace {

// No setting has a longer name, and the work grows with the product of both lengths.
constexpr std::size_t name_octets_max = 40;

// The optimal string alignment distance, row by row.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> two_before(b.size() + 1);
  std::vector<std::size_t> before(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(before.begin(), before.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const bool same = text::to_lower(a[i - 1]) == text::to_lower(b[j - 1]);
      row[j] = std::min({before[j] + 1, row[j - 1] + 1, before[j - 1] + (same ? 0 : 1)});
      const bool swapped = i > 1 && j > 1 && text::to_lower(a[i - 1]) == text::to_lower(b[j - 2]) &&
                           text::to_lower(a[i - 2]) == text::to_lower(b[j - 1]);
      if (swapped) row[j] = std::min(row[j], two_before[j - 2] + 1);
    }
    std::swap(two_before, before);
    std::swap(before, row);
  }
  return before[b.size()];
}

}  // namespace

std::string suggestion(std::string_view name, std::span<const std::string_view> known) {
  if (name.size() > name_octets_max) return {};
  // A third of the letters wrong is no slip of the finger any more.
  std::size_t least = name.size() / 3 + 1;
  std::string_view nearest;
  for (const std::string_view candidate : known) {
    // The distance is at least the difference of the lengths.
    if (name.size() + least <= candidate.size() || candidate.size() + least <= name.size()) {
      continue;
    }
    const std::size_t found = distance(name, candidate);
    if (found >= least) continue;
    least = found;
    nearest = candidate;
  }
  return nearest.empty() ? std::string() : "did you mean " + std::string(nearest) + "?";
}

}  // namespace countersign::service::config
