// SPDX-License-Identifier: Apache-2.0
//
// Body hashes: the values that the RFCs print, what l= covers, and what several signatures share.

#include "countersign/dkim/body_hash.hpp"

#include <gtest/gtest.h>

#include <string>

#include "countersign/text/base64.hpp"
#include "tests/support/exact.hpp"

namespace countersign::dkim {
namespace {

using enum Canonicalization;

std::string text_of(const BodyHash& hash) {
  return text::encode_base64(crypto::as_octets(hash.digest));
}

BodyHash hash_of(std::string_view body, Canonicalization canonicalization,
                 std::optional<std::uint64_t> length = {}) {
  BodyHashes hashes;
  const std::size_t wish = hashes.want(canonicalization, length);
  hashes.update(test::exact(body).view());
  hashes.finish();
  return hashes.of(wish);
}

// RFC 6376 §3.4.3 and §3.4.4 print the hashes of the empty body.
TEST(BodyHash, IsThatOfTheRfcForTheEmptyBody) {
  EXPECT_EQ(text_of(hash_of("", simple)), "frcCV1k9oG9oKj3dpUqdJg1PxRT2RSN/XKdLCPjaYaY=");
  EXPECT_EQ(text_of(hash_of("", relaxed)), "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
  EXPECT_EQ(hash_of("", simple).octets_total, 2u);
  EXPECT_EQ(hash_of("", relaxed).octets_total, 0u);
}

// RFC 6376 §A.2: the message of the appendix.
TEST(BodyHash, IsThatOfTheRfcForItsExample) {
  EXPECT_EQ(
      text_of(hash_of("Hi.\r\n\r\nWe lost the game. Are you hungry yet?\r\n\r\nJoe.\r\n", simple)),
      "2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=");
}

TEST(BodyHash, CoversTheLengthAndCountsAll) {
  const BodyHash part = hash_of("one\r\ntwo\r\n\r\n", simple, 5);
  EXPECT_EQ(part.digest, crypto::sha256("one\r\n"));
  EXPECT_EQ(part.octets_hashed, 5u);
  EXPECT_EQ(part.octets_total, 10u);
  const BodyHash none = hash_of("one\r\n", relaxed, 0);
  EXPECT_EQ(none.digest, crypto::sha256(""));
  EXPECT_EQ(none.octets_total, 5u);
  const BodyHash more = hash_of("one\r\n", relaxed, 6);
  EXPECT_EQ(more.octets_hashed, 5u);
  EXPECT_EQ(more.digest, crypto::sha256("one\r\n"));
}

TEST(BodyHash, CountsCanonicalOctets) {
  const BodyHash hash = hash_of("a \t b  \r\n\r\n", relaxed, 3);
  EXPECT_EQ(hash.digest, crypto::sha256("a b"));
  EXPECT_EQ(hash.octets_total, 5u);
}

TEST(BodyHashes, ShareEqualWishes) {
  BodyHashes hashes;
  const std::size_t first = hashes.want(relaxed);
  EXPECT_EQ(hashes.want(relaxed), first);
  EXPECT_NE(hashes.want(simple), first);
  EXPECT_NE(hashes.want(relaxed, 0), first);
  EXPECT_NE(hashes.want(relaxed, 4), hashes.want(relaxed, 5));
  EXPECT_EQ(hashes.want(relaxed, 4), hashes.want(relaxed, 4));
}

TEST(BodyHashes, MakeAllInOnePass) {
  BodyHashes hashes;
  const std::size_t whole_simple = hashes.want(simple);
  const std::size_t whole_relaxed = hashes.want(relaxed);
  const std::size_t part_relaxed = hashes.want(relaxed, 4);
  for (const std::string_view chunk : {"o", "ne  ", "two\r", "\n\r\n"}) hashes.update(chunk);
  hashes.finish();
  EXPECT_EQ(hashes.of(whole_simple).digest, crypto::sha256("one  two\r\n"));
  EXPECT_EQ(hashes.of(whole_relaxed).digest, crypto::sha256("one two\r\n"));
  EXPECT_EQ(hashes.of(part_relaxed).digest, crypto::sha256("one "));
}

TEST(BodyHashes, TakeABodyThatNobodyWants) {
  BodyHashes hashes;
  hashes.update("one\r\n");
  hashes.finish();
  EXPECT_DEATH((void)hashes.of(0), "impossible state");
}

}  // namespace
}  // namespace countersign::dkim
