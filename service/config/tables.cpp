// SPDX-License-Identifier: Apache-2.0

#include "service/config/tables.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <unordered_map>
#include <utility>

#include "countersign/text/abnf.hpp"

namespace countersign::service::config {
namespace {

using mailflow::KeyEntry;
using mailflow::SigningEntry;
using mailflow::SigningTable;
using KeysByDomain = std::unordered_map<std::string, crypto::PrivateKey>;

// Keys that one path with "%" may stand for.
constexpr std::size_t keys_of_pattern_max = 100'000;

std::string quote(std::string_view text) { return "'" + std::string(text) + "'"; }

std::string replace_percent(std::string_view text, std::string_view with) {
  std::string result;
  for (const char c : text) {
    if (c == '%') {
      result += with;
    } else {
      result += c;
    }
  }
  return result;
}

// What stands for "%" in a name, by the pattern of that name: "a.org" in "a.org.private", by
// "%.private". Every "%" stands for the same text, so its length follows from their count.
std::optional<std::string> text_of_percent(std::string_view pattern, std::string_view name) {
  const auto count = static_cast<std::size_t>(std::ranges::count(pattern, '%'));
  const std::size_t fixed = pattern.size() - count;
  if (name.size() <= fixed || (name.size() - fixed) % count != 0) return std::nullopt;
  const std::string_view found = name.substr(pattern.find('%'), (name.size() - fixed) / count);
  if (replace_percent(pattern, found) != name) return std::nullopt;
  return std::string(found);
}

class KeyTableReader {
 public:
  KeyTableReader(const Files& files, KeyStore& store, Problems& problems)
      : files_(files), store_(store), problems_(problems) {}

  void add(const DataEntry& entry) {
    const KeyLine line = cut_key_line(entry.value);
    if (line.domain.empty() || line.selector.empty() || line.key.empty()) {
      return problems_.error(entry.place, "the line of key " + quote(entry.key) + " is incomplete",
                             "write: " + entry.key + " domain:selector:/path/of/key");
    }
    const auto selector = DomainName::parse(line.selector);
    if (!selector) return complain(entry, line.selector, "selector", selector.error());
    std::optional<DomainName> domain;
    if (line.domain != "%") {
      auto parsed = DomainName::parse(line.domain);
      if (!parsed) return complain(entry, line.domain, "domain", parsed.error());
      domain = *std::move(parsed);
    }
    if (!seen_.emplace(entry.key, entry.place).second) {
      return problems_.warning(
          entry.place,
          "the key name " + quote(entry.key) + " is in use already; this line is left out",
          "the first is at " + seen_.at(entry.key).to_string());
    }
    add_key(entry, line,
            {.name = entry.key,
             .domain = std::move(domain),
             .selector = *selector,
             .key = KeysByDomain(),
             .place = entry.place});
  }

  mailflow::KeyTable take() { return std::move(table_); }

 private:
  void complain(const DataEntry& entry, std::string_view text, std::string_view what,
                const DomainNameError& error) {
    problems_.error(entry.place, quote(text) + " is no " + std::string(what) + ": " +
                                     std::string(to_string(error.code)));
  }

  void add_key(const DataEntry& entry, const KeyLine& line, KeyEntry made) {
    const bool is_path = is_key_path(line.key);
    if (is_path && !made.domain && line.key.find('%') != std::string_view::npos) {
      made.key = keys_for_all_domains(std::string(line.key), entry.place);
    } else {
      const std::optional<crypto::PrivateKey> key = one_key(line, made.domain, entry.place);
      if (!key) return;
      check_algorithm(line.algorithm, *key, entry);
      made.key = *key;
    }
    table_.add(std::move(made));
  }

  std::optional<crypto::PrivateKey> one_key(const KeyLine& line,
                                            const std::optional<DomainName>& domain,
                                            const Place& place) {
    if (!is_key_path(line.key)) return store_.decode(line.key, place);
    return store_.load(replace_percent(line.key, domain ? domain->text() : "%"), place);
  }

  void check_algorithm(std::string_view algorithm, const crypto::PrivateKey& key,
                       const DataEntry& entry) {
    if (algorithm.empty()) return;
    if (text::starts_with_ignoring_case(algorithm, crypto::to_string(key.type()))) return;
    problems_.warning(entry.place, "the line says " + std::string(algorithm) + ", but the key is " +
                                       std::string(crypto::to_string(key.type())) +
                                       "; the key decides");
  }

