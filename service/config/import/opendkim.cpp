// SPDX-License-Identifier: Apache-2.0

#include "service/config/import/opendkim.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <utility>

#include "countersign/text/abnf.hpp"
#include "service/config/import/opendkim_lines.hpp"
#include "service/config/import/opendkim_options.hpp"
#include "service/config/settings_table.hpp"
#include "service/config/suggest.hpp"
#include "service/config/value.hpp"

namespace countersign::service::config {
namespace {

// --- values as OpenDKIM reads them ---

// Only the first character counts.
std::optional<bool> parse_boolean(std::string_view text) {
  if (text.empty()) return std::nullopt;
  if (std::string_view("TtYy1").find(text.front()) != std::string_view::npos) return true;
  if (std::string_view("FfNn0").find(text.front()) != std::string_view::npos) return false;
  return std::nullopt;
}

// A base as in C: 0x…, 0…, else decimal; a sign is taken.
std::optional<std::int64_t> parse_integer(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  std::int64_t base = 10;
  if (text::starts_with_ignoring_case(text, "0x")) {
    base = 16;
    text.remove_prefix(2);
  } else if (text.size() > 1 && text.front() == '0') {
    base = 8;
  }
  if (text.empty()) return std::nullopt;
  constexpr std::int64_t most = std::int64_t{1} << 40;
  std::int64_t number = 0;
  for (const char c : text) {
    const std::size_t digit = std::string_view("0123456789abcdef").find(text::to_lower(c));
    if (digit == std::string_view::npos || static_cast<std::int64_t>(digit) >= base) {
      return std::nullopt;
    }
    number = std::min(number * base + static_cast<std::int64_t>(digit), most);
  }
  return negative ? -number : number;
}

std::vector<std::string> split_list(std::string_view text) {
  std::vector<std::string> items;
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    const std::string_view item = text::trim(text.substr(0, comma), text::is_wsp);
    if (!item.empty()) items.emplace_back(item);
    text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
  }
  return items;
}

// A word of On-…: whole, or its first letter.
std::string expand_action(std::string_view text) {
  constexpr std::array<std::string_view, 5> words{"accept", "discard", "quarantine", "reject",
                                                  "tempfail"};
  for (const std::string_view word : words) {
    if (text.size() == 1 && text::equal_ignoring_case(text, word.substr(0, 1))) {
      return std::string(word);
    }
  }
  return std::string(text);
}

// --- the importer ---

// A file with more unknown names is no opendkim.conf, and each search costs something.
constexpr std::size_t suggestions_max = 100;

class Importer {
 public:
  Importer(const std::string& file, Problems& problems)
      : problems_(problems), settings_(opendkim_defaults()) {
    settings_.places[""] = {file, 0};
  }

  // Notes a line; the last line of an option counts.
  void take(ConfigLine line) {
    const Option* option = find_opendkim_option(line.name);
    if (!option) return refuse_unknown(line);
    const auto [place, fresh] = last_.try_emplace(option, line);
    if (!fresh) replace(*option, place->second, std::move(line));
  }

  // Command-line options count more than the file, without a word.
  void override_with(ConfigLine line) {
    const Option* option = find_opendkim_option(line.name);
    if (!option) return refuse_unknown(line);
    last_.insert_or_assign(option, std::move(line));
  }

  Settings finish() {
    for (const Option& option : opendkim_options()) {
      const auto found = last_.find(&option);
      if (found != last_.end()) apply(option, found->second);
    }
    settle();
    return std::move(settings_);
  }

 private:
  using Special = void (Importer::*)(const ConfigLine&);

  void refuse_unknown(const ConfigLine& line) {
    std::vector<std::string_view> names;
    if (++unknown_ <= suggestions_max) {
      for (const Option& option : opendkim_options()) names.push_back(option.name);
    }
    problems_.fatal(line.place, "there is no option '" + line.name + "'",
                    suggestion(line.name, names));
  }

