// SPDX-License-Identifier: Apache-2.0
//
// `countersign config`: everything that is wrong with a configuration, and the documents of its
// settings.

#include <fmt/format.h>

#include <boost/json.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/command.hpp"
#include "cli/exit_codes.hpp"
#include "cli/json_output.hpp"
#include "cli/key_check.hpp"
#include "cli/postconf.hpp"
#include "cli/settings_options.hpp"
#include "cli/terminal.hpp"
#include "service/config/import/recognize.hpp"
#include "service/config/postfix.hpp"
#include "service/config/settings_doc.hpp"
#include "service/config/signing_keys.hpp"
#include "service/log/escape.hpp"

namespace countersign::cli {
namespace {

namespace config = service::config;
using config::Problem;
using config::Severity;

struct CheckOptions {
  SettingsOptions settings;
  DnsOptions dns;
  bool asks_dns = false;
  /// The folder of the Postfix whose settings are looked at; empty: its own; none: not at all.
  std::optional<std::string> postfix;
  bool json = false;
};

void add_key_problems(CheckOptions& options, const config::Snapshot& snapshot,
                      config::Problems& problems) {
  std::vector<PublishedKey> keys;
  for (const config::SigningKey& key : config::signing_keys(snapshot, config::this_machine())) {
    keys.push_back({key.domain, key.selector, key.key, key.place});
  }
  if (keys.empty()) return;
  options.dns.complete(snapshot.settings.dns);
  Lookups lookups(options.dns);
  Progress progress(keys.size(), "keys looked up");
  for (const KeyReport& report :
       check_keys(keys, lookups, [&progress](std::size_t done) { progress.show(done); })) {
    for (const Problem& problem : report.problems) problems.add(problem);
  }
  progress.clear();
}

std::vector<Problem> find_problems(CheckOptions& options) {
  const config::Snapshot snapshot = options.settings.load();
  config::Problems problems;
  for (const Problem& problem : snapshot.problems) problems.add(problem);
  if (options.asks_dns || !options.dns.zone_file.empty()) {
    add_key_problems(options, snapshot, problems);
  }
  if (options.postfix)
    config::check_postfix(ask_postconf(*options.postfix), snapshot.settings, problems);
  return problems.take_sorted();
}

void print_text(const std::vector<Problem>& problems) {
  const Terminal terminal(stdout);
  std::size_t errors = 0;
  std::size_t warnings = 0;
  for (const Problem& problem : problems) {
    errors += problem.severity >= Severity::error ? 1 : 0;
    warnings += problem.severity == Severity::warning ? 1 : 0;
    fmt::print("{}\n", service::printable(to_string(problem)));
  }
  const auto plural = [](std::size_t count) { return count == 1 ? "" : "s"; };
  if (errors + warnings == 0) {
    fmt::print("{}\n", terminal.paint(Colour::green, "the settings are good"));
  } else {
    const std::string summary =
        fmt::format("{} error{}, {} warning{}", errors, plural(errors), warnings, plural(warnings));
    fmt::print("{}\n", terminal.paint(errors > 0 ? Colour::red : Colour::yellow, summary));
  }
}

int run_check(CheckOptions& options) {
  const std::vector<Problem> problems = find_problems(options);
  if (options.json) {
    print_json(boost::json::object{{"problems", to_json(problems)}});
  } else {
    print_text(problems);
  }
  const Severity severity = config::worst(problems);
  if (severity >= Severity::error) return exit_config;
  return severity == Severity::warning ? exit_no : exit_ok;
}

void add_check(CLI::App& parent, int& exit_code) {
  CLI::App* command = parent.add_subcommand(
      "check", "Tell everything that is wrong, each with its line and a remedy.");
  const auto options = std::make_shared<CheckOptions>();
  options->settings.declare(*command);
  command->add_flag("--dns", options->asks_dns, "compare the keys with the records in DNS too");
  options->dns.declare(*command);
  command
      ->add_option_function<std::vector<std::string>>(
          "--postfix",
          [options](const std::vector<std::string>& folders) {
            options->postfix = folders.empty() ? "" : folders.front();
          },
          "look at Postfix's settings too; FOLDER has main.cf, if it is not Postfix's own")
      ->expected(0, 1)
      ->option_text("[FOLDER]");
  command->add_flag("--json", options->json, "print JSON for programs");
  command->footer("Exit codes: 0 nothing is wrong, 1 warnings, 78 errors.");
  command->callback([options, &exit_code] { exit_code = run_check(*options); });
}

/// The options of other programs, as the documents have them.
struct OptionsPage {
  const char* flag;
  config::Form form;
  const char* help;
};

constexpr OptionsPage options_pages[] = {
    {"--opendkim", config::Form::opendkim, "the options of opendkim.conf instead"},
    {"--opendmarc", config::Form::opendmarc, "the options of opendmarc.conf instead"},
    {"--openarc", config::Form::openarc, "the options of openarc.conf instead"},
    {"--policyd-spf", config::Form::policyd_spf, "the options of policyd-spf.conf instead"},
    {"--dkimpy-milter", config::Form::dkimpy, "the options of dkimpy-milter.conf instead"},
};

struct DocOptions {
  bool manual = false;
  bool markdown = false;
  config::Form form = config::Form::countersign;
};

void print_doc(const DocOptions& options) {
  if (options.form != config::Form::countersign) {
    fmt::print("{}", config::options_markdown(config::dialect_of(options.form).options));
  } else {
    fmt::print("{}", options.manual ? config::settings_manual() : config::settings_markdown());
  }
}

void add_doc(CLI::App& parent) {
  CLI::App* command =
      parent.add_subcommand("doc", "Print the settings of countersign.toml with their defaults.");
  const auto options = std::make_shared<DocOptions>();
  std::vector<CLI::Option*> pages{
      command->add_flag("--man", options->manual, "as the source of a manual page, for scdoc(1)"),
      command->add_flag("--markdown", options->markdown, "as Markdown, which is the default")};
  for (const OptionsPage& page : options_pages) {
    pages.push_back(command->add_flag_callback(
        page.flag, [options, page] { options->form = page.form; }, page.help));
  }
  for (CLI::Option* const page : pages) {
    for (CLI::Option* const other : pages) {
      if (page != other) page->excludes(other);
    }
  }
  command->footer("Exit code: 0.");
  command->callback([options] { print_doc(*options); });
}

}  // namespace

void add_config(CLI::App& root, int& exit_code) {
  CLI::App* command = root.add_subcommand("config", "Check a configuration, or explain settings.");
  command->require_subcommand(1);
  add_check(*command, exit_code);
  add_doc(*command);
}

}  // namespace countersign::cli
