// SPDX-License-Identifier: Apache-2.0
//
// Macros are looked for one by one: a message has a dozen.

#include "countersign/mailflow/envelope.hpp"

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

std::size_t MacroMap::octets() const {
  std::size_t octets = 0;
  for (const auto& [name, value] : pairs_) octets += name.size() + value.size();
  return octets;
}

}  // namespace countersign::mailflow
