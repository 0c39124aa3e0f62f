// SPDX-License-Identifier: Apache-2.0

#include "service/config/import/option.hpp"

#include "countersign/text/abnf.hpp"

namespace countersign::service::config {

std::string_view to_string(Fate fate) {
  switch (fate) {
    case Fate::works:
      return "works";
    case Fate::missing:
      return "not yet";
    case Fate::ignored:
      return "no effect";
    case Fate::removed:
      return "removed";
  }
  return "";
}

const Option* find_option(std::span<const Option> options, std::string_view name) {
  for (const Option& option : options) {
    if (text::equal_ignoring_case(option.name, name)) return &option;
  }
  return nullptr;
}

std::string options_markdown(std::span<const Option> options) {
  std::string table = "| Option | | Setting | What we do |\n|---|---|---|---|\n";
  for (const Option& option : options) {
    const bool named = !option.key.empty() && option.fate == Fate::works;
    table += "| `" + std::string(option.name) + "` | " + std::string(to_string(option.fate)) +
             " | " + (named ? "`" + std::string(option.key) + "`" : "") + " | " +
             std::string(option.remark) + " |\n";
  }
  return table;
}

}  // namespace countersign::service::config
