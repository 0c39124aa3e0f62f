// SPDX-License-Identifier: Apache-2.0
//
// Edits made as values, and carried out as MTAs do it, for tools that have no MTA.

#include "countersign/mailflow/header_edit.hpp"

#include <string_view>

namespace countersign::mailflow {

namespace {

void remove_field(const HeaderEdit& edit, Header& header) {
  std::size_t seen = 0;
  for (auto field = header.begin(); field != header.end(); ++field) {
    if (!field->is(edit.name) || ++seen != edit.index) continue;
    header.erase(field);
    return;
  }
}

}  // namespace

HeaderEdit insert_at_top(const HeaderField& field) {
  return {.kind = HeaderEdit::Kind::insert_at_top,
          .name = std::string(field.name()),
          .value = std::string(field.value())};
}

std::vector<HeaderEdit> remove_all(const Header& header, std::string_view name) {
  std::vector<HeaderEdit> edits;
  for (std::size_t index = count_fields(header, name); index > 0; --index)
    edits.push_back({.kind = HeaderEdit::Kind::remove, .name = std::string(name), .index = index});
  return edits;
}

void apply_edits(const std::vector<HeaderEdit>& edits, Header& header) {
  for (const HeaderEdit& edit : edits) {
    if (edit.kind == HeaderEdit::Kind::remove)
      remove_field(edit, header);
    else
      header.insert(header.begin(), HeaderField::from_parts(edit.name, edit.value));
  }
}

}  // namespace countersign::mailflow
