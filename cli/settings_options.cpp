// SPDX-License-Identifier: Apache-2.0

#include "cli/settings_options.hpp"

#include <filesystem>
#include <optional>
#include <string_view>

#include "cli/failure.hpp"
#include "service/config/import/recognize.hpp"
#include "service/run/problem_log.hpp"

namespace countersign::cli {

namespace config = service::config;

namespace {

std::string absolute(const std::string& file) { return std::filesystem::absolute(file).string(); }

// "opendmarc:FILE" says what the file is. A file whose name begins like that can be named with its
// folder: ./opendmarc:FILE.
config::SourceFile foreign_file(const std::string& text) {
  const std::size_t colon = text.find(':');
  const auto form = colon == std::string::npos
                        ? std::nullopt
                        : config::form_named(std::string_view(text).substr(0, colon));
  if (form) return {*form, absolute(text.substr(colon + 1))};
  return {config::Form::any, absolute(text)};
}

}  // namespace

void SettingsOptions::declare(CLI::App& command) {
  command.add_option("--config", config_file, "settings: a countersign.toml")->option_text("FILE");
  command
      .add_option("-x,--opendkim-config", foreign_files,
                  "the same of OpenDKIM, OpenDMARC, OpenARC, policyd-spf or dkimpy; repeatable")
      ->option_text("FILE")
      ->allow_extra_args(false);
}

config::Source SettingsOptions::source() const {
  config::Source source{.form = config::Form::countersign, .file = "", .overrides = overrides};
  for (const std::string& file : foreign_files) source.others.push_back(foreign_file(file));
  if (!config_file.empty() || foreign_files.empty()) {
    source.file = absolute(config_file.empty() ? default_config_file : config_file);
  } else {
    source.form = source.others.front().form;
    source.file = source.others.front().file;
    source.others.erase(source.others.begin());
  }
  return source;
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