  // Every domain for which the path with "%" leads to a file. They are looked for once, now:
  // a key that is added later needs a reload.
  KeysByDomain keys_for_all_domains(const std::string& path, const Place& place) {
    const std::size_t percent = path.find('%');
    const std::size_t begin = path.rfind('/', percent) + 1;
    const std::size_t end = std::min(path.find('/', percent), path.size());
    const std::string directory = path.substr(0, begin);
    const auto names = files_.list(directory);
    if (!names) {
      problems_.error(place, "cannot list " + directory + ": " + names.error());
      return {};
    }
    KeysByDomain keys;
    for (const std::string& name : *names) {
      const auto text = text_of_percent(std::string_view(path).substr(begin, end - begin), name);
      if (!text) continue;
      const auto domain = DomainName::parse(*text);
      if (domain) add_key_of_domain(replace_percent(path, *text), *domain, place, keys);
    }
    if (keys.empty()) problems_.error(place, "no file matches " + path);
    return keys;
  }

  void add_key_of_domain(const std::string& path, const DomainName& domain, const Place& place,
                         KeysByDomain& keys) {
    if (keys.size() >= keys_of_pattern_max || !files_.status(path)) return;
    if (auto key = store_.load(path, place)) keys.emplace(domain.text(), *std::move(key));
  }

  const Files& files_;
  KeyStore& store_;
  Problems& problems_;
  mailflow::KeyTable table_;
  std::unordered_map<std::string, Place> seen_;
};

// A line names a key, and perhaps a signer after a colon.
void add_signing_line(const DataEntry& entry, SigningTable& table, Problems& problems) {
  const std::string_view value = entry.value;
  const std::size_t colon = value.find(':');
  SigningEntry line{
      .pattern = entry.key, .key_name = std::string(value.substr(0, colon)), .place = entry.place};
  if (colon != std::string_view::npos) line.signer = value.substr(colon + 1);
  if (line.key_name.empty()) {
    return problems.error(
        entry.place,
        "the line of " + quote(entry.key) + " names no key and is left out; OpenDKIM crashes on it",
        "write: " + entry.key + " keyname");
  }
  if (!line.signer.empty() && line.signer.find('@') == std::string::npos) {
    problems.warning(entry.place,
                     "the signer " + quote(line.signer) + " is taken as " +
                         quote("@" + line.signer) + "; OpenDKIM lets the mail go unsigned",
                     "write user@domain or @domain");
    line.signer.insert(0, "@");
  }
  const std::optional<std::string> error = table.add(std::move(line));
  if (error) problems.error(entry.place, *error);
}

// Behind the names of the second KeyTable; no name has a blank.
constexpr std::string_view second_mark = " (second table)";

// A line signs with the keys of its name in both tables.
void add_signing_lines(const DataEntry& entry, Tables& tables, Problems& problems) {
  const std::string name = entry.value.substr(0, entry.value.find(':'));
  const bool is_in_second = tables.keys.find(name + std::string(second_mark)) != nullptr;
  if (!is_in_second || tables.keys.find(name) != nullptr) {
    add_signing_line(entry, tables.lines, problems);
  }
  if (!is_in_second) return;
  DataEntry second = entry;
  second.value.insert(name.size(), second_mark);
  add_signing_line(second, tables.lines, problems);
}

// A pattern without "@" in a refile matches no address in OpenDKIM, except a lone "*".
void check_names(const Tables& tables, Problems& problems) {
  for (const SigningEntry& line : tables.lines.entries()) {
    if (line.key_name == "%" || tables.keys.find(line.key_name)) continue;
    problems.error(line.place,
                   "the key " + quote(line.key_name) +
                       " is not in the KeyTable or cannot be used, so mail of " +
                       quote(line.pattern) + " cannot be signed",
                   "add the key; names are case-sensitive");
  }
}

// --- the simple form ---

// Names and patterns that [[signing.domain]] stands for.
class DomainTables {
 public:
  DomainTables(KeyStore& store, Problems& problems) : store_(store), problems_(problems) {}

  void add(const SigningDomain& domain) {
    const auto name = DomainName::parse(domain.name);
    if (!name) {
      return problems_.fatal(domain.place, quote(domain.name) + " is no domain: " +
                                               std::string(to_string(name.error().code)));
    }
    std::vector<KeyEntry> keys;
    for (const KeyReference& reference : domain.keys) {
      if (std::optional<KeyEntry> key = make_key(reference, *name)) keys.push_back(*std::move(key));
    }
    // Old verifiers look at one signature only, and know RSA.
    for (const crypto::KeyType type : {crypto::KeyType::rsa, crypto::KeyType::ed25519}) {
      for (KeyEntry& key : keys) {
        if (type_of(key) == type) add_key(domain, std::move(key));
      }
    }
    // Without a key the lines stay, so that mail does not leave unsigned in silence.
    if (keys.empty()) add_lines(domain, "_domainkey." + name->text(), domain.place);
  }

