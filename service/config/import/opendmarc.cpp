// SPDX-License-Identifier: Apache-2.0
//
// The options of opendmarc.conf, of OpenDMARC 1.4 and its later development, in the order of the
// documents.
//
// OpenDMARC judges by what other filters wrote into the header. Here everything is judged in one
// process, so what says whose results are believed has nothing left to do.

#include "service/config/import/opendmarc.hpp"

#include <string>
#include <utility>

#include "countersign/message/author.hpp"
#include "service/config/forward_path.hpp"
#include "service/config/import/common.hpp"
#include "service/config/import/foreign_value.hpp"

namespace countersign::service::config {
namespace {

constexpr std::string_view own_results = "not needed: SPF and DKIM are always checked here";

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
    {"TemporaryDirectory", ignored, "", "no temporary files are written"},
    {"SoftwareHeader", works, "judging.results.software_header", ""},

    // --- what is judged ---
    {"AuthservID", works, "judging.results.authserv_id", "HOSTNAME is the host name"},
    {"AuthservIDWithJobID", works, "judging.results.authserv_id_with_job_id", ""},
    {"TrustedAuthservIDs", works, "", own_results},
    {"SPFSelfValidate", works, "", own_results},
    {"SPFIgnoreResults", works, "", own_results},
    {"PublicSuffixList", works, "judging.public_suffix_list",
     "used only with judging.dmarc_discovery = \"psl\": the organizational domain is found in DNS "
     "(RFC 9989 §4.10); a note says so"},
    {"IgnoreAuthenticatedClients", works, "judging.trust.authenticated",
     "clients that logged in are never judged while signing.authenticated_is_ours"},
    {"IgnoreHosts", works, "judging.unjudged", "of these hosts DKIM and SPF are not judged either"},
    {"IgnoreMailFrom", works, "judging.trust.author_domains",
     "judged, and let through whatever is found"},
    {"IgnoreMailTo", works, "reports.own_addresses",
     "mail to these alone is left out of the history and of reports"},
    {"DomainWhitelist", works, "judging.trust.sealers", "switches ARC on"},
    {"DomainWhitelistFile", works, "judging.trust.sealers", "switches ARC on"},
    {"DomainWhitelistSize", ignored, "", "lists grow as they need"},
    {"DNSTimeout", works, "dns.timeout", "0, which means for ever there, means 600 seconds here"},
    {"TestDNSData", missing, "", "name a zone file with dns.zone_file or --zone instead"},

    // --- what is done ---
    {"RejectFailures", works, "judging.actions.dmarc_reject",
     "yes: p=reject is rejected, mail is deferred when DNS does not answer; no (the default): "
     "results are only written"},
    {"HoldQuarantinedMessages", works, "judging.actions.dmarc_quarantine",
     "p=quarantine is quarantined, with RejectFailures yes only"},
    {"RejectMultiValueFrom", works, "judging.actions.ambiguous", "reject"},
    {"RequiredHeaders", works, "judging.actions.ambiguous",
     "reject; signing.requires_headers for mail of ours"},
    {"RequiredFrom", works, "judging.actions.ambiguous", "reject"},
    {"RejectString", works, "judging.help", "stands behind the text that says what failed"},
    {"CopyFailuresTo", works, "judging.copies_failures_to",
     "as before, of mail that fails p=quarantine or p=reject; not of what is refused"},

    // --- reports ---
    {"FailureReports", works, "reports.failures.privacy",
     "yes: redacted, where OpenDMARC shows the whole header; needs FailureReportsSentBy and a key "
     "that signs for its domain"},
    {"FailureReportsBcc", works, "reports.failures.bcc",
     "a copy of each report that has left; none of what no owner asks for"},
    {"FailureReportsOnNone", works, "reports.failures.on_none", ""},
    {"FailureReportsSentBy", works, "reports.from",
     "there is no default: without it no report is sent, and a warning says so"},
    {"ReportCommand", works, "",
     "reports leave by SMTP, to port 25 of this host unless reports.smtp_host says otherwise; a "
     "command other than sendmail gets a warning"},
    {"HistoryFile", works, "store.history_file",
     "records as before; countersign report import-history takes old ones into store.path, from "
     "which reports are sent"},
    {"RecordAllMessages", works, "store.history_all",
     "as before: mail of domains without a DMARC record stands in the file too, and in no report"},
    {"NoReportsList", works, "reports.opted_out",
     "domains whose records ask for reports; a line with an address or @domain gets a warning"},
    {"ReadCanonicalizedData", ignored, "", own_results},

