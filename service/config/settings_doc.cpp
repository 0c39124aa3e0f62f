// SPDX-License-Identifier: Apache-2.0

#include "service/config/settings_doc.hpp"

#include <string_view>

#include "service/config/settings_table.hpp"

namespace countersign::service::config {
namespace {

constexpr std::string_view introduction =
    "The settings of the daemon, in TOML. Every setting has a default that is safe to run with; a "
    "file needs no more than a socket and a domain with its keys. The command countersign config "
    "check tells everything that is wrong with a file, each problem with its line and a remedy.";

constexpr std::string_view data_sets =
    "A data set is a text that says where entries are: \"file:/path\" or \"/path\" (one entry a "
    "line, \"#\" begins a comment), \"refile:/path\" (the same, keys being patterns in which an "
    "asterisk stands for anything), \"csl:a,b\" or \"a,b\" (a list), \"mdb:/path\" (LMDB). Where a "
    "data set can stand, a TOML list of entries can stand too. A time is a number of seconds, or a "
    "text like \"90s\", \"5m\", \"2h\", \"7d\".";

constexpr std::string_view example =
    "[daemon]\n"
    "sockets = [\"inet:8891@localhost\"]\n"
    "user = \"countersign\"\n"
    "\n"
    "[[signing.domain]]\n"
    "name = \"example.org\"\n"
    "keys = [\n"
    "  { selector = \"june\", file = \"/etc/countersign/june.private\" },\n"
    "  { selector = \"june-ed25519\", file = \"/etc/countersign/june-ed25519.private\" },\n"
    "]\n";

bool is_in(const Setting& setting, const Section& section) {
  const std::string_view owner = setting.key.substr(0, setting.key.rfind('.'));
  return setting.scope == Scope::own && owner == section.name;
}

std::string_view name_of(const Setting& setting) {
  return setting.key.substr(setting.key.rfind('.') + 1);
}

std::string default_of(const Setting& setting) {
  Settings defaults;
  return to_toml(setting.slot(defaults));
}

std::string type_and_range(const Setting& setting) {
  Settings defaults;
  std::string text = type_of(setting.slot(defaults));
  const Range& range = setting.range;
  constexpr Range all;
  if (range.most != all.most) {
    text += ", " + std::to_string(range.least) + " to " + std::to_string(range.most);
  }
  return text;
}

std::string escape(std::string_view text, std::string_view special) {
  std::string escaped;
  for (const char c : text) {
    if (special.find(c) != std::string_view::npos) escaped += '\\';
    escaped += c;
  }
  return escaped;
}

// In a cell of a table, where "*" and "|" mean something.
std::string cell(std::string_view text) { return escape(text, "*|<"); }

std::string markdown_row(const Setting& setting) {
  const std::string value = default_of(setting);
  return "| `" + std::string(name_of(setting)) + "` | " + type_and_range(setting) + " | " +
         (value.empty() ? "" : "`" + value + "`") + " | " + cell(setting.help) + " |\n";
}

// In a manual page, where scdoc gives these a meaning.
std::string manual(std::string_view text) { return escape(text, "*_<\\"); }

std::string manual_entry(const Setting& setting) {
  const std::string value = default_of(setting);
  std::string entry =
      "*" + manual(name_of(setting)) + "* (" + manual(type_and_range(setting)) + ")";
  if (!value.empty()) entry += ", default " + manual(value);
  return entry + "\n\t" + manual(setting.help) + "\n\n";
}

}  // namespace

std::string settings_markdown() {
  std::string page = "# Settings: countersign.toml\n\n";
  page += "<!-- made by `countersign config doc --markdown`; do not edit -->\n\n";
  page += std::string(introduction) + "\n\n```toml\n" + std::string(example) + "```\n\n";
  page += std::string(data_sets) + "\n";
  for (const Section& section : sections()) {
    page += "\n## [" + std::string(section.name) + "]\n\n" + std::string(section.help) + "\n\n";
    page += "| Setting | Type | Default | What it does |\n|---|---|---|---|\n";
    for (const Setting& setting : settings_table()) {
      if (is_in(setting, section)) page += markdown_row(setting);
    }
  }
  return page;
}

std::string settings_manual() {
  std::string page = "countersign.toml(5)\n\n# NAME\n\n";
  page += "countersign.toml - settings of countersign\n";
  page += "\n# DESCRIPTION\n\n" + manual(introduction) + "\n\n" + manual(data_sets) + "\n";
  for (const Section& section : sections()) {
    page += "\n# [" + std::string(section.name) + "]\n\n" + manual(section.help) + "\n\n";
    for (const Setting& setting : settings_table()) {
      if (is_in(setting, section)) page += manual_entry(setting);
    }
    page.pop_back();
  }
  page += "\n# EXAMPLE\n\n```\n" + std::string(example) + "```\n";
  page += "\n# SEE ALSO\n\n*countersign*(1)\n";
  return page;
}

}  // namespace countersign::service::config
