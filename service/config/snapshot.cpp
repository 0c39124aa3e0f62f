// SPDX-License-Identifier: Apache-2.0

#include "service/config/snapshot.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <optional>
#include <utility>

#include "service/config/access.hpp"
#include "service/config/import/combine.hpp"
#include "service/config/import/opendkim.hpp"
#include "service/config/import/recognize.hpp"
#include "service/config/judging.hpp"
#include "service/config/key_store.hpp"
#include "service/config/lists.hpp"
#include "service/config/load.hpp"
#include "service/config/logins.hpp"
#include "service/config/reports.hpp"
#include "service/config/sealing.hpp"
#include "service/config/tables.hpp"
#include "service/run/version.hpp"

namespace countersign::service::config {
namespace {

// The value of the last line "NAME=value" or NAME="value" of a script that only sets variables.
std::string shell_variable(const std::string& text, const std::string& name) {
  const std::size_t found = ("\n" + text).rfind("\n" + name + "=");
  if (found == std::string::npos) return {};
  std::string value = text.substr(found + name.size() + 1);
  value.erase(std::min(value.find_first_of(" \t\r\n#"), value.size()));
  std::erase_if(value, [](char c) { return c == '"' || c == '\''; });
  return value;
}

// Fills the policy step by step; each step adds its problems and none stops another.
class Maker {
 public:
  Maker(const Settings& settings, const Machine& machine, Problems& problems)
      : settings_(settings),
        signing_(settings.signing),
        machine_(machine),
        files_(machine.files, settings.daemon.base_directory),
        problems_(problems) {}

  /// How the policy service answers.
  std::shared_ptr<const mailflow::SpfAccessPolicies> make_access() {
    return std::make_shared<const mailflow::SpfAccessPolicies>(
        make_access_policies(settings_, machine_.host_name, files_, problems_));
  }

  std::shared_ptr<const mailflow::Policy> make() {
    check_daemon();
    check_store();
    const KeyRules rules{.user = daemon_user(),
                         .safe_required = signing_.safe_keys_required,
                         .bits_min = signing_.key_bits_min,
                         .expected_type = signing_.expected_key_type,
                         .changes_root = !settings_.daemon.root_directory.empty()};
    KeyStore store(rules, files_, machine_.accounts, problems_);
    set_senders();
    if (signing_.mode != Mode::verify) {
      set_keys(store);
      policy_.logins = make_login_policy(settings_, policy_, files_, problems_);
    }
    set_manner();
    set_actions();
    set_limits();
    if (policy_.judges) set_judging();
    key_files_ = store.key_files();
    if (signing_.key_lifetime && key_files_.oldest > 0)
      key_files_.expires = key_files_.oldest + signing_.key_lifetime->count();
    check_reports(settings_, policy_,
                  {.user = rules.user, .files = files_, .accounts = machine_.accounts}, problems_);
    set_sealing(rules);
    return std::make_shared<const mailflow::Policy>(std::move(policy_));
  }

  /// Of the keys that make() has read.
  [[nodiscard]] const KeyFiles& key_files() const { return key_files_; }

 private:
  // --- the process ---

  void check_daemon() {
    if (settings_.daemon.sockets.empty() && settings_.policy_service.sockets.empty()) {
      problems_.warning(place("daemon.sockets"), "no socket is set, so no MTA can connect",
                        socket_remedy());
    }
    check_readable("dns.trust_anchor_file", settings_.dns.trust_anchor_file);
    check_readable("dns.resolver_file", settings_.dns.resolver_file);
    check_readable("dns.zone_file", settings_.dns.zone_file);
    for (const std::string& server : settings_.dns.nameservers) {
      if (IpAddress::parse(server.substr(0, server.find('@')))) continue;
      problems_.fatal(place("dns.nameservers"), "'" + server + "' is no IP address",
                      "write addresses, with @port where it is not 53");
    }
  }

