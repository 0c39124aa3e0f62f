// SPDX-License-Identifier: Apache-2.0
//
// The options of opendkim.conf: data. The order is that of docs/opendkim.md, except that On-Default
// must come before the options that it is the default of.

#include <array>

#include "countersign/text/abnf.hpp"
#include "service/config/import/opendkim_options.hpp"

namespace countersign::service::config {
namespace {

constexpr std::string_view no_lua = "there are no Lua hooks yet; the script does not run";
constexpr std::string_view no_ldap = "LDAP data sets cannot be read yet, so this has no use";
constexpr std::string_view no_statistics =
    "statistics files are not written; metrics will take their place";
constexpr std::string_view no_reputation = "the reputation experiment was given up";
constexpr std::string_view no_vbr = "Vouch By Reference (RFC 5518) has no users left";
constexpr std::string_view no_adsp = "ADSP (RFC 5617) is historic; DMARC has replaced it";
constexpr std::string_view no_resign = "re-signing of verified mail is not there yet";
constexpr std::string_view no_reports = "reports of failures (RFC 6651) are not sent yet";
constexpr std::string_view no_rate_limit = "rate limits are not there yet";

using enum Fate;

constexpr Option rows[] = {
    // --- process and logging ---
    {"Socket", works, "daemon.sockets", "several, separated by commas, are our own"},
    {"UserID", works, "daemon.user", ""},
    {"UMask", works, "daemon.umask",
     "a number without a leading 0 is decimal, as in OpenDKIM; a "
     "note says so"},
    {"PidFile", works, "daemon.pid_file", ""},
    {"Background", works, "daemon.background",
     "default yes; the command returns when the daemon answers, or with its exit code"},
    {"BaseDirectory", works, "daemon.base_directory", ""},
    {"ChangeRootDirectory", works, "daemon.root_directory",
     "settings, tables and keys are read before; a reload looks for them below the new root"},
    {"Include", works, "", "up to five files deep"},
    {"AutoRestart", works, "daemon.restarts", "not needed under systemd"},
    {"AutoRestartCount", works, "daemon.restarts_max", ""},
    {"AutoRestartRate", works, "daemon.restart_rate", ""},
    {"SoftStart", ignored, "", "there are no SQL or LDAP data sets to wait for"},
    {"EnableCoredumps", works, "daemon.core_dumps", ""},
    {"MilterDebug", works, "", "above 0: log.level = \"debug\""},
    {"KeepTemporaryFiles", missing, "", "canonicalized copies of messages are never written",
     Severity::warning, "no"},
    {"TemporaryDirectory", ignored, "", "no temporary files are written"},
    {"DisableCryptoInit", ignored, "", "the crypto library needs no such care any more"},
    {"Syslog", works, "log.syslog",
     "without it, a daemon in the foreground logs to standard "
     "error"},
    {"SyslogFacility", works, "log.facility", ""},
    {"SyslogName", works, "log.name", "the default is countersign"},
    {"SyslogSuccess", works, "log.successes", ""},
    {"LogWhy", works, "log.explains", ""},
    {"LogResults", works, "", "results are always logged, one line for each message"},
    {"SoftwareHeader", works, "signing.software_header", ""},
    {"X-Header", works, "", "the old name of SoftwareHeader, taken as such with a warning"},
    {"Diagnostics", works, "signing.copies_fields", ""},
    {"DiagnosticDirectory", missing, "", "reports about failures of z= are not written yet"},

    // --- which mail is signed ---
    {"Mode", works, "",
     "of incoming mail DKIM is judged and nothing else, as OpenDKIM does; a note says how to have "
     "more"},
    {"Domain", works, "signing.single.domains", "unused when there is a KeyTable, as in OpenDKIM"},
    {"Selector", works, "signing.single.selector", "the same"},
    {"KeyFile", works, "signing.single.key_file", "the same"},
    {"SubDomains", works, "signing.single.subdomains",
     "no effect on a SigningTable, as in "
     "OpenDKIM"},
    {"KeyTable", works, "signing.key_table",
     "keys are read once, at the start and at a reload; refile: is taken as file:; a fourth field "
     "with the algorithm is taken"},
    {"SigningTable", works, "signing.signing_table", ""},
    {"MultipleSignatures", works, "signing.multiple_signatures",
     "all matching lines sign; OpenDKIM loses those after the second"},
    {"InternalHosts", works, "signing.internal_hosts", "default 127.0.0.1 and ::1"},
    {"ExternalIgnoreList", works, "signing.external_ignored", ""},
    {"PeerList", works, "signing.peers", ""},
    {"MTA", works, "signing.mta_names", ""},
    {"MacroList", works, "signing.macros", ""},
    {"ExemptDomains", works, "signing.exempt_domains", ""},
    {"DontSignMailTo", works, "signing.unsigned_recipients", ""},
    {"SenderHeaders", works, "signing.sender_headers", ""},
    {"SenderMacro", missing, "", "the sender is taken from SenderHeaders, never from a macro",
     Severity::error},
    {"DefaultSender", missing, "", "mail without a sender is not signed"},
    {"RequireSafeKeys", works, "signing.safe_keys_required",
     "the problem names the file or directory, its owner and mode, and the command that mends it"},
    {"ResignMailTo", missing, "", no_resign},
    {"ResignAll", missing, "", no_resign, Severity::warning, "no"},
    {"LuaOnlySigning", missing, "", no_lua, Severity::error, "no"},
    {"ConditionalSignatures", ignored, "", "the draft was given up"},
    {"POPDBFile", ignored, "", "POP before SMTP is no proof of identity; let clients log in"},

    // --- how it is signed ---
    {"Canonicalization", works, "signing.canonicalization",
     "default simple/simple, as in OpenDKIM; one word alone means word/simple (RFC 6376 §3.5)"},
    {"SignatureAlgorithm", works, "",
     "each key's own type decides; a warning when this says something else. rsa-sha1 never signs"},
    {"SignHeaders", works, "signing.signed_fields", ""},
    {"OmitHeaders", works, "signing.omitted_fields", ""},
    {"OversignHeaders", works, "signing.oversigned_fields", ""},
    {"SignatureTTL", works, "signing.lifetime", "0 writes no x="},
    {"MinimumKeyBits", works, "signing.key_bits_min",
     "never below 1024, which receivers refuse (RFC 8301 §3.2)"},
    {"BodyLengthDB", missing, "", "l= lets anybody add to a signed message, so it is not written"},
    {"MaximumSignedBytes", works, "signing.signed_octets_max",
     "only with AllowBodyLength yes: l= lets anybody add to a signed message"},
    {"AllowBodyLength", works, "signing.allows_body_length",
     "our own: lets MaximumSignedBytes write l= all the same"},
    {"RemoveOldSignatures", works, "signing.removes_old_signatures", ""},
    {"FixCRLF", works, "signing.fixes_line_ends", ""},
    {"StrictHeaders", works, "signing.strict_headers",
     "mail that has fields more or less often than RFC 5322 §3.6 says is not signed"},
    {"RequiredHeaders", works, "signing.requires_headers",
     "such mail is rejected; of others' mail that whose author cannot be told "
     "(judging.actions.ambiguous)"},
    {"WeakSyntaxChecks", missing, "", "an unreadable From is never signed, and never passes DMARC",
     Severity::warning, "no"},
    {"IgnoreMalformedMail", missing, "", "malformed mail is judged as far as it can be read",
     Severity::warning, "no"},
    {"RequestReports", works, "signing.requests_reports", ""},
    {"SelectCanonicalizationHeader", ignored, "",
     "a header field of the message does not choose how it is signed"},
    {"IdentityHeader", ignored, "", "a header field of the message does not choose i="},
    {"IdentityHeaderRemove", ignored, "", "see IdentityHeader"},
    {"ReplaceRules", missing, "",
     "mail that the MTA rewrites after us gets a signature that does not verify", Severity::error},
    {"ReplaceHeaders", missing, "", "see ReplaceRules"},

    // --- verifying and Authentication-Results ---
    {"AuthservID", works, "judging.results.authserv_id", "HOSTNAME is the host name"},
    {"AuthservIDWithJobID", works, "judging.results.authserv_id_with_job_id", ""},
    {"AlwaysAddARHeader", works, "", "the field is always added"},
    {"NoHeaderB", works, "judging.results.signature_values", "the opposite of that setting"},
    {"RemoveARFrom", works, "judging.results.removed_ids",
     "whole names only; .domain is left out with a warning"},
    {"RemoveARAll", works, "judging.results.removes_all", ""},
    {"KeepAuthResults", works, "judging.results.keeps_all", ""},
    {"MaximumHeaders", works, "limits.header_octets",
     "0, which means no limit there, means 64 MiB here"},
    {"MaximumSignaturesToVerify", works, "judging.signatures_max", "0 is taken as 1000"},
    {"ClockDrift", works, "judging.clock_drift", ""},
    {"MustBeSigned", missing, "",
     "From must always be signed (RFC 6376 §5.4), other fields need not"},
    {"TrustSignaturesFrom", missing, "",
     "every signature that passes is reported; DMARC tells which of them speak for the author"},
    {"BogusKey", works, "",
     "fail, always: a key that DNSSEC says is forged never passes; other words have no effect"},
    {"UnprotectedKey", works, "",
     "none, always: a key without DNSSEC is as good as any; other words have no effect"},
    {"Minimum", works, "judging.accepts_partly_signed_body",
     "100% and 0+: a body that is signed in part does not pass; other values have no effect"},
    {"AllowSHA1Only", ignored, "", "rsa-sha1 never passes (RFC 8301 §3.1)"},
    {"DomainKeysCompat", ignored, "", "DomainKeys (RFC 4870) is historic"},
    {"ATPSDomains", missing, "", "ATPS (RFC 6541) is not looked up yet"},
    {"ATPSHashAlgorithm", missing, "", "ATPS (RFC 6541) is not looked up yet"},
    {"On-Default", works, "", "the default of all On- options, wherever it stands in the file"},
    {"On-BadSignature", works, "judging.actions.bad_signature", ""},
    {"On-DNSError", works, "judging.actions.dns_error", "default tempfail, as in OpenDKIM"},
    {"On-InternalError", missing, "", "mail that cannot be judged for a fault of ours is deferred",
     Severity::warning, "tempfail"},
    {"On-KeyNotFound", works, "judging.actions.key_not_found", ""},
    {"On-NoSignature", works, "judging.actions.no_signature", ""},
    {"On-Security", works, "judging.actions.bad_key",
     "for a header over MaximumHeaders too; default tempfail, as in OpenDKIM"},
    {"On-SignatureError", works, "signing.on_signing_error",
     "for a key that is not there too, which OpenDKIM always tempfails; silent, it is tempfail"},
    {"Quarantine", works, "", "On-BadSignature quarantine, unless that says something harder"},
    {"CaptureUnknownErrors", missing, "", "see On-InternalError", Severity::warning, "no"},
    {"RedirectFailuresTo", missing, "", "failing mail is not sent elsewhere; see Quarantine"},
    {"SendReports", missing, "", no_reports, Severity::warning, "no"},
    {"ReportAddress", missing, "", no_reports},
    {"ReportBccAddress", missing, "", no_reports},
    {"MTACommand", missing, "", no_reports},
    {"SMTPURI", missing, "", no_reports},

    // --- DNS, data stores, scripts, statistics ---
    {"Nameservers", works, "dns.nameservers", ""},
    {"DNSTimeout", works, "dns.timeout", "0, which means for ever there, means 600 seconds here"},
    {"TrustAnchorFile", works, "dns.trust_anchor_file", ""},
    {"ResolverConfiguration", works, "dns.resolver_file", ""},
    {"DNSConnect", ignored, "", "the resolver turns to TCP by itself"},
    {"QueryCache", ignored, "", "answers are always cached"},
    {"TestDNSData", missing, "", "name a zone file with dns.zone_file or --zone instead"},
    {"TestPublicKeys", missing, "", "name a zone file with dns.zone_file or --zone instead"},
    {"StrictTestMode", ignored, "", "it changes OpenDKIM's test mode (-t) only"},
    {"ResolverTracing", ignored, "", "the resolver logs by dns.resolver_file"},
    {"LDAPAuthMechanism", ignored, "", no_ldap},
    {"LDAPAuthName", ignored, "", no_ldap},
    {"LDAPAuthRealm", ignored, "", no_ldap},
    {"LDAPAuthUser", ignored, "", no_ldap},
    {"LDAPBindPassword", ignored, "", no_ldap},
    {"LDAPBindUser", ignored, "", no_ldap},
    {"LDAPDisableCache", ignored, "", no_ldap},
    {"LDAPKeepaliveIdle", ignored, "", no_ldap},
    {"LDAPKeepaliveInterval", ignored, "", no_ldap},
    {"LDAPKeepaliveProbes", ignored, "", no_ldap},
    {"LDAPTimeout", ignored, "", no_ldap},
    {"LDAPUseTLS", ignored, "", no_ldap},
    {"SetupPolicyScript", missing, "", no_lua, Severity::error},
    {"ScreenPolicyScript", missing, "", no_lua},
    {"FinalPolicyScript", missing, "", no_lua},
    {"RateLimits", missing, "", no_rate_limit},
    {"FlowData", missing, "", no_rate_limit},
    {"FlowDataFactor", missing, "", no_rate_limit},
    {"FlowDataTTL", missing, "", no_rate_limit},
    {"Statistics", ignored, "", no_statistics},
    {"StatisticsName", ignored, "", no_statistics},
    {"StatisticsPrefix", ignored, "", no_statistics},
    {"StatisticsPolicyScript", ignored, "", no_statistics},
    {"On-ReputationError", ignored, "", no_reputation},
    {"ReputationCache", ignored, "", no_reputation},
    {"ReputationCacheTTL", ignored, "", no_reputation},
    {"ReputationDuplicates", ignored, "", no_reputation},
    {"ReputationLimits", ignored, "", no_reputation},
    {"ReputationLimitModifiers", ignored, "", no_reputation},
    {"ReputationLowTime", ignored, "", no_reputation},
    {"ReputationMinimum", ignored, "", no_reputation},
    {"ReputationRatios", ignored, "", no_reputation},
    {"ReputationRRDHashDepth", ignored, "", no_reputation},
    {"ReputationRRDRoot", ignored, "", no_reputation},
    {"ReputationSpamCheck", ignored, "", no_reputation},
    {"ReputationTest", ignored, "", no_reputation},
    {"ReputationTimeFactor", ignored, "", no_reputation},
    {"ReputationTimeout", ignored, "", no_reputation},
    {"ReputationVerbose", ignored, "", no_reputation},
    {"DKIMReputationFail", ignored, "", no_reputation},
    {"DKIMReputationPass", ignored, "", no_reputation},
    {"DKIMReputationReject", ignored, "", no_reputation},
    {"DKIMReputationRoot", ignored, "", no_reputation},
    {"VBR-Certifiers", ignored, "", no_vbr},
    {"VBR-PurgeFields", ignored, "", no_vbr},
    {"VBR-TrustedCertifiers", ignored, "", no_vbr},
    {"VBR-TrustedCertifiersOnly", ignored, "", no_vbr},
    {"VBR-Type", ignored, "", no_vbr},
    {"AddCanonicalizedData", ignored, "", "OpenDMARC is not fed through header fields from here"},

    // --- removed before OpenDKIM 2.11 ---
    {"AddAllSignatureResults", removed, "", "every signature gets a result"},
    {"ADSPAction", removed, "", no_adsp},
    {"ADSPDiscard", removed, "", no_adsp},
    {"ADSPNoSuchDomain", removed, "", no_adsp},
    {"AnonymousStatistics", removed, "", no_statistics},
    {"BodyLengths", removed, "", "see BodyLengthDB"},
    {"BodyLengthDBFile", removed, "", "see BodyLengthDB"},
    {"BogusPolicy", removed, "", no_adsp},
    {"DisableADSP", removed, "", no_adsp},
    {"InsecureKey", removed, "", "its successor is UnprotectedKey"},
    {"LDAPSoftStart", removed, "", "its successor is SoftStart"},
    {"LocalADSP", removed, "", no_adsp},
    {"NoDiscardableMailTo", removed, "", no_adsp},
    {"On-PolicyError", removed, "", no_adsp},
    {"SendADSPReports", removed, "", no_adsp},
    {"SingleAuthResult", removed, "", "one field holds all results"},
    {"UnboundConfigFile", removed, "", "its successor is ResolverConfiguration"},
    {"UnprotectedPolicy", removed, "", no_adsp},
};

}  // namespace

std::string_view to_string(Fate fate) {
  switch (fate) {
    case works:
      return "works";
    case missing:
      return "not yet";
    case ignored:
      return "no effect";
    case removed:
      return "removed";
  }
  return "";
}

std::span<const Option> opendkim_options() { return rows; }

const Option* find_opendkim_option(std::string_view name) {
  for (const Option& option : rows) {
    if (text::equal_ignoring_case(option.name, name)) return &option;
  }
  return nullptr;
}

std::string opendkim_options_markdown() {
  std::string table = "| Option | | Setting | What we do |\n|---|---|---|---|\n";
  for (const Option& option : rows) {
    const bool named = !option.key.empty() && option.fate == works;
    table += "| `" + std::string(option.name) + "` | " + std::string(to_string(option.fate)) +
             " | " + (named ? "`" + std::string(option.key) + "`" : "") + " | " +
             std::string(option.remark) + " |\n";
  }
  return table;
}

}  // namespace countersign::service::config