  void replace(const Option& option, ConfigLine& before, ConfigLine after) {
    if (before.value != after.value) {
      const Setting* setting = find_setting(option.key);
      const bool list = setting && std::holds_alternative<DataSet*>(setting->slot(settings_));
      problems_.add({list ? Severity::warning : Severity::note, after.place,
                     std::string(option.name) + " is set again; the value at " +
                         before.place.to_string() + " is not used",
                     list ? "write one line with all entries, separated by commas" : ""});
    }
    before = std::move(after);
  }

  void apply(const Option& option, const ConfigLine& line) {
    const std::string name(option.name);
    switch (option.fate) {
      case Fate::missing:
        if (is_idle(option, line.value)) return;
        return problems_.add({option.severity, line.place,
                              name + " has no effect: " + std::string(option.remark), ""});
      case Fate::ignored:
        return problems_.warning(line.place, name + " has no effect: " + std::string(option.remark),
                                 "the line can be removed");
      case Fate::removed:
        return problems_.warning(
            line.place,
            name + " was removed from OpenDKIM and has no effect: " + std::string(option.remark),
            "the line can be removed");
      case Fate::works:
        break;
    }
    if (const Special special = special_of(option.name)) return (this->*special)(line);
    if (!option.key.empty()) set(option.key, line);
  }

  static bool is_idle(const Option& option, std::string_view value) {
    if (option.idle.empty()) return false;
    if (option.idle == "no") return parse_boolean(value) == false;
    return text::equal_ignoring_case(expand_action(value), option.idle);
  }

  static Special special_of(std::string_view name) {
    static const std::map<std::string_view, Special> specials{
        {"Mode", &Importer::set_mode},
        {"Socket", &Importer::set_sockets},
        {"MilterDebug", &Importer::set_debug},
        {"X-Header", &Importer::set_old_software_header},
        {"Canonicalization", &Importer::set_canonicalization},
        {"SignatureAlgorithm", &Importer::check_algorithm},
        {"UMask", &Importer::set_umask},
        {"MinimumKeyBits", &Importer::set_key_bits},
        {"SignatureTTL", &Importer::set_lifetime},
        {"DNSTimeout", &Importer::set_dns_timeout},
        {"MaximumHeaders", &Importer::set_header_limit},
        {"Nameservers", &Importer::set_nameservers},
        {"Minimum", &Importer::set_minimum},
        {"On-Default", &Importer::set_default_action},
        {"On-Security", &Importer::set_security_action},
        {"BogusKey", &Importer::check_bogus_key},
        {"UnprotectedKey", &Importer::check_unprotected_key},
        {"AuthservID", &Importer::set_authserv_id},
        {"NoHeaderB", &Importer::set_no_header_b},
        {"MaximumSignaturesToVerify", &Importer::set_signatures_max},
        {"RequiredHeaders", &Importer::set_required_headers},
        {"Quarantine", &Importer::set_quarantine},
    };
    const auto found = specials.find(name);
    return found == specials.end() ? nullptr : found->second;
  }

  // Converts the text by the type of the setting and assigns it.
  void set(std::string_view key, const ConfigLine& line) {
    const Setting* setting = find_setting(key);
    const Slot slot = setting->slot(settings_);
    settings_.places[std::string(key)] = line.place;
    std::optional<Value> value;
    if (std::holds_alternative<bool*>(slot)) {
      value = read_boolean(line);
    } else if (takes_integer(slot)) {
      value = read_bounded(line, setting->range);
    } else if (std::holds_alternative<mailflow::Action*>(slot)) {
      value = Value{expand_action(line.value), line.place};
    } else {
      value = Value{line.value, line.place};
    }
    if (value) assign_or_complain(*setting, slot, *value, line);
  }

  static bool takes_integer(const Slot& slot) {
    return std::holds_alternative<std::uint64_t*>(slot) ||
           std::holds_alternative<std::optional<std::uint64_t>*>(slot) ||
           std::holds_alternative<std::chrono::seconds*>(slot) ||
           std::holds_alternative<std::optional<std::chrono::seconds>*>(slot) ||
           std::holds_alternative<std::optional<FileMode>*>(slot);
  }