  void check_store() {
    const StoreSettings& store = settings_.store;
    const bool is_sqlite = store.engine == StoreEngine::sqlite;
    const std::string& other = is_sqlite ? store.connection : store.path;
    if (store.is_on() && store.spool_directory.empty()) {
      problems_.fatal(place("store.spool_directory"), "a store needs a spool directory",
                      "name a directory that this daemon alone uses");
    }
    if (store.is_on() || (is_sqlite && other.empty())) return;
    problems_.fatal(place(is_sqlite ? "store.connection" : "store.engine"),
                    is_sqlite ? "store.connection is set, and store.engine is sqlite"
                              : "store.engine is postgresql, and store.connection is not set",
                    is_sqlite ? "set store.engine = \"postgresql\", or store.path"
                              : "set store.connection, or store.engine = \"sqlite\"");
  }

  void check_readable(std::string_view key, const std::string& file) {
    const auto read = file.empty() ? std::string() : files_.read(file);
    if (!read) problems_.fatal(place(key), "cannot read " + file + ": " + read.error());
  }

  [[nodiscard]] Place place(std::string_view key) const { return settings_.place_of(key); }

  // The commonest surprise of OpenDKIM's users: /etc/default/opendkim holds the socket, and only
  // an old init script looks there.
  std::string socket_remedy() {
    const std::string text = machine_.files.read("/etc/default/opendkim").value_or("");
    std::string socket = shell_variable(text, "SOCKET");
    if (socket.empty()) return "set one, for example inet:8891@localhost";
    const std::string_view reference = "$RUNDIR";
    if (const std::size_t at = socket.find(reference); at != std::string::npos) {
      socket.replace(at, reference.size(), shell_variable(text, "RUNDIR"));
    }
    return "/etc/default/opendkim names one for the init script: start with -p " + socket;
  }

  User daemon_user() {
    const std::string& setting = settings_.daemon.user;
    if (setting.empty()) return machine_.accounts.current();
    const std::size_t colon = setting.find(':');
    std::optional<User> user = machine_.accounts.find_user(setting.substr(0, colon));
    if (!user) {
      problems_.fatal(place("daemon.user"),
                      "there is no user '" + setting.substr(0, colon) + "' on this machine",
                      "create the user, or set another one");
      return machine_.accounts.current();
    }
    if (colon == std::string::npos) return *user;
    const auto gid = machine_.accounts.find_group(setting.substr(colon + 1));
    if (!gid) {
      problems_.fatal(place("daemon.user"),
                      "there is no group '" + setting.substr(colon + 1) + "' on this machine");
      return *user;
    }
    user->gid = *gid;
    user->groups = {*gid};
    return *user;
  }

  // --- whose mail ---

  void set_senders() {
    policy_.signs = signing_.mode != Mode::verify;
    policy_.judges = signing_.mode != Mode::sign;
    policy_.internal_hosts = read_host_list(signing_.internal_hosts, files_, problems_);
    policy_.external_ignored = read_host_list(signing_.external_ignored, files_, problems_);
    policy_.peers = read_host_list(signing_.peers, files_, problems_);
    policy_.mta_names = read_names(signing_.mta_names, files_, problems_);
    policy_.macros = read_macros(signing_.macros, files_, problems_);
    policy_.strangers = read_macros(settings_.judging.macros, files_, problems_);
    policy_.authenticated_is_ours = signing_.authenticated_is_ours;
    policy_.exempt_domains = read_domain_set(signing_.exempt_domains, files_, problems_);
    policy_.unsigned_recipients = read_recipients(signing_.unsigned_recipients, files_, problems_);
    policy_.sender_headers = read_names(signing_.sender_headers, files_, problems_);
  }

  // --- which keys ---

  void set_keys(KeyStore& store) {
    const bool has_tables = !signing_.key_table.empty() || !signing_.second_key_table.empty() ||
                            !signing_.signing_table.empty();
    if (has_tables && !signing_.domains.empty()) {
      return problems_.fatal(signing_.domains.front().place,
                             "both [[signing.domain]] and tables are set", "use one of them");
    }
    if (has_tables) return set_tables(store);
    if (!signing_.domains.empty()) return use(make_tables(signing_.domains, store, problems_));
    if (has_single_key()) return set_single_key(store);
    // A policy service alone has nothing to sign.
    if (settings_.daemon.sockets.empty() && !settings_.policy_service.sockets.empty()) return;
    problems_.warning(place(""), "no domain and no key is set, so nothing is signed");
  }

