// SPDX-License-Identifier: Apache-2.0
//
// SHA-256: the examples of FIPS 180-4, any split into chunks, and use after finish().

#include "countersign/crypto/digest.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "tests/support/der.hpp"
#include "tests/support/exact.hpp"

namespace countersign::crypto {
namespace {

using test::exact;
using test::from_hex;

std::string hash(std::string_view text) {
  const test::Exact copy = exact(text);
  return std::string(as_octets(sha256(copy.view())));
}

TEST(Digest, KnowsTheExamplesOfTheStandard) {
  EXPECT_EQ(hash(""), from_hex("e3b0c44298fc1c149afbf4c8996fb924"
                               "27ae41e4649b934ca495991b7852b855"));
  EXPECT_EQ(hash("abc"), from_hex("ba7816bf8f01cfea414140de5dae2223"
                                  "b00361a396177a9cb410ff61f20015ad"));
  EXPECT_EQ(hash("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            from_hex("248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"));
  EXPECT_EQ(hash(std::string(1'000'000, 'a')),
            from_hex("cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"));
}

TEST(Digest, DependsOnTheOctetsNotOnTheirSplit) {
  const std::string text("Any split of the body gives the same hash, also with \0 inside.", 62);
  const Sha256 whole = sha256(text);
  for (std::size_t first = 0; first <= text.size(); ++first) {
    Digest digest;
    digest.update(std::string_view(text).substr(0, first));
    digest.update("");
    digest.update(std::string_view(text).substr(first));
    EXPECT_EQ(digest.finish(), whole) << first;
  }
  Digest single_octets;
  for (const char c : text) single_octets.update({&c, 1});
  EXPECT_EQ(single_octets.finish(), whole);
}

TEST(Digest, IsAsNewAfterItsEnd) {
  Digest digest;
  digest.update("one message");
  EXPECT_EQ(digest.finish(), sha256("one message"));
  EXPECT_EQ(digest.finish(), sha256(""));
  digest.update("another");
  EXPECT_EQ(digest.finish(), sha256("another"));
}

TEST(Digest, MovesWithItsState) {
  Digest first;
  first.update("be");
  Digest second = std::move(first);
  second.update("gun");
  Digest third;
  third.update("something else");
  third = std::move(second);
  EXPECT_EQ(third.finish(), sha256("begun"));
}

TEST(Digest, TakesADefaultView) {
  Digest digest;
  digest.update(std::string_view());
  EXPECT_EQ(digest.finish(), sha256(std::string_view()));
}

TEST(Digest, HmacKnowsTheExamplesOfTheStandard) {
  const auto hmac = [](std::string_view key, std::string_view text) {
    return std::string(as_octets(hmac_sha256(key, text)));
  };
  // RFC 4231 §4.2, §4.3, §4.7
  EXPECT_EQ(hmac(std::string(20, '\x0b'), "Hi There"),
            from_hex("b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"));
  EXPECT_EQ(hmac("Jefe", "what do ya want for nothing?"),
            from_hex("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"));
  EXPECT_EQ(
      hmac(std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First"),
      from_hex("60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"));
  EXPECT_NE(hmac("", "x"), hmac("y", "x"));
}

}  // namespace
}  // namespace countersign::crypto
