// SPDX-License-Identifier: Apache-2.0
//
// Reading, making, writing and using private keys. Like public keys they are decoded right up to
// the prepared context of their algorithm. Every buffer that has held secret numbers is cleansed.

#include "countersign/crypto/private_key.hpp"

#include <openssl/crypto.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <cstddef>
#include <optional>
#include <utility>

#include "countersign/assert.hpp"
#include "countersign/crypto/key_format.hpp"
#include "countersign/crypto/openssl.hpp"

namespace countersign::crypto {
namespace {

// The signature over the digest; nothing if the numbers of the key are no key's.
std::optional<std::string> sign_rsa(const EvpKeyContext& prepared, const Sha256& digest) {
  const EvpKeyContext context = duplicate(prepared);
  const EVP_PKEY* key = EVP_PKEY_CTX_get0_pkey(context.get());
  std::string signature(static_cast<std::size_t>(EVP_PKEY_get_size(key)), '\0');
  std::size_t size = signature.size();
  const bool made = succeeded(
      EVP_PKEY_sign(context.get(), writable(signature), &size, digest.data(), digest.size()));
  if (!made || size != signature.size()) return std::nullopt;
  return signature;
}

std::string sign_ed25519(const EvpDigestContext& prepared, const Sha256& digest) {
  const EvpDigestContext context = duplicate(prepared);
  std::string signature(ed25519_signature_octets, '\0');
  std::size_t size = signature.size();
  COUNTERSIGN_ASSERT(
      EVP_DigestSign(context.get(), writable(signature), &size, digest.data(), digest.size()) == 1);
  return signature;
}

// What an encoder of OpenSSL's i2d family makes; its own buffer is cleansed.
std::string to_der(int (*encoder)(const EVP_PKEY*, unsigned char**), const EVP_PKEY* key) {
  unsigned char* der = nullptr;
  const int size = encoder(key, &der);
  COUNTERSIGN_ASSERT(size > 0);
  std::string octets(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));
  OPENSSL_clear_free(der, octets.size());
  return octets;
}

// Tells whether the key can sign what its public half verifies.
bool is_consistent(const EvpKey& key, const EvpKeyContext& signer, const Limits& limits) {
  const Sha256 trial = sha256("countersign");
  const std::optional<std::string> signature = sign_rsa(signer, trial);
  const auto counterpart = PublicKey::parse_rsa(to_der(i2d_PUBKEY, key.get()), limits);
  return signature && counterpart && counterpart->verify(trial, *signature);
}

// The parts of one PEM block.
struct PemBlock {
  char* label = nullptr;
  char* headers = nullptr;
  unsigned char* der = nullptr;
  long size = 0;

  PemBlock() = default;
  PemBlock(const PemBlock&) = delete;
  PemBlock& operator=(const PemBlock&) = delete;
  ~PemBlock() {
    OPENSSL_free(label);
    OPENSSL_free(headers);
    OPENSSL_clear_free(der, static_cast<std::size_t>(size));
  }

  // Reads the next block of the text. This function of OpenSSL's decrypts nothing, so it never
  // asks for a passphrase at the terminal.
  [[nodiscard]] bool read(BIO* text) {
    return succeeded(PEM_read_bio(text, &label, &headers, &der, &size));
  }
  [[nodiscard]] std::string_view octets() const {
    return {reinterpret_cast<const char*>(der), static_cast<std::size_t>(size)};
  }
};

// The key in the block, or why there is none; nothing if the block is not about a private key.
std::optional<Result<PrivateKey, KeyError>> read_block(const PemBlock& block,
                                                       const Limits& limits) {
  const std::string_view label = block.label;
  const std::string_view headers = block.headers;
  if (label == "PRIVATE KEY" || label == "RSA PRIVATE KEY") {
    // Of the headers of RFC 1421 only those of encryption are in use.
    if (!headers.empty()) return std::unexpected(KeyError::bad_pem);
    return PrivateKey::parse_der(block.octets(), limits);
  }
  if (label == "EC PRIVATE KEY" || label == "DSA PRIVATE KEY") {
    return std::unexpected(KeyError::unsupported_type);
  }
  if (label == "ENCRYPTED PRIVATE KEY") return std::unexpected(KeyError::bad_pem);
  return std::nullopt;
}

}  // namespace

// The key, to write it, and the prepared context of its algorithm; the other one is null. OpenSSL
// cleanses the numbers when it frees the key.
struct PrivateKey::Decoded {
  EvpKey key;
  EvpKeyContext rsa;
  EvpDigestContext ed25519;
};

PrivateKey::PrivateKey(std::shared_ptr<const Decoded> key, KeyType type, unsigned bits)
    : key_(std::move(key)), type_(type), bits_(bits) {}

Result<PrivateKey, KeyError> PrivateKey::parse_pem(std::string_view pem, const Limits& limits) {
  if (pem.size() > limits.private_key_bytes_max) return std::unexpected(KeyError::key_too_large);
  const Bio text{BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()))};
  if (!text) return std::unexpected(KeyError::bad_pem);  // No memory, or a null view.
  while (true) {
    PemBlock block;
    if (!block.read(text.get())) return std::unexpected(KeyError::bad_pem);
    if (std::optional<Result<PrivateKey, KeyError>> key = read_block(block, limits)) {
      return *std::move(key);
    }
  }
}