  void set_tables(KeyStore& store) {
    if (signing_.key_table.empty() && signing_.second_key_table.empty()) {
      return problems_.fatal(signing_.signing_table.place,
                             "a SigningTable needs a KeyTable that holds its keys");
    }
    if (signing_.signing_table.empty()) {
      const bool first = !signing_.key_table.empty();
      return problems_.fatal(first ? signing_.key_table.place : signing_.second_key_table.place,
                             "a KeyTable needs a SigningTable that says whose mail its keys sign");
    }
    use(read_tables(signing_, files_, store, problems_));
  }

  void use(Tables tables) {
    policy_.key_table = std::move(tables.keys);
    policy_.signing_table = std::move(tables.lines);
    // [[signing.domain]] says which keys sign: all that it names.
    policy_.multiple_signatures = signing_.multiple_signatures || !signing_.domains.empty();
  }

  [[nodiscard]] bool has_single_key() const {
    const SingleKeySettings& single = signing_.single;
    return !single.domains.empty() || !single.selector.empty() || !single.key_file.empty();
  }

  void set_single_key(KeyStore& store) {
    const SingleKeySettings& single = signing_.single;
    const Place where = !single.key_file.empty()   ? place("signing.single.key_file")
                        : !single.selector.empty() ? place("signing.single.selector")
                                                   : single.domains.place;
    if (single.domains.empty() || single.selector.empty() || single.key_file.empty()) {
      return problems_.fatal(where, "Domain, Selector and KeyFile go together; one is missing",
                             "set all three, or KeyTable and SigningTable");
    }
    mailflow::DomainSet domains = read_domain_set(single.domains, files_, problems_);
    const auto selector = DomainName::parse(single.selector);
    if (!selector) {
      return problems_.fatal(where, "'" + single.selector + "' is no selector: " +
                                        std::string(to_string(selector.error().code)));
    }
    const std::optional<crypto::PrivateKey> key = store.load(single.key_file, where);
    if (!key) {
      return problems_.fatal(where, "the only key cannot be used, so nothing can be signed");
    }
    policy_.single_key = mailflow::SingleKey{.domains = std::move(domains),
                                             .subdomains = single.subdomains,
                                             .selector = *selector,
                                             .key = *key,
                                             .place = where};
  }

  // --- how ---

  void set_manner() {
    policy_.header_canonicalization = signing_.canonicalization.header;
    policy_.body_canonicalization = signing_.canonicalization.body;
    policy_.fields = read_field_selection(signing_, files_, problems_);
    policy_.signature_lifetime = signing_.lifetime;
    if (signing_.allows_body_length) policy_.signed_octets_max = signing_.signed_octets_max;
    policy_.copies_fields = signing_.copies_fields;
    policy_.requests_reports = signing_.requests_reports;
    policy_.removes_old_signatures = signing_.removes_old_signatures;
    policy_.fixes_line_ends = signing_.fixes_line_ends;
    policy_.requires_headers = signing_.requires_headers;
    policy_.strict_headers = signing_.strict_headers;
    policy_.explains = settings_.log.explains;
    if (signing_.software_header) policy_.software_header = software();
  }

  /// What DKIM-Filter and ARC-Filter say of us.
  [[nodiscard]] std::string software() const {
    return std::string("countersign v") + version + " " + machine_.host_name;
  }

  void set_actions() {
    policy_.on_bad_author = signing_.on_bad_author;
    policy_.on_signing_error = signing_.on_signing_error;
    policy_.on_limit = signing_.on_limit;
    policy_.on_peer = signing_.on_peer;
  }

  void set_limits() {
    policy_.limits.header_bytes_max = settings_.limits.header_octets;
    policy_.limits.field_bytes_max = settings_.limits.header_octets;
    policy_.limits.header_fields_max = settings_.limits.header_fields;
    policy_.limits.recipients_max = settings_.limits.recipients;
    policy_.limits.signatures_made_max = settings_.limits.signatures_made;
    policy_.limits.signatures_max = settings_.judging.signatures_max;
    policy_.limits.rsa_verify_bits_min = static_cast<unsigned>(settings_.judging.key_bits_min);
    policy_.limits.clock_drift_seconds =
        static_cast<std::uint32_t>(settings_.judging.clock_drift.count());
    policy_.limits.spf_void_lookups_max = settings_.judging.spf_void_lookups_max;
  }

