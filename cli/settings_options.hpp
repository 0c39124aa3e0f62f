// SPDX-License-Identifier: Apache-2.0
//
// Which configuration a subcommand works by: --config for countersign.toml, -x for the files of
// other programs, and what the command line overrules.

#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <utility>
#include <vector>

#include "service/config/snapshot.hpp"

namespace countersign::cli {

/// The options --config and -x with what was given.
struct SettingsOptions {
  std::string config_file;                 ///< countersign.toml
  std::vector<std::string> foreign_files;  ///< opendkim.conf and the like, "opendmarc:FILE"
  /// By the names of the settings, those of OpenDKIM when there are foreign files.
  std::vector<std::pair<std::string, std::string>> overrides;

  /// Declares the options.
  void declare(CLI::App& command);
  /// True when one of the files was named.
  [[nodiscard]] bool given() const { return !config_file.empty() || !foreign_files.empty(); }
  /// What is read; the default file of the machine when none was named. Paths are made absolute, so
  /// that a change of directory does not matter to a reload.
  [[nodiscard]] service::config::Source source() const;
  /// Reads settings, tables and keys.
  [[nodiscard]] service::config::Snapshot load() const;
  /// Reads them and prints their warnings and errors on standard error. The policy is there.
  /// Throws Failure(exit_config) when they cannot be used.
  [[nodiscard]] service::config::Snapshot load_usable() const;
};

/// Where the daemon's settings are looked for when no file is named.
inline constexpr const char* default_config_file = "/etc/countersign/countersign.toml";

}  // namespace countersign::cli
