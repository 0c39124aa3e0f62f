// SPDX-License-Identifier: Apache-2.0
//
// Changes to the header of a message, as values: what a mail flow decided and an MTA is asked to
// do. They are made in order, each on the header that the one before left behind, so that an index
// always counts what is there at that moment.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "countersign/message/header_field.hpp"

namespace countersign::mailflow {

/// One change to a header.
struct HeaderEdit {
  /// What is done.
  enum class Kind : std::uint8_t {
    insert_at_top,  ///< a new field above all others
    remove,         ///< the index-th field of that name goes
  };

  Kind kind = Kind::insert_at_top;
  std::string name;
  /// insert_at_top: all after the colon, the leading space included, line ends inside as CRLF.
  std::string value;
  /// remove: which field of that name, the topmost being 1.
  std::size_t index = 0;

  friend bool operator==(const HeaderEdit&, const HeaderEdit&) = default;
};

/// An edit that puts the field above all others.
[[nodiscard]] HeaderEdit insert_at_top(const HeaderField& field);

/// Edits that remove every field of that name, from the highest index down: MTAs renumber after
/// each removal, and counting upwards would leave every second field (CVE-2022-48521).
[[nodiscard]] std::vector<HeaderEdit> remove_all(const Header& header, std::string_view name);

/// Makes the edits on a header, as an MTA does. An index that is not there changes nothing.
void apply_edits(const std::vector<HeaderEdit>& edits, Header& header);

}  // namespace countersign::mailflow