  // OpenDKIM overlooks a bad word of On-…; to stop a daemon that runs today would be no service.
  void assign_or_complain(const Setting& setting, const Slot& slot, const Value& value,
                          const ConfigLine& line) {
    const std::optional<std::string> expected = assign(slot, value, setting.range);
    if (!expected) return;
    const bool action = std::holds_alternative<mailflow::Action*>(slot);
    problems_.add({action ? Severity::warning : Severity::fatal, line.place,
                   line.name + " " + line.value + ": " + *expected,
                   action ? "the default is used, as in OpenDKIM" : ""});
  }

  std::optional<Value> read_boolean(const ConfigLine& line) {
    if (const std::optional<bool> read = parse_boolean(line.value)) return Value{*read, line.place};
    for (const bool on : {true, false}) {
      if (!text::equal_ignoring_case(line.value, on ? "on" : "off")) continue;
      problems_.note(line.place, line.name + " " + line.value + " is taken as " +
                                     (on ? "yes" : "no") + ", which OpenDKIM refuses");
      return Value{on, line.place};
    }
    problems_.fatal(line.place, line.name + " " + line.value + ": expected yes or no");
    return std::nullopt;
  }

  std::optional<Value> read_integer(const ConfigLine& line) {
    const std::optional<std::int64_t> read = parse_integer(line.value);
    if (read) return Value{*read, line.place};
    problems_.fatal(line.place, line.name + " " + line.value + ": expected a number");
    return std::nullopt;
  }

  // OpenDKIM takes any number; to stop a daemon that runs today would be no service.
  std::optional<Value> read_bounded(const ConfigLine& line, const Range& range) {
    std::optional<Value> value = read_integer(line);
    if (!value) return value;
    std::int64_t& number = std::get<std::int64_t>(value->data);
    const std::int64_t bounded = std::clamp(number, static_cast<std::int64_t>(range.least),
                                            static_cast<std::int64_t>(range.most));
    if (bounded != number) {
      problems_.warning(line.place,
                        line.name + " " + line.value + " is taken as " + std::to_string(bounded));
      number = bounded;
    }
    return value;
  }

  // --- options that are more than one assignment ---

  void set_mode(const ConfigLine& line) {
    settings_.places["signing.mode"] = line.place;
    const bool signs = line.value.find('s') != std::string::npos;
    const bool judges = line.value.find('v') != std::string::npos;
    if (line.value.find_first_not_of("sv") != std::string::npos || line.value.empty()) {
      return problems_.fatal(line.place, "Mode " + line.value + ": expected s, v or sv");
    }
    settings_.signing.mode = !signs ? Mode::verify : judges ? Mode::both : Mode::sign;
  }

  // OpenDKIM takes one; several are ours.
  void set_sockets(const ConfigLine& line) {
    Value::List sockets;
    for (std::string& socket : split_list(line.value)) {
      sockets.push_back({std::move(socket), line.place});
    }
    const Setting& setting = *find_setting("daemon.sockets");
    settings_.places[std::string(setting.key)] = line.place;
    assign_or_complain(setting, setting.slot(settings_), {std::move(sockets), line.place}, line);
  }

  void set_debug(const ConfigLine& line) {
    const std::optional<Value> value = read_integer(line);
    if (value && std::get<std::int64_t>(value->data) > 0) settings_.log.level = LogLevel::debug;
  }

  void set_old_software_header(const ConfigLine& line) {
    problems_.warning(line.place, "X-Header is the old name of SoftwareHeader",
                      "write SoftwareHeader instead");
    set("signing.software_header", line);
  }

  // One word stands for the header; the body is then simple.
  void set_canonicalization(const ConfigLine& line) {
    ConfigLine whole = line;
    if (line.value.find('/') == std::string::npos) whole.value += "/simple";
    set("signing.canonicalization", whole);
  }