Result<PrivateKey, KeyError> PrivateKey::parse_der(std::string_view der, const Limits& limits) {
  if (der.size() > limits.private_key_bytes_max) return std::unexpected(KeyError::key_too_large);
  const std::optional<WrappedKey> wrapped = open_private_key(der);
  if (!wrapped) {
    if (is_ec_private(der)) return std::unexpected(KeyError::unsupported_type);
    return parse_rsa(der, limits);
  }
  switch (wrapped->algorithm) {
    case Algorithm::rsa:
      return parse_rsa(wrapped->octets, limits);
    case Algorithm::ed25519:
      return parse_ed25519_seed(wrapped->octets);
    case Algorithm::other:
      break;
  }
  return std::unexpected(KeyError::unsupported_type);
}

Result<PrivateKey, KeyError> PrivateKey::parse_rsa(std::string_view rsa_private_key,
                                                   const Limits& limits) {
  const Result<unsigned, KeyError> bits = check_rsa_private(rsa_private_key, limits);
  if (!bits) return std::unexpected(bits.error());
  if (*bits < limits.rsa_sign_bits_min) return std::unexpected(KeyError::key_too_small);

  const unsigned char* next = octets_of(rsa_private_key);
  EvpKey key{
      d2i_PrivateKey(EVP_PKEY_RSA, nullptr, &next, static_cast<long>(rsa_private_key.size()))};
  if (!succeeded(key != nullptr)) return std::unexpected(KeyError::bad_der);
  EvpKeyContext signer = prepare_rsa(key.get(), EVP_PKEY_sign_init);
  if (!signer) return std::unexpected(KeyError::bad_der);
  if (!is_consistent(key, signer, limits)) return std::unexpected(KeyError::inconsistent);
  return PrivateKey(std::make_shared<const Decoded>(std::move(key), std::move(signer), nullptr),
                    KeyType::rsa, *bits);
}

Result<PrivateKey, KeyError> PrivateKey::parse_ed25519_seed(std::string_view seed) {
  if (seed.size() != ed25519_key_octets) return std::unexpected(KeyError::bad_length);
  EvpKey key{EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, octets_of(seed), seed.size())};
  COUNTERSIGN_ASSERT(key != nullptr);  // Any 32 octets are a seed.
  EvpDigestContext signer = prepare_ed25519(key.get(), EVP_DigestSignInit);
  COUNTERSIGN_ASSERT(signer != nullptr);
  return PrivateKey(std::make_shared<const Decoded>(std::move(key), nullptr, std::move(signer)),
                    KeyType::ed25519, ed25519_bits);
}

Result<PrivateKey, KeyError> PrivateKey::generate(KeyType type, unsigned bits,
                                                  const Limits& limits) {
  const bool rsa = type == KeyType::rsa;
  if (rsa && bits < limits.rsa_sign_bits_min) return std::unexpected(KeyError::key_too_small);
  if (rsa && bits > limits.rsa_bits_max) return std::unexpected(KeyError::key_too_large);

  const EvpKey key{rsa ? EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", std::size_t{bits})
                       : EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")};
  COUNTERSIGN_ASSERT(key != nullptr);
  std::string der = to_der(i2d_PrivateKey, key.get());
  Result<PrivateKey, KeyError> made = parse_der(der, limits);
  OPENSSL_cleanse(der.data(), der.size());
  return made;
}

std::string PrivateKey::sign(const Sha256& digest) const {
  if (type_ == KeyType::ed25519) return sign_ed25519(key_->ed25519, digest);
  std::optional<std::string> signature = sign_rsa(key_->rsa, digest);
  COUNTERSIGN_ASSERT(signature.has_value());  // The key was tried when it was read.
  return *std::move(signature);
}

std::string PrivateKey::public_octets() const {
  if (type_ == KeyType::rsa) return to_der(i2d_PUBKEY, key_->key.get());
  std::string octets(ed25519_key_octets, '\0');
  std::size_t size = octets.size();
  COUNTERSIGN_ASSERT(EVP_PKEY_get_raw_public_key(key_->key.get(), writable(octets), &size) == 1);
  return octets;
}

std::string PrivateKey::to_pem() const {
  const auto write =
      type_ == KeyType::rsa ? PEM_write_bio_PrivateKey_traditional : PEM_write_bio_PrivateKey;
  const Bio text{BIO_new(BIO_s_mem())};  // It cleanses its memory when it is freed.
  COUNTERSIGN_ASSERT(
      text && write(text.get(), key_->key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1);
  std::string pem(BIO_ctrl_pending(text.get()), '\0');
  const int size = static_cast<int>(pem.size());
  COUNTERSIGN_ASSERT(BIO_read(text.get(), pem.data(), size) == size);
  return pem;
}

}  // namespace countersign::crypto
