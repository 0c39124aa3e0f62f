// SPDX-License-Identifier: Apache-2.0

#include "cli/settings_options.hpp"

#include <filesystem>

#include "cli/failure.hpp"
#include "service/run/problem_log.hpp"

namespace countersign::cli {

namespace config = service::config;

void SettingsOptions::declare(CLI::App& command) {
  command.add_option("--config", config_file, "settings: a countersign.toml")->option_text("FILE");
  command.add_option("-x,--opendkim-config", opendkim_file, "settings: an opendkim.conf, unedited")
      ->option_text("FILE");
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
  return config::load(source(), config::this_machine());
}

config::Snapshot SettingsOptions::load_usable() const {
  config::Snapshot snapshot = load();
  std::vector<config::Problem> problems = snapshot.problems;
  std::erase_if(problems, [](const config::Problem& problem) {
    return problem.severity < config::Severity::warning;
  });
  service::print_problems(problems);
  if (snapshot.policy == nullptr) {
    throw Failure(exit_config, "the settings have errors, see above");
  }
  return snapshot;
}

}  // namespace countersign::cli
