// SPDX-License-Identifier: Apache-2.0
//
// The command line of opendkim-testkey: same options, same words on the same streams, same exit
// codes, so that a script that greps for "key OK" keeps working. Where the old tool leaves the
// reason open, it follows behind the old words. Ed25519 keys are compared too, and a record that no
// verifier could use is no "key OK".

#include <fmt/format.h>
#include <getopt.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <expected>
#include <filesystem>

#include "cli/command.hpp"
#include "cli/dns_options.hpp"
#include "cli/key_check.hpp"
#include "cli/terminal.hpp"
#include "service/config/data_set.hpp"
#include "service/config/key_store.hpp"
#include "service/config/signing_keys.hpp"
#include "service/config/tables.hpp"
#include "service/log/escape.hpp"

namespace countersign::cli {
namespace {

namespace config = service::config;

constexpr const char* program = "opendkim-testkey";
constexpr const char* default_settings = "/etc/opendkim.conf";
constexpr const char* usage =
    "{0}: usage: {0} [options]\n"
    "\t-d domain  \tdomain name\n"
    "\t-k keypath \tpath to private key\n"
    "\t-s selector\tselector name\n"
    "\t-v         \tincrease verbose output\n"
    "\t-x conffile\tconfiguration file\n"
    "\t--zone file\tanswer from a zone file instead of DNS\n";

struct Options {
  std::string domain;
  std::string selector;
  std::string key_file;
  std::string settings_file;
  int verbosity = 0;
  DnsOptions dns;
};

/// Prints a line on standard error, the program's name in front.
template <class... Args>
void complain(fmt::format_string<Args...> format, Args&&... args) {
  const std::string line = fmt::format(format, std::forward<Args>(args)...);
  fmt::print(stderr, "{}: {}\n", program, service::printable(line));
}

/// The same on standard output, where the old tool has its good news.
template <class... Args>
void tell(fmt::format_string<Args...> format, Args&&... args) {
  const std::string line = fmt::format(format, std::forward<Args>(args)...);
  fmt::print("{}: {}\n", program, service::printable(line));
}

int print_usage(int exit_code) {
  fmt::print(stderr, fmt::runtime(usage), program);
  return exit_code;
}

/// The options, or the exit code when there is nothing to do.
std::expected<Options, int> parse(int argc, char** argv) {
  const std::array<option, 3> long_options = {
      {{"zone", required_argument, nullptr, 'z'}, {"help", no_argument, nullptr, 'H'}, {}}};
  Options options;
  for (int letter;
       (letter = ::getopt_long(argc, argv, "d:k:s:vx:", long_options.data(), nullptr)) != -1;) {
    if (letter == 'd') options.domain = optarg;
    if (letter == 'k') options.key_file = optarg;
    if (letter == 's') options.selector = optarg;
    if (letter == 'v') ++options.verbosity;
    if (letter == 'x') options.settings_file = optarg;
    if (letter == 'z') options.dns.zone_file = optarg;
    if (letter == 'H') return std::unexpected(print_usage(EX_OK));
    if (letter == '?') return std::unexpected(print_usage(EX_CONFIG));
  }
  return options;
}

/// The settings, or nothing when they cannot be read, which has been said.
std::optional<config::Settings> read_settings(Options& options) {
  if (options.settings_file.empty()) {
    if (::access(default_settings, R_OK) != 0) return config::Settings();
    options.settings_file = default_settings;
    if (options.verbosity > 1) complain("using default configfile {}", default_settings);
  }
  config::Problems problems;
  const std::string path = std::filesystem::absolute(options.settings_file).string();
  config::Settings settings =
      config::read_settings({.form = config::Source::Form::opendkim, .file = path, .overrides = {}},
                            config::this_machine().files, problems);
  for (const config::Problem& problem : problems.take_sorted()) {
    if (problem.severity < config::Severity::fatal) continue;
    complain("{}: configuration error at line {}: {}", problem.place.file, problem.place.line,
             problem.message);
    return std::nullopt;
  }
  return settings;
}

/// A private key, or the words of the system for why there is none. The old tool warns about a file
/// that group or others may read or write.
std::expected<std::string, std::string> read_key_file(const std::string& file) {
  struct stat status{};
  if (::stat(file.c_str(), &status) != 0) {
    return std::unexpected(fmt::format("stat(): {}", std::strerror(errno)));
  }
  if (!S_ISREG(status.st_mode)) return std::unexpected("stat(): not a regular file");
  if ((status.st_mode & 0066u) != 0) complain("{}: WARNING: unsafe permissions", file);
  const auto octets = config::this_machine().files.read(file);
  if (!octets) return std::unexpected("open(): " + octets.error());
  return *octets;
}

/// What is wrong with a record, in the old tool's words.
std::string_view record_words(const dkim::KeyLookup& lookup) {
  using Code = dkim::KeyRecordErrorCode;
  switch (lookup.record_error.value_or(Code::bad_tag_list)) {
    case Code::bad_version:
      return "invalid key version";
    case Code::missing_key:
      return "key missing";
    case Code::unknown_key_type:
      return "unknown key type";
    case Code::wrong_service:
      return "key type mismatch";
    case Code::bad_base64:
    case Code::bad_key:
      return "unable to apply public key";
    default:
      return "syntax error in key data";
  }
}

/// What is wrong with a key, in the old tool's words; empty when it is good.
std::string words_of(const KeyReport& report) {
  const std::string name = "'" + report.name + "'";
  const std::string& detail = report.lookup.detail;
  switch (report.lookup.reason) {
    case dkim::Reason::key_not_found:
      return report.status == dns::AnswerStatus::nxdomain ? name + " record not found"
                                                          : "No key: " + detail;
    case dkim::Reason::several_key_records:
      return "multiple DNS replies for " + name;
    case dkim::Reason::key_unavailable:
      return name + (report.status == dns::AnswerStatus::timeout ? " query timed out"
                                                                 : " query failed: " + detail);
    case dkim::Reason::key_not_trusted:
      return "key bogus (DNSSEC failed): " + detail;
    case dkim::Reason::key_revoked:
      return "Revoked key";
    default:
      return std::string(record_words(report.lookup)) + ": " + detail;
  }
}

/// A record that is there, and why nothing verifies with it; empty when all is well.
std::string mismatch_of(const KeyReport& report) {
  if (report.match == dkim::KeyMatch::other_key || report.match == dkim::KeyMatch::other_type) {
    return "keys do not match";
  }
  for (const config::Problem& problem : report.problems) {
    if (problem.severity >= config::Severity::error) return problem.message;
  }
  return {};
}

const char* dnssec_words(const KeyReport& report) {
  return report.lookup.authenticated ? "secure" : "not secure";
}

int check_one(const Options& options, const PublishedKey& key, Lookups& lookups) {
  if (options.verbosity > 1) {
    complain("checking key '{}'", dkim::key_name(key.selector, key.domain));
  }
  const KeyReport report = check_keys({key}, lookups).front();
  if (!report.lookup.record) {
    complain("{}", words_of(report));
    return EX_UNAVAILABLE;
  }
  if (options.verbosity > 0) {
    complain(
        "key {}{}", dnssec_words(report),
        report.lookup.authenticated ? "" : " (no DNSSEC, as most domains; DKIM does not need it)");
  }
  const std::string mismatch = mismatch_of(report);
  if (mismatch == "keys do not match") {
    tell("{}", mismatch);
    return EX_DATAERR;
  }
  if (!mismatch.empty()) {
    complain("{}", mismatch);
    return EX_UNAVAILABLE;
  }
  if (options.verbosity > 2) tell("key OK");
  return EX_OK;
}

int check_single(const Options& options, const std::string& key_file) {
  const Result<DomainName, DomainNameError> domain = DomainName::parse(options.domain);
  const Result<DomainName, DomainNameError> selector = DomainName::parse(options.selector);
  if (!domain || !selector) {
    complain("syntax error on input: '{}' is no domain name",
             domain ? options.selector : options.domain);
    return EX_UNAVAILABLE;
  }
  PublishedKey key{.domain = *domain, .selector = *selector, .key = std::nullopt, .place = {}};
  if (!key_file.empty()) {
    const auto octets = read_key_file(key_file);
    if (!octets) {
      complain("{}: {}", key_file, octets.error());
      return EX_OSERR;
    }
    const auto decoded = config::decode_private_key(*octets, Limits());
    if (!decoded) {
      complain("{}: {}", key_file, to_string(decoded.error()));
      return EX_UNAVAILABLE;
    }
    key.key = *decoded;
    if (options.verbosity > 1) complain("key loaded from {}", key_file);
  }
  Lookups lookups(options.dns);
  return check_one(options, key, lookups);
}

/// One line of the KeyTable: the key, or why it cannot be checked.
struct TableKey {
  std::string name;
  std::optional<PublishedKey> key;
  std::string reason;
  bool file_failed = false;
};

TableKey read_table_key(const config::DataEntry& entry) {
  TableKey result{.name = entry.key, .key = std::nullopt, .reason = {}};
  const config::KeyLine line = config::cut_key_line(entry.value);
  const Result<DomainName, DomainNameError> domain = DomainName::parse(line.domain);
  const Result<DomainName, DomainNameError> selector = DomainName::parse(line.selector);
  if (!domain || !selector) {
    result.reason =
        line.domain == "%"
            ? "syntax error on input: '%' stands for the author's domain; name it with -d"
            : "syntax error on input: the line names no domain and selector";
    return result;
  }
  std::string text(line.key);
  if (config::is_key_path(line.key)) {
    std::expected<std::string, std::string> octets = read_key_file(text);
    if (!octets) {
      result.reason = fmt::format("{}: {}", text, octets.error());
      result.file_failed = true;
      return result;
    }
    text = *std::move(octets);
  }
  const auto key = config::decode_private_key(text, Limits());
  if (key) {
    result.key = PublishedKey{*domain, *selector, *key, entry.place};
  } else {
    result.reason = to_string(key.error());
  }
  return result;
}

void print_table_key(const Options& options, const TableKey& key, const KeyReport* report,
                     std::size_t number) {
  if (options.verbosity > 1) complain("record {} for '{}' retrieved", number, key.name);
  if (key.file_failed) {
    complain("{} (key {})", key.reason, key.name);
    return;
  }
  if (options.verbosity > 1) complain("checking key '{}'", key.name);
  if (report == nullptr) {
    complain("key {}: {}", key.name, key.reason);
    return;
  }
  const std::string wrong = report->lookup.record ? mismatch_of(*report) : words_of(*report);
  if (!wrong.empty()) complain("key {}: {}", key.name, wrong);
  if (options.verbosity > 0 && report->lookup.record) {
    complain("key {} {}", key.name, dnssec_words(*report));
  }
  if (wrong.empty() && options.verbosity > 2) tell("key {}: OK", key.name);
}

/// Checks every key of the KeyTable. As in the old tool a key that fails is no failure of the walk;
/// `countersign testkey` has an exit code for it.
int check_table(const Options& options, const config::DataSet& table) {
  config::Problems problems;
  const config::DataEntries entries =
      config::read_data_set(table, config::this_machine().files, problems);
  const std::vector<config::Problem> found = problems.take_sorted();
  if (config::worst(found) >= config::Severity::fatal) {
    complain("dkimf_db_open() failed: {}", found.front().message);
    return 1;
  }
  std::vector<TableKey> keys;
  std::vector<PublishedKey> published;
  bool file_failed = false;
  for (const config::DataEntry& entry : entries.entries) {
    keys.push_back(read_table_key(entry));
    if (keys.back().key) published.push_back(*keys.back().key);
    file_failed = file_failed || keys.back().file_failed;
  }
  Lookups lookups(options.dns);
  Progress progress(published.size(), "keys looked up");
  const std::vector<KeyReport> reports =
      check_keys(published, lookups, [&progress](std::size_t done) { progress.show(done); });
  progress.clear();

  std::size_t passed = 0;
  auto report = reports.begin();
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const KeyReport* const own = keys[i].key ? &*report++ : nullptr;
    print_table_key(options, keys[i], own, i);
    passed += own != nullptr && own->is_good() ? 1 : 0;
  }
  if (options.verbosity > 0) {
    tell("{} key{} checked; {} pass, {} fail", keys.size(), keys.size() == 1 ? "" : "s", passed,
         keys.size() - passed);
  }
  return file_failed ? EX_OSERR : EX_OK;
}

/// The domains that the setting Domain lists.
std::vector<std::string> names_of(const config::DataSet& set) {
  config::Problems problems;
  std::vector<std::string> names;
  if (set.empty()) return names;
  for (const config::DataEntry& entry :
       config::read_data_set(set, config::this_machine().files, problems).entries) {
    names.push_back(entry.key);
  }
  return names;
}

}  // namespace

