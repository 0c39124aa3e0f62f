// SPDX-License-Identifier: Apache-2.0
//
// `countersign testkey`: are the keys that we sign with published, readable, and ours?

#include <fmt/format.h>

#include <boost/json.hpp>
#include <memory>

#include "cli/command.hpp"
#include "cli/failure.hpp"
#include "cli/json_output.hpp"
#include "cli/key_check.hpp"
#include "cli/key_input.hpp"
#include "cli/settings_options.hpp"
#include "cli/terminal.hpp"
#include "service/config/signing_keys.hpp"
#include "service/log/escape.hpp"

namespace countersign::cli {
namespace {

namespace config = service::config;
namespace json = boost::json;

struct Options {
  std::string domain;
  std::string selector;
  std::string key_file;
  bool json = false;
  SettingsOptions settings;
  DnsOptions dns;
};

/// What is checked, and whether the settings name keys that cannot even be read.
struct Keys {
  std::vector<PublishedKey> keys;
  bool settings_have_errors = false;
};

bool is_wanted(const Options& options, const DomainName& domain, const DomainName& selector) {
  const auto matches = [](const std::string& wanted, const DomainName& name) {
    const Result<DomainName, DomainNameError> parsed = DomainName::parse(wanted);
    return wanted.empty() || (parsed && *parsed == name);
  };
  return matches(options.domain, domain) && matches(options.selector, selector);
}

/// Keys that sign for whatever domain an author has, "%" in the KeyTable: which domains these are
/// the settings do not say, --domain does.
void append_open_keys(const Options& options, const mailflow::KeyTable& table,
                      std::vector<PublishedKey>& keys) {
  for (const mailflow::KeyEntry& entry : table.entries()) {
    const auto* const key = std::get_if<crypto::PrivateKey>(&entry.key);
    if (entry.domain || key == nullptr) continue;
    if (options.domain.empty()) {
      fmt::print(stderr,
                 "{}: key {} signs for any author's domain; check one with --domain DOMAIN\n",
                 service::printable(entry.place.to_string()), service::printable(entry.name));
      continue;
    }
    const DomainName domain = parse_name("--domain", options.domain);
    if (is_wanted(options, domain, entry.selector)) {
      keys.push_back({domain, entry.selector, *key, entry.place});
    }
  }
}

/// The keys of the settings, or those of them that --domain and --selector pick.
Keys keys_of_settings(Options& options) {
  const config::Snapshot snapshot = options.settings.load_usable();
  options.dns.complete(snapshot.settings.dns);
  Keys result;
  result.settings_have_errors = config::worst(snapshot.problems) >= config::Severity::error;
  for (const config::SigningKey& key : config::signing_keys(snapshot, config::this_machine())) {
    if (is_wanted(options, key.domain, key.selector)) {
      result.keys.push_back({key.domain, key.selector, key.key, key.place});
    }
  }
  append_open_keys(options, snapshot.policy->key_table, result.keys);
  if (result.keys.empty()) throw Failure(exit_config, "the settings name no such key");
  return result;
}

Keys keys_of_command_line(const Options& options) {
  if (options.domain.empty() || options.selector.empty()) {
    throw Failure(exit_usage, "give --domain and --selector; or --config, or -x");
  }
  PublishedKey key{.domain = parse_name("--domain", options.domain),
                   .selector = parse_name("--selector", options.selector),
                   .key = std::nullopt,
                   .place = {}};
  if (!options.key_file.empty()) key.key = read_private_key(options.key_file);
  return {.keys = {key}};
}

std::string_view word_of(const KeyReport& report) {
  if (report.is_unknown()) return "unknown";
  if (!report.is_good()) return "wrong";
  return report.problems.empty() ? "good" : "beware";
}

Colour colour_of(const KeyReport& report) {
  if (report.is_unknown()) return Colour::yellow;
  if (!report.is_good()) return Colour::red;
  return report.problems.empty() ? Colour::green : Colour::yellow;
}

std::string describe(const KeyReport& report) {
  if (!report.lookup.record) return {};
  const dkim::KeyRecord& record = *report.lookup.record;
  std::string text = fmt::format("{}, {} bits", to_string(record.key.type()), record.key.bits());
  if (report.match == dkim::KeyMatch::matches) text += ", matches the private key";
  if (!report.match) text += ", not compared with a private key";
  text += report.lookup.authenticated ? ", protected by DNSSEC" : ", without DNSSEC";
  return text;
}

void print_report(const Terminal& terminal, const KeyReport& report) {
  const std::string word = fmt::format("{:<7}", word_of(report));
  fmt::print("{}  {}\n", terminal.paint(colour_of(report), word), report.name);
  const std::string description = describe(report);
  if (!description.empty()) fmt::print("         {}\n", description);
  for (const config::Problem& problem : report.problems) {
    fmt::print("         {}\n", service::printable(to_string(problem)));
  }
}

json::object report_object(const PublishedKey& key, const KeyReport& report) {
  json::object object;
  object["name"] = report.name;
  object["domain"] = key.domain.text();
  object["selector"] = key.selector.text();
  object["place"] = key.place.to_string();
  object["result"] = word_of(report);
  object["dns"] = to_string(report.status);
  object["dnssec"] = report.lookup.authenticated;
  json::value& details = object["record"];
  if (report.lookup.record) {
    const dkim::KeyRecord& record = *report.lookup.record;
    json::array hashes;
    for (const std::string& hash : record.hash_algorithms) hashes.emplace_back(json_text(hash));
    details = json::object{
        {"key_type", to_string(record.key.type())}, {"key_bits", record.key.bits()},
        {"hash_algorithms", std::move(hashes)},     {"testing", record.testing},
        {"strict_identity", record.strict_auid},    {"notes", json_text(record.notes)}};
  }
  object["matches"] =
      report.match ? json::value(report.match == dkim::KeyMatch::matches) : json::value(nullptr);
  object["problems"] = to_json(report.problems);
  return object;
}

void print_reports_json(const std::vector<PublishedKey>& keys,
                        const std::vector<KeyReport>& reports) {
  json::array array;
  for (std::size_t i = 0; i < keys.size(); ++i)
    array.emplace_back(report_object(keys[i], reports[i]));
  json::object document;
  document["keys"] = std::move(array);
  print_json(document);
}

void print_text(const std::vector<KeyReport>& reports) {
  const Terminal terminal(stdout);
  std::size_t good = 0;
  for (const KeyReport& report : reports) {
    print_report(terminal, report);
    good += report.is_good() ? 1 : 0;
  }
  fmt::print("{} of {} key{} can be verified with\n", good, reports.size(),
             reports.size() == 1 ? "" : "s");
}

int exit_code_of(const Keys& keys, const std::vector<KeyReport>& reports) {
  if (keys.settings_have_errors) return exit_no;
  bool unknown = false;
  for (const KeyReport& report : reports) {
    if (report.is_unknown()) {
      unknown = true;
    } else if (!report.is_good()) {
      return exit_no;
    }
  }
  return unknown ? exit_temporary : exit_ok;
}

int run(Options& options) {
  const bool from_settings = options.settings.given() || options.domain.empty();
  const Keys keys = from_settings ? keys_of_settings(options) : keys_of_command_line(options);
  Lookups lookups(options.dns);
  Progress progress(keys.keys.size(), "keys looked up");
  const std::vector<KeyReport> reports =
      check_keys(keys.keys, lookups, [&progress](std::size_t done) { progress.show(done); });
  progress.clear();
  if (options.json) {
    print_reports_json(keys.keys, reports);
  } else {
    print_text(reports);
  }
  return exit_code_of(keys, reports);
}

}  // namespace

void add_testkey(CLI::App& root, int& exit_code) {
  CLI::App* command = root.add_subcommand(
      "testkey", "Check that the keys we sign with are published, readable and ours.");
  const auto options = std::make_shared<Options>();
  command->add_option("-d,--domain", options->domain, "check a key of this domain")
      ->option_text("DOMAIN");
  command->add_option("-s,--selector", options->selector, "check the key with this selector")
      ->option_text("SELECTOR");
  command->add_option("-k,--key", options->key_file, "the private key that the record belongs to")
      ->option_text("FILE");
  command->add_flag("--json", options->json, "print JSON for programs");
  options->settings.declare(*command);
  options->dns.declare(*command);
  command->footer(
      "Without --domain, or with --config or -x, the keys of the settings are checked. A key is "
      "wrong when receivers cannot verify with it; beware says that it works and could be better, "
      "unknown that DNS failed. Most domains are without DNSSEC; DKIM does not need it.\n"
      "Exit codes: 0 all can be verified with, 1 some cannot, 75 DNS failed, 78 settings with "
      "errors.");
  command->callback([options, &exit_code] { exit_code = run(*options); });
}

}  // namespace countersign::cli
