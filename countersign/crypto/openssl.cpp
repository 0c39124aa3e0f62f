// SPDX-License-Identifier: Apache-2.0
//
// The lookup of SHA-256, and the preparation and duplication of contexts.

#include "countersign/crypto/openssl.hpp"

#include <openssl/rsa.h>

#include <utility>

#include "countersign/assert.hpp"

namespace countersign::crypto {

const EVP_MD* evp_sha256() {
  // A lookup by name costs more than the digest of a short text. What it finds never changes, so
  // one constant serves all threads.
  static const EVP_MD* const sha256 = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  COUNTERSIGN_ASSERT(sha256 != nullptr);
  return sha256;
}

EvpKeyContext prepare_rsa(EVP_PKEY* key, decltype(&EVP_PKEY_sign_init) begin) {
  EvpKeyContext context{EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr)};
  const bool ready = context && succeeded(begin(context.get())) &&
                     succeeded(EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_PADDING)) &&
                     succeeded(EVP_PKEY_CTX_set_signature_md(context.get(), evp_sha256()));
  return ready ? std::move(context) : nullptr;
}

EvpDigestContext prepare_ed25519(EVP_PKEY* key, decltype(&EVP_DigestSignInit) begin) {
  EvpDigestContext context{EVP_MD_CTX_new()};
  // Pure Ed25519 names no digest: it hashes by itself.
  const bool ready = context && succeeded(begin(context.get(), nullptr, nullptr, nullptr, key));
  return ready ? std::move(context) : nullptr;
}

EvpKeyContext duplicate(const EvpKeyContext& prepared) {
  EvpKeyContext copy{EVP_PKEY_CTX_dup(prepared.get())};
  COUNTERSIGN_ASSERT(copy != nullptr);
  return copy;
}

EvpDigestContext duplicate(const EvpDigestContext& prepared) {
  EvpDigestContext copy{EVP_MD_CTX_new()};
  COUNTERSIGN_ASSERT(copy != nullptr && EVP_MD_CTX_copy_ex(copy.get(), prepared.get()) == 1);
  return copy;
}

}  // namespace countersign::crypto
