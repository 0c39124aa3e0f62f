// SPDX-License-Identifier: Apache-2.0
//
// Private keys for tests that do not care which: made once a program, because RSA takes its time.

#pragma once

#include <map>
#include <string>

#include "countersign/crypto/private_key.hpp"

namespace countersign::test {

/// The PEM of an RSA key of that many bits, always the same one.
inline const std::string& rsa_pem(unsigned bits = 2'048) {
  static std::map<unsigned, std::string> made;
  std::string& pem = made[bits];
  if (pem.empty()) {
    pem = crypto::PrivateKey::generate(crypto::KeyType::rsa, bits, Limits())->to_pem();
  }
  return pem;
}

/// The PEM of an Ed25519 key, always the same one.
inline const std::string& ed25519_pem() {
  static const std::string pem =
      crypto::PrivateKey::generate(crypto::KeyType::ed25519, 0, Limits())->to_pem();
  return pem;
}

}  // namespace countersign::test
