// SPDX-License-Identifier: Apache-2.0
//
// What this folder needs to hold OpenSSL's objects: owners that free them, and views of octets in
// its pointer types. Included by the .cpp files of crypto/ only, so that OpenSSL ends here.
//
// Contexts are templates. Preparing one (looking up the algorithm, handing the key to OpenSSL's
// provider) costs 2.5 us, a duplicate of a prepared one 0.1 us. So each key prepares one context
// when it is decoded and duplicates it for each operation; the template is only read, hence several
// threads may share the key.

#pragma once

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include <memory>
#include <string>
#include <string_view>

namespace countersign::crypto {

/// Frees an OpenSSL object with the function that its header names.
template <auto free_function>
struct Free {
  template <class T>
  void operator()(T* object) const {
    free_function(object);
  }
};

/// Owners of OpenSSL's objects. A context holds its key too.
using EvpKey = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;
using EvpKeyContext = std::unique_ptr<EVP_PKEY_CTX, Free<EVP_PKEY_CTX_free>>;
using EvpDigestContext = std::unique_ptr<EVP_MD_CTX, Free<EVP_MD_CTX_free>>;
using Bio = std::unique_ptr<BIO, Free<BIO_free_all>>;

/// SHA-256 as OpenSSL implements it, looked up once in the life of the program.
[[nodiscard]] const EVP_MD* evp_sha256();

/// A context prepared to sign or verify (begin is EVP_PKEY_sign_init or EVP_PKEY_verify_init)
/// SHA-256 digests with RSA. Null if OpenSSL refuses the key. RFC 8017 §8.2
[[nodiscard]] EvpKeyContext prepare_rsa(EVP_PKEY* key, decltype(&EVP_PKEY_sign_init) begin);

/// A context prepared to sign or verify (begin is EVP_DigestSignInit or EVP_DigestVerifyInit) with
/// Ed25519. Null if OpenSSL refuses the key. RFC 8032 §5.1
[[nodiscard]] EvpDigestContext prepare_ed25519(EVP_PKEY* key, decltype(&EVP_DigestSignInit) begin);

/// A duplicate of a prepared context, for one operation.
[[nodiscard]] EvpKeyContext duplicate(const EvpKeyContext& prepared);
[[nodiscard]] EvpDigestContext duplicate(const EvpDigestContext& prepared);

/// Tells whether an OpenSSL call succeeded (1), and forgets the errors that it queued if not: a
/// stranger's key or signature must not be found later by a caller who asks about something else.
[[nodiscard]] inline bool succeeded(int result) {
  if (result == 1) return true;
  ERR_clear_error();
  return false;
}

/// The octets in OpenSSL's pointer type.
[[nodiscard]] inline const unsigned char* octets_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
/// The octets of a text that OpenSSL is to fill.
[[nodiscard]] inline unsigned char* writable(std::string& text) {
  return reinterpret_cast<unsigned char*>(text.data());
}

}  // namespace countersign::crypto