  void check_algorithm(const ConfigLine& line) {
    if (text::equal_ignoring_case(line.value, "rsa-sha1")) {
      return problems_.warning(line.place,
                               "rsa-sha1 never signs: receivers refuse it (RFC 8301 §3.1)",
                               "RSA keys sign with rsa-sha256; remove the line");
    }
    if (text::equal_ignoring_case(line.value, "rsa-sha256")) {
      settings_.signing.expected_key_type = crypto::KeyType::rsa;
    } else if (text::equal_ignoring_case(line.value, "ed25519-sha256")) {
      settings_.signing.expected_key_type = crypto::KeyType::ed25519;
    } else {
      return problems_.fatal(line.place, "SignatureAlgorithm " + line.value +
                                             ": expected rsa-sha256 or ed25519-sha256");
    }
  }

  void set_umask(const ConfigLine& line) {
    const bool octal = line.value.starts_with('0');
    const std::optional<std::int64_t> read = parse_integer(line.value);
    if (!octal && read && *read > 7) {
      problems_.note(line.place,
                     "UMask " + line.value + " is read as a decimal number, as OpenDKIM does",
                     "write 0" + line.value + " if you mean the permission bits");
    }
    set("daemon.umask", line);
  }

  void set_key_bits(const ConfigLine& line) {
    const std::optional<std::int64_t> read = parse_integer(line.value);
    if (!read || *read >= 1'024) return set("signing.key_bits_min", line);
    problems_.warning(line.place, "MinimumKeyBits " + line.value +
                                      " is taken as 1024: receivers refuse "
                                      "shorter keys (RFC 8301 §3.2)");
  }

  void set_lifetime(const ConfigLine& line) {
    if (parse_integer(line.value) == 0) return;
    set("signing.lifetime", line);
  }

  void set_dns_timeout(const ConfigLine& line) {
    ConfigLine bounded = line;
    if (parse_integer(line.value) == 0) bounded.value = "600";
    set("dns.timeout", bounded);
  }

  void set_header_limit(const ConfigLine& line) {
    ConfigLine bounded = line;
    if (parse_integer(line.value) == 0) bounded.value = "67108864";
    set("limits.header_octets", bounded);
  }

  void set_nameservers(const ConfigLine& line) {
    settings_.dns.nameservers = split_list(line.value);
    settings_.places["dns.nameservers"] = line.place;
  }

  void set_minimum(const ConfigLine& line) {
    std::string_view digits = line.value;
    const bool percent = digits.ends_with('%');
    if (percent || digits.ends_with('+')) digits.remove_suffix(1);
    const std::optional<std::int64_t> read = parse_integer(digits);
    if (!read || *read < 0 || (percent && *read > 100)) {
      return problems_.fatal(line.place, "Minimum " + line.value + ": expected octets, n% or n+");
    }
    settings_.places["judging.accepts_partly_signed_body"] = line.place;
    const bool whole = (percent && *read == 100) || (line.value.ends_with('+') && *read == 0);
    settings_.judging.accepts_partly_signed_body = !whole;
    if (whole || *read == 0) return;
    problems_.warning(line.place,
                      "Minimum " + line.value + " has no effect: a signature covers " +
                          "the whole body, or any part of it",
                      "write 100% to let only whole bodies pass");
  }

  void set_default_action(const ConfigLine& line) {
    for (const std::string_view key :
         {"judging.actions.bad_signature", "judging.actions.dns_error",
          "judging.actions.key_not_found", "judging.actions.no_signature",
          "judging.actions.bad_key", "signing.on_signing_error", "signing.on_limit"}) {
      set(key, line);
    }
  }

  // A header over its limits is what OpenDKIM calls a security concern.
  void set_security_action(const ConfigLine& line) {
    set("judging.actions.bad_key", line);
    set("signing.on_limit", line);
  }

  void check_bogus_key(const ConfigLine& line) { check_key_trust(line, "fail"); }
  void check_unprotected_key(const ConfigLine& line) { check_key_trust(line, "none"); }

  void check_key_trust(const ConfigLine& line, std::string_view ours) {
    if (text::equal_ignoring_case(line.value, ours)) return;
    for (const std::string_view word : {"fail", "neutral", "none"}) {
      if (!text::equal_ignoring_case(line.value, word)) continue;
      return problems_.warning(line.place,
                               line.name + " has no effect: it is always " + std::string(ours));
    }
    problems_.fatal(line.place, line.name + " " + line.value + ": expected fail, neutral or none");
  }

  void set_authserv_id(const ConfigLine& line) {
    if (line.value != "HOSTNAME") set("judging.results.authserv_id", line);
  }

  void set_no_header_b(const ConfigLine& line) {
    const std::optional<Value> value = read_boolean(line);
    settings_.places["judging.results.signature_values"] = line.place;
    if (value) settings_.judging.results.signature_values = !std::get<bool>(value->data);
  }

  void set_signatures_max(const ConfigLine& line) {
    ConfigLine bounded = line;
    if (parse_integer(line.value) == 0) bounded.value = "1000";
    set("judging.signatures_max", bounded);
  }

  void set_required_headers(const ConfigLine& line) {
    set("signing.requires_headers", line);
    if (!settings_.signing.requires_headers) return;
    settings_.places["judging.actions.ambiguous"] = line.place;
    settings_.judging.actions.ambiguous = mailflow::Action::reject;
  }

  void set_quarantine(const ConfigLine& line) {
    const std::optional<Value> value = read_boolean(line);
    if (!value || !std::get<bool>(value->data)) return;
    mailflow::Action& action = settings_.judging.actions.bad_signature;
    if (action != mailflow::Action::accept) return;
    settings_.places["judging.actions.bad_signature"] = line.place;
    action = mailflow::Action::quarantine;
  }

  // What follows from several options together.
  void settle() {
    settings_.log.to_stderr = !settings_.log.to_syslog && !settings_.daemon.background;
    const std::optional<std::uint64_t>& octets = settings_.signing.signed_octets_max;
    if (octets && !settings_.signing.allows_body_length) {
      problems_.warning(last_.at(find_opendkim_option("MaximumSignedBytes")).place,
                        "MaximumSignedBytes has no effect: a signature with l= lets anybody add "
                        "to the message",
                        "set AllowBodyLength yes if you must have it");
    }
  }

  Problems& problems_;
  Settings settings_;
  std::map<const Option*, ConfigLine> last_;
  std::size_t unknown_ = 0;
};

}  // namespace

Settings opendkim_defaults() {
  Settings settings;
  settings.daemon.background = true;
  settings.log.to_stderr = false;
  settings.log.successes = false;
  SigningSettings& signing = settings.signing;
  signing.mode = Mode::both;
  signing.multiple_signatures = false;
  signing.canonicalization = {dkim::Canonicalization::simple, dkim::Canonicalization::simple};
  signing.fields = FieldDefaults::opendkim;
  signing.on_limit = mailflow::Action::tempfail;
  JudgingSettings& judging = settings.judging;
  judging.spf = judging.dmarc = judging.arc = judging.iprev = false;
  judging.signatures_max = 3;
  judging.actions.ambiguous = mailflow::Action::accept;
  judging.actions.dns_error = mailflow::Action::tempfail;
  judging.actions.bad_key = mailflow::Action::tempfail;
  return settings;
}

Settings import_opendkim(const std::string& file,
                         const std::vector<std::pair<std::string, std::string>>& overrides,
                         const Files& files, Problems& problems) {
  Importer importer(file, problems);
  if (!file.empty()) {
    for (ConfigLine& line : read_config_lines(file, files, problems)) {
      importer.take(std::move(line));
    }
  }
  for (const auto& [name, value] : overrides) {
    importer.override_with({name, value, {"command line", 0}});
  }
  return importer.finish();
}

}  // namespace countersign::service::config