    // --- removed before 1.4 ---
    {"ForensicReports", removed, "", "its successor is FailureReports"},
    {"ForensicReportsBcc", removed, "", "its successor is FailureReportsBcc"},
    {"ForensicReportsOnNone", removed, "", "its successor is FailureReportsOnNone"},
    {"ForensicReportsSentBy", removed, "", "its successor is FailureReportsSentBy"},
};

void name_suffix_list(Importer& importer, const ConfigLine& line) {
  importer.set("judging.public_suffix_list", line);
  importer.problems().note(
      line.place, "PublicSuffixList has no use: organizations are found in DNS, as RFC 9989 says",
      "a countersign.toml with dmarc_discovery = \"psl\" in [judging] makes use of the list");
}

void reject_failures(Importer& importer, const ConfigLine& line) {
  const std::optional<bool> value = importer.read_boolean(line);
  importer.mark("judging.actions.dmarc_reject", line);
  importer.mark("judging.actions.dmarc_temperror", line);
  if (value != true) return;
  importer.settings().judging.actions.dmarc_reject = mailflow::RejectPolicy::reject;
  importer.settings().judging.actions.dmarc_temperror = mailflow::Action::tempfail;
}

void hold_quarantined(Importer& importer, const ConfigLine& line) {
  const std::optional<bool> value = importer.read_boolean(line);
  if (!value) return;
  const bool acts =
      importer.settings().judging.actions.dmarc_reject == mailflow::RejectPolicy::reject;
  importer.mark("judging.actions.dmarc_quarantine", line);
  if (*value && acts) {
    importer.settings().judging.actions.dmarc_quarantine = mailflow::Action::quarantine;
  } else if (*value) {
    importer.problems().warning(line.place,
                                "HoldQuarantinedMessages has no effect without RejectFailures yes");
  }
}

void reject_ambiguous(Importer& importer, const ConfigLine& line) {
  if (importer.read_boolean(line) != true) return;
  importer.mark("judging.actions.ambiguous", line);
  importer.settings().judging.actions.ambiguous = mailflow::Action::reject;
}

// The value is always the name of a file, which may stand below BaseDirectory.
void ignore_hosts(Importer& importer, const ConfigLine& line) {
  importer.set("judging.unjudged", line, "file:" + line.value);
}

void trust_sealers(Importer& importer, const ConfigLine& line) {
  importer.mark("judging.trust.sealers", line);
  importer.mark("judging.arc", line);
  DataSet& sealers = importer.settings().judging.trust.sealers;
  if (line.name.size() > std::string_view("DomainWhitelist").size()) {
    sealers.source = "file:" + line.value;
  } else {
    sealers.lines = split_list(line.value);
  }
  sealers.place = line.place;
  importer.settings().judging.arc = true;
}

// OpenDMARC tells of domains whose policy is none only when it is told to.
void set_failure_reports(Importer& importer, const ConfigLine& line) {
  const std::optional<bool> value = importer.read_boolean(line);
  if (value != true) return;
  importer.mark("reports.failures.privacy", line);
  importer.settings().reports.failures.privacy = report::Privacy::redacted;
  if (importer.line_of("FailureReportsOnNone") != nullptr) return;
  importer.mark("reports.failures.on_none", line);
  importer.settings().reports.failures.on_none = false;
}

// A daemon that runs today must start: reports are not worth its mail.
void set_sent_by(Importer& importer, const ConfigLine& line) {
  if (first_mailbox(line.value)) return importer.set("reports.from", line);
  importer.problems().warning(line.place, "'" + line.value +
                                              "' is no address that reports can come from, so no "
                                              "failure report is sent");
}

// The value is always the name of a file.
void set_opted_out(Importer& importer, const ConfigLine& line) {
  importer.set("reports.opted_out", line, "file:" + line.value);
}

// Addresses may hold what data sets are made of.
void set_own_addresses(Importer& importer, const ConfigLine& line) {
  importer.mark("reports.own_addresses", line);
  DataSet& addresses = importer.settings().reports.own_addresses;
  addresses.lines = split_list(line.value);
  addresses.place = line.place;
}

void copy_failures(Importer& importer, const ConfigLine& line) {
  if (read_forward_path(line.value)) return importer.set("judging.copies_failures_to", line);
  importer.problems().warning(
      line.place, "'" + line.value + "' is no address, so failing mail is copied to nobody");
}

void set_copies(Importer& importer, const ConfigLine& line) {
  importer.mark("reports.failures.bcc", line);
  for (std::string& address : split_list(line.value)) {
    if (first_mailbox(address)) {
      importer.settings().reports.failures.bcc.push_back(std::move(address));
    } else {
      importer.problems().warning(line.place, "'" + address + "' is no address and is left out");
    }
  }
}

void check_report_command(Importer& importer, const ConfigLine& line) {
  const std::string program = line.value.substr(0, line.value.find_first_of(" \t"));
  if (program.substr(program.rfind('/') + 1) == "sendmail") return;
  importer.problems().warning(
      line.place, "ReportCommand is not run: failure reports leave by SMTP to this host",
      "a countersign.toml with smtp_host in [reports] names another");
}

constexpr Special specials[] = {
    {"Socket", set_sockets},
    {"UMask", set_umask},
    {"MilterDebug", set_debug},
    {"DNSTimeout", set_dns_timeout},
    {"AuthservID", set_authserv_id},
    {"PublicSuffixList", name_suffix_list},
    {"RejectFailures", reject_failures},
    {"HoldQuarantinedMessages", hold_quarantined},
    {"RejectMultiValueFrom", reject_ambiguous},
    {"RequiredHeaders", set_required_headers},
    {"RequiredFrom", reject_ambiguous},
    {"IgnoreHosts", ignore_hosts},
    {"IgnoreMailTo", set_own_addresses},
    {"DomainWhitelist", trust_sealers},
    {"DomainWhitelistFile", trust_sealers},
    {"FailureReports", set_failure_reports},
    {"FailureReportsBcc", set_copies},
    {"FailureReportsSentBy", set_sent_by},
    {"ReportCommand", check_report_command},
    {"NoReportsList", set_opted_out},
    {"CopyFailuresTo", copy_failures},
};

Settings defaults() {
  Settings settings = imported_defaults();
  settings.daemon.background = true;
  settings.signing.mode = Mode::verify;
  JudgingSettings& judging = settings.judging;
  judging.spf = judging.dmarc = true;
  judging.trust.authenticated = false;
  judging.actions.dmarc_reject = mailflow::RejectPolicy::quarantine;
  judging.actions.dmarc_quarantine = mailflow::Action::accept;
  return settings;
}

void settle(Importer& importer) { settle_log(importer.settings()); }

}  // namespace

const Dialect& opendmarc_dialect() {
  static const Dialect dialect{.program = "OpenDMARC",
                               .options = rows,
                               .specials = specials,
                               .defaults = defaults,
                               .read_lines = read_config_lines,
                               .settle = settle};
  return dialect;
}

}  // namespace countersign::service::config
