// SPDX-License-Identifier: Apache-2.0
//
// SHA-256 on OpenSSL, which uses the processor's instructions for it. A context is made once for
// each Digest and begins anew after finish(), which costs a third less than a new one.

#include "countersign/crypto/digest.hpp"

#include <openssl/hmac.h>

#include "countersign/assert.hpp"
#include "countersign/crypto/openssl.hpp"

namespace countersign::crypto {

struct Digest::State {
  EvpDigestContext context{EVP_MD_CTX_new()};

  void begin() {
    COUNTERSIGN_ASSERT(context != nullptr &&
                       EVP_DigestInit_ex2(context.get(), evp_sha256(), nullptr) == 1);
  }
};

Digest::Digest() : state_(std::make_unique<State>()) { state_->begin(); }
Digest::~Digest() = default;
Digest::Digest(Digest&&) noexcept = default;
Digest& Digest::operator=(Digest&&) noexcept = default;

void Digest::update(std::string_view octets) {
  COUNTERSIGN_ASSERT(EVP_DigestUpdate(state_->context.get(), octets.data(), octets.size()) == 1);
}

Sha256 Digest::finish() {
  Sha256 digest;
  COUNTERSIGN_ASSERT(EVP_DigestFinal_ex(state_->context.get(), digest.data(), nullptr) == 1);
  state_->begin();
  return digest;
}

Sha256 sha256(std::string_view octets) {
  Sha256 digest;
  COUNTERSIGN_ASSERT(
      EVP_Digest(octets.data(), octets.size(), digest.data(), nullptr, evp_sha256(), nullptr) == 1);
  return digest;
}

Sha256 hmac_sha256(std::string_view key, std::string_view octets) {
  Sha256 digest;
  COUNTERSIGN_ASSERT(HMAC(evp_sha256(), key.data(), static_cast<int>(key.size()),
                          reinterpret_cast<const unsigned char*>(octets.data()), octets.size(),
                          digest.data(), nullptr) != nullptr);
  return digest;
}

}  // namespace countersign::crypto
