// SPDX-License-Identifier: Apache-2.0
//
// The options of openarc.conf, of OpenARC 1.x, in the order of the documents. What came with seals
// is checked; sealing is not there yet, so that what would seal is told and nothing else.

#include "service/config/import/openarc.hpp"

#include "service/config/import/common.hpp"

namespace countersign::service::config {
namespace {

constexpr std::string_view no_sealing = "mail is not sealed yet; seals that it brings are checked";
constexpr std::string_view no_responses = "a seal that cannot be checked does no harm to a message";

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
    {"KeepTemporaryFiles", missing, "", "canonicalized copies of messages are never written",
     Severity::warning, "no"},
    {"TemporaryDirectory", ignored, "", "no temporary files are written"},
    {"SoftwareHeader", missing, "", "no ARC-Filter field is added", Severity::warning, "no"},

    // --- checking ---
    {"Mode", works, "judging.arc", "s alone checks nothing; see Selector about sealing"},
    {"AuthservID", works, "judging.results.authserv_id", "HOSTNAME is the host name"},
    {"AuthResComments", works, "judging.results.comments", ""},
    {"AuthResIP", missing, "", "smtp.remote-ip is not written", Severity::warning, "no"},
    {"FinalReceiver", missing, "",
     "arc.chain is not written; judging.trust.sealers says here whose seals count",
     Severity::warning, "no"},
    {"PermitAuthenticationOverrides", missing, "",
     "a seal overrides DMARC for domains of judging.trust.sealers alone", Severity::warning, "no"},
    {"InternalHosts", works, "signing.internal_hosts", "default 127.0.0.1 and ::1"},
    {"PeerList", works, "signing.peers", ""},
    {"MaximumHeaders", works, "limits.header_octets",
     "0, which means no limit there, means 64 MiB here"},
    {"MinimumKeySizeRSA", ignored, "", "RSA keys below 1024 bits never pass (RFC 8301 §3.2)"},
    {"DNSTimeout", works, "dns.timeout", "0, which means for ever there, means 600 seconds here"},
    {"Nameservers", works, "dns.nameservers", ""},
    {"ResponseDisabled", missing, "", no_responses, Severity::warning, "accept"},
    {"ResponseUnable", missing, "", no_responses, Severity::warning, "accept"},
    {"ResponseUnwilling", missing, "", no_responses, Severity::warning, "accept"},
    {"FixedTimestamp", ignored, "", "it serves tests of OpenARC alone"},
    {"TestKeys", missing, "", "name a zone file with dns.zone_file or --zone instead"},

    // --- sealing ---
    {"Domain", missing, "", no_sealing},
    {"Selector", missing, "", no_sealing},
    {"KeyFile", missing, "", no_sealing},
    {"Canonicalization", missing, "", no_sealing},
    {"SignatureAlgorithm", missing, "", no_sealing},
    {"SignatureTTL", missing, "", no_sealing},
    {"SignHeaders", missing, "", no_sealing},
    {"OverSignHeaders", missing, "", no_sealing},
    {"OmitHeaders", missing, "", no_sealing},
    {"SealHeaderChecks", missing, "", no_sealing},
    {"RequireSafeKeys", missing, "", no_sealing},
};

void set_mode(Importer& importer, const ConfigLine& line) {
  if (line.value.find_first_not_of("sv") != std::string::npos) {
    return importer.refuse_value(line, "s, v or sv");
  }
  importer.mark("judging.arc", line);
  importer.settings().judging.arc = line.value.find('v') != std::string::npos;
}

constexpr Special specials[] = {
    {"Socket", set_sockets},
    {"UMask", set_umask},
    {"MilterDebug", set_debug},
    {"Mode", set_mode},
    {"AuthservID", set_authserv_id},
    {"DNSTimeout", set_dns_timeout},
    {"MaximumHeaders", set_header_limit},
    {"Nameservers", set_nameservers},
};

Settings defaults() {
  Settings settings = imported_defaults();
  settings.daemon.background = true;
  settings.signing.mode = Mode::verify;
  settings.judging.arc = true;
  return settings;
}

void settle(Importer& importer) { settle_log(importer.settings()); }

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
