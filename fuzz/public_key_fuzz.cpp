// SPDX-License-Identifier: Apache-2.0
//
// Strangers' public keys, and private keys as damaged files: no octets may crash or hang a decoder,
// and what is decoded keeps its promises.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "countersign/assert.hpp"
#include "countersign/crypto/private_key.hpp"
#include "countersign/crypto/public_key.hpp"

using namespace countersign;
using namespace countersign::crypto;

namespace {

void use(const PublicKey& key, const Limits& limits) {
  COUNTERSIGN_ASSERT(key.bits() > 0 && key.bits() <= limits.rsa_bits_max);
  const Sha256 digest = sha256("text");
  static_cast<void>(key.verify(digest, std::string((key.bits() + 7) / 8, '\x01')));
  COUNTERSIGN_ASSERT(!key.verify(digest, "short"));
}

void use(const PrivateKey& key, const Limits& limits) {
  const Sha256 digest = sha256("text");
  const std::string octets = key.public_octets();
  const auto half = key.type() == KeyType::rsa ? PublicKey::parse_rsa(octets, limits)
                                               : PublicKey::parse_ed25519(octets);
  COUNTERSIGN_ASSERT(half && half->bits() == key.bits());
  COUNTERSIGN_ASSERT(half->verify(digest, key.sign(digest)));
  const auto again = PrivateKey::parse_pem(key.to_pem(), limits);
  COUNTERSIGN_ASSERT(again && again->public_octets() == octets);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view octets(reinterpret_cast<const char*>(data), size);
  // Moduli of more bits make the fuzzer slow and show nothing new.
  const Limits limits{.rsa_bits_max = 2048};
  if (const auto key = PublicKey::parse_rsa(octets, limits)) use(*key, limits);
  if (const auto key = PublicKey::parse_ed25519(octets)) use(*key, limits);
  if (const auto key = PrivateKey::parse_der(octets, limits)) use(*key, limits);
  if (const auto key = PrivateKey::parse_pem(octets, limits)) use(*key, limits);
  return 0;
}