int run_opendkim_testkey(int argc, char** argv) {
  std::expected<Options, int> options = parse(argc, argv);
  if (!options) return options.error();
  const std::optional<config::Settings> settings = read_settings(*options);
  if (!settings) return EX_CONFIG;
  options->dns.complete(settings->dns);

  const config::SigningSettings& signing = settings->signing;
  const bool named = !options->domain.empty() && !options->selector.empty();
  if (named && !signing.key_table.empty()) return check_single(*options, options->key_file);
  if (!signing.key_table.empty()) {
    const bool partly =
        !options->domain.empty() || !options->selector.empty() || !options->key_file.empty();
    return partly ? print_usage(EX_CONFIG) : check_table(*options, signing.key_table);
  }
  if (options->selector.empty()) options->selector = signing.single.selector;
  if (options->key_file.empty()) options->key_file = signing.single.key_file;
  const std::vector<std::string> domains =
      options->domain.empty() ? names_of(signing.single.domains) : std::vector{options->domain};
  if (domains.empty() || options->selector.empty()) return print_usage(EX_CONFIG);
  int worst = EX_OK;
  for (const std::string& domain : domains) {
    options->domain = domain;
    worst = std::max(worst, check_single(*options, options->key_file));
  }
  return worst;
}

}  // namespace countersign::cli
