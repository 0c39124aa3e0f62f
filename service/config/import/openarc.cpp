// SPDX-License-Identifier: Apache-2.0
//
// The options of openarc.conf, of OpenARC 1.x, in the order of the documents.
//
// Mode says what is sealed: with "s" all that comes in from outside; without Mode, what comes back
// from InternalHosts, whose mail is believed about what was found when it came in, while the mail
// of all others is checked only.

#include "service/config/import/openarc.hpp"

#include "countersign/text/abnf.hpp"
#include "service/config/import/common.hpp"
#include "service/config/import/foreign_value.hpp"

namespace countersign::service::config {
namespace {

using enum Fate;

constexpr Option rows[] = {
    // --- process and logging ---
    {"Socket", works, "daemon.sockets", ""},
    {"UserID", works, "daemon.user", ""},
    {"UMask", works, "daemon.umask", "a number without a leading 0 is decimal"},
    {"PidFile", works, "daemon.pid_file", ""},
    {"Background", works, "daemon.background", "default yes"},
    {"BaseDirectory", works, "daemon.base_directory", ""},
    {"ChangeRootDirectory", works, "daemon.root_directory", ""},
    {"Include", works, "", "up to five files deep"},
    {"AutoRestart", works, "daemon.restarts", "not needed under systemd"},
    {"AutoRestartCount", works, "daemon.restarts_max", ""},
    {"AutoRestartRate", works, "daemon.restart_rate", ""},
    {"EnableCoredumps", works, "daemon.core_dumps", ""},
    {"MilterDebug", works, "log.level", "above 0: debug"},
    {"Syslog", works, "log.syslog",
     "without it, a daemon in the foreground logs to standard error"},
    {"SyslogFacility", works, "log.facility", ""},
    {"SyslogName", works, "log.name", ""},
    {"KeepTemporaryFiles", ignored, "", "no temporary files are written", Severity::warning, "no"},
    {"TemporaryDirectory", ignored, "", "no temporary files are written"},
    {"SoftwareHeader", works, "sealing.software_header", "on sealed mail alone"},

    // --- checking ---
    {"Mode", works, "sealing.judged",
     "s: mail from outside is sealed, v: it is checked only; without Mode it is checked, and what "
     "InternalHosts hand back is sealed (sealing.returned)"},
    {"AuthservID", works, "judging.results.authserv_id", "HOSTNAME is the host name"},
    {"AuthResComments", works, "judging.results.comments", ""},
    {"AuthResIP", works, "judging.results.remote_ip", "default yes"},
    {"FinalReceiver", works, "judging.results.arc_chain",
     "of a chain that passes; judging.trust.sealers does the same without the detour"},
    {"PermitAuthenticationOverrides", works, "",
     "the results on mail that InternalHosts hand back are believed, whatever it says; nobody "
     "else's are, as anybody could write them"},
    {"InternalHosts", works, "signing.internal_hosts", "default 127.0.0.1 and ::1"},
    {"PeerList", works, "signing.peers", ""},
    {"MaximumHeaders", works, "limits.header_octets",
     "0, which means no limit there, means 64 MiB here"},
    {"MinimumKeySizeRSA", works, "judging.key_bits_min",
     "never below 1024, as shorter keys never pass (RFC 8301 §3.2)"},
    {"DNSTimeout", works, "dns.timeout", "0, which means for ever there, means 600 seconds here"},
    {"Nameservers", works, "dns.nameservers", ""},
    {"ResponseDisabled", works, "signing.on_peer",
     "to mail of clients in PeerList; what SealHeaderChecks leaves out passes, as it is checked; "
     "default accept"},
    {"ResponseUnable", works, "sealing.on_error",
     "when DNS does not tell whether the chain is whole, or it has no room; default accept"},
    {"ResponseUnwilling", works, "signing.on_limit",
     "a header over its limits, whoever sends it; default reject"},
    {"FixedTimestamp", ignored, "", "it serves tests of OpenARC alone"},
    {"TestKeys", ignored, "",
     "it serves tests of OpenARC alone; dns.zone_file or --zone names a zone file"},

    // --- sealing ---
    {"Domain", works, "sealing.domain", "seals by Mode, with Selector and KeyFile"},
    {"Selector", works, "sealing.selector", ""},
    {"KeyFile", works, "sealing.key_file", ""},
    {"Canonicalization", works, "sealing.canonicalization", "default relaxed/simple"},
    {"SignatureAlgorithm", works, "", "RSA keys seal with rsa-sha256, as there"},
    {"SignatureTTL", works, "sealing.lifetime", "0: no x="},
    {"SignHeaders", works, "sealing.signed_fields", ""},
    {"OverSignHeaders", works, "sealing.oversigned_fields", "default none"},
    {"OmitHeaders", works, "sealing.omitted_fields", ""},
    {"SealHeaderChecks", works, "sealing.header_checks",
     "a line is Name:expression; it is one of RE2, where braces, parentheses, + and ? need a "
     "backslash to stand for themselves"},
    {"RequireSafeKeys", works, "signing.safe_keys_required", "default yes"},
};

// What was found of the seals before must be known to seal on, so that "s" checks them too.
void set_mode(Importer& importer, const ConfigLine& line) {
  if (line.value.empty() || line.value.find_first_not_of("sv") != std::string::npos) {
    return importer.refuse_value(line, "s, v or sv");
  }
  importer.mark("sealing.judged", line);
  importer.settings().sealing.judged = line.value.find('s') != std::string::npos;
}

void check_algorithm(Importer& importer, const ConfigLine& line) {
  for (const std::string_view known : {"rsa-sha256", "rsa-sha1", "ed25519-sha256"}) {
    if (!text::equal_ignoring_case(line.value, known)) continue;
    if (known == "rsa-sha256") return;
    return importer.problems().warning(
        line.place, line.name + " " + line.value + " has no effect: the key says how it seals",
        "the line can be removed");
  }
  importer.refuse_value(line, "rsa-sha256");
}

void set_seal_canonicalization(Importer& importer, const ConfigLine& line) {
  const bool whole = line.value.find('/') != std::string::npos;
  importer.set("sealing.canonicalization", line, whole ? line.value : line.value + "/simple");
}

void set_seal_lifetime(Importer& importer, const ConfigLine& line) {
  if (parse_foreign_integer(line.value) != 0) importer.set("sealing.lifetime", line);
}

// OpenARC compiles basic expressions, where these characters need a backslash to be special.
void set_header_checks(Importer& importer, const ConfigLine& line) {
  importer.set("sealing.header_checks", line, "file:" + line.value);
  importer.problems().note(line.place,
                           "the expressions of " + line.value +
                               " are read as those of RE2, where + ? | ( ) { } need a backslash to "
                               "stand for themselves");
}

constexpr Special specials[] = {
    {"Socket", set_sockets},
    {"UMask", set_umask},
    {"MilterDebug", set_debug},
    {"Mode", set_mode},
    {"AuthservID", set_authserv_id},
    {"DNSTimeout", set_dns_timeout},
    {"MaximumHeaders", set_header_limit},
    {"MinimumKeySizeRSA", set_verified_key_bits},
    {"Nameservers", set_nameservers},
    {"Canonicalization", set_seal_canonicalization},
    {"SignatureAlgorithm", check_algorithm},
    {"SignatureTTL", set_seal_lifetime},
    {"SealHeaderChecks", set_header_checks},
};

Settings defaults() {
  Settings settings = imported_defaults();
  settings.daemon.background = true;
  settings.signing.mode = Mode::verify;
  settings.signing.on_limit = mailflow::Action::reject;
  settings.judging.arc = true;
  settings.judging.results.remote_ip = true;
  settings.judging.results.arc_chain = false;
  SealingSettings& sealing = settings.sealing;
  sealing.canonicalization = {dkim::Canonicalization::relaxed, dkim::Canonicalization::simple};
  sealing.oversigned_fields.lines = {"."};
  return settings;
}

// Without Mode, the host that a message comes from says whether it is sealed or checked.
void settle(Importer& importer) {
  settle_log(importer.settings());
  const ConfigLine* const key = importer.line_of("KeyFile");
  if (importer.line_of("Mode") != nullptr || key == nullptr) return;
  importer.mark("sealing.returned", *key);
  importer.settings().sealing.returned = importer.settings().signing.internal_hosts;
}

}  // namespace

const Dialect& openarc_dialect() {
  static const Dialect dialect{.program = "OpenARC",
                               .options = rows,
                               .specials = specials,
                               .defaults = defaults,
                               .read_lines = read_config_lines,
                               .settle = settle};
  return dialect;
}

}  // namespace countersign::service::config
