// SPDX-License-Identifier: Apache-2.0
//
// The one table of settings: the key in countersign.toml, what it is for, and where its value is
// kept. The reader of countersign.toml, the importers, docs/settings.md and the manual page all
// work from it; its defaults are those of Settings.

#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "service/config/settings.hpp"
#include "service/config/value.hpp"

namespace countersign::service::config {

/// Who may set a setting.
enum class Scope : std::uint8_t {
  own,       ///< countersign.toml and the importers
  imported,  ///< the importers alone: kept so that an old file loses nothing
};

/// Where a setting is kept in a Settings.
using SlotOf = Slot (*)(Settings&);

/// One setting.
struct Setting {
  std::string_view key;   ///< "section.name"
  std::string_view help;  ///< what it does, in sentences
  SlotOf slot = nullptr;
  Range range;
  Scope scope = Scope::own;
};

/// A section of countersign.toml.
struct Section {
  std::string_view name;
  std::string_view help;
};

/// The sections, in the order of the documents.
[[nodiscard]] std::span<const Section> sections();

/// All settings, section by section.
[[nodiscard]] std::span<const Setting> settings_table();

/// The setting of that key, or nullptr.
[[nodiscard]] const Setting* find_setting(std::string_view key);

}  // namespace countersign::service::config
