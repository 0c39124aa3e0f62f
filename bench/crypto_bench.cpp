// SPDX-License-Identifier: Apache-2.0
//
// Hashing, signing and verifying, each beside OpenSSL itself doing the same in the way that costs
// least ("bare") or in the way that comes first to mind ("naive"). A bare line holds one context
// for all rounds, which keys shared by threads cannot.
//
// Run with --benchmark_repetitions=9 --benchmark_report_aggregates_only=true and compare medians.

#include <benchmark/benchmark.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <array>
#include <cstddef>
#include <string>

#include "countersign/assert.hpp"
#include "countersign/crypto/digest.hpp"
#include "countersign/crypto/private_key.hpp"
#include "countersign/crypto/public_key.hpp"
#include "tests/support/der.hpp"

namespace countersign::crypto {
namespace {

const Limits limits;
const Sha256 digest = sha256("any text");

// The keys of a run: ours, and the same decoded by OpenSSL.

PrivateKey make_key(KeyType type, unsigned bits) {
  return PrivateKey::generate(type, bits, limits).value();
}

PublicKey decode(KeyType type, std::string_view octets) {
  return (type == KeyType::rsa ? PublicKey::parse_rsa(octets, limits)
                               : PublicKey::parse_ed25519(octets))
      .value();
}

EVP_PKEY* decode_with_d2i_pubkey(std::string_view info) {
  const auto* next = reinterpret_cast<const unsigned char*>(info.data());
  return d2i_PUBKEY(nullptr, &next, static_cast<long>(info.size()));
}

EVP_PKEY* private_for_openssl(const PrivateKey& key) {
  const std::string pem = key.to_pem();
  BIO* text = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
  EVP_PKEY* decoded = PEM_read_bio_PrivateKey(text, nullptr, nullptr, nullptr);
  BIO_free(text);
  return decoded;
}

EVP_PKEY_CTX* begin_rsa(EVP_PKEY* key, int (*begin)(EVP_PKEY_CTX*)) {
  EVP_PKEY_CTX* context = EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr);
  COUNTERSIGN_ASSERT(begin(context) == 1);
  COUNTERSIGN_ASSERT(EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1);
  COUNTERSIGN_ASSERT(EVP_PKEY_CTX_set_signature_md(context, EVP_sha256()) == 1);
  return context;
}

bool verify_with(EVP_PKEY_CTX* context, std::string_view signature) {
  return EVP_PKEY_verify(context, reinterpret_cast<const unsigned char*>(signature.data()),
                         signature.size(), digest.data(), digest.size()) == 1;
}

void sha256_ours(benchmark::State& state) {
  const std::string text(static_cast<std::size_t>(state.range(0)), 'x');
  Digest running;
  for (auto _ : state) {
    running.update(text);
    benchmark::DoNotOptimize(running.finish());
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}

void sha256_bare(benchmark::State& state) {
  const std::string text(static_cast<std::size_t>(state.range(0)), 'x');
  EVP_MD* sha256_method = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  Sha256 result;
  for (auto _ : state) {
    EVP_DigestInit_ex2(context, sha256_method, nullptr);
    EVP_DigestUpdate(context, text.data(), text.size());
    EVP_DigestFinal_ex(context, result.data(), nullptr);
    benchmark::DoNotOptimize(result);
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
  EVP_MD_CTX_free(context);
  EVP_MD_free(sha256_method);
}

// What a header's short pieces cost: the digest of 64 octets that come 16 at a time, newly begun.
void sha256_short_ours(benchmark::State& state) {
  for (auto _ : state) {
    Digest running;
    for (int piece = 0; piece < 4; ++piece) running.update("sixteen octets..");
    benchmark::DoNotOptimize(running.finish());
  }
}

BENCHMARK(sha256_bare)->Arg(64)->Arg(2'048)->Arg(65'536);
BENCHMARK(sha256_ours)->Arg(64)->Arg(2'048)->Arg(65'536);
BENCHMARK(sha256_short_ours);

void sign_rsa_bare(benchmark::State& state) {
  EVP_PKEY* key =
      private_for_openssl(make_key(KeyType::rsa, static_cast<unsigned>(state.range(0))));
  EVP_PKEY_CTX* context = begin_rsa(key, EVP_PKEY_sign_init);
  std::array<unsigned char, 1'024> signature;
  for (auto _ : state) {
    std::size_t size = signature.size();
    EVP_PKEY_sign(context, signature.data(), &size, digest.data(), digest.size());
    benchmark::DoNotOptimize(signature);
  }
  EVP_PKEY_CTX_free(context);
  EVP_PKEY_free(key);
}

void sign_rsa_ours(benchmark::State& state) {
  const PrivateKey key = make_key(KeyType::rsa, static_cast<unsigned>(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(key.sign(digest));
}

void sign_ed25519_bare(benchmark::State& state) {
  EVP_PKEY* key = private_for_openssl(make_key(KeyType::ed25519, 0));
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  EVP_DigestSignInit(context, nullptr, nullptr, nullptr, key);
  std::array<unsigned char, 64> signature;
  for (auto _ : state) {
    std::size_t size = signature.size();
    EVP_DigestSign(context, signature.data(), &size, digest.data(), digest.size());
    benchmark::DoNotOptimize(signature);
  }
  EVP_MD_CTX_free(context);
  EVP_PKEY_free(key);
}

void sign_ed25519_ours(benchmark::State& state) {
  const PrivateKey key = make_key(KeyType::ed25519, 0);
  for (auto _ : state) benchmark::DoNotOptimize(key.sign(digest));
}

BENCHMARK(sign_rsa_bare)->Arg(1'024)->Arg(2'048);
BENCHMARK(sign_rsa_ours)->Arg(1'024)->Arg(2'048);
BENCHMARK(sign_ed25519_bare);
BENCHMARK(sign_ed25519_ours);

// One key shared by several threads, as a daemon's workers do.
void sign_rsa_shared(benchmark::State& state) {
  static const PrivateKey key = make_key(KeyType::rsa, 2'048);
  for (auto _ : state) benchmark::DoNotOptimize(key.sign(digest));
}
BENCHMARK(sign_rsa_shared)->Threads(1)->Threads(2)->Threads(4)->UseRealTime();

void verify_rsa_bare(benchmark::State& state) {
  const PrivateKey key = make_key(KeyType::rsa, static_cast<unsigned>(state.range(0)));
  const std::string signature = key.sign(digest);
  EVP_PKEY* decoded = decode_with_d2i_pubkey(key.public_octets());
  EVP_PKEY_CTX* context = begin_rsa(decoded, EVP_PKEY_verify_init);
  for (auto _ : state) COUNTERSIGN_ASSERT(verify_with(context, signature));
  EVP_PKEY_CTX_free(context);
  EVP_PKEY_free(decoded);
}

void verify_rsa_ours(benchmark::State& state) {
  const PrivateKey key = make_key(KeyType::rsa, static_cast<unsigned>(state.range(0)));
  const std::string signature = key.sign(digest);
  const PublicKey half = decode(KeyType::rsa, key.public_octets());
  for (auto _ : state) COUNTERSIGN_ASSERT(half.verify(digest, signature));
}

void decode_and_verify_rsa_naive(benchmark::State& state) {
  const PrivateKey key = make_key(KeyType::rsa, static_cast<unsigned>(state.range(0)));
  const std::string signature = key.sign(digest);
  const std::string info = key.public_octets();
  for (auto _ : state) {
    EVP_PKEY* decoded = decode_with_d2i_pubkey(info);
    EVP_PKEY_CTX* context = begin_rsa(decoded, EVP_PKEY_verify_init);
    COUNTERSIGN_ASSERT(verify_with(context, signature));
    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(decoded);
  }
}

void decode_and_verify_rsa_ours(benchmark::State& state) {
  const PrivateKey key = make_key(KeyType::rsa, static_cast<unsigned>(state.range(0)));
  const std::string signature = key.sign(digest);
  const std::string info = key.public_octets();
  for (auto _ : state) {
    COUNTERSIGN_ASSERT(decode(KeyType::rsa, info).verify(digest, signature));
  }
}

void verify_ed25519_ours(benchmark::State& state) {
  const PrivateKey key = make_key(KeyType::ed25519, 0);
  const std::string signature = key.sign(digest);
  const PublicKey half = decode(KeyType::ed25519, key.public_octets());
  for (auto _ : state) COUNTERSIGN_ASSERT(half.verify(digest, signature));
}

// The dearest verification that a stranger may ask for: the longest modulus and exponent.
void verify_rsa_dearest(benchmark::State& state) {
  const std::string key =
      test::der_rsa_key(test::odd_number(limits.rsa_bits_max), test::odd_number(64));
  const std::string signature(limits.rsa_bits_max / 8, '\x01');
  for (auto _ : state) {
    benchmark::DoNotOptimize(decode(KeyType::rsa, key).verify(digest, signature));
  }
}

BENCHMARK(verify_rsa_bare)->Arg(1'024)->Arg(2'048);
BENCHMARK(verify_rsa_ours)->Arg(1'024)->Arg(2'048)->Arg(4'096);
BENCHMARK(decode_and_verify_rsa_naive)->Arg(1'024)->Arg(2'048);
BENCHMARK(decode_and_verify_rsa_ours)->Arg(1'024)->Arg(2'048);
BENCHMARK(verify_ed25519_ours);
BENCHMARK(verify_rsa_dearest);

}  // namespace
}  // namespace countersign::crypto
