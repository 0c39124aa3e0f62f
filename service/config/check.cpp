// SPDX-License-Identifier: Apache-2.0

#include "service/config/check.hpp"

#include <optional>
#include <utility>

#include "countersign/dkim/key_match.hpp"
#include "service/config/lists.hpp"

namespace countersign::service::config {
namespace {

using mailflow::KeyEntry;

void append_keys(const KeyEntry& entry, std::vector<SigningKey>& keys) {
  if (const auto* key = std::get_if<crypto::PrivateKey>(&entry.key)) {
    if (entry.domain) keys.push_back({*entry.domain, entry.selector, *key, entry.place});
    return;
  }
  for (const auto& [name, key] : std::get<1>(entry.key)) {
    const auto domain = DomainName::parse(name);
    if (domain) keys.push_back({*domain, entry.selector, key, entry.place});
  }
}

void append_keys(const mailflow::SingleKey& single, const DataSet& domains, const Files& files,
                 std::vector<SigningKey>& keys) {
  Problems told_already;
  for (const std::string& name : read_names(domains, files, told_already)) {
    const auto domain = DomainName::parse(name);
    if (domain) keys.push_back({*domain, single.selector, single.key, single.place});
  }
}

}  // namespace

std::vector<SigningKey> signing_keys(const Snapshot& snapshot, const Machine& machine) {
  std::vector<SigningKey> keys;
  if (!snapshot.policy) return keys;
  for (const KeyEntry& entry : snapshot.policy->key_table.entries()) append_keys(entry, keys);
  if (const std::optional<mailflow::SingleKey>& single = snapshot.policy->single_key) {
    const BasedFiles files(machine.files, snapshot.settings.daemon.base_directory);
    append_keys(*single, snapshot.settings.signing.single.domains, files, keys);
  }
  return keys;
}

std::vector<Problem> check_published(const SigningKey& key, const LookUpKey& look_up) {
  const std::string name = dkim::key_name(key.selector, key.domain);
  const dkim::KeyLookup found = look_up(name);
  if (!found.record) {
    const bool failed = found.result == dkim::Result::temperror;
    return {{failed ? Severity::warning : Severity::error, key.place, "key record: " + found.detail,
             failed ? "try again later" : "publish the record: countersign keygen prints it"}};
  }
  const dkim::KeyMatch match = dkim::match_key(*found.record, key.key);
  if (match != dkim::KeyMatch::matches) {
    return {{Severity::error, key.place, name + ": " + std::string(to_string(match)), ""}};
  }
  if (found.record->testing) {
    return {{Severity::warning, key.place,
             name + " says t=y, so receivers may take the mail for "
                    "unsigned",
             "remove t=y when the tests are done"}};
  }
  return {};
}

std::vector<Problem> check(const Source& source, const Machine& machine, const LookUpKey& look_up) {
  Snapshot snapshot = load(source, machine);
  Problems problems;
  for (Problem& problem : snapshot.problems) problems.add(std::move(problem));
  if (!look_up) return problems.take_sorted();
  for (const SigningKey& key : signing_keys(snapshot, machine)) {
    for (Problem& problem : check_published(key, look_up)) problems.add(std::move(problem));
  }
  return problems.take_sorted();
}

}  // namespace countersign::service::config
