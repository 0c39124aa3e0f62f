// SPDX-License-Identifier: Apache-2.0

#include "cli/help.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <string_view>
#include <vector>

#include "service/log/escape.hpp"

namespace countersign::cli {
namespace {

constexpr std::size_t option_column = 30;
constexpr std::size_t footer_columns = 80;

/// Option names with what they take, then the help: no types, no conditions in shorthand.
class HelpFormatter final : public CLI::Formatter {
 public:
  HelpFormatter() { column_width(option_column); }

  std::string make_option_opts(const CLI::Option* option) const override {
    return option->get_option_text().empty() ? "" : " " + option->get_option_text();
  }

  std::string make_option_desc(const CLI::Option* option) const override {
    return option->get_description() + default_note(*option);
  }

  std::string make_footer(const CLI::App* app) const override {
    std::string footer;
    for (const std::string& line : CLI::detail::split(app->get_footer(), '\n')) {
      footer += wrapped(line);
    }
    return footer;
  }

 private:
  static std::string wrapped(std::string_view text) {
    std::string lines;
    while (text.size() > footer_columns) {
      const std::size_t end = std::min(text.rfind(' ', footer_columns), text.size());
      lines += std::string(text.substr(0, end)) + "\n";
      text.remove_prefix(std::min(end + 1, text.size()));
    }
    return lines + std::string(text) + "\n";
  }
};

std::string words_of(const CLI::App& app, const CLI::Error& error) {
  const std::vector<std::string> unknown = app.remaining();
  const bool wants_command = app.get_require_subcommand_min() > 0;
  if (wants_command && !unknown.empty()) return "there is no command '" + unknown.front() + "'";
  return error.what();
}

std::string sentence_of(const CLI::App* root, const CLI::Error& error) {
  std::string command = root->get_name();
  const CLI::App* app = root;
  for (auto chosen = app->get_subcommands(); !chosen.empty(); chosen = app->get_subcommands()) {
    app = chosen.front();
    command += " " + app->get_name();
  }
  return fmt::format("{}: {}; see {} --help\n", command, service::printable(words_of(*app, error)),
                     command);
}

}  // namespace

std::string default_note(const CLI::Option& option) {
  if (option.get_required()) return " (required)";
  return option.get_default_str().empty() ? "" : " (default: " + option.get_default_str() + ")";
}

void set_help(CLI::App& root) {
  root.formatter(std::make_shared<HelpFormatter>());
  root.failure_message(sentence_of);
  root.set_help_flag("-h,--help", "print this help");
}

}  // namespace countersign::cli
