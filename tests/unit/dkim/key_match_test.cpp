// SPDX-License-Identifier: Apache-2.0
//
// Key records against private keys: the right one, and each way to publish a wrong one.

#include "countersign/dkim/key_match.hpp"

#include <gtest/gtest.h>

namespace countersign::dkim {
namespace {

crypto::PrivateKey make_key(crypto::KeyType type) {
  return *crypto::PrivateKey::generate(type, 1'024, Limits());
}

KeyRecord record_of(const crypto::PrivateKey& key, std::vector<std::string> hashes = {}) {
  const std::string text = format_key_record({.type = key.type(),
                                              .public_octets = key.public_octets(),
                                              .hash_algorithms = std::move(hashes)});
  return *parse_key_record(text, Limits());
}

TEST(KeyMatch, RecordOfTheKey) {
  for (const crypto::KeyType type : {crypto::KeyType::rsa, crypto::KeyType::ed25519}) {
    const crypto::PrivateKey key = make_key(type);
    EXPECT_EQ(match_key(record_of(key), key), KeyMatch::matches);
    EXPECT_EQ(match_key(record_of(key, {"sha256"}), key), KeyMatch::matches);
  }
}

TEST(KeyMatch, RecordOfAnotherKey) {
  const crypto::PrivateKey rsa = make_key(crypto::KeyType::rsa);
  const crypto::PrivateKey ed25519 = make_key(crypto::KeyType::ed25519);
  EXPECT_EQ(match_key(record_of(rsa), make_key(crypto::KeyType::rsa)), KeyMatch::other_key);
  EXPECT_EQ(match_key(record_of(ed25519), make_key(crypto::KeyType::ed25519)), KeyMatch::other_key);
  EXPECT_EQ(match_key(record_of(rsa), ed25519), KeyMatch::other_type);
  EXPECT_EQ(match_key(record_of(ed25519), rsa), KeyMatch::other_type);
}

TEST(KeyMatch, RecordThatForbidsOurHash) {
  const crypto::PrivateKey key = make_key(crypto::KeyType::rsa);
  EXPECT_EQ(match_key(record_of(key, {"sha1"}), key), KeyMatch::hash_restricted);
}

TEST(KeyMatch, EverySentenceSaysWhatToDo) {
  for (const KeyMatch match :
       {KeyMatch::other_type, KeyMatch::other_key, KeyMatch::hash_restricted}) {
    EXPECT_NE(to_string(match).find("; "), std::string_view::npos);
  }
}

}  // namespace
}  // namespace countersign::dkim
