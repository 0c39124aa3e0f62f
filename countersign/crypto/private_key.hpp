// SPDX-License-Identifier: Apache-2.0
//
// Private keys for signing, decoded once when settings are read and kept in memory: reading the PEM
// for each message costs three times the signature.

#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "countersign/crypto/digest.hpp"
#include "countersign/crypto/public_key.hpp"
#include "countersign/limits.hpp"
#include "countersign/result.hpp"

namespace countersign::crypto {

/// A decoded private key, RSA or Ed25519. Copies share it; it may be used by several threads at
/// once. The key's memory is cleansed when the last copy goes.
class PrivateKey {
 public:
  /// Reads the first private key of a PEM text: PKCS#1 "RSA PRIVATE KEY" or PKCS#8 "PRIVATE KEY".
  ///
  /// pem          may have other text and other PEM blocks around the key.
  /// Errors       those of parse_der; bad_pem if there is no key or it is encrypted: a daemon has
  ///              nobody to ask for a passphrase.
  /// RFC 7468 §10, RFC 1421 §4.4
  [[nodiscard]] static Result<PrivateKey, KeyError> parse_pem(std::string_view pem,
                                                              const Limits& limits);

  /// Reads a private key as DER: PKCS#8 or PKCS#1. The numbers of an RSA key are tried with one
  /// signature, so that a damaged file is refused here and not by those who receive our mail.
  ///
  /// Errors       bad_der, key_too_small (Limits::rsa_sign_bits_min), key_too_large, bad_exponent,
  ///              bad_length, unsupported_type, inconsistent.
  /// RFC 5958 §2, RFC 8017 §3.2, RFC 8410 §7
  [[nodiscard]] static Result<PrivateKey, KeyError> parse_der(std::string_view der,
                                                              const Limits& limits);

  /// Reads the 32 octets of an Ed25519 seed, as dkimpy keeps them in base64. RFC 8032 §5.1.5
  [[nodiscard]] static Result<PrivateKey, KeyError> parse_ed25519_seed(std::string_view seed);

  /// Makes a new key with the random generator of the crypto library.
  ///
  /// bits         of the RSA modulus, Limits::rsa_sign_bits_min to Limits::rsa_bits_max; ignored
  ///              for Ed25519.
  /// Errors       key_too_small, key_too_large.
  [[nodiscard]] static Result<PrivateKey, KeyError> generate(KeyType type, unsigned bits,
                                                             const Limits& limits);

  [[nodiscard]] KeyType type() const { return type_; }
  /// Bits of the RSA modulus, or 256 for Ed25519.
  [[nodiscard]] unsigned bits() const { return bits_; }

  /// Signs a SHA-256 digest as PublicKey::verify checks it.
  ///
  /// Returns      raw octets; RSA: as many as the modulus has, Ed25519: 64.
  /// RFC 8017 §8.2.1, RFC 8463 §3
  [[nodiscard]] std::string sign(const Sha256& digest) const;

  /// The octets that p= publishes in base64: SubjectPublicKeyInfo DER for RSA, 32 raw octets for
  /// Ed25519. RFC 6376 §3.6.1, RFC 8463 §4.2
  [[nodiscard]] std::string public_octets() const;

  /// The key as unencrypted PEM: PKCS#1 for RSA, as opendkim-genkey writes it, PKCS#8 for Ed25519.
  /// The text is the caller's to cleanse.
  [[nodiscard]] std::string to_pem() const;

 private:
  struct Decoded;
  static Result<PrivateKey, KeyError> parse_rsa(std::string_view rsa_private_key,
                                                const Limits& limits);
  PrivateKey(std::shared_ptr<const Decoded> key, KeyType type, unsigned bits);
  std::shared_ptr<const Decoded> key_;
  KeyType type_;
  unsigned bits_;
};

}  // namespace countersign::crypto
