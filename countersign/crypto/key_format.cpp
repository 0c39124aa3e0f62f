// SPDX-License-Identifier: Apache-2.0
//
// SubjectPublicKeyInfo, PKCS#8 and PKCS#1, and which RSA numbers we refuse.

#include "countersign/crypto/key_format.hpp"

#include <bit>
#include <cstddef>

#include "countersign/crypto/der.hpp"

namespace countersign::crypto {
namespace {

using der::Reader;
using der::Tag;
using namespace std::string_view_literals;

// 1.2.840.113549.1.1.1, RFC 8017 §A.1.
constexpr std::string_view rsa_encryption = "\x2A\x86\x48\x86\xF7\x0D\x01\x01\x01"sv;
// 1.3.101.112, RFC 8410 §3.
constexpr std::string_view id_ed25519 = "\x2B\x65\x70"sv;

// Octets of the largest public exponent that we use. RFC 8017 knows no bound, keys in use have
// 65537, and a longer one makes each verification dearer at a stranger's wish.
constexpr std::size_t exponent_octets_max = 8;

// AlgorithmIdentifier ::= SEQUENCE { OBJECT IDENTIFIER, parameters OPTIONAL }
// Parameters of other algorithms are theirs to judge; those of our two must be as their RFCs say.
std::optional<Algorithm> read_algorithm(Reader& outer) {
  Reader identifier = outer.enter(Tag::sequence);
  const std::string_view oid = identifier.read(Tag::object_identifier);
  if (identifier.failed()) return std::nullopt;
  if (oid != rsa_encryption && oid != id_ed25519) return Algorithm::other;

  if (oid == rsa_encryption && !identifier.complete()) {
    if (!identifier.read(Tag::null).empty()) return std::nullopt;
  }
  if (!identifier.complete()) return std::nullopt;
  return oid == rsa_encryption ? Algorithm::rsa : Algorithm::ed25519;
}

struct RsaPublicNumbers {
  std::string_view modulus;
  std::string_view exponent;
};

unsigned bits_of(std::string_view number) {
  if (number.empty()) return 0;
  const auto first = static_cast<std::uint8_t>(number[0]);
  return static_cast<unsigned>((number.size() - 1) * 8) +
         static_cast<unsigned>(std::bit_width(first));
}

bool is_odd(std::string_view number) { return !number.empty() && (number.back() & 1) != 0; }

Result<unsigned, KeyError> check(const RsaPublicNumbers& key, const Limits& limits) {
  if (key.modulus.size() > limits.rsa_bits_max / 8 + 1) {
    return std::unexpected(KeyError::key_too_large);
  }
  const unsigned bits = bits_of(key.modulus);
  if (bits > limits.rsa_bits_max) return std::unexpected(KeyError::key_too_large);
  // Neither zero nor an even number is the product of two odd primes.
  if (!is_odd(key.modulus)) return std::unexpected(KeyError::bad_der);
  // With exponent 1 every text is its own signature; an even one has no inverse.
  const bool usable = is_odd(key.exponent) && key.exponent != "\x01"sv &&
                      key.exponent.size() <= exponent_octets_max;
  if (!usable) return std::unexpected(KeyError::bad_exponent);
  return bits;
}

}  // namespace

std::optional<WrappedKey> open_public_key(std::string_view der) {
  Reader outer{der};
  Reader info = outer.enter(Tag::sequence);
  const std::optional<Algorithm> algorithm = read_algorithm(info);
  const std::string_view key = info.read_octets_of_bit_string();
  if (!algorithm || !info.complete() || !outer.complete()) return std::nullopt;
  return WrappedKey{*algorithm, key};
}

std::optional<WrappedKey> open_private_key(std::string_view der) {
  Reader outer{der};
  Reader info = outer.enter(Tag::sequence);
  const std::string_view version = info.read_unsigned();
  const std::optional<Algorithm> algorithm = read_algorithm(info);
  std::string_view key = info.read(Tag::octet_string);
  info.skip_optional(Tag::context_0);
  info.skip_optional(Tag::context_1_primitive);
  const bool known_version = version.empty() || version == "\x01"sv;
  if (!algorithm || !known_version || !info.complete() || !outer.complete()) return std::nullopt;

  if (algorithm == Algorithm::ed25519) {  // CurvePrivateKey ::= OCTET STRING
    Reader wrapped{key};
    key = wrapped.read(Tag::octet_string);
    if (!wrapped.complete()) return std::nullopt;
  }
  return WrappedKey{*algorithm, key};
}

Result<unsigned, KeyError> check_rsa_public(std::string_view der, const Limits& limits) {
  Reader outer{der};
  Reader key = outer.enter(Tag::sequence);
  const RsaPublicNumbers numbers{.modulus = key.read_unsigned(), .exponent = key.read_unsigned()};
  if (!key.complete() || !outer.complete()) return std::unexpected(KeyError::bad_der);
  return check(numbers, limits);
}

Result<unsigned, KeyError> check_rsa_private(std::string_view der, const Limits& limits) {
  Reader outer{der};
  Reader key = outer.enter(Tag::sequence);
  const bool two_primes = key.read_unsigned().empty();  // version 0
  const RsaPublicNumbers numbers{.modulus = key.read_unsigned(), .exponent = key.read_unsigned()};
  bool plausible = two_primes;
  constexpr int secret_numbers = 6;  // d, p, q, dp, dq, qi
  for (int i = 0; i < secret_numbers; ++i) {
    const std::string_view secret = key.read_unsigned();
    plausible = plausible && !secret.empty() && secret.size() <= numbers.modulus.size();
  }
  if (!plausible || !key.complete() || !outer.complete()) {
    return std::unexpected(KeyError::bad_der);
  }
  return check(numbers, limits);
}

bool is_ec_private(std::string_view der) {
  Reader outer{der};
  Reader key = outer.enter(Tag::sequence);
  const bool version_1 = key.read_unsigned() == "\x01"sv;
  const std::string_view secret = key.read(Tag::octet_string);
  return version_1 && !secret.empty() && !key.failed();
}

}  // namespace countersign::crypto
