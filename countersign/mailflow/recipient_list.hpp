// SPDX-License-Identifier: Apache-2.0
//
// A list of recipients, as DontSignMailTo has it. Plain entries are found by look-up however long
// the list is; patterns are tried one after the other.

#pragma once

#include <initializer_list>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "countersign/mailflow/pattern.hpp"

namespace countersign::mailflow {

/// Addresses, domains, ".domain" for what is below one, and patterns as in a refile: table.
class RecipientList {
 public:
  RecipientList() = default;
  /// A list of these entries; those that add() refuses are left out.
  RecipientList(std::initializer_list<std::string_view> entries);

  /// Adds an entry. False, and nothing added, when it is neither plain nor a pattern that can be
  /// used (Pattern::compile()).
  [[nodiscard]] bool add(std::string_view entry);

  /// True when it lists nobody.
  [[nodiscard]] bool empty() const { return plain_.empty() && patterns_.empty(); }

  /// True when the address (without <>), its domain, or a domain above that is listed, or a pattern
  /// matches the address. Case does not count.
  [[nodiscard]] bool contains(std::string_view recipient) const;

 private:
  std::set<std::string> plain_;  // In lower case.
  std::vector<Pattern> patterns_;
};

}  // namespace countersign::mailflow
