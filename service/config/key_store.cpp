// SPDX-License-Identifier: Apache-2.0

#include "service/config/key_store.hpp"

#include <utility>

#include "countersign/text/abnf.hpp"
#include "countersign/text/base64.hpp"

namespace countersign::service::config {
namespace {

using crypto::KeyError;
using crypto::PrivateKey;

constexpr std::string_view begins = "-----BEGIN ";
constexpr std::string_view dashes = "-----";
constexpr std::size_t ed25519_seed_octets = 32;
constexpr unsigned rsa_bits_advised = 2'048;  // RFC 8301 §3.2

// A table keeps a key on one line: the line ends of its PEM have become blanks, or are gone.
std::string restore_lines(std::string_view pem) {
  const std::size_t header_end = pem.find(dashes, begins.size());
  if (header_end == std::string_view::npos) return std::string(pem);
  const std::size_t body = header_end + dashes.size();
  const std::size_t footer = pem.find(dashes, body);
  if (footer == std::string_view::npos) return std::string(pem);
  std::string restored(pem.substr(0, body));
  std::size_t column = 0;
  for (const char c : pem.substr(body, footer - body)) {
    if (text::is_fws(c)) continue;
    if (column++ % 64 == 0) restored += '\n';
    restored += c;
  }
  restored += '\n';
  restored += pem.substr(footer);
  restored += '\n';
  return restored;
}

}  // namespace

Result<PrivateKey, KeyError> decode_private_key(std::string_view text, const Limits& limits) {
  const std::size_t pem = text.find(begins);
  if (pem != std::string_view::npos) {
    const bool one_line = text.find('\n', pem) == std::string_view::npos;
    return PrivateKey::parse_pem(one_line ? restore_lines(text.substr(pem)) : std::string(text),
                                 limits);
  }
  const auto octets = text::decode_base64(text::trim(text, text::is_fws));
  if (!octets) return std::unexpected(KeyError::bad_pem);
  if (octets->size() == ed25519_seed_octets) return PrivateKey::parse_ed25519_seed(*octets);
  return PrivateKey::parse_der(*octets, limits);
}

KeyStore::KeyStore(KeyRules rules, const Files& files, const Accounts& accounts, Problems& problems)
    : rules_(std::move(rules)), files_(files), accounts_(accounts), problems_(problems) {}

std::optional<PrivateKey> KeyStore::load(const std::string& path, const Place& place) {
  const auto known = by_path_.find(path);
  if (known != by_path_.end()) return known->second;
  return by_path_.emplace(path, read(path, place)).first->second;
}

std::optional<PrivateKey> KeyStore::decode(std::string_view text, const Place& place) {
  return judge(decode_private_key(text, Limits()), "the key in this line", place);
}

std::optional<PrivateKey> KeyStore::read(const std::string& path, const Place& place) {
  const auto octets = files_.read(path);
  if (!octets) {
    problems_.error(place, "cannot read the key " + path + ": " + octets.error());
    return std::nullopt;
  }
  const bool permitted = judge_permissions(path, place);
  const auto key = judge(decode_private_key(*octets, Limits()), path, place);
  if (!permitted || !key) return std::nullopt;
  note_age(path);
  return key;
}

void KeyStore::note_age(const std::string& path) {
  const auto status = files_.status(path);
  const std::int64_t modified = status ? status->modified : 0;
  ++key_files_.count;
  if (modified > 0 && (key_files_.oldest == 0 || modified < key_files_.oldest))
    key_files_.oldest = modified;
}

bool KeyStore::judge_permissions(const std::string& path, const Place& place) {
  const auto real = files_.resolve(path);
  const KeyFile key{real.value_or(path), rules_.user, files_, accounts_};
  const std::vector<KeyFinding> unsafe = find_unsafe(key);
  for (const KeyFinding& finding : unsafe) {
    problems_.add({rules_.safe_required ? Severity::error : Severity::warning, place,
                   "the private key is not safe: " + finding.message, finding.remedy});
  }
  const std::optional<KeyFinding> unreadable =
      rules_.changes_root ? std::nullopt : find_unreadable(key);
  if (unreadable) {
    problems_.warning(place, unreadable->message + ", so a reload will fail", unreadable->remedy);
  }
  return unsafe.empty() || !rules_.safe_required;
}

std::optional<PrivateKey> KeyStore::judge(const Result<PrivateKey, KeyError>& key,
                                          const std::string& name, const Place& place) {
  if (!key) {
    problems_.error(place, name + ": " + std::string(crypto::to_string(key.error())));
    return std::nullopt;
  }
  if (rules_.expected_type && *rules_.expected_type != key->type()) {
    problems_.warning(place,
                      name + " is an " + std::string(crypto::to_string(key->type())) +
                          " key, though SignatureAlgorithm says otherwise; the key decides",
                      "remove SignatureAlgorithm");
  }
  if (key->type() != crypto::KeyType::rsa) return *key;
  const std::string bits = std::to_string(key->bits()) + " bits";
  if (key->bits() < rules_.bits_min) {
    problems_.error(place,
                    name + " has " + bits + ", fewer than the " + std::to_string(rules_.bits_min) +
                        " that a key must have",
                    "make a new one: countersign keygen");
    return std::nullopt;
  }
  if (key->bits() < rsa_bits_advised) {
    problems_.warning(place, name + " has " + bits + "; 2048 are advised (RFC 8301 §3.2)",
                      "make a new one: countersign keygen");
  }
  return *key;
}

}  // namespace countersign::service::config
