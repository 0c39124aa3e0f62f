// SPDX-License-Identifier: Apache-2.0

#include "service/config/import/combine.hpp"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "service/config/import/common.hpp"
#include "service/config/settings_table.hpp"
#include "service/config/value.hpp"

namespace countersign::service::config {
namespace {

bool is_same(const Slot& one, const Slot& other) {
  const DataSet* const* set = std::get_if<DataSet*>(&one);
  if (set == nullptr) return to_toml(one) == to_toml(other);
  const DataSet& second = *std::get<DataSet*>(other);
  return (*set)->source == second.source && (*set)->lines == second.lines;
}

void copy(const Slot& from, const Slot& to) {
  std::visit([&from](auto* target) { *target = *std::get<decltype(target)>(from); }, to);
}

const Place* place_in(const Settings& settings, std::string_view key) {
  const auto found = settings.places.find(key);
  return found == settings.places.end() ? nullptr : &found->second;
}

class Combiner {
 public:
  Combiner(std::vector<Settings> own, std::vector<Settings> imports, Problems& problems)
      : own_(std::move(own)), imports_(std::move(imports)), problems_(problems) {}

  Settings combine() {
    name_the_file();
    for (const Setting& setting : settings_table()) {
      if (take_own(setting)) continue;
      if (setting.key == "daemon.sockets") {
        unite_sockets(setting);
      } else if (setting.key == "signing.mode") {
        unite_modes();
      } else {
        take_imported(setting);
      }
    }
    take_what_has_no_key();
    if (place_in(result_, "log.stderr") == nullptr) settle_log(result_);
    return std::move(result_);
  }

 private:
  void name_the_file() {
    for (const std::vector<Settings>* layers : {&imports_, &own_}) {
      for (const Settings& layer : *layers) {
        const Place* place = place_in(layer, "");
        if (place != nullptr && !place->file.empty()) result_.places.try_emplace("", *place);
      }
    }
  }

  void take(const Setting& setting, Settings& from) {
    copy(setting.slot(from), setting.slot(result_));
    if (const Place* place = place_in(from, setting.key)) {
      result_.places[std::string(setting.key)] = *place;
    }
  }

  bool take_own(const Setting& setting) {
    for (Settings& layer : own_) {
      if (place_in(layer, setting.key) == nullptr) continue;
      take(setting, layer);
      return true;
    }
    return false;
  }

  void take_imported(const Setting& setting) {
    Settings* decides = nullptr;
    for (Settings& layer : imports_) {
      if (place_in(layer, setting.key) == nullptr) continue;
      if (decides == nullptr) {
        decides = &layer;
      } else if (!is_same(setting.slot(*decides), setting.slot(layer))) {
        tell_conflict(setting, *decides, layer);
      }
    }
    if (decides != nullptr) return take(setting, *decides);
    for (Settings& layer : imports_) {
      if (is_same(setting.slot(layer), setting.slot(base_))) continue;
      return take(setting, layer);
    }
  }

  // Each program wrote a process id of its own; that one is left is no news.
  void tell_conflict(const Setting& setting, Settings& decides, Settings& other) {
    const std::string key(setting.key);
    const bool natural = setting.key == "daemon.pid_file";
    problems_.add({natural ? Severity::note : Severity::warning, *place_in(other, setting.key),
                   key + " = " + to_toml(setting.slot(other)) +
                       " has no effect: " + place_in(decides, setting.key)->to_string() + " says " +
                       to_toml(setting.slot(decides)),
                   natural ? "" : "all files make one process now; let them say the same"});
  }

  void unite_sockets(const Setting& setting) {
    std::vector<SocketSpec>& all = result_.daemon.sockets;
    const Place* first = nullptr;
    for (const Settings& layer : imports_) {
      const std::size_t before = all.size();
      for (const SocketSpec& socket : layer.daemon.sockets) {
        const auto same = [&socket](const SocketSpec& one) {
          return to_string(one) == to_string(socket);
        };
        if (std::ranges::none_of(all, same)) all.push_back(socket);
      }
      const Place* place = place_in(layer, setting.key);
      if (place == nullptr || all.size() == before) continue;
      result_.places.try_emplace(std::string(setting.key), *place);
      if (first != nullptr) tell_sockets(*first, *place);
      if (first == nullptr) first = place;
    }
  }

  void tell_sockets(const Place& first, const Place& place) {
    problems_.note(place,
                   "this socket does the same as that of " + first.to_string() +
                       "; a message that the MTA hands to both is signed and judged at both",
                   "name one of them in smtpd_milters and non_smtpd_milters");
  }

  void unite_modes() {
    bool signs = false;
    bool judges = false;
    for (const Settings& layer : imports_) {
      signs = signs || layer.signing.mode != Mode::verify;
      judges = judges || layer.signing.mode != Mode::sign;
      const Place* place = place_in(layer, "signing.mode");
      if (place != nullptr) result_.places.try_emplace("signing.mode", *place);
    }
    result_.signing.mode = !judges ? Mode::sign : !signs ? Mode::verify : Mode::both;
  }

  void take_what_has_no_key() {
    for (const std::vector<Settings>* layers : {&own_, &imports_}) {
      for (const Settings& layer : *layers) {
        std::optional<crypto::KeyType>& type = result_.signing.expected_key_type;
        if (!type) type = layer.signing.expected_key_type;
      }
    }
    for (const Settings& layer : imports_) {
      if (layer.signing.fields != base_.signing.fields) {
        result_.signing.fields = layer.signing.fields;
      }
    }
  }

  std::vector<Settings> own_;
  std::vector<Settings> imports_;
  Problems& problems_;
  Settings base_ = imported_defaults();
  Settings result_ = imported_defaults();
};

}  // namespace

Settings combine(std::vector<Settings> own, std::vector<Settings> imports, Problems& problems) {
  return Combiner(std::move(own), std::move(imports), problems).combine();
}

}  // namespace countersign::service::config
