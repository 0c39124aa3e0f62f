// SPDX-License-Identifier: Apache-2.0
//
// `countersign report`: what the daemon does with aggregate reports by itself each day, by hand:
// send them, see what would be sent, see what became of them, and decide what only a person can.

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "cli/command.hpp"
#include "cli/dns_options.hpp"
#include "cli/failure.hpp"
#include "cli/json_output.hpp"
#include "cli/key_input.hpp"
#include "cli/report_store.hpp"
#include "cli/settings_options.hpp"
#include "cli/terminal.hpp"
#include "countersign/message/compose.hpp"
#include "service/log/escape.hpp"
#include "service/reporting/options.hpp"
#include "service/run/clock.hpp"

namespace countersign::cli {
namespace {

namespace json = boost::json;
namespace store = service::store;
using service::now;
using service::OutboxCounts;
using service::printable;
using service::ReportPreview;

/// What all of the subcommands share.
struct Options {
  SettingsOptions settings;
  DnsOptions dns;
  std::string day;
  std::string domain;
  bool dry_run = false;
  bool json = false;
  std::string show = "summary";
  std::string state;
  std::int64_t policy = 0;
  std::string destination;
  std::int64_t edition = 1;
};

std::string text_of(store::Day day) {
  const std::chrono::year_month_day date(day);
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
}

store::Day day_of(const std::string& text) {
  if (text.empty()) return std::chrono::floor<std::chrono::days>(now()) - std::chrono::days(1);
  int year = 0;
  unsigned month = 0;
  unsigned day = 0;
  char end = 0;
  const bool is_read = std::sscanf(text.c_str(), "%4d-%2u-%2u%c", &year, &month, &day, &end) == 3;
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(month),
                                         std::chrono::day(day)};
  if (!is_read || !date.ok())
    throw Failure(exit_usage, "--day takes a day of UTC as 2026-11-26, not \"" + text + "\"");
  return std::chrono::sys_days(date);
}

/// The policy domain as the store has it; empty for all.
std::string domain_of(const Options& options) {
  return options.domain.empty() ? "" : parse_name("domain", options.domain).text();
}

/// Everything that makes and sends reports, opened by the settings.
class Reporting {
 public:
  explicit Reporting(const Options& options)
      : snapshot_(options.settings.load_usable()),
        dns_(completed(options.dns, snapshot_.settings)),
        lookups_(dns_),
        store_(open_report_store(snapshot_.settings)),
        sender_(usable(service::smtp_server(snapshot_))),
        outbox_(
            store_,
            [this](dns::Asking<std::vector<report::CheckedDestination>> asking) {
              return lookups_.run(std::move(asking));
            },
            sender_, usable(service::outbox_options(snapshot_, now)), log_) {}

  [[nodiscard]] service::Outbox& outbox() { return outbox_; }

 private:
  static DnsOptions completed(DnsOptions dns, const service::config::Settings& settings) {
    dns.complete(settings.dns);
    return dns;
  }
  template <class T>
  static T usable(Result<T, std::string> made) {
    if (!made) throw Failure(exit_config, made.error());
    return *std::move(made);
  }

