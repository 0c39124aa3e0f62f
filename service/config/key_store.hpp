// SPDX-License-Identifier: Apache-2.0
//
// Private keys while settings are read: each file is read and decoded once, however many lines
// name it, and judged: who else can read it, whether the daemon's user can, whether it is long
// enough, whether it is of the type that the operator believes.

#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "countersign/crypto/private_key.hpp"
#include "service/config/key_safety.hpp"
#include "service/config/problem.hpp"

namespace countersign::service::config {

/// What is asked of a key.
struct KeyRules {
  User user;                       ///< whom the daemon will run as
  bool safe_required = true;       ///< RequireSafeKeys
  std::uint64_t bits_min = 1'024;  ///< RSA
  std::optional<crypto::KeyType> expected_type;
  bool changes_root = false;  ///< a reload will not see the files as they are seen now
};

/// The key files that are in use.
struct KeyFiles {
  std::uint64_t count = 0;
  std::int64_t oldest = 0;  ///< when the oldest was written, seconds since 1970 UTC; 0 for none
  /// When its lifetime ends (signing.key_lifetime); 0 where none is set, and without keys.
  std::int64_t expires = 0;
};

/// Reads keys. What is wrong with one is a problem at the line that named it first.
class KeyStore {
 public:
  /// `files`, `accounts` and `problems` must outlive this object.
  KeyStore(KeyRules rules, const Files& files, const Accounts& accounts, Problems& problems);

  /// The key in a file: PEM, or base64 of DER or of an Ed25519 seed.
  [[nodiscard]] std::optional<crypto::PrivateKey> load(const std::string& path, const Place& place);

  /// A key that a table holds itself: PEM on one line, or base64 of DER.
  [[nodiscard]] std::optional<crypto::PrivateKey> decode(std::string_view text, const Place& place);

  /// The files of the keys that can be used.
  [[nodiscard]] const KeyFiles& key_files() const { return key_files_; }

 private:
  [[nodiscard]] std::optional<crypto::PrivateKey> read(const std::string& path, const Place& place);
  void note_age(const std::string& path);
  // False when the permissions forbid its use.
  [[nodiscard]] bool judge_permissions(const std::string& path, const Place& place);
  [[nodiscard]] std::optional<crypto::PrivateKey> judge(
      const Result<crypto::PrivateKey, crypto::KeyError>& key, const std::string& name,
      const Place& place);

  KeyRules rules_;
  const Files& files_;
  const Accounts& accounts_;
  Problems& problems_;
  std::map<std::string, std::optional<crypto::PrivateKey>> by_path_;
  KeyFiles key_files_;
};

/// Decodes a private key as people keep them: PEM, its line ends lost or not; base64 of PKCS#8 or
/// PKCS#1 DER; base64 of a 32-octet Ed25519 seed, as dkimpy writes it.
[[nodiscard]] Result<crypto::PrivateKey, crypto::KeyError> decode_private_key(std::string_view text,
                                                                              const Limits& limits);

}  // namespace countersign::service::config
