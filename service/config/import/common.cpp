// SPDX-License-Identifier: Apache-2.0

#include "service/config/import/common.hpp"

#include "service/config/import/foreign_value.hpp"

namespace countersign::service::config {

void set_sockets(Importer& importer, const ConfigLine& line) {
  Value::List sockets;
  for (std::string& socket : split_list(line.value)) {
    sockets.push_back({std::move(socket), line.place});
  }
  importer.assign_value("daemon.sockets", {std::move(sockets), line.place}, line);
}

void set_umask(Importer& importer, const ConfigLine& line) {
  const bool octal = line.value.starts_with('0');
  const std::optional<std::int64_t> read = parse_foreign_integer(line.value);
  if (!octal && read && *read > 7) {
    importer.problems().note(
        line.place, "UMask " + line.value + " is read as a decimal number, as OpenDKIM does",
        "write 0" + line.value + " if you mean the permission bits");
  }
  importer.set("daemon.umask", line);
}

void set_debug(Importer& importer, const ConfigLine& line) {
  const std::optional<std::int64_t> value = importer.read_integer(line);
  if (!value || *value <= 0) return;
  importer.mark("log.level", line);
  importer.settings().log.level = LogLevel::debug;
}

void set_dns_timeout(Importer& importer, const ConfigLine& line) {
  const bool endless = parse_foreign_integer(line.value) == 0;
  importer.set("dns.timeout", line, endless ? "600" : line.value);
}

namespace {

constexpr std::int64_t key_bits_least = 1'024;  // RFC 8301 §3.2

void tell_short_keys(Importer& importer, const ConfigLine& line) {
  importer.problems().warning(line.place, line.name + " " + line.value +
                                              " is taken as 1024: receivers refuse shorter keys "
                                              "(RFC 8301 §3.2)");
}

}  // namespace

void set_key_bits(Importer& importer, const ConfigLine& line) {
  const std::optional<std::int64_t> read = parse_foreign_integer(line.value);
  if (read && *read < key_bits_least) return tell_short_keys(importer, line);
  importer.set("signing.key_bits_min", line);
  if (read) importer.set("judging.key_bits_min", line);
}

void set_verified_key_bits(Importer& importer, const ConfigLine& line) {
  const std::optional<std::int64_t> read = parse_foreign_integer(line.value);
  if (read == 0) return;
  if (read && *read < key_bits_least) return tell_short_keys(importer, line);
  importer.set("judging.key_bits_min", line);
}

void set_nameservers(Importer& importer, const ConfigLine& line) {
  importer.mark("dns.nameservers", line);
  importer.settings().dns.nameservers = split_list(line.value);
}

void set_header_limit(Importer& importer, const ConfigLine& line) {
  const bool endless = parse_foreign_integer(line.value) == 0;
  importer.set("limits.header_octets", line, endless ? "67108864" : line.value);
}

void set_authserv_id(Importer& importer, const ConfigLine& line) {
  if (line.value != "HOSTNAME") importer.set("judging.results.authserv_id", line);
}

void set_canonicalization(Importer& importer, const ConfigLine& line) {
  const bool whole = line.value.find('/') != std::string::npos;
  importer.set("signing.canonicalization", line, whole ? line.value : line.value + "/simple");
}

void set_required_headers(Importer& importer, const ConfigLine& line) {
  importer.set("signing.requires_headers", line);
  if (!importer.settings().signing.requires_headers) return;
  importer.mark("judging.actions.ambiguous", line);
  importer.settings().judging.actions.ambiguous = mailflow::Action::reject;
}

Settings imported_defaults() {
  Settings settings;
  settings.log.to_stderr = false;
  settings.signing.logins.bound = false;
  JudgingSettings& judging = settings.judging;
  judging.spf = judging.dmarc = judging.arc = judging.iprev = false;
  judging.actions.ambiguous = mailflow::Action::accept;
  return settings;
}

void settle_log(Settings& settings) {
  settings.log.to_stderr = !settings.log.to_syslog && !settings.daemon.background;
}

}  // namespace countersign::service::config
