// SPDX-License-Identifier: Apache-2.0
//
// Macros are looked for one by one: a message has a dozen.

#include "countersign/mailflow/envelope.hpp"

#include <algorithm>

namespace countersign::mailflow {

std::string& MacroMap::operator[](std::string_view name) {
  for (auto& [known, value] : pairs_)
    if (known == name) return value;
  return pairs_.emplace_back(name, std::string()).second;
}

const std::string* MacroMap::find(std::string_view name) const {
  for (const auto& [known, value] : pairs_)
    if (known == name) return &value;
  return nullptr;
}

void MacroMap::truncate(std::size_t count) { pairs_.resize(std::min(count, pairs_.size())); }

}  // namespace countersign::mailflow
