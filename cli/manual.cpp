// SPDX-License-Identifier: Apache-2.0

#include "cli/manual.hpp"

#include <fmt/format.h>

#include <string_view>
#include <vector>

#include "cli/help.hpp"

namespace countersign::cli {
namespace {

constexpr std::string_view introduction =
    "Results go to standard output, complaints to standard error as one sentence that says what to "
    "do. Colour appears on a terminal alone, and not when NO_COLOR is set. With --json a command "
    "prints one JSON document on one line; complaints and exit codes are the same. A file name of "
    "- is standard input. Text that a stranger wrote is printed with control characters escaped.";

constexpr std::string_view zone_files =
    "The option --zone FILE answers every DNS question from a file: a zone file as in RFC 1035 §5, "
    "relative "
    "names below an $ORIGIN line, or a JSON object with an array records of {name, type, data}, "
    "{name, type, strings} for TXT, and an array errors of {name, type, rcode} for questions that "
    "fail with SERVFAIL, REFUSED or TIMEOUT. Names that are not in the file do not exist.";

/// A link that is installed beside the program, and how it differs from the tool of that name.
struct OldTool {
  std::string_view name;
  std::string_view options;
  std::string_view differences;
};

constexpr OldTool old_tools[] = {
    {"opendkim-genkey",
     "-a -b BITS -D DIRECTORY -d DOMAIN -h ALGORITHMS -n NOTE -r -s SELECTOR -S -t -v -V",
     "Writes SELECTOR.private (mode 0600) and SELECTOR.txt. The record is public, so SELECTOR.txt "
     "has the permissions that the umask gives (the old tool: 0600). A note is written as RFC 6376 "
     "has it, without the quotes that the old tool puts around it. Keys of fewer than 1024 bits "
     "are refused. Besides: -k ed25519."},
    {"opendkim-testkey", "-d DOMAIN -s SELECTOR -k FILE -v -x FILE",
     "Same words on the same streams, same exit codes: 0 the key is good, 65 keys do not match, 69 "
     "the record is missing or cannot be used, 71 a key file cannot be read, 78 usage. Without -d "
     "and -s the KeyTable is walked, and the exit code is 0 whatever is found; testkey has one "
     "that "
     "tells. \"key not secure\" only says that the domain has no DNSSEC. Ed25519 keys are "
     "compared. "
     "A record that nobody can verify with (p= that is no key, h= without sha256, a key under 1024 "
     "bits) is 69. Besides: --zone FILE."},
    {"opendkim-testmsg", "-C -d DOMAIN -k FILE -s SELECTOR, -K and -t PATH without effect",
     "With -d, -k and -s the message on standard input is signed, else verified in silence. Exit "
     "codes: 0 done, 70 no or bad signature, or no message, 71 the key file cannot be read, 78 "
     "usage. It signs rsa-sha256 or ed25519-sha256 by the key, never rsa-sha1. "
     "Besides: --zone FILE."},
};

constexpr std::string_view old_tools_introduction =
    "Installed as links to the program, these names take the old options, write the old files and "
    "say the old words, so that scripts keep working.";

std::vector<const CLI::Option*> options_of(const CLI::App& app) {
  std::vector<const CLI::Option*> options = app.get_options([](const CLI::Option* option) {
    return !option->get_group().empty() && option->get_name() != "--help";
  });
  return options;
}

std::string names_of(const CLI::Option& option) {
  if (option.get_positional()) return option.get_name(true, false);
  std::string names;
  for (const char c : option.get_name(false, true)) names += c == ',' ? ", " : std::string(1, c);
  const std::string& value = option.get_option_text();
  return value.empty() ? names : names + " " + value;
}

/// The commands that do something, by their whole names: "config check".
std::vector<std::pair<std::string, const CLI::App*>> commands_of(const CLI::App& app,
                                                                 const std::string& prefix) {
  std::vector<std::pair<std::string, const CLI::App*>> commands;
  for (const CLI::App* command : app.get_subcommands({})) {
    if (command->get_group().empty()) continue;
    const std::string name = prefix + command->get_name();
    const auto inner = commands_of(*command, name + " ");
    if (inner.empty()) commands.emplace_back(name, command);
    commands.insert(commands.end(), inner.begin(), inner.end());
  }
  return commands;
}

std::string usage_of(const std::string& name, const CLI::App& command) {
  std::string usage = "countersign " + name;
  if (!options_of(command).empty()) usage += " [options]";
  for (const CLI::Option* option : options_of(command)) {
    if (!option->get_positional()) continue;
    usage += option->get_required() ? " " + names_of(*option) : " [" + names_of(*option) + "]";
  }
  return usage;
}

std::string escape(std::string_view text, std::string_view special) {
  std::string escaped;
  for (const char c : text) {
    if (special.find(c) != std::string_view::npos) escaped += '\\';
    escaped += c;
  }
  return escaped;
}

// Markdown gives these a meaning in running text, scdoc those.
std::string markdown(std::string_view text) { return escape(text, "*_|<["); }
std::string manual(std::string_view text) { return escape(text, "*_<\\"); }

/// Each line of a footer as a paragraph.
template <class Escape>
std::string paragraphs(const std::string& lines, Escape escape_text) {
  std::string text;
  for (const std::string& line : CLI::detail::split(lines, '\n')) {
    // At the start of a line both take "-" for an item of a list.
    const std::string_view guard = line.starts_with('-') ? "\\" : "";
    if (!line.empty()) text += "\n" + std::string(guard) + escape_text(line) + "\n";
  }
  return text;
}

std::string markdown_section(const std::string& name, const CLI::App& command) {
  std::string page = fmt::format("\n## {}\n\n{}\n\n```\n{}\n```\n", name,
                                 markdown(command.get_description()), usage_of(name, command));
  const std::vector<const CLI::Option*> options = options_of(command);
  if (!options.empty()) page += "\n| Option | What it does |\n|---|---|\n";
  for (const CLI::Option* option : options) {
    page += fmt::format("| `{}` | {} |\n", names_of(*option),
                        markdown(option->get_description() + default_note(*option)));
  }
  return page + paragraphs(command.get_footer(), markdown);
}

std::string manual_section(const std::string& name, const CLI::App& command) {
  std::string page = fmt::format("\n## {}\n\n*{}*\n\n{}\n\n", name, manual(usage_of(name, command)),
                                 manual(command.get_description()));
  for (const CLI::Option* option : options_of(command)) {
    page += fmt::format("*{}*\n\t{}\n\n", manual(names_of(*option)),
                        manual(option->get_description() + default_note(*option)));
  }
  page.pop_back();
  return page + paragraphs(command.get_footer(), manual);
}

}  // namespace

std::string cli_markdown(const CLI::App& root) {
  std::string page = "# The command line\n\n";
  page += "<!-- made by `countersign manual --markdown`; do not edit -->\n\n";
  page += fmt::format("{}\n\n{}\n\n", markdown(root.get_description()), markdown(introduction));
  page += fmt::format("{}\n", markdown(zone_files));
  page += paragraphs(root.get_footer(), markdown);
  for (const auto& [name, command] : commands_of(root, ""))
    page += markdown_section(name, *command);
  page += fmt::format("\n## The names of OpenDKIM's tools\n\n{}\n", old_tools_introduction);
  for (const OldTool& tool : old_tools) {
    page += fmt::format("\n### {}\n\n`{}`\n\n{}\n", tool.name, tool.options,
                        markdown(tool.differences));
  }
  return page;
}

std::string cli_manual(const CLI::App& root) {
  std::string page = "countersign(1)\n\n# NAME\n\ncountersign - signs and verifies mail\n";
  page += "\n# SYNOPSIS\n\n*countersign* _command_ [options]\n";
  page += fmt::format("\n# DESCRIPTION\n\n{}\n\n{}\n\n{}\n", manual(root.get_description()),
                      manual(introduction), manual(zone_files));
  page += "\n# COMMANDS\n";
  for (const auto& [name, command] : commands_of(root, "")) page += manual_section(name, *command);
  page += "\n# EXIT STATUS\n" + paragraphs(root.get_footer(), manual);
  page += fmt::format("\n# THE NAMES OF OPENDKIM'S TOOLS\n\n{}\n", old_tools_introduction);
  for (const OldTool& tool : old_tools) {
    page += fmt::format("\n## {}\n\n*{}*\n\n{}\n", tool.name, manual(tool.options),
                        manual(tool.differences));
  }
  return page + "\n# SEE ALSO\n\n*countersign.toml*(5)\n";
}

}  // namespace countersign::cli
