// SPDX-License-Identifier: Apache-2.0
//
// The options of dkimpy-milter.conf, of dkimpy-milter 1.2, in the order of the documents. It signs
// with an RSA key and an Ed25519 key side by side, each with a selector or a table of its own.

#include "service/config/import/dkimpy.hpp"

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
    {"UMask", works, "daemon.umask", "default 007; a number without a leading 0 is decimal"},
    {"PidFile", works, "daemon.pid_file", ""},
    {"Syslog", works, "log.syslog", "default yes"},
    {"SyslogFacility", works, "log.facility", ""},
    {"SyslogSuccess", works, "log.successes", ""},
    {"debugLevel", works, "log.level", "above 0: debug"},
    {"DiagnosticDirectory", ignored, "",
     "copies of others' mail are not written; countersign explain tells what became of a message"},

    // --- which mail ---
    {"Mode", works, "signing.mode", "of incoming mail DKIM is judged and nothing else"},
    {"InternalHosts", works, "signing.internal_hosts", "default 127.0.0.1 and ::1"},
    {"IntHosts", ignored, "", "it is made from InternalHosts"},
    {"MacroList", works, "signing.macros", "bars between name and values, or as OpenDKIM has it"},
    {"MacroListVerify", works, "judging.macros", "the same; it counts more than MacroList"},
    {"PeerList", works, "signing.peers", "documented there, and without effect"},

    // --- how it is signed ---
    {"Domain", works, "signing.domain", "with a key or two each"},
    {"SubDomains", works, "signing.domain", "subdomains = true"},
    {"Selector", works, "signing.domain", ""},
    {"KeyFile", works, "signing.domain", ""},
    {"SelectorEd25519", works, "signing.domain", "signs besides the RSA key"},
    {"KeyFileEd25519", works, "signing.domain", "PEM, or the seed in base64"},
    {"SigningTable", works, "signing.signing_table", ""},
    {"KeyTable", works, "signing.key_table", ""},
    {"KeyTableEd25519", works, "", "the keys of both tables sign; key files hold PEM or the seed"},
    {"Canonicalization", works, "signing.canonicalization", "default relaxed/simple"},
    {"SignHeaders", works, "signing.signed_fields", ""},
    {"OmitHeaders", works, "signing.omitted_fields", "documented there, and without effect"},
    {"MinimumKeyBits", works, "signing.key_bits_min",
     "0 is the default; also judging.key_bits_min, for the keys of others"},

    // --- how it is judged ---
    {"AuthservID", works, "judging.results.authserv_id", "HOSTNAME is the host name"},
    {"DNSTimeout", works, "dns.timeout", ""},
    {"DNSOverride", ignored, "",
     "it serves tests alone; dns.zone_file or --zone names a zone file"},
};

void set_mode(Importer& importer, const ConfigLine& line) {
  if (line.value.empty() || line.value.find_first_not_of("sv") != std::string::npos) {
    return importer.refuse_value(line, "s, v or sv");
  }
  const bool signs = line.value.find('s') != std::string::npos;
  const bool judges = line.value.find('v') != std::string::npos;
  importer.mark("signing.mode", line);
  importer.settings().signing.mode = !signs ? Mode::verify : judges ? Mode::both : Mode::sign;
}

void set_key_bits_or_default(Importer& importer, const ConfigLine& line) {
  if (parse_foreign_integer(line.value) != 0) set_key_bits(importer, line);
}

void set_second_table(Importer& importer, const ConfigLine& line) {
  importer.set("signing.second_key_table", line);
}

// Does nothing by itself: settle() makes domains of it.
void keep(Importer& /*importer*/, const ConfigLine& /*line*/) {}

constexpr Special specials[] = {
    {"Socket", set_sockets},
    {"UMask", set_umask},
    {"debugLevel", set_debug},
    {"Mode", set_mode},
    {"Canonicalization", set_canonicalization},
    {"AuthservID", set_authserv_id},
    {"DNSTimeout", set_dns_timeout},
    {"MinimumKeyBits", set_key_bits_or_default},
    {"KeyTableEd25519", set_second_table},
    {"Domain", keep},
    {"SubDomains", keep},
    {"Selector", keep},
    {"KeyFile", keep},
    {"SelectorEd25519", keep},
    {"KeyFileEd25519", keep},
};

Settings defaults() {
  Settings settings = imported_defaults();
  settings.daemon.umask = FileMode{07};
  settings.log.to_syslog = true;
  settings.log.successes = false;
  SigningSettings& signing = settings.signing;
  signing.mode = Mode::both;
  signing.canonicalization = {dkim::Canonicalization::relaxed, dkim::Canonicalization::simple};
  signing.fields = FieldDefaults::opendkim;
  signing.oversigned_fields.lines = {"From"};
  return settings;
}

void add_key(const Importer& importer, std::string_view selector_option,
             std::string_view file_option, std::vector<KeyReference>& keys) {
  const ConfigLine* selector = importer.line_of(selector_option);
  const ConfigLine* file = importer.line_of(file_option);
  if (!selector || !file) return;
  keys.push_back({selector->value, file->value, file->place});
}

// Tables go before the single keys, as in OpenDKIM.
void make_domains(Importer& importer) {
  const ConfigLine* domains = importer.line_of("Domain");
  if (!domains || importer.line_of("SigningTable")) return;
  std::vector<KeyReference> keys;
  add_key(importer, "Selector", "KeyFile", keys);
  add_key(importer, "SelectorEd25519", "KeyFileEd25519", keys);
  if (keys.empty()) {
    return importer.problems().fatal(domains->place,
                                     "Domain, Selector and KeyFile go together; one is missing");
  }
  const ConfigLine* subdomains = importer.line_of("SubDomains");
  const bool with_subdomains = subdomains && importer.read_boolean(*subdomains) == true;
  std::string_view list = domains->value;
  if (text::starts_with_ignoring_case(list, "csl:")) list.remove_prefix(4);
  for (const std::string& name : split_list(list)) {
    importer.settings().signing.domains.push_back({name, with_subdomains, keys, domains->place});
  }
  importer.mark("signing.domain", *domains);
}

void settle(Importer& importer) {
  make_domains(importer);
  settle_log(importer.settings());
}

}  // namespace

const Dialect& dkimpy_dialect() {
  static const Dialect dialect{.program = "dkimpy-milter",
                               .options = rows,
                               .specials = specials,
                               .defaults = defaults,
                               .read_lines = read_config_lines,
                               .settle = settle,
                               .unknown = Severity::warning};
  return dialect;
}

}  // namespace countersign::service::config
