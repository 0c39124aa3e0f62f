// SPDX-License-Identifier: Apache-2.0
//
// Decoding of public keys and verification. A key is decoded right up to the prepared context of
// its algorithm, so that verify() does nothing but arithmetic.

#include "countersign/crypto/public_key.hpp"

#include <optional>
#include <utility>

#include "countersign/crypto/key_format.hpp"
#include "countersign/crypto/openssl.hpp"

namespace countersign::crypto {
namespace {

// A context prepared to verify with an RSAPublicKey, or null. d2i_PublicKey takes 0.7 us where
// OpenSSL's decoder of a SubjectPublicKeyInfo takes 100.
EvpKeyContext decode_rsa(std::string_view rsa_public_key) {
  const unsigned char* next = octets_of(rsa_public_key);
  const EvpKey key{
      d2i_PublicKey(EVP_PKEY_RSA, nullptr, &next, static_cast<long>(rsa_public_key.size()))};
  if (!succeeded(key != nullptr)) return nullptr;
  return prepare_rsa(key.get(), EVP_PKEY_verify_init);
}

// A context prepared to verify with a raw Ed25519 key, or null.
EvpDigestContext decode_ed25519(std::string_view octets) {
  const EvpKey key{
      EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, octets_of(octets), octets.size())};
  if (!succeeded(key != nullptr)) return nullptr;
  return prepare_ed25519(key.get(), EVP_DigestVerifyInit);
}

// The RSAPublicKey inside the octets of p=, wrapped or bare.
Result<std::string_view, KeyError> unwrap_rsa(std::string_view der) {
  const std::optional<WrappedKey> wrapped = open_public_key(der);
  if (!wrapped) return der;
  switch (wrapped->algorithm) {
    case Algorithm::rsa:
      return wrapped->octets;
    case Algorithm::ed25519:
      return std::unexpected(KeyError::bad_der);  // k= says otherwise.
    case Algorithm::other:
      break;
  }
  return std::unexpected(KeyError::unsupported_type);
}

}  // namespace

// The prepared context of the key's algorithm; the other one is null. A context holds its key.
struct PublicKey::Decoded {
  EvpKeyContext rsa;
  EvpDigestContext ed25519;
};

PublicKey::PublicKey(std::shared_ptr<const Decoded> key, KeyType type, unsigned bits)
    : key_(std::move(key)), type_(type), bits_(bits) {}

Result<PublicKey, KeyError> PublicKey::parse_rsa(std::string_view der, const Limits& limits) {
  const Result<std::string_view, KeyError> bare = unwrap_rsa(der);
  if (!bare) return std::unexpected(bare.error());
  const Result<unsigned, KeyError> bits = check_rsa_public(*bare, limits);
  if (!bits) return std::unexpected(bits.error());

  EvpKeyContext verifier = decode_rsa(*bare);
  if (!verifier) return std::unexpected(KeyError::bad_der);
  return PublicKey(std::make_shared<const Decoded>(std::move(verifier), nullptr), KeyType::rsa,
                   *bits);
}

Result<PublicKey, KeyError> PublicKey::parse_ed25519(std::string_view octets) {
  if (octets.size() != ed25519_key_octets) return std::unexpected(KeyError::bad_length);
  EvpDigestContext verifier = decode_ed25519(octets);
  if (!verifier) return std::unexpected(KeyError::bad_der);
  return PublicKey(std::make_shared<const Decoded>(nullptr, std::move(verifier)), KeyType::ed25519,
                   ed25519_bits);
}

std::size_t PublicKey::octets() const {
  // OpenSSL does not tell; measured with mallinfo2() after a verification.
  if (type_ == KeyType::ed25519) return 1'040;
  return 1'800 + std::size_t{5} * (bits_ / 8);
}

bool PublicKey::verify(const Sha256& digest, std::string_view signature) const {
  if (type_ == KeyType::ed25519) {
    if (signature.size() != ed25519_signature_octets) return false;
    return succeeded(EVP_DigestVerify(duplicate(key_->ed25519).get(), octets_of(signature),
                                      signature.size(), digest.data(), digest.size()));
  }
  if (signature.size() != (bits_ + 7) / 8) return false;
  return succeeded(EVP_PKEY_verify(duplicate(key_->rsa).get(), octets_of(signature),
                                   signature.size(), digest.data(), digest.size()));
}

std::string_view to_string(KeyType type) {
  switch (type) {
    case KeyType::rsa:
      return "rsa";
    case KeyType::ed25519:
      return "ed25519";
  }
  return "";
}

std::string_view to_string(KeyError error) {
  switch (error) {
    case KeyError::bad_der:
      return "this is no DER encoding of such a key; publish or load it again (RFC 6376 §3.6.1)";
    case KeyError::bad_pem:
      return "there is no unencrypted PEM private key in the text; "
             "remove its passphrase or make a new key";
    case KeyError::bad_length:
      return "an Ed25519 key has 32 octets; publish the bare key, not the SubjectPublicKeyInfo "
             "(RFC 8463 §4.2)";
    case KeyError::key_too_small:
      return "the RSA key is too short to sign; make one of 2048 bits (RFC 8301 §3.2)";
    case KeyError::key_too_large:
      return "the RSA key is longer than we verify; publish one of 2048 to 4096 bits "
             "(RFC 8301 §3.2)";
    case KeyError::bad_exponent:
      return "the RSA public exponent is even, 1 or longer than 64 bits; make a new key";
    case KeyError::unsupported_type:
      return "the key is neither RSA nor Ed25519; DKIM has no other (RFC 8463 §4)";
    case KeyError::inconsistent:
      return "the numbers of the private key do not belong together; restore it or make a new one";
  }
  return "";
}

}  // namespace countersign::crypto
