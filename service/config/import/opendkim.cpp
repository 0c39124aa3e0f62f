// SPDX-License-Identifier: Apache-2.0

#include "service/config/import/opendkim.hpp"

#include "countersign/text/abnf.hpp"
#include "service/config/import/common.hpp"
#include "service/config/import/foreign_value.hpp"
#include "service/config/import/opendkim_options.hpp"

namespace countersign::service::config {
namespace {

void set_mode(Importer& importer, const ConfigLine& line) {
  importer.mark("signing.mode", line);
  const bool signs = line.value.find('s') != std::string::npos;
  const bool judges = line.value.find('v') != std::string::npos;
  if (line.value.find_first_not_of("sv") != std::string::npos || line.value.empty()) {
    return importer.refuse_value(line, "s, v or sv");
  }
  importer.settings().signing.mode = !signs ? Mode::verify : judges ? Mode::both : Mode::sign;
}

void set_old_software_header(Importer& importer, const ConfigLine& line) {
  importer.problems().warning(line.place, "X-Header is the old name of SoftwareHeader",
                              "write SoftwareHeader instead");
  importer.set("signing.software_header", line);
}

void check_algorithm(Importer& importer, const ConfigLine& line) {
  if (text::equal_ignoring_case(line.value, "rsa-sha1")) {
    return importer.problems().warning(line.place,
                                       "rsa-sha1 never signs: receivers refuse it (RFC 8301 §3.1)",
                                       "RSA keys sign with rsa-sha256; remove the line");
  }
  if (text::equal_ignoring_case(line.value, "rsa-sha256")) {
    importer.settings().signing.expected_key_type = crypto::KeyType::rsa;
  } else if (text::equal_ignoring_case(line.value, "ed25519-sha256")) {
    importer.settings().signing.expected_key_type = crypto::KeyType::ed25519;
  } else {
    importer.refuse_value(line, "rsa-sha256 or ed25519-sha256");
  }
}

void set_lifetime(Importer& importer, const ConfigLine& line) {
  if (parse_foreign_integer(line.value) != 0) importer.set("signing.lifetime", line);
}

void set_minimum(Importer& importer, const ConfigLine& line) {
  std::string_view digits = line.value;
  const bool percent = digits.ends_with('%');
  const bool excess = digits.ends_with('+');
  if (percent || excess) digits.remove_suffix(1);
  const std::optional<std::int64_t> read = parse_foreign_integer(digits);
  if (!read || *read < 0 || (percent && *read > 100)) {
    return importer.refuse_value(line, "octets, n% or n+");
  }
  const bool whole = (percent && *read == 100) || (excess && *read == 0);
  importer.mark("judging.accepts_partly_signed_body", line);
  importer.settings().judging.accepts_partly_signed_body = !whole;
  if (whole || *read == 0) return;
  importer.problems().warning(
      line.place,
      "Minimum " + line.value + " has no effect: a signature covers the whole body, or any part",
      "write 100% to let only whole bodies pass");
}

void set_default_action(Importer& importer, const ConfigLine& line) {
  for (const std::string_view key :
       {"judging.actions.bad_signature", "judging.actions.dns_error",
        "judging.actions.key_not_found", "judging.actions.no_signature", "judging.actions.bad_key",
        "signing.on_signing_error", "signing.on_limit"}) {
    importer.set(key, line);
  }
}

// A header over its limits is what OpenDKIM calls a security concern.
void set_security_action(Importer& importer, const ConfigLine& line) {
  importer.set("judging.actions.bad_key", line);
  importer.set("signing.on_limit", line);
}

void check_key_trust(Importer& importer, const ConfigLine& line, std::string_view ours) {
  if (text::equal_ignoring_case(line.value, ours)) return;
  for (const std::string_view word : {"fail", "neutral", "none"}) {
    if (!text::equal_ignoring_case(line.value, word)) continue;
    return importer.problems().warning(
        line.place, line.name + " has no effect: it is always " + std::string(ours));
  }
  importer.refuse_value(line, "fail, neutral or none");
}

void check_bogus_key(Importer& importer, const ConfigLine& line) {
  check_key_trust(importer, line, "fail");
}

void check_unprotected_key(Importer& importer, const ConfigLine& line) {
  check_key_trust(importer, line, "none");
}

void set_no_header_b(Importer& importer, const ConfigLine& line) {
  const std::optional<bool> value = importer.read_boolean(line);
  importer.mark("judging.results.signature_values", line);
  if (value) importer.settings().judging.results.signature_values = !*value;
}

void set_signatures_max(Importer& importer, const ConfigLine& line) {
  const bool endless = parse_foreign_integer(line.value) == 0;
  importer.set("judging.signatures_max", line, endless ? "1000" : line.value);
}

void set_quarantine(Importer& importer, const ConfigLine& line) {
  const std::optional<bool> value = importer.read_boolean(line);
  mailflow::Action& action = importer.settings().judging.actions.bad_signature;
  if (value != true || action != mailflow::Action::accept) return;
  importer.mark("judging.actions.bad_signature", line);
  action = mailflow::Action::quarantine;
}

constexpr Special specials[] = {
    {"Mode", set_mode},
    {"Socket", set_sockets},
    {"MilterDebug", set_debug},
    {"X-Header", set_old_software_header},
    {"Canonicalization", set_canonicalization},
    {"SignatureAlgorithm", check_algorithm},
    {"UMask", set_umask},
    {"MinimumKeyBits", set_key_bits},
    {"SignatureTTL", set_lifetime},
    {"DNSTimeout", set_dns_timeout},
    {"MaximumHeaders", set_header_limit},
    {"Nameservers", set_nameservers},
    {"Minimum", set_minimum},
    {"On-Default", set_default_action},
    {"On-Security", set_security_action},
    {"BogusKey", check_bogus_key},
    {"UnprotectedKey", check_unprotected_key},
    {"AuthservID", set_authserv_id},
    {"NoHeaderB", set_no_header_b},
    {"MaximumSignaturesToVerify", set_signatures_max},
    {"RequiredHeaders", set_required_headers},
    {"Quarantine", set_quarantine},
};

void settle(Importer& importer) {
  settle_log(importer.settings());
  const SigningSettings& signing = importer.settings().signing;
  if (signing.signed_octets_max && !signing.allows_body_length) {
    importer.problems().warning(importer.line_of("MaximumSignedBytes")->place,
                                "MaximumSignedBytes has no effect: a signature with l= lets "
                                "anybody add to the message",
                                "set AllowBodyLength yes if you must have it");
  }
}

}  // namespace

Settings opendkim_defaults() {
  Settings settings = imported_defaults();
  settings.daemon.background = true;
  settings.log.successes = false;
  SigningSettings& signing = settings.signing;
  signing.mode = Mode::both;
  signing.multiple_signatures = false;
  signing.canonicalization = {dkim::Canonicalization::simple, dkim::Canonicalization::simple};
  signing.fields = FieldDefaults::opendkim;
  signing.on_limit = mailflow::Action::tempfail;
  JudgingSettings& judging = settings.judging;
  judging.signatures_max = 3;
  judging.actions.dns_error = mailflow::Action::tempfail;
  judging.actions.bad_key = mailflow::Action::tempfail;
  return settings;
}

const Dialect& opendkim_dialect() {
  static const Dialect dialect{.program = "OpenDKIM",
                               .options = opendkim_options(),
                               .specials = specials,
                               .defaults = opendkim_defaults,
                               .read_lines = read_config_lines,
                               .settle = settle};
  return dialect;
}

Settings import_opendkim(const std::string& file, const Overrides& overrides, const Files& files,
                         Problems& problems) {
  return import_file(opendkim_dialect(), file, overrides, files, problems);
}

}  // namespace countersign::service::config