  service::config::Snapshot snapshot_;
  service::Log log_{{.to_stderr = false}};
  DnsOptions dns_;
  Lookups lookups_;
  store::Store store_;
  service::SmtpSender sender_;
  service::Outbox outbox_;
};

json::object to_json(const ReportPreview& preview, bool with_content) {
  json::array destinations;
  for (const service::PreviewedDestination& one : preview.destinations) {
    json::array mailboxes;
    for (const Mailbox& mailbox : one.checked.mailboxes)
      mailboxes.emplace_back(json_text(format_address(mailbox)));
    destinations.push_back(
        json::object{{"uri", json_text(one.checked.uri)},
                     {"authorization", name_of(one.checked.authorization)},
                     {"mailboxes", std::move(mailboxes)},
                     {"state", one.state ? json::value(to_string(*one.state)) : json::value()}});
    if (!one.fault.empty()) destinations.back().as_object()["fault"] = json_text(one.fault);
  }
  json::object document{{"policy_domain", json_text(preview.policy_domain)},
                        {"day", text_of(preview.day)},
                        {"edition", preview.edition},
                        {"report_id", preview.report_id},
                        {"messages", preview.messages},
                        {"destinations", std::move(destinations)}};
  if (!preview.fault.empty()) document["fault"] = json_text(preview.fault);
  if (with_content) {
    document["xml"] = json_text(preview.xml);
    document["mail"] = json_text(preview.mail);
  }
  return document;
}

/// day   that was asked for: of another one it is told.
void print_summary(const Terminal& terminal, const ReportPreview& preview, store::Day day) {
  fmt::print("{}  {} messages  Report-ID {}\n", printable(preview.policy_domain), preview.messages,
             printable(preview.report_id));
  if (preview.day != day) fmt::print("  of {}\n", text_of(preview.day));
  if (preview.edition > 1)
    fmt::print("  edition {}: what came after the day was reported\n", preview.edition);
  if (preview.destinations.empty()) fmt::print("  nobody: the record has no rua\n");
  for (const service::PreviewedDestination& one : preview.destinations) {
    const bool goes = !one.checked.mailboxes.empty() && one.fault.empty();
    fmt::print("  {}  {}\n",
               terminal.paint(goes ? Colour::green : Colour::red, goes ? "to" : "not to"),
               printable(one.checked.uri));
    for (const Mailbox& mailbox : one.checked.mailboxes)
      fmt::print("      {}\n", printable(format_address(mailbox)));
    fmt::print("      {}\n", to_string(one.checked.authorization));
    if (!one.fault.empty()) fmt::print("      {}\n", printable(one.fault));
    if (one.state) fmt::print("      {}\n", to_string(*one.state));
  }
  if (!preview.fault.empty())
    fmt::print("  {}\n",
               terminal.paint(Colour::red, "it cannot be sent: " + printable(preview.fault)));
}

/// Shows what would be sent, or all reports of the day; the number of reports.
std::size_t show_previews(const Options& options) {
  Reporting reporting(options);
  const Terminal terminal(stdout);
  json::array documents;
  std::size_t count = 0;
  const store::Day day = day_of(options.day);
  const auto show = [&](const ReportPreview& one) {
    ++count;
    if (options.json)
      documents.push_back(to_json(one, options.show != "summary"));
    else if (options.show == "xml")
      fmt::print("{}", one.xml);
    else if (options.show == "mail")
      fmt::print("{}", one.mail);
    else
      print_summary(terminal, one, day);
  };
  if (options.dry_run)
    reporting.outbox().rehearse(day, domain_of(options), show);
  else
    reporting.outbox().preview(day, domain_of(options), show);
  if (options.json) print_json(documents);
  return count;
}

int preview(const Options& options) {
  if (show_previews(options) > 0) return exit_ok;
  if (!options.json)
    fmt::print(stderr, "countersign: no mail in the name of {} is stored of {}\n",
               printable(options.domain), text_of(day_of(options.day)));
  return exit_no;
}

/// What became of the reports, in a line or as JSON.
void print_counts(const Options& options, const OutboxCounts& counts,
                  const store::WaitingReports& waiting) {
  const bool waits = waiting.count > 0;
  if (options.json) {
    print_json(json::object{
        {"day", text_of(day_of(options.day))},
        {"sent", counts.sent},
        {"deferred", counts.deferred},
        {"failed", counts.failed},
        {"uncertain", counts.uncertain},
        {"suppressed", counts.suppressed},
        {"waiting", waiting.count},
        {"next_attempt",
         waits ? json::value(fmt::format("{:%FT%TZ}", waiting.next_attempt)) : json::value()}});
    return;
  }
  fmt::print("{} sent, {} deferred, {} failed, {} uncertain, {} not to be sent", counts.sent,
             counts.deferred, counts.failed, counts.uncertain, counts.suppressed);
  if (waits)
    fmt::print("; {} for another attempt, the next at {:%F %T} UTC",
               waiting.count == 1 ? "1 waits" : fmt::format("{} wait", waiting.count),
               waiting.next_attempt);
  fmt::print("\n");
}

int send(const Options& options) {
  if (options.dry_run) {
    static_cast<void>(show_previews(options));
    return exit_ok;
  }
  const store::Day day = day_of(options.day);
  if (day + std::chrono::days(1) > now())
    fmt::print(stderr,
               "countersign: {} is not over (UTC); mail of that day that is still to come will be "
               "in reports of its own\n",
               text_of(day));
  Reporting reporting(options);
  const std::string domain = domain_of(options);
  const std::size_t planned = reporting.outbox().plan(day, domain);
  Progress progress(planned, "reports");
  const OutboxCounts counts = reporting.outbox().send(
      [&](std::uint64_t done) {
        progress.show(done);
        return true;
      },
      domain);
  progress.clear();
  print_counts(options, counts, reporting.outbox().waiting());
  if (counts.failed > 0 || counts.uncertain > 0) return exit_no;
  return counts.deferred > 0 ? exit_temporary : exit_ok;
}

std::optional<store::ReportState> state_of(const std::string& word) {
  for (int i = 0; i <= static_cast<int>(store::ReportState::suppressed); ++i) {
    const auto state = static_cast<store::ReportState>(i);
    if (to_string(state) == word) return state;
  }
  return std::nullopt;
}

/// What a person can decide; the others are said by whoever sends.
bool is_decision(store::ReportState state) {
  using enum store::ReportState;
  return state == due || state == sent || state == failed || state == suppressed;
}

/// How far a report is that is divided.
std::string parts_text(const store::ReportRecord& line) {
  if (line.parts < 2) return "";
  return fmt::format("  {} of {} parts sent", line.parts_sent, line.parts);
}

int list(const Options& options) {
  store::Store opened = open_report_store(options.settings.load_usable().settings);
  store::ReportLedger ledger(opened);
  store::ReportFilter filter;
  if (!options.state.empty()) {
    filter.state = state_of(options.state);
    if (!filter.state) throw Failure(exit_usage, "--state: there is no state " + options.state);
  }
  json::array documents;
  for (;;) {
    const std::vector<store::ReportRecord> page = ledger.records(filter);
    for (const store::ReportRecord& one : page) {
      if (options.json)
        documents.push_back(json::object{{"day", text_of(one.key.day)},
                                         {"policy", one.key.policy},
                                         {"destination", json_text(one.key.destination)},
                                         {"edition", one.key.edition},
                                         {"state", to_string(one.state)},
                                         {"attempts", one.attempts},
                                         {"parts_sent", one.parts_sent},
                                         {"parts", one.parts},
                                         {"report_id", json_text(one.report_id)},
                                         {"detail", json_text(one.detail)}});
      else
        fmt::print("{}  {:<10}  policy {}  edition {}  {}{}  {}\n", text_of(one.key.day),
                   to_string(one.state), one.key.policy, one.key.edition,
                   printable(one.key.destination), parts_text(one), printable(one.detail));
    }
    if (page.size() < filter.most) break;
    filter.after = page.back().key;
  }
  if (options.json) print_json(documents);
  return exit_ok;
}

int resolve(const Options& options) {
  store::Store opened = open_report_store(options.settings.load_usable().settings);
  store::ReportLedger ledger(opened);
  const store::ReportKey key{.day = day_of(options.day),
                             .policy = options.policy,
                             .destination = options.destination,
                             .edition = options.edition};
  const std::optional<store::ReportState> state = state_of(options.state);
  if (!state || !is_decision(*state))
    throw Failure(exit_usage, "--as takes due, sent, failed or suppressed");
  const std::optional<store::ReportState> decided =
      ledger.resolve(key, *state, "decided by hand", now());
  if (!decided)
    throw Failure(exit_no, "there is no such report, or somebody is sending it: see report list");
  // Whoever has it sent again says that its mailboxes can be used again.
  if (*state == store::ReportState::due)
    for (const std::string& one : ledger.mailboxes(key)) ledger.mailbox_worked(one, now());
  if (*decided != *state)
    fmt::print("the part in doubt counts as sent; the report is due for the parts behind it\n");
  return exit_ok;
}

void add_send(CLI::App& report, const std::shared_ptr<Options>& options, int& exit_code) {
  CLI::App* command = report.add_subcommand(
      "send", "Send the reports of a day and all others that are due; none leaves twice.");
  command->add_option("--day", options->day, "a day of UTC (default: yesterday)")
      ->option_text("YYYY-MM-DD");
  command->add_option("--domain", options->domain, "those about this policy domain alone")
      ->option_text("DOMAIN");
  command->add_flag("--dry-run", options->dry_run, "show what would be sent, and send nothing");
  command->add_flag("--json", options->json, "print JSON for programs");
  options->settings.declare(*command);
  options->dns.declare(*command);
  command->footer(
      "The reports of the day are planned, and then everything that is due is sent, of whatever "
      "day it is: also what was planned or deferred before. --domain limits both. --dry-run shows "
      "the same: what waits for another attempt, for a mailbox that refused, or because its "
      "mailbox has had its fill of the day is not shown, as it would not be sent now. What waits "
      "is "
      "counted at the end. What has come of a day since it was reported leaves in reports of its "
      "own.\n"
      "Exit codes: 0 all went well, 1 some failed or may have left, 69 no store, 75 some are tried "
      "again later, 78 settings with errors.");
  command->callback(guarded(send, options, exit_code));
}

void add_preview(CLI::App& report, const std::shared_ptr<Options>& options, int& exit_code) {
  CLI::App* command = report.add_subcommand(
      "preview", "Show the reports that a domain would get, exactly as they would be sent.");
  command->add_option("DOMAIN", options->domain, "policy domain")->required();
  command->add_option("--day", options->day, "a day of UTC (default: yesterday)")
      ->option_text("YYYY-MM-DD");
  command->add_option("--show", options->show, "summary, xml or mail")
      ->check(CLI::IsMember({"summary", "xml", "mail"}))
      ->capture_default_str()
      ->option_text("WHAT");
  command->add_flag("--json", options->json, "print JSON for programs");
  options->settings.declare(*command);
  options->dns.declare(*command);
  command->footer(
      "Exit codes: 0 shown, 1 nothing is stored, 69 no store, 78 settings with errors.");
  command->callback(guarded(preview, options, exit_code));
}

void add_list(CLI::App& report, const std::shared_ptr<Options>& options, int& exit_code) {
  CLI::App* command = report.add_subcommand("list", "List what became of each report.");
  command
      ->add_option("--state", options->state,
                   "due, claimed, sending, sent, failed, uncertain or suppressed")
      ->option_text("STATE");
  command->add_flag("--json", options->json, "print JSON for programs");
  options->settings.declare(*command);
  command->footer("Exit codes: 0 listed, 69 no store, 78 settings with errors.");
  command->callback(guarded(list, options, exit_code));
}

void add_resolve(CLI::App& report, const std::shared_ptr<Options>& options, int& exit_code) {
  CLI::App* command = report.add_subcommand(
      "resolve", "Decide what becomes of a report that may or may not have left.");
  command->add_option("--day", options->day, "as report list has it")
      ->required()
      ->option_text("YYYY-MM-DD");
  command->add_option("--policy", options->policy, "as report list has it")
      ->required()
      ->option_text("NUMBER");
  command->add_option("--destination", options->destination, "as report list has it")
      ->required()
      ->option_text("URI");
  command->add_option("--edition", options->edition, "as report list has it")
      ->capture_default_str()
      ->option_text("NUMBER");
  command->add_option("--as", options->state, "due (it is sent again), sent, failed or suppressed")
      ->required()
      ->option_text("STATE");
  options->settings.declare(*command);
  command->footer(
      "Of a report in several parts, only the part in doubt is decided on: sent says that it has "
      "arrived, and the report is due for the parts behind it; due sends that part again, and "
      "those behind it. Which part it is, report list says.\n"
      "A mailbox that refused is left alone for a while; due has it tried again at once.\n"
      "Exit codes: 0 done, 1 no such report, 69 no store, 78 settings with errors.");
  command->callback(guarded(resolve, options, exit_code));
}

}  // namespace

void add_report(CLI::App& root, int& exit_code) {
  CLI::App* report = root.add_subcommand(
      "report", "Aggregate reports: send them, preview them, see what became of them.");
  report->require_subcommand(1);
  add_send(*report, std::make_shared<Options>(), exit_code);
  add_preview(*report, std::make_shared<Options>(), exit_code);
  add_list(*report, std::make_shared<Options>(), exit_code);
  add_resolve(*report, std::make_shared<Options>(), exit_code);
  add_report_import_history(*report, exit_code);
}

}  // namespace countersign::cli