  Tables take() { return std::move(tables_); }

 private:
  static crypto::KeyType type_of(const KeyEntry& entry) {
    return std::get<crypto::PrivateKey>(entry.key).type();
  }

  std::optional<KeyEntry> make_key(const KeyReference& reference, const DomainName& domain) {
    const auto selector = DomainName::parse(reference.selector);
    if (!selector) {
      problems_.fatal(reference.place, quote(reference.selector) + " is no selector: " +
                                           std::string(to_string(selector.error().code)));
      return std::nullopt;
    }
    std::string name = selector->text() + "._domainkey." + domain.text();
    std::optional<crypto::PrivateKey> key = store_.load(reference.file, reference.place);
    if (!key) return std::nullopt;
    return KeyEntry{.name = std::move(name),
                    .domain = domain,
                    .selector = *selector,
                    .key = *std::move(key),
                    .place = reference.place};
  }

  void add_key(const SigningDomain& domain, KeyEntry key) {
    const std::string name = key.name;
    const Place place = key.place;
    if (!tables_.keys.add(std::move(key))) {
      return problems_.fatal(place, name + " is named twice", "remove one of the two");
    }
    add_lines(domain, name, place);
  }

  void add_lines(const SigningDomain& domain, const std::string& key_name, const Place& place) {
    add_line({.pattern = domain.name, .key_name = key_name, .place = place});
    if (!domain.subdomains) return;
    add_line({.pattern = "." + domain.name, .key_name = key_name, .place = place});
  }

  void add_line(SigningEntry line) {
    const Place place = line.place;
    const std::optional<std::string> error = tables_.lines.add(std::move(line));
    if (error) problems_.error(place, *error);
  }

  KeyStore& store_;
  Problems& problems_;
  Tables tables_{{}, SigningTable(SigningTable::Kind::keys)};
};

}  // namespace

KeyLine cut_key_line(std::string_view value) {
  KeyLine line;
  for (std::string_view* part : {&line.domain, &line.selector}) {
    const std::size_t colon = value.find(':');
    *part = text::trim(value.substr(0, colon), text::is_wsp);
    value.remove_prefix(colon == std::string_view::npos ? value.size() : colon + 1);
  }
  line.key = text::trim(value, text::is_wsp);
  constexpr std::array<std::string_view, 5> algorithms{"rsa", "ed25519", "rsa-sha256",
                                                       "ed25519-sha256", "rsa-sha1"};
  const std::size_t colon = line.key.rfind(':');
  if (colon == std::string_view::npos) return line;
  const std::string_view last = line.key.substr(colon + 1);
  for (const std::string_view algorithm : algorithms) {
    if (!text::equal_ignoring_case(last, algorithm)) continue;
    line.algorithm = last;
    line.key = line.key.substr(0, colon);
  }
  return line;
}

bool is_key_path(std::string_view key) {
  return key.starts_with('/') || key.starts_with("./") || key.starts_with("../");
}

Tables read_tables(const SigningSettings& settings, const Files& files, KeyStore& store,
                   Problems& problems) {
  KeyTableReader keys(files, store, problems);
  for (const DataEntry& entry : read_data_set(settings.key_table, files, problems).entries) {
    keys.add(entry);
  }
  for (DataEntry& entry : read_data_set(settings.second_key_table, files, problems).entries) {
    entry.key += second_mark;
    keys.add(entry);
  }
  const DataEntries lines = read_data_set(settings.signing_table, files, problems);
  Tables tables{keys.take(), SigningTable(lines.patterns ? SigningTable::Kind::patterns
                                                         : SigningTable::Kind::keys)};
  for (const DataEntry& entry : lines.entries) add_signing_lines(entry, tables, problems);
  check_names(tables, problems);
  return tables;
}

Tables make_tables(const std::vector<SigningDomain>& domains, KeyStore& store, Problems& problems) {
  DomainTables tables(store, problems);
  for (const SigningDomain& domain : domains) tables.add(domain);
  return tables.take();
}

}  // namespace countersign::service::config
