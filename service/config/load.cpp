// SPDX-License-Identifier: Apache-2.0

#include "service/config/load.hpp"

#include <algorithm>
#include <optional>

#include "service/config/settings_table.hpp"
#include "service/config/suggest.hpp"
#include "service/config/toml.hpp"

namespace countersign::service::config {
namespace {

// The keys that countersign.toml may hold, with the sections that are part of them.
std::vector<std::string_view> own_keys() {
  std::vector<std::string_view> keys;
  for (const Setting& setting : settings_table()) {
    if (setting.scope == Scope::own) keys.push_back(setting.key);
  }
  return keys;
}

bool is_section(std::string_view name) {
  return std::ranges::any_of(sections(), [&](const Section& one) { return one.name == name; });
}

class Loader {
 public:
  Loader(const std::string& file, Problems& problems) : problems_(problems) {
    settings_.places[""] = {file, 0};
  }
  /// For settings that have been read already.
  Loader(Settings settings, Problems& problems)
      : problems_(problems), settings_(std::move(settings)) {}

  void take(const Value::Table& document) {
    for (const Value::Member& member : document) {
      const auto* section = std::get_if<Value::Table>(&member.value.data);
      if (!is_section(member.key)) {
        refuse_unknown(member.key, member.value.place);
      } else if (!section) {
        problems_.fatal(member.value.place, member.key + " is a section",
                        "write [" + member.key + "] on a line of its own");
      } else {
        take_section(member.key, *section);
      }
    }
  }

  void set(const std::string& key, const Value& value) {
    const Setting* setting = find_setting(key);
    if (!setting || setting->scope != Scope::own) return refuse_unknown(key, value.place);
    settings_.places[key] = value.place;
    if (key == "signing.domain") return take_domains(value);
    const std::optional<std::string> expected =
        assign(setting->slot(settings_), value, setting->range);
    if (expected) problems_.fatal(value.place, key + ": " + *expected);
  }

  Settings finish() { return std::move(settings_); }

 private:
  void take_section(const std::string& section, const Value::Table& members) {
    for (const Value::Member& member : members) {
      const std::string key = section + "." + member.key;
      const auto* inner = std::get_if<Value::Table>(&member.value.data);
      if (inner && is_section(key)) {
        take_section(key, *inner);
      } else {
        set(key, member.value);
      }
    }
  }

  void refuse_unknown(const std::string& key, const Place& place) {
    problems_.fatal(place, "there is no setting '" + key + "'", suggestion(key, own_keys()));
  }

  // --- [[signing.domain]] ---

  void take_domains(const Value& value) {
    const auto* list = std::get_if<Value::List>(&value.data);
    if (!list) return expect_domains(value.place);
    settings_.signing.domains.clear();
    for (const Value& item : *list) {
      const auto* table = std::get_if<Value::Table>(&item.data);
      if (!table) return expect_domains(item.place);
      take_domain(*table, item.place);
    }
  }

  void expect_domains(const Place& place) {
    problems_.fatal(place, "signing.domain: expected tables that begin with [[signing.domain]]");
  }

  void take_domain(const Value::Table& members, const Place& place) {
    SigningDomain domain{.place = place};
    bool has_keys = false;
    for (const auto& [key, value] : members) {
      if (key == "name") {
        put("signing.domain.name", &domain.name, value);
      } else if (key == "subdomains") {
        put("signing.domain.subdomains", &domain.subdomains, value);
      } else if (key == "keys") {
        has_keys = true;
        domain.keys = read_keys(value);
      } else {
        refuse_member("signing.domain", key, value.place, {"name", "subdomains", "keys"});
      }
    }
    if (domain.name.empty()) return problems_.fatal(place, "a domain needs a name");
    if (!has_keys) {
      problems_.fatal(place, "the domain " + domain.name + " needs keys",
                      "write: keys = [{ selector = \"…\", file = \"…\" }]");
    }
    settings_.signing.domains.push_back(std::move(domain));
  }

  std::vector<KeyReference> read_keys(const Value& value) {
    std::vector<KeyReference> keys;
    const auto* list = std::get_if<Value::List>(&value.data);
    const bool tables = list && std::ranges::all_of(*list, [](const Value& item) {
                          return std::holds_alternative<Value::Table>(item.data);
                        });
    if (!tables || list->empty()) {
      problems_.fatal(value.place,
                      "keys: expected a list like [{ selector = \"…\", file = \"…\" }]");
      return keys;
    }
    for (const Value& item : *list) {
      KeyReference key = read_key(item);
      const bool complete = !key.selector.empty() && !key.file.empty();
      if (complete) keys.push_back(std::move(key));
      if (!complete) problems_.fatal(item.place, "a key needs a selector and a file");
    }
    return keys;
  }

  KeyReference read_key(const Value& value) {
    KeyReference key{.place = value.place};
    for (const auto& [name, member] : std::get<Value::Table>(value.data)) {
      if (name == "selector") {
        put("selector", &key.selector, member);
      } else if (name == "file") {
        put("file", &key.file, member);
      } else {
        refuse_member("keys", name, member.place, {"selector", "file"});
      }
    }
    return key;
  }

  void put(const std::string& name, const Slot& slot, const Value& value) {
    const std::optional<std::string> expected = assign(slot, value);
    if (expected) problems_.fatal(value.place, name + ": " + *expected);
  }

  void refuse_member(const std::string& owner, const std::string& name, const Place& place,
                     std::vector<std::string_view> known) {
    problems_.fatal(place, owner + " has no '" + name + "'", suggestion(name, known));
  }

  Problems& problems_;
  Settings settings_;
};

// A value of the command line is TOML where it can be read as such (true, 5, ["a", "b"]), else a
// text: nobody wants to write --set 'daemon.user="x"' with both kinds of quotes.
Value read_override(const std::string& text) {
  const Place place{"command line", 0};
  Problems ignored;
  const auto parsed = parse_toml("v = " + text + "\n", place.file, ignored);
  if (!parsed || parsed->size() != 1) return {text, place};
  Value value = parsed->front().value;
  value.place = place;
  return value;
}

}  // namespace

Settings load_toml(const std::string& file,
                   const std::vector<std::pair<std::string, std::string>>& overrides,
                   const Files& files, Problems& problems) {
  Loader loader(file, problems);
  if (!file.empty()) {
    const auto octets = files.read(file);
    if (!octets) {
      problems.fatal({file, 0}, "cannot read it: " + octets.error());
    } else if (const auto document = parse_toml(*octets, file, problems)) {
      loader.take(*document);
    }
  }
  for (const auto& [key, text] : overrides) loader.set(key, read_override(text));
  return loader.finish();
}

void override_settings(Settings& settings,
                       const std::vector<std::pair<std::string, std::string>>& overrides,
                       Problems& problems) {
  Loader loader(std::move(settings), problems);
  for (const auto& [key, text] : overrides) loader.set(key, read_override(text));
  settings = loader.finish();
}

}  // namespace countersign::service::config
