// SPDX-License-Identifier: Apache-2.0
//
// The helpers around OpenSSL: a failure leaves no trace, and a duplicate leaves its template alone.

#include "countersign/crypto/openssl.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>

#include "countersign/crypto/digest.hpp"

namespace countersign::crypto {
namespace {

TEST(Openssl, ForgetsTheErrorsOfAFailure) {
  EXPECT_TRUE(succeeded(1));
  for (const int failure : {0, -1, -2}) {
    ERR_raise(ERR_LIB_USER, ERR_R_PASSED_INVALID_ARGUMENT);
    EXPECT_FALSE(succeeded(failure));
    EXPECT_EQ(ERR_peek_error(), 0U);
  }
}

TEST(Openssl, LooksSha256UpOnce) {
  EXPECT_EQ(evp_sha256(), evp_sha256());
  EXPECT_EQ(EVP_MD_get_size(evp_sha256()), 32);
}

TEST(Openssl, PreparesNothingWithAKeyOfAnotherType) {
  const EvpKey ed25519{EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")};
  EXPECT_EQ(prepare_rsa(ed25519.get(), EVP_PKEY_verify_init), nullptr);
  EXPECT_EQ(prepare_rsa(nullptr, EVP_PKEY_verify_init), nullptr);
  EXPECT_EQ(prepare_ed25519(nullptr, EVP_DigestVerifyInit), nullptr);
  EXPECT_EQ(ERR_peek_error(), 0U);
}

TEST(Openssl, DuplicatesWorkApartFromEachOther) {
  const EvpKey key{EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", std::size_t{1024})};
  const EvpKeyContext signer = prepare_rsa(key.get(), EVP_PKEY_sign_init);
  ASSERT_NE(signer, nullptr);
  const EvpKeyContext first = duplicate(signer);
  const EvpKeyContext second = duplicate(signer);
  ASSERT_NE(first.get(), second.get());

  const auto sign = [](const EvpKeyContext& context, std::string_view text) {
    const Sha256 digest = sha256(text);
    std::string signature(128, '\0');
    std::size_t size = signature.size();
    EXPECT_EQ(EVP_PKEY_sign(context.get(), writable(signature), &size, digest.data(), 32), 1);
    return signature;
  };
  const std::string one = sign(first, "one");
  EXPECT_NE(sign(second, "two"), one);
  EXPECT_EQ(sign(second, "one"), one);
  EXPECT_EQ(sign(duplicate(signer), "one"), one);
}

}  // namespace
}  // namespace countersign::crypto
