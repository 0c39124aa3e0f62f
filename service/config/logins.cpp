// SPDX-License-Identifier: Apache-2.0

#include "service/config/logins.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "service/config/data_set.hpp"

namespace countersign::service::config {
namespace {

using mailflow::KeyEntry;
using mailflow::MismatchAction;

class Maker {
 public:
  Maker(const Settings& settings, const mailflow::Policy& with_keys, const Files& files,
        Problems& problems)
      : settings_(settings),
        logins_(settings.signing.logins),
        with_keys_(with_keys),
        files_(files),
        problems_(problems) {}

  mailflow::LoginPolicy make() {
    policy_.bound = logins_.bound;
    policy_.on_mismatch = logins_.on_mismatch;
    policy_.shadow = logins_.shadow;
    if (!logins_.table.empty()) policy_.table = read_table();
    set_fallback();
    if (!logins_.bound) tell_what_is_idle();
    return std::move(policy_);
  }

 private:
  [[nodiscard]] Place place(std::string_view name) const {
    return settings_.place_of("signing.logins." + std::string(name));
  }

  mailflow::LoginTable read_table() {
    mailflow::LoginTable table;
    for (const DataEntry& entry : read_data_set(logins_.table, files_, problems_).entries) {
      const std::optional<std::string> error = table.add(entry.key, entry.value, entry.place);
      if (error) problems_.error(entry.place, *error);
    }
    if (table.size() == 0) {
      problems_.error(logins_.table.place,
                      "the table of logins has no line, so nobody who logs in may use any address",
                      "write lines like \"*@* %d\": a login may use its own domain");
    }
    return table;
  }

  // --- the fallback ---

  void set_fallback() {
    if (logins_.fallback.empty()) {
      if (logins_.on_mismatch == MismatchAction::fallback) {
        problems_.fatal(place("on_mismatch"),
                        "signing.logins.on_mismatch says fallback, and no "
                        "fallback is set",
                        "set signing.logins.fallback to a key or a domain");
      }
      return;
    }
    const auto domain = DomainName::parse(logins_.fallback);
    if (const KeyEntry* named = with_keys_.key_table.find(logins_.fallback)) {
      add_key(*named);
    } else if (domain) {
      add_keys_of(*domain);
    }
    if (policy_.fallback.empty()) {
      return problems_.fatal(place("fallback"),
                             "the fallback '" + logins_.fallback +
                                 "' is neither the name of a key nor a domain that has one",
                             "name a key of key_table, or a domain of [[signing.domain]]");
    }
    set_signer();
  }

  // A key for the author's own domain would vouch for the very author who is doubted.
  void add_key(const KeyEntry& key) {
    if (key.domain && std::holds_alternative<crypto::PrivateKey>(key.key)) {
      policy_.fallback.push_back(key);
    }
  }

  void add_keys_of(const DomainName& domain) {
    for (const KeyEntry& key : with_keys_.key_table.entries()) {
      if (key.domain == domain) add_key(key);
    }
    const auto& single = with_keys_.single_key;
    if (!single || !single->domains.contains(domain)) return;
    policy_.fallback.push_back({.name = domain.text(),
                                .domain = domain,
                                .selector = single->selector,
                                .key = single->key,
                                .place = single->place});
  }

  // RFC 6376 §3.5: i= is in d= or below it.
  void set_signer() {
    const std::string& signer = logins_.fallback_signer;
    if (signer.empty()) return;
    const std::size_t at = signer.rfind('@');
    const auto domain =
        DomainName::parse(at == std::string::npos ? std::string() : signer.substr(at + 1));
    for (const KeyEntry& key : policy_.fallback) {
      if (domain && domain->is_at_or_below(*key.domain)) continue;
      return problems_.fatal(place("fallback_signer"),
                             "'" + signer + "' is no identity of " + key.domain->text(),
                             "write @" + key.domain->text() + ", or an address in that domain");
    }
    policy_.fallback_signer = signer;
  }

  // --- what has no effect ---

  void tell_what_is_idle() {
    for (const std::string_view name : {"table", "on_mismatch", "fallback", "shadow"}) {
      const std::string key = "signing.logins." + std::string(name);
      const auto set = settings_.places.find(key);
      if (set == settings_.places.end()) continue;
      problems_.warning(set->second, key + " has no effect, as logins are not bound",
                        "set signing.logins.bound = true");
    }
  }

  const Settings& settings_;
  const LoginSettings& logins_;
  const mailflow::Policy& with_keys_;
  const Files& files_;
  Problems& problems_;
  mailflow::LoginPolicy policy_;
};

}  // namespace

mailflow::LoginPolicy make_login_policy(const Settings& settings, const mailflow::Policy& with_keys,
                                        const Files& files, Problems& problems) {
  return Maker(settings, with_keys, files, problems).make();
}

}  // namespace countersign::service::config
