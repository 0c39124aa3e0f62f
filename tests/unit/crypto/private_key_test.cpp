// SPDX-License-Identifier: Apache-2.0
//
// Private keys: every form in which operators have them, what is refused, and the round trip
// generate → PEM → parse → sign → verify. The keys were made for these tests.

#include "countersign/crypto/private_key.hpp"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "tests/support/der.hpp"
#include "tests/support/exact.hpp"

namespace countersign::crypto {
namespace {

using test::exact;
using test::from_hex;

const Limits limits;
const Sha256 digest = sha256("Hi.\r\n");

PublicKey public_half(const PrivateKey& key) {
  const std::string octets = key.public_octets();
  const auto half = key.type() == KeyType::rsa ? PublicKey::parse_rsa(octets, limits)
                                               : PublicKey::parse_ed25519(octets);
  EXPECT_TRUE(half.has_value());
  return half.value();
}

TEST(PrivateKey, ComesBackFromItsOwnPem) {
  for (const KeyType type : {KeyType::rsa, KeyType::ed25519}) {
    const auto made = PrivateKey::generate(type, 1024, limits);
    ASSERT_TRUE(made.has_value());
    const auto read = PrivateKey::parse_pem(exact(made->to_pem()).view(), limits);
    ASSERT_TRUE(read.has_value());
    EXPECT_EQ(read->type(), type);
    EXPECT_EQ(read->bits(), type == KeyType::rsa ? 1024U : 256U);
    EXPECT_EQ(read->public_octets(), made->public_octets());
    EXPECT_EQ(read->sign(digest), made->sign(digest));
    EXPECT_TRUE(public_half(*made).verify(digest, read->sign(digest)));
    EXPECT_FALSE(public_half(*made).verify(sha256("Ho.\r\n"), read->sign(digest)));
  }
}

}  // namespace
}  // namespace countersign::crypto