  // A key that seals need not be of the type of those that sign.
  void set_sealing(KeyRules rules) {
    rules.expected_type.reset();
    KeyStore store(rules, files_, machine_.accounts, problems_);
    policy_.sealing = make_sealing_policy(settings_, files_, store, problems_);
    if (policy_.sealing && settings_.sealing.software_header)
      policy_.sealing->software_header = software();
  }

  void set_judging() {
    policy_.judging = make_judging_policy(settings_, machine_.host_name, files_, problems_);
    if (policy_.judging.spf || policy_.judging.dmarc) return;
    problems_.note(place("signing.mode"), "SPF and DMARC of incoming mail are not checked",
                   "name opendmarc.conf and policyd-spf.conf too (-x), or a countersign.toml "
                   "that sets spf and dmarc in [judging]");
  }

  const Settings& settings_;
  const SigningSettings& signing_;
  const Machine& machine_;
  BasedFiles files_;
  Problems& problems_;
  mailflow::Policy policy_;
  KeyFiles key_files_;
};

// What stands on the command line by its own name, as other programs have no word for it.
Overrides take_own_names(Overrides& overrides) {
  const auto is_own = [](const auto& one) { return one.first.contains('.'); };
  Overrides own;
  std::ranges::copy_if(overrides, std::back_inserter(own), is_own);
  std::erase_if(overrides, is_own);
  return own;
}

// The command line speaks OpenDKIM's language as soon as a file of another program is read.
Settings read_together(const std::vector<SourceFile>& sources, const Overrides& overrides,
                       const Files& files, Problems& problems) {
  std::vector<Settings> own;
  std::vector<Settings> imports;
  if (!overrides.empty()) own.push_back(import_opendkim("", overrides, files, problems));
  for (const SourceFile& one : sources) {
    if (one.form == Form::countersign) {
      own.push_back(load_toml(one.file, {}, files, problems));
    } else {
      imports.push_back(import_file(dialect_of(one.form), one.file, {}, files, problems));
    }
  }
  return combine(std::move(own), std::move(imports), problems);
}

}  // namespace

Machine this_machine() {
  static const SystemFiles files;
  static const SystemAccounts accounts;
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) name = {"localhost"};
  return {files, accounts, name.data()};
}

Settings read_settings(const Source& source, const Files& files, Problems& problems) {
  std::vector<SourceFile> sources = source.others;
  sources.insert(sources.begin(), {source.form, source.file});
  for (SourceFile& one : sources) {
    if (one.form == Form::any) one.form = recognize(one.file, files);
  }
  if (sources.size() == 1 && sources.front().form == Form::countersign) {
    return load_toml(source.file, source.overrides, files, problems);
  }
  Overrides overrides = source.overrides;
  const Overrides own = take_own_names(overrides);
  Settings settings = sources.size() == 1 && sources.front().form == Form::opendkim
                          ? import_opendkim(source.file, overrides, files, problems)
                          : read_together(sources, overrides, files, problems);
  override_settings(settings, own, problems);
  return settings;
}

Snapshot make_snapshot(Settings settings, const Machine& machine, Problems problems) {
  Snapshot snapshot{.settings = std::move(settings)};
  Maker maker(snapshot.settings, machine, problems);
  auto access = maker.make_access();
  auto policy = maker.make();
  snapshot.problems = problems.take_sorted();
  if (worst(snapshot.problems) >= Severity::fatal) return snapshot;
  snapshot.policy = std::move(policy);
  snapshot.access = std::move(access);
  snapshot.key_files = maker.key_files();
  return snapshot;
}

Snapshot load(const Source& source, const Machine& machine) {
  Problems problems;
  Settings settings = read_settings(source, machine.files, problems);
  return make_snapshot(std::move(settings), machine, std::move(problems));
}

}  // namespace countersign::service::config
