// SPDX-License-Identifier: Apache-2.0
//
// `countersign explain`: asks the running daemon what became of a message, and why.

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <boost/json.hpp>
#include <ctime>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "cli/command.hpp"
#include "cli/failure.hpp"
#include "cli/json_output.hpp"
#include "cli/json_view.hpp"
#include "cli/settings_options.hpp"
#include "cli/terminal.hpp"
#include "cli/verdict_output.hpp"
#include "service/control/client.hpp"
#include "service/run/problem_log.hpp"

namespace countersign::cli {
namespace {

namespace json = boost::json;

constexpr unsigned listed_usually = 20;
constexpr unsigned listed_max = 1'000;

struct Options {
  std::string queue_id;
  std::optional<unsigned> last;
  std::string socket;
  bool json = false;
  SettingsOptions settings;
};

/// Where the daemon with these settings listens. A machine without a countersign.toml, as one with
/// an opendkim.conf alone, has the default.
std::string socket_of(const Options& options) {
  const std::string usual = service::config::ControlSettings().socket;
  if (!options.socket.empty()) return options.socket;
  std::error_code ignored;
  const bool given = options.settings.given();
  if (!given && !std::filesystem::exists(default_config_file, ignored)) return usual;
  const service::config::Snapshot snapshot = options.settings.load();
  if (given && worst(snapshot.problems) == service::config::Severity::fatal) {
    service::print_problems(snapshot.problems);
    throw Failure(exit_config, "the settings have errors, see above");
  }
  if (snapshot.settings.control.socket.empty())
    throw Failure(exit_unavailable,
                  "these settings have no control.socket, so the daemon cannot be asked; set one "
                  "and restart it");
  return snapshot.settings.control.socket;
}

json::object ask(const std::string& socket, const json::object& request) {
  auto answer = service::ask_daemon(socket, request);
  if (!answer) throw Failure(exit_unavailable, answer.error().message);
  return *std::move(answer);
}

std::string time_text(const JsonView& seconds) {
  return fmt::format("{:%Y-%m-%d %H:%M:%SZ}",
                     fmt::gmtime(static_cast<std::time_t>(seconds.number())));
}

/// What stands behind every message, if there is anything.
std::string or_nothing(const JsonView& text, std::string_view instead) {
  return text.raw().empty() ? std::string(instead) : text.text();
}

// --- one message ---------------------------------------------------------------------------------

void print_envelope(const JsonView& message) {
  fmt::print("{}  finished {}\n", message["queue_id"].text(), time_text(message["finished"]));
  fmt::print("  client {}  HELO {}\n", or_nothing(message["client"], "unknown"),
             or_nothing(message["helo_name"], "unknown"));
  std::string recipients;
  const std::vector<JsonView> told = message["rcpt_to"].items();
  for (const JsonView& one : told) recipients += (recipients.empty() ? "" : ", ") + one.text();
  const std::uint64_t count = message["rcpt_to_count"].number();
  if (count > told.size()) recipients += fmt::format(" and {} more", count - told.size());
  fmt::print("  MAIL FROM <{}>  to {}\n", message["mail_from"].text(), recipients);
}

void print_signing(const JsonView& message) {
  const std::vector<JsonView> signatures = message["signatures"].items();
  if (signatures.empty()) fmt::print("  not signed\n");
  for (const JsonView& one : signatures) {
    fmt::print("  signed as {}._domainkey.{} ({})\n", one["selector"].text(), one["sdid"].text(),
               one["algorithm"].text());
  }
  for (const JsonView& reason : message["reasons"].items()) fmt::print("    {}\n", reason.text());
}

void print_action(const Terminal& terminal, const JsonView& message) {
  const bool is_accepted = message["action"] == "accept";
  fmt::print("{}\n", terminal.paint(is_accepted ? Colour::green : Colour::red,
                                    "action: " + message["action"].text()));
  if (!message["text"].is_null()) fmt::print("  {}\n", message["text"].text());
}

void print_message(const Terminal& terminal, const JsonView& message) {
  print_envelope(message);
  print_signing(message);
  if (message["judged"].is_true()) return print_verdict(terminal, message);
  print_action(terminal, message);
}

/// Why the daemon does not know the message, and what can be done.
std::string not_found(const std::string& queue_id, const JsonView& kept) {
  const std::string beginning = fmt::format("the daemon does not know a message {}: ", queue_id);
  const std::uint64_t count = kept["messages"].number();
  if (kept["messages_max"].number() == 0)
    return beginning + "it keeps none; set control.kept_messages";
  if (count == 0)
    return beginning + fmt::format(
                           "none has come since it was started at {}; is this the server "
                           "that took the mail?",
                           time_text(kept["since"]));
  const bool has_forgotten = kept["forgotten"].number() > 0;
  return beginning +
         fmt::format("it keeps the last {}, back to {}{}; --last lists them", count,
                     time_text(kept["oldest"]),
                     has_forgotten ? ", and older ones are in the log alone (control.kept_messages)"
                                   : fmt::format(", all that came since it was started at {}",
                                                 time_text(kept["since"])));
}

int explain(const Options& options) {
  const json::value answer =
      ask(socket_of(options), {{"ask", "explain"}, {"queue_id", options.queue_id}});
  const JsonView view(answer);
  const json::value* const messages = answer.get_object().if_contains("messages");
  if (messages == nullptr || !messages->is_array() || messages->get_array().empty())
    throw Failure(exit_no, not_found(options.queue_id, view["kept"]));
  if (options.json) {
    for (const json::value& message : messages->get_array()) print_json(message);
  } else {
    const Terminal terminal(stdout);
    bool is_first = true;
    for (const JsonView& message : view["messages"].items()) {
      if (!std::exchange(is_first, false)) fmt::print("\n");
      print_message(terminal, message);
    }
  }
  if (view["more"].is_true())
    fmt::print(stderr, "countersign: there are older messages with that id, too\n");
  return exit_ok;
}

// --- the last messages ---------------------------------------------------------------------------

/// What there is to say of a message in some words.
std::string result_of(const JsonView& message) {
  std::string result = message["signed"].is_true() ? "signed" : "";
  for (const char* key : {"spf", "dkim", "dmarc"}) {
    if (message[key].is_null()) continue;
    result += fmt::format("{}{}={}", result.empty() ? "" : " ", key, message[key].text());
  }
  if (message["shadow"].is_true()) result += " (shadow: not carried out)";
  return result.empty() ? "not signed" : result;
}

int list(const Options& options) {
  const unsigned count = options.last.value_or(listed_usually);
  const json::value answer = ask(socket_of(options), {{"ask", "last"}, {"count", count}});
  const JsonView view(answer);
  if (options.json) {
    print_json(answer);
    return exit_ok;
  }
  for (const JsonView& message : view["messages"].items()) {
    const JsonView author = message["author"].is_null() ? message["mail_from"] : message["author"];
    fmt::print("{}  {:<12}  {:<10}  {:<32}  {}\n", time_text(message["finished"]),
               or_nothing(message["queue_id"], "-"), message["action"].text(),
               or_nothing(author, "<>"), result_of(message));
  }
  const JsonView kept = view["kept"];
  fmt::print("{} of {} messages that are kept, of {} at most; the daemon was started at {}\n",
             view["messages"].items().size(), kept["messages"].number(),
             kept["messages_max"].number(), time_text(kept["since"]));
  return exit_ok;
}

int run(Options options, bool lists) {
  // As it stands in a log of the MTA.
  if (options.queue_id.ends_with(':')) options.queue_id.pop_back();
  if (lists == !options.queue_id.empty())
    throw Failure(exit_usage, "give either a queue id or --last");
  return lists ? list(options) : explain(options);
}

}  // namespace

void add_explain(CLI::App& root, int& exit_code) {
  CLI::App* command =
      root.add_subcommand("explain", "Ask the running daemon what became of a message, and why.");
  const auto options = std::make_shared<Options>();
  command->add_option("QUEUE-ID", options->queue_id, "the id that the MTA gave the message");
  CLI::Option* const last = command
                                ->add_option("--last", options->last,
                                             "list the last messages, the newest first (default: "
                                             "20)")
                                ->expected(0, 1)
                                ->check(CLI::Range(1u, listed_max))
                                ->option_text("[N]");
  command
      ->add_option("--socket", options->socket,
                   "the daemon's socket; without it control.socket of the settings")
      ->option_text("PATH");
  command->add_flag("--json", options->json,
                    "print JSON for programs: an object a line for each message, with all that "
                    "verify --json has");
  options->settings.declare(*command);
  command->footer(
      "The daemon keeps its last messages in memory (control.kept_messages). An id that stands for "
      "several gives all, the newest first.\n"
      "Exit codes: 0 found, 1 no such message, 69 no daemon that can be asked, 78 settings with "
      "errors.");
  command->callback([options, last, &exit_code] { exit_code = run(*options, last->count() > 0); });
}

}  // namespace countersign::cli
