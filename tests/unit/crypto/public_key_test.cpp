// SPDX-License-Identifier: Apache-2.0
//
// Public keys as DNS publishes them: the examples of RFC 8463 §A.3, both structures of RSA
// keys, and every way in which octets are no key or no signature.

#include "countersign/crypto/public_key.hpp"

#include <gtest/gtest.h>
#include <openssl/err.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "tests/support/der.hpp"
#include "tests/support/exact.hpp"

namespace countersign::crypto {
namespace {

using test::der_public_key_info;
using test::der_rsa_algorithm;
using test::der_rsa_key;
using test::exact;
using test::from_hex;
using test::odd_number;

const Limits limits;

Sha256 digest_from(std::string_view hex) {
  Sha256 digest{};
  std::ranges::copy(from_hex(hex), digest.begin());
  return digest;
}

// RFC 8463 §A.3: the published keys, the digests of the two signed headers, the two b=.
const std::string ed25519_key =
    from_hex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
const Sha256 ed25519_digest =
    digest_from("48ce9a2c710ece1710ff156996b836a7f45470e43efe5643074d6e1690ed62e7");
const std::string ed25519_signature = from_hex(
    "fe00ab8a7a5c40ea087ee1cd4086eae29821f64c882b701051db7d39da907a14"
    "b084422e8380f5d41bac15addb4f7158e4eb14ed96e72842eaf9e5dda754350f");
const std::string rsa_modulus = from_hex(
    "e41e5390a014f3591886b3957a3693f789d63a5a4d3c6b9aa1751eb0cb96dd38"
    "a6f68cb42263f275e89622d10bf1fdbc98cc235bdd6f75cb716eb400837f3c10"
    "fc10bf7bff2e06c091fb2cf52f18fe3cbea51efa8c2ab337ac6e21b2d4f9423b"
    "c73bd3f3a316725582f305f3b611e0b7229dc6fb692bc8e4c8293fa5fcae30dd");
const Sha256 rsa_digest =
    digest_from("fed71e6d70fb123bb5c353adc42821b304b6b9d54fc867f304f7c61daaaa1111");
const std::string rsa_signature = from_hex(
    "178e5d5560df31b40318724595750d0761ca7db09e2d1ca10d7805a442fc1b0a"
    "6c45ed087888b13537b70e1095954ad28d5e01c1c55c385ebe145dd9a3d469a3"
    "5b4539e4bd98f6104e719d6921ac81e79f3ac936273740f8bd744de62df41803"
    "7d0359b4a74dd563bffca808a973fb39d1051382e315835c531650e0500363ef");

const std::string f4 = from_hex("010001");
const std::string bare_rsa_key = der_rsa_key(rsa_modulus, f4);
const std::string rsa_key_info = der_public_key_info(der_rsa_algorithm(), bare_rsa_key);

Result<PublicKey, KeyError> parse_rsa(std::string_view der) {
  return PublicKey::parse_rsa(exact(der).view(), limits);
}

/// The error of a text that is no RSA key.
KeyError bad(std::string_view der) {
  const auto key = parse_rsa(der);
  EXPECT_FALSE(key.has_value());
  EXPECT_EQ(ERR_peek_error(), 0U);
  return key.has_value() ? KeyError{} : key.error();
}

TEST(PublicKey, VerifiesTheRsaSignatureOfRfc8463) {
  for (const std::string& der : {rsa_key_info, bare_rsa_key}) {
    const auto key = parse_rsa(der);
    ASSERT_TRUE(key.has_value());
    EXPECT_EQ(key->type(), KeyType::rsa);
    EXPECT_EQ(key->bits(), 1024U);
    EXPECT_TRUE(key->verify(rsa_digest, exact(rsa_signature).view()));
    EXPECT_FALSE(key->verify(ed25519_digest, rsa_signature));
  }
}

TEST(PublicKey, VerifiesTheEd25519SignatureOfRfc8463) {
  const auto key = PublicKey::parse_ed25519(exact(ed25519_key).view());
  ASSERT_TRUE(key.has_value());
  EXPECT_EQ(key->type(), KeyType::ed25519);
  EXPECT_EQ(key->bits(), 256U);
  EXPECT_TRUE(key->verify(ed25519_digest, exact(ed25519_signature).view()));
  EXPECT_FALSE(key->verify(rsa_digest, ed25519_signature));
}

TEST(PublicKey, RefusesASignatureWithAnyOctetChanged) {
  const PublicKey rsa = parse_rsa(rsa_key_info).value();
  const PublicKey ed25519 = PublicKey::parse_ed25519(ed25519_key).value();
  for (std::size_t i = 0; i < rsa_signature.size(); ++i) {
    std::string changed = rsa_signature;
    changed[i] = static_cast<char>(changed[i] ^ 0x10);
    EXPECT_FALSE(rsa.verify(rsa_digest, changed)) << i;
  }
  for (std::size_t i = 0; i < ed25519_signature.size(); ++i) {
    std::string changed = ed25519_signature;
    changed[i] = static_cast<char>(changed[i] ^ 0x10);
    EXPECT_FALSE(ed25519.verify(ed25519_digest, changed)) << i;
  }
  EXPECT_EQ(ERR_peek_error(), 0U);
}

TEST(PublicKey, RefusesASignatureOfAnyOtherLength) {
  const PublicKey rsa = parse_rsa(rsa_key_info).value();
  const PublicKey ed25519 = PublicKey::parse_ed25519(ed25519_key).value();
  for (std::size_t size = 0; size < 300; ++size) {
    std::string resized_rsa = rsa_signature;
    std::string resized_ed25519 = ed25519_signature;
    resized_rsa.resize(size);
    resized_ed25519.resize(size);
    EXPECT_EQ(rsa.verify(rsa_digest, exact(resized_rsa).view()), size == 128) << size;
    EXPECT_EQ(ed25519.verify(ed25519_digest, exact(resized_ed25519).view()), size == 64) << size;
  }
  EXPECT_FALSE(rsa.verify(rsa_digest, std::string(1, '\0') + rsa_signature));
}

TEST(PublicKey, RefusesASignatureNotBelowTheModulus) {
  const PublicKey key = parse_rsa(rsa_key_info).value();
  EXPECT_FALSE(key.verify(rsa_digest, rsa_modulus));
  EXPECT_FALSE(key.verify(rsa_digest, std::string(128, '\xFF')));
  EXPECT_FALSE(key.verify(rsa_digest, std::string(128, '\0')));
}

TEST(PublicKey, RefusesAnRsaKeyCutOffAnywhere) {
  for (const std::string& der : {rsa_key_info, bare_rsa_key}) {
    for (std::size_t size = 0; size < der.size(); ++size) {
      EXPECT_EQ(bad(der.substr(0, size)), KeyError::bad_der) << size;
    }
  }
}

TEST(PublicKey, RefusesOctetsLeftOver) {
  EXPECT_EQ(bad(rsa_key_info + '\0'), KeyError::bad_der);
  EXPECT_EQ(bad(bare_rsa_key + '\0'), KeyError::bad_der);
  EXPECT_EQ(bad(der_public_key_info(der_rsa_algorithm(), bare_rsa_key + '\0')), KeyError::bad_der);
  EXPECT_EQ(bad('\0' + bare_rsa_key), KeyError::bad_der);
}

TEST(PublicKey, RefusesKeysOfOtherTypes) {
  const std::string ec = from_hex(
      "3059301306072a8648ce3d020106082a8648ce3d03010703420004c23cc486f494eaaefcca0fbd493581"
      "853945d588321e5cfd2b397b145db27e2e6c3fdd2b04328ccce538f85d04f2953073ab122395f10833e1"
      "fce9d9d5d825c0");
  const std::string pss_algorithm = from_hex("300b06092a864886f70d01010a");
  const std::string ed25519_algorithm = from_hex("300506032b6570");
  EXPECT_EQ(bad(ec), KeyError::unsupported_type);
  EXPECT_EQ(bad(der_public_key_info(pss_algorithm, bare_rsa_key)), KeyError::unsupported_type);
  EXPECT_EQ(bad(der_public_key_info(ed25519_algorithm, ed25519_key)), KeyError::bad_der);
  EXPECT_EQ(bad(ed25519_key), KeyError::bad_der);
  EXPECT_EQ(bad("v=DKIM1; p="), KeyError::bad_der);
}

TEST(PublicKey, S24SaysWhatIsWrongWithTheNumbers) {
  EXPECT_EQ(bad(der_rsa_key("", f4)), KeyError::bad_der);
  EXPECT_EQ(bad(test::der_sequence(test::der_element(0x02, rsa_modulus) + test::der_unsigned(f4))),
            KeyError::bad_der);  // Without its zero the modulus is negative.
  EXPECT_EQ(bad(der_rsa_key(rsa_modulus, "")), KeyError::bad_exponent);
  EXPECT_EQ(bad(der_rsa_key(rsa_modulus, "\x01")), KeyError::bad_exponent);
  EXPECT_EQ(bad(der_rsa_key(rsa_modulus, "\x04")), KeyError::bad_exponent);
  EXPECT_EQ(bad(der_rsa_key(rsa_modulus, odd_number(65))), KeyError::bad_exponent);
  EXPECT_EQ(bad(der_rsa_key(odd_number(16'384), f4)), KeyError::key_too_large);
}

TEST(PublicKey, DecodesModuliOfEveryLengthAllowed) {
  for (const unsigned bits : {1U, 7U, 8U, 17U, 511U, 512U, 1024U, 2048U, 4096U, 8191U, 8192U}) {
    for (const std::string& exponent : {std::string("\x03"), f4, odd_number(64)}) {
      const auto key = parse_rsa(der_rsa_key(odd_number(bits), exponent));
      ASSERT_TRUE(key.has_value()) << bits;
      EXPECT_EQ(key->bits(), bits);
      EXPECT_FALSE(key->verify(rsa_digest, std::string((bits + 7) / 8, '\x01')));
    }
  }
  EXPECT_EQ(ERR_peek_error(), 0U);
}

TEST(PublicKey, WantsThirtyTwoOctetsOfAnEd25519Key) {
  for (std::size_t size = 0; size < 70; ++size) {
    const std::string octets(size, '\x09');
    const auto key = PublicKey::parse_ed25519(exact(octets).view());
    EXPECT_EQ(key.has_value(), size == 32) << size;
    if (!key) {
      EXPECT_EQ(key.error(), KeyError::bad_length);
    }
  }
}

TEST(PublicKey, TakesAnEd25519KeyThatIsNoPointButVerifiesNothingWithIt) {
  const auto key = PublicKey::parse_ed25519(std::string(32, '\xFF'));
  ASSERT_TRUE(key.has_value());
  EXPECT_FALSE(key->verify(ed25519_digest, ed25519_signature));
  EXPECT_EQ(ERR_peek_error(), 0U);
}

TEST(PublicKey, IsSharedByThreads) {
  const PublicKey rsa = parse_rsa(rsa_key_info).value();
  const PublicKey ed25519 = PublicKey::parse_ed25519(ed25519_key).value();
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([rsa, ed25519] {
      for (int round = 0; round < 100; ++round) {
        EXPECT_TRUE(rsa.verify(rsa_digest, rsa_signature));
        EXPECT_FALSE(rsa.verify(ed25519_digest, rsa_signature));
        EXPECT_TRUE(ed25519.verify(ed25519_digest, ed25519_signature));
      }
    });
  }
}

TEST(KeyType, IsSpelledAsInDns) {
  EXPECT_EQ(to_string(KeyType::rsa), "rsa");
  EXPECT_EQ(to_string(KeyType::ed25519), "ed25519");
}

TEST(KeyError, HasASentenceForEach) {
  std::vector<std::string_view> sentences;
  for (int code = 0; code <= static_cast<int>(KeyError::inconsistent); ++code) {
    sentences.push_back(to_string(static_cast<KeyError>(code)));
    EXPECT_GT(sentences.back().size(), 20U) << code;
  }
  std::ranges::sort(sentences);
  EXPECT_EQ(std::ranges::adjacent_find(sentences), sentences.end());
}

}  // namespace
}  // namespace countersign::crypto
