// SPDX-License-Identifier: Apache-2.0
//
// Public keys as DNS publishes them, decoded once and kept decoded: decoding an RSA key costs six
// times the verification that it serves, so the SubjectPublicKeyInfo header is read here and only
// the bare key goes to OpenSSL's fast path.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "countersign/crypto/digest.hpp"
#include "countersign/limits.hpp"
#include "countersign/result.hpp"

namespace countersign::crypto {

/// Key types, spelled as in k= (RFC 6376 §3.6.1, RFC 8463 §4).
enum class KeyType : std::uint8_t { rsa, ed25519 };

/// The word of k= for a key type.
[[nodiscard]] std::string_view to_string(KeyType type);

/// Why octets are no key that we use.
enum class KeyError : std::uint8_t {
  bad_der,           ///< no DER of a key of this type, octets left over, or no RSA modulus
  bad_pem,           ///< no PEM of a private key, or it is encrypted
  bad_length,        ///< an Ed25519 key that is not 32 octets
  key_too_small,     ///< a private RSA modulus under Limits::rsa_sign_bits_min
  key_too_large,     ///< RSA modulus over Limits::rsa_bits_max
  bad_exponent,      ///< an RSA public exponent that is even, 1, or longer than 64 bits
  unsupported_type,  ///< neither RSA nor Ed25519
  inconsistent,      ///< a private key whose numbers do not belong together
};

/// Says in a sentence what is wrong with the key and what to do.
[[nodiscard]] std::string_view to_string(KeyError error);

/// A decoded public key. Copies share it; it may be used by several threads at once.
class PublicKey {
 public:
  /// Decodes the octets of p= of an RSA key: a SubjectPublicKeyInfo, or a bare RSAPublicKey.
  ///
  /// Errors       bad_der, key_too_large, bad_exponent, unsupported_type. Short moduli are decoded
  ///              too: the verifier must be able to say how short they are.
  /// Leniency     both structures are read: RFC 6376 §3.6.1 names the second, its appendix C makes
  ///              the first, and almost all published keys are as that appendix has them.
  /// RFC 6376 §3.6.1, RFC 6376 erratum 3017
  [[nodiscard]] static Result<PublicKey, KeyError> parse_rsa(std::string_view der,
                                                             const Limits& limits);

  /// Decodes the 32 raw octets of p= of an Ed25519 key. RFC 8463 §4.2
  [[nodiscard]] static Result<PublicKey, KeyError> parse_ed25519(std::string_view octets);

  [[nodiscard]] KeyType type() const { return type_; }
  /// Bits of the RSA modulus, or 256 for Ed25519.
  [[nodiscard]] unsigned bits() const { return bits_; }
  /// The memory that the decoded key takes, roughly.
  [[nodiscard]] std::size_t octets() const;

  /// Tells whether the signature is this key's over the SHA-256 digest: RSASSA-PKCS1-v1_5, or pure
  /// Ed25519 over the 32 octets of the digest. A signature of a wrong length is false, never an
  /// error. RFC 8017 §8.2.2, RFC 8463 §3
  [[nodiscard]] bool verify(const Sha256& digest, std::string_view signature) const;

 private:
  struct Decoded;
  PublicKey(std::shared_ptr<const Decoded> key, KeyType type, unsigned bits);
  std::shared_ptr<const Decoded> key_;
  KeyType type_;
  unsigned bits_;
};

}  // namespace countersign::crypto
