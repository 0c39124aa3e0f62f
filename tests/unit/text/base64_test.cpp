// SPDX-License-Identifier: Apache-2.0
//
// base64 both ways: the vectors of RFC 4648, folds at every place, and all octets.

#include "countersign/text/base64.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "countersign/text/abnf.hpp"
#include "tests/support/exact.hpp"

namespace countersign::text {
namespace {

using Code = Base64ErrorCode;

std::string ok(std::string_view octets) {
  const auto text = test::exact(octets);
  const Result<std::string, Base64Error> decoded = decode_base64(text.view());
  return decoded ? *decoded : "failed at " + std::to_string(decoded.error().offset);
}

void bad(std::string_view octets, Code code, std::size_t offset) {
  const auto text = test::exact(octets);
  const Result<std::string, Base64Error> decoded = decode_base64(text.view());
  ASSERT_FALSE(decoded) << octets;
  EXPECT_EQ(decoded.error(), (Base64Error{code, offset})) << octets;
}

// Octets without a pattern, the same in every run.
std::string noise(std::size_t size) {
  std::string octets;
  for (std::uint32_t state = 1; octets.size() < size;) {
    state = state * 1'664'525 + 1'013'904'223;
    octets += static_cast<char>(state >> 24);
  }
  return octets;
}

TEST(Base64, AgreesWithTheVectorsOfTheRfc) {  // RFC 4648 §10
  const std::vector<std::pair<std::string, std::string>> vectors = {{"", ""},
                                                                    {"f", "Zg=="},
                                                                    {"fo", "Zm8="},
                                                                    {"foo", "Zm9v"},
                                                                    {"foob", "Zm9vYg=="},
                                                                    {"fooba", "Zm9vYmE="},
                                                                    {"foobar", "Zm9vYmFy"}};
  for (const auto& [octets, text] : vectors) {
    EXPECT_EQ(encode_base64(octets), text);
    EXPECT_EQ(ok(text), octets);
  }
}

TEST(Base64, GivesBackWhatWentIn) {
  for (std::size_t size = 0; size < 100; ++size) {
    const std::string octets = noise(size);
    EXPECT_EQ(ok(encode_base64(octets)), octets);
  }
  EXPECT_EQ(encode_base64("\xFB\xFF\xBF"), "+/+/");
}

TEST(Base64Decode, DropsFoldsWhereverTheyStand) {
  const std::string octets = noise(8);
  const std::string text = encode_base64(octets);
  for (std::size_t i = 0; i <= text.size(); ++i)
    for (const std::string_view fold : {" ", "\t", "\r\n\t", "\n ", " \r\n  "})
      EXPECT_EQ(ok(std::string(text).insert(i, fold)), octets);
  EXPECT_EQ(ok(" Z g = = "), "f");
  EXPECT_EQ(ok(" \r\n "), "");
}

TEST(Base64Decode, KnowsItsAlphabet) {
  for (int octet = 0; octet < 256; ++octet) {
    const char c = static_cast<char>(octet);
    const std::string text = {'A', 'A', c, 'A', 'A', 'A', 'A', 'A'};
    if (is_base64(c)) {
      EXPECT_EQ(encode_base64(ok(text)), text);
    } else if (is_fws(c)) {
      EXPECT_EQ(ok(text).size(), 5u);  // Seven digits.
    } else {
      bad(text, c == '=' ? Code::bad_padding : Code::bad_character, c == '=' ? 3 : 2);
    }
  }
}

TEST(Base64Decode, TakesAtMostThePaddingThatIsDue) {
  EXPECT_EQ(ok("Zg"), "f");
  EXPECT_EQ(ok("Zg="), "f");
  EXPECT_EQ(ok("Zg= "), "f");
  EXPECT_EQ(ok("Zm8"), "fo");
  bad("Zg===", Code::bad_padding, 4);
  bad("Zm8==", Code::bad_padding, 4);
  bad("Zm9v=", Code::bad_padding, 4);
  bad("=", Code::bad_padding, 0);
  bad("Zg==Zg==", Code::bad_padding, 4);
  bad("Zg=g", Code::bad_padding, 3);
}

TEST(Base64Decode, TellsALoneDigitAndForeignOctets) {
  bad("Z", Code::bad_length, 1);
  bad("Zm9vY", Code::bad_length, 5);
  bad("Zm9vY===", Code::bad_length, 5);
  bad("Zm9v-", Code::bad_character, 4);
  bad("Zg==;", Code::bad_character, 4);
  bad("Zg=_", Code::bad_character, 3);
  bad("Zm9v\xC3\xBC", Code::bad_character, 4);
}

TEST(Base64Decode, IgnoresTheUnusedBits) {
  EXPECT_EQ(ok("Zh=="), "f");
  EXPECT_EQ(ok("Zm9="), "fo");
}

TEST(Base64Error, SaysWhatIsWrong) {
  for (const Code code : {Code::bad_character, Code::bad_padding, Code::bad_length})
    EXPECT_THAT(std::string(to_string(code)), testing::HasSubstr("RFC 4648"));
}

}  // namespace
}  // namespace countersign::text
