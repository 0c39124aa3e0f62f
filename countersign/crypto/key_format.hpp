// SPDX-License-Identifier: Apache-2.0
//
// The structures in which keys travel, read without OpenSSL: its own decoder of the outer ones
// costs six times the verification of a signature, and it accepts numbers that we refuse.
//
//   SubjectPublicKeyInfo ::= SEQUENCE { AlgorithmIdentifier, BIT STRING }      RFC 5280 §4.1
//   PrivateKeyInfo ::= SEQUENCE { INTEGER 0 | 1, AlgorithmIdentifier, OCTET STRING,
//                                 [0] attributes, [1] public key OPTIONAL }    RFC 5958 §2
//   RSAPublicKey ::= SEQUENCE { n, e INTEGER }                                 RFC 8017 §A.1.1
//   RSAPrivateKey ::= SEQUENCE { INTEGER 0, n, e, d, p, q, dp, dq, qi INTEGER } RFC 8017 §A.1.2

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "countersign/crypto/public_key.hpp"
#include "countersign/limits.hpp"
#include "countersign/result.hpp"

namespace countersign::crypto {

/// Octets of an Ed25519 seed, and of its public key. RFC 8032 §5.1.5
inline constexpr std::size_t ed25519_key_octets = 32;
/// Octets of an Ed25519 signature. RFC 8032 §5.1.6
inline constexpr std::size_t ed25519_signature_octets = 64;
/// What bits() says of an Ed25519 key.
inline constexpr unsigned ed25519_bits = 256;

/// What an AlgorithmIdentifier says is inside.
enum class Algorithm : std::uint8_t { rsa, ed25519, other };

/// A key without its wrapping; a view of the text that was read.
struct WrappedKey {
  Algorithm algorithm = Algorithm::other;
  std::string_view octets;
};

/// Opens a SubjectPublicKeyInfo.
/// Returns      RSA: an RSAPublicKey in DER; Ed25519: the raw key. Nothing if der is no such
///              structure or has octets left over.
/// Leniency     the parameters of rsaEncryption may be absent instead of NULL.
/// RFC 5280 §4.1, RFC 8410 §4
[[nodiscard]] std::optional<WrappedKey> open_public_key(std::string_view der);

/// Opens an unencrypted PKCS#8 private key.
/// Returns      RSA: an RSAPrivateKey in DER; Ed25519: the seed. Nothing if der is no such
///              structure or has octets left over.
/// RFC 5958 §2, RFC 8410 §7
[[nodiscard]] std::optional<WrappedKey> open_private_key(std::string_view der);

/// Judges an RSAPublicKey and returns the bits of its modulus; the error says what is wrong.
/// RFC 8017 §3.1
[[nodiscard]] Result<unsigned, KeyError> check_rsa_public(std::string_view der,
                                                          const Limits& limits);

/// Judges an RSAPrivateKey of two primes and returns the bits of its modulus. Whether the numbers
/// belong together is not looked at. RFC 8017 §3.2
[[nodiscard]] Result<unsigned, KeyError> check_rsa_private(std::string_view der,
                                                           const Limits& limits);

/// Tells whether der looks like an elliptic curve's ECPrivateKey, to call it by its name. RFC 5915
/// §3
[[nodiscard]] bool is_ec_private(std::string_view der);

}  // namespace countersign::crypto
