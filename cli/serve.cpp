// SPDX-License-Identifier: Apache-2.0
//
// `countersign serve`: the daemon. It takes the options of opendkim(8) too, so that the line of an
// old init script works.

#include <memory>
#include <string>
#include <vector>

#include "cli/command.hpp"
#include "cli/settings_options.hpp"
#include "service/run/serve.hpp"

namespace countersign::cli {
namespace {

/// An option of the command line that overrules a setting, by its name in each form.
struct Override {
  const char* option;
  const char* opendkim_name;  ///< empty: it has none
  const char* own_name;       ///< empty: only with -x
  const char* value;
  const char* help;
};

constexpr Override overrides[] = {
    {"-p,--socket", "Socket", "daemon.sockets", "SOCKET", "listen there, as inet:8891@localhost"},
    {"--policy-socket", "", "policy_service.sockets", "SOCKET",
     "answer Postfix's check_policy_service there, with or without -p"},
    {"-u,--user", "UserID", "daemon.user", "USER[:GROUP]", "become that user"},
    {"-P,--pid-file", "PidFile", "daemon.pid_file", "FILE", "write the process id there"},
    {"-b", "Mode", "signing.mode", "MODE", "s to sign, v to verify, sv for both"},
    {"-c", "Canonicalization", "signing.canonicalization", "WORDS", "of header/body"},
    {"-d", "Domain", "", "DOMAINS", "sign for these, with -x only"},
    {"-s", "Selector", "", "SELECTOR", "sign with it, with -x only"},
    {"-k", "KeyFile", "", "FILE", "sign with that private key, with -x only"},
    {"-o", "OmitHeaders", "", "NAMES", "do not sign these fields, with -x only"},
    {"-S", "SignatureAlgorithm", "", "WORD", "the key decides; told when they disagree"},
    {"-T", "DNSTimeout", "dns.timeout", "SECONDS", "how long to wait for DNS"},
};

struct Flag {
  const char* option;
  const char* opendkim_name;
  const char* own_name;
  const char* help;
};

constexpr Flag flags[] = {
    {"-l", "Syslog", "log.syslog", "log to syslog"},
    {"-W", "LogWhy", "log.explains", "say why each message was signed or not"},
    {"-A", "AutoRestart", "daemon.restarts", "restart when the daemon ends unexpectedly"},
    {"-D", "SubDomains", "", "sign for subdomains too"},
};

/// An override that was given. Which form is read is known only when all options are; both names
/// are kept till then.
struct Given {
  std::string opendkim_name;
  std::string own_name;
  std::string value;
};

struct Options {
  SettingsOptions settings;
  std::vector<Given> given;
  service::ServeOptions serve;
};

void declare_overrides(CLI::App& command, const std::shared_ptr<Options>& options) {
  const auto add = [options](const char* opendkim_name, const char* own_name,
                             const std::string& value) {
    options->given.push_back({opendkim_name, own_name, value});
  };
  for (const Override& one : overrides) {
    command
        .add_option_function<std::string>(
            one.option,
            [add, one](const std::string& value) { add(one.opendkim_name, one.own_name, value); },
            one.help)
        ->option_text(one.value);
  }
  for (const Flag& one : flags) {
    command.add_flag_callback(
        one.option, [add, one] { add(one.opendkim_name, one.own_name, "true"); }, one.help);
  }
}

/// The settings with what was given by the names of the form that is read.
SettingsOptions settings_of(const Options& options) {
  SettingsOptions settings = options.settings;
  for (const Given& one : options.given) {
    const bool opendkim = !settings.foreign_files.empty() && !one.opendkim_name.empty();
    settings.overrides.emplace_back(opendkim ? one.opendkim_name : one.own_name, one.value);
  }
  return settings;
}

}  // namespace

void add_serve(CLI::App& root, int& exit_code) {
  CLI::App* command = root.add_subcommand("serve", "Run the daemon: a milter beside the MTA.");
  const auto options = std::make_shared<Options>();
  options->settings.declare(*command);
  command->add_flag("-f,--foreground", options->serve.foreground, "stay in the foreground");
  declare_overrides(*command, options);
  command->footer(
      "Without a file of settings it reads /etc/countersign/countersign.toml. What the command "
      "line says counts more than the settings, after a reload too.\n"
      "-x takes an opendkim.conf, opendmarc.conf, openarc.conf, policyd-spf.conf or "
      "dkimpy-milter.conf, unedited, and may be given for each. A file is known by its name or its "
      "options; a name in front decides: -x opendmarc:FILE.\n"
      "Signals: SIGTERM stops when messages in flight are finished, SIGHUP and SIGUSR1 read the "
      "settings anew.\nExit codes: 0 stopped, 67 no such user, 69 a socket cannot be had, 77 not "
      "allowed, 78 settings with errors.");
  command->callback([options, &exit_code] {
    const SettingsOptions settings = settings_of(*options);
    exit_code = service::serve([settings] { return settings.load(); }, options->serve);
  });
}

}  // namespace countersign::cli
