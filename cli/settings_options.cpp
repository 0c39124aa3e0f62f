// SPDX-License-Identifier: Apache-2.0

#include "cli/settings_options.hpp"

#include <filesystem>

#include "cli/failure.hpp"
#include "service/config/accounts.hpp"
#include "service/config/files.hpp"
#include "service/run/problem_log.hpp"

namespace countersign::cli {

namespace config = service::config;

void SettingsOptions::declare(CLI::App& command) {
  command.add_option("-c,--config", config_file, "settings: a countersign.toml");
  command.add_option("-x,--opendkim-config", opendkim_file, "settings: an opendkim.conf, unedited");
}

config::Source SettingsOptions::source() const {
  if (!config_file.empty() && !opendkim_file.empty()) {
    throw Failure(exit_usage, "give --config or -x, not both");
  }
  const bool opendkim = !opendkim_file.empty();
  const std::string& file = opendkim ? opendkim_file : config_file;
  return {.form = opendkim ? config::Source::Form::opendkim : config::Source::Form::countersign,
          .file = std::filesystem::absolute(file.empty() ? default_config_file : file).string(),
          .overrides = overrides};
}

config::Snapshot SettingsOptions::load() const {
  const config::SystemFiles files;
  const config::SystemAccounts accounts;
  return config::load(source(), {files, accounts});
}

std::shared_ptr<const mailflow::SigningPolicy> SettingsOptions::load_policy() const {
  config::Snapshot snapshot = load();
  service::print_problems(snapshot.problems);
  if (snapshot.policy == nullptr) {
    throw Failure(exit_config, "the settings have errors, see above");
  }
  return snapshot.policy;
}

}  // namespace countersign::cli
