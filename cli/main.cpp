// SPDX-License-Identifier: Apache-2.0
//
// The program: picks the subcommand, or the old tool whose name it was called by, and turns every
// failure into one sentence on standard error and an exit code.

#include <fmt/format.h>

#include <cstdio>
#include <exception>
#include <string_view>

#include "cli/command.hpp"
#include "cli/failure.hpp"
#include "cli/help.hpp"
#include "cli/manual.hpp"
#include "service/log/escape.hpp"
#include "service/run/start_error.hpp"
#include "service/run/version.hpp"

namespace countersign::cli {
namespace {

constexpr const char* about =
    "Makes a mail domain believed: signs outgoing mail with DKIM as a milter beside Postfix, "
    "verifies, checks, explains.";
constexpr const char* exit_codes_footer =
    "Exit codes: 0 yes or done, 1 no, 64 usage, 65 unreadable data, 66 no such file, 69 "
    "unavailable, 70 a bug, 73 cannot write, 75 DNS did not answer, 78 settings with errors.";

/// Declares `countersign manual`, which makes the documents of this command line; no user's
/// business, so it stands in no list.
void add_manual(CLI::App& root) {
  CLI::App* command = root.add_subcommand("manual", "Print the documents of the command line.");
  command->group("");
  CLI::Option* const markdown = command->add_flag("--markdown")->group("");
  command->add_flag("--man")->group("");
  command->callback([&root, markdown] {
    fmt::print("{}", markdown->count() > 0 ? cli_markdown(root) : cli_manual(root));
  });
}

int run_countersign(int argc, char** argv) {
  CLI::App root(about, "countersign");
  set_help(root);
  root.footer(exit_codes_footer);
  root.require_subcommand(1);
  root.set_version_flag("--version", std::string("countersign ") + service::version,
                        "print the version");
  int exit_code = exit_ok;
  add_serve(root, exit_code);
  add_sign(root, exit_code);
  add_verify(root, exit_code);
  add_explain(root, exit_code);
  add_spf(root, exit_code);
  add_dmarc(root, exit_code);
  add_arc(root, exit_code);
  add_lint(root, exit_code);
  add_keygen(root, exit_code);
  add_testkey(root, exit_code);
  add_config(root, exit_code);
  add_probe(root, exit_code);
  add_report(root, exit_code);
  add_manual(root);
  if (argc <= 1) {
    fmt::print(stderr, "{}", root.help());
    return exit_usage;
  }
  try {
    root.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int code = root.exit(error);
    return code == 0 ? exit_ok : exit_usage;
  }
  return exit_code;
}

/// The name that the program was called by, without its folder.
std::string_view called_name(int argc, char** argv) {
  const std::string_view called = argc > 0 ? argv[0] : "";
  return called.substr(called.rfind('/') + 1);
}

int dispatch(std::string_view name, int argc, char** argv) {
  if (name == "opendkim-genkey") return run_opendkim_genkey(argc, argv);
  if (name == "opendkim-testkey") return run_opendkim_testkey(argc, argv);
  if (name == "opendkim-testmsg") return run_opendkim_testmsg(argc, argv);
  return run_countersign(argc, argv);
}

/// Runs the program; a failure becomes one sentence.
int run(std::string_view name, int argc, char** argv) {
  const auto complain = [name](const char* sentence, int exit_code) {
    fmt::print(stderr, "{}: {}\n", name, service::printable(sentence));
    return exit_code;
  };
  try {
    const int exit_code = dispatch(name, argc, argv);
    if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return exit_code;
    return complain("the output cannot be written; is the disk full?", exit_cannot_create);
  } catch (const Failure& failure) {
    return complain(failure.what(), failure.exit_code());
  } catch (const service::StartError& error) {
    return complain(error.what(), error.exit_code());
  } catch (const std::exception& error) {
    return complain(error.what(), exit_internal);
  }
}

}  // namespace
}  // namespace countersign::cli

int main(int argc, char** argv) {
  return countersign::cli::run(countersign::cli::called_name(argc, argv), argc, argv);
}
