// SPDX-License-Identifier: Apache-2.0

#include "service/config/signing_keys.hpp"

#include <optional>
#include <utility>

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

}  // namespace countersign::service::config
