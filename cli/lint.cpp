// SPDX-License-Identifier: Apache-2.0
//
// `countersign lint`: one record or field taken apart, with what is wrong, where, and the remedy.

#include "cli/lint.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <tuple>

#include "cli/clock_option.hpp"
#include "cli/command.hpp"
#include "cli/failure.hpp"
#include "cli/input.hpp"
#include "cli/json_output.hpp"
#include "cli/terminal.hpp"
#include "countersign/dns/master_lexer.hpp"
#include "countersign/text/abnf.hpp"
#include "service/log/escape.hpp"

namespace countersign::cli {
namespace {

namespace json = boost::json;

// Far more than any text that is judged; what is larger is not even read.
constexpr std::size_t input_bytes_max = 1'048'576;

using Lint = LintReport (*)(const LintText&, const Limits&);

struct Options {
  std::string text = "-";
  bool json = false;
  ClockOption clock;
};

/// A text as it is judged, and where each string of a zone file in it begins.
struct Input {
  std::string text;
  std::vector<std::size_t> string_offsets;  ///< empty for a text that is in no quotes
};

/// The strings of a record as a zone file has them, joined: "v=spf1 " "-all". Nothing for another
/// text. RFC 1035 §5.1
std::optional<Input> unquoted(std::string_view text) {
  Input input;
  std::string_view rest = text::trim(text, text::is_fws);
  if (rest.empty()) return std::nullopt;
  while (!rest.empty()) {
    if (rest.front() != '"') return std::nullopt;
    std::size_t end = 1;
    while (end < rest.size() && rest[end] != '"') end += rest[end] == '\\' ? 2 : 1;
    if (end >= rest.size()) return std::nullopt;
    const auto octets = dns::unescape(rest.substr(1, end - 1));
    if (!octets) return std::nullopt;
    input.string_offsets.push_back(input.text.size());
    input.text += *octets;
    rest = text::trim(rest.substr(end + 1), text::is_fws);
  }
  return input;
}

/// The text that is meant: of the argument or of standard input, as a zone file has it or plain.
Input input_of(const Options& options) {
  std::string text = options.text;
  if (text == "-") {
    text = read_whole_input(text, input_bytes_max);
    while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
  }
  if (text.size() > Limits().field_bytes_max)
    throw Failure(exit_data, "no record or field is that long");
  std::optional<Input> input = unquoted(text);
  return input ? *std::move(input) : Input{.text = std::move(text), .string_offsets = {}};
}

json::array to_json(const std::vector<LintProblem>& problems) {
  json::array array;
  for (const LintProblem& problem : problems) {
    array.emplace_back(json::object{{"offset", problem.offset},
                                    {"severity", to_string(problem.severity)},
                                    {"message", json_text(problem.message)},
                                    {"remedy", json_text(problem.remedy)}});
  }
  return array;
}

Severity worst(const LintReport& report) {
  Severity severity = Severity::note;
  for (const LintProblem& problem : report.problems)
    severity = std::max(severity, problem.severity);
  return severity;
}

Colour colour_of(Severity severity) {
  return severity >= Severity::error ? Colour::red : Colour::yellow;
}

void print_report(const Terminal& terminal, const LintReport& report) {
  for (const LintPart& part : report.parts) {
    fmt::print("{:>6}  {}", part.offset, service::printable(part.text));
    if (!part.meaning.empty()) fmt::print("  ({})", service::printable(part.meaning));
    fmt::print("\n");
  }
  for (const LintProblem& problem : report.problems) {
    const std::string word = fmt::format("{}", to_string(problem.severity));
    fmt::print("{} at {}: {}\n", terminal.paint(colour_of(problem.severity), word), problem.offset,
               service::printable(problem.message));
    if (!problem.remedy.empty()) fmt::print("        {}\n", service::printable(problem.remedy));
  }
  if (!report.usable) {
    fmt::print("{}\n", terminal.paint(Colour::red, "it cannot be used"));
  } else if (worst(report) == Severity::note) {
    fmt::print("{}\n", terminal.paint(Colour::green, "nothing to mend"));
  }
}

int run(const Options& options, Lint lint) {
  Input input = input_of(options);
  LintReport report = lint({.text = input.text,
                            .string_offsets = std::move(input.string_offsets),
                            .now = options.clock.time()},
                           Limits());
  std::ranges::sort(report.problems, {}, [](const LintProblem& problem) {
    return std::tie(problem.offset, problem.message);
  });
  if (options.json) {
    report.facts["text"] = json_text(input.text);
    report.facts["problems"] = to_json(report.problems);
    print_json(report.facts);
  } else {
    print_report(Terminal(stdout), report);
  }
  if (!report.usable) return exit_data;
  return worst(report) > Severity::note ? exit_no : exit_ok;
}

void add_kind(CLI::App& parent, int& exit_code, const char* name, const char* about, Lint lint) {
  CLI::App* command = parent.add_subcommand(name, about);
  const auto options = std::make_shared<Options>();
  command->add_option("TEXT", options->text, "the text; - reads it from standard input")
      ->capture_default_str();
  command->add_flag("--json", options->json, "print JSON for programs");
  if (lint == lint_dkim) options->clock.declare(*command, "judge");
  command->footer(
      "Offsets count octets from the start of the text. A record may be in the quotes of a zone "
      "file, which are taken off and its strings joined; a field may have its name in front.\n"
      "Exit codes: 0 nothing to mend, though there may be notes, 1 problems, 65 it cannot be "
      "used.");
  command->callback([options, &exit_code, lint] { exit_code = run(*options, lint); });
}

}  // namespace

void LintReport::add(Severity severity, std::size_t offset, std::string message,
                     std::string remedy) {
  problems.push_back({offset, severity, std::move(message), std::move(remedy)});
}

std::size_t field_name_size(std::string_view text, std::string_view name) {
  const std::size_t colon = text.find(':');
  if (colon == text.npos) return 0;
  const std::string_view found = text::trim(text.substr(0, colon), text::is_fws);
  return text::equal_ignoring_case(found, name) ? colon + 1 : 0;
}

void add_lint(CLI::App& root, int& exit_code) {
  CLI::App* command = root.add_subcommand(
      "lint", "Take a record or field apart, and say what is wrong, where, and what to do.");
  command->require_subcommand(1);
  command->footer("Exit codes: those of its commands.");
  add_kind(*command, exit_code, "spf", "Judge an SPF record.", lint_spf);
  add_kind(*command, exit_code, "dkim", "Judge a DKIM key record, or a DKIM-Signature field.",
           lint_dkim);
  add_kind(*command, exit_code, "dmarc", "Judge a DMARC record.", lint_dmarc);
  add_kind(*command, exit_code, "authres", "Judge an Authentication-Results field.", lint_authres);
}

}  // namespace countersign::cli
