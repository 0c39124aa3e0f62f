// SPDX-License-Identifier: Apache-2.0
//
// Sentences for operators, and strangers' text in them.

#include "countersign/mailflow/explanation.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

namespace countersign::mailflow {
namespace {

TEST(Explanation, IsASentenceWithDetailAndPlace) {
  EXPECT_EQ(to_string({Reason::unknown_key, "k1", Place{"/etc/SigningTable", 3}}),
            "the SigningTable names a key that is not in the KeyTable: k1 (/etc/SigningTable:3)");
  EXPECT_EQ(to_string({Reason::signing_off, "", {}}), "the mode does not sign");
}

TEST(Explanation, EachReasonHasItsOwnSentence) {
  std::set<std::string> sentences;
  for (int i = 0; i <= static_cast<int>(Reason::too_many); ++i)
    sentences.insert(to_string({static_cast<Reason>(i), "", {}}));
  EXPECT_EQ(sentences.size(), static_cast<std::size_t>(Reason::too_many) + 1);
  EXPECT_FALSE(sentences.contains("unknown reason"));
}

TEST(Explanation, ShowsOnlyPrintableAsciiOfStrangersText) {
  for (int octet = 0; octet < 256; ++octet) {
    const char c = static_cast<char>(octet);
    const std::string text = to_string({Reason::peer, std::string(1, c), {}});
    EXPECT_EQ(text.back(), octet >= 0x20 && octet < 0x7F ? c : '?') << octet;
  }
}

TEST(Explanation, CutsLongText) {
  const std::string text = to_string({Reason::peer, std::string(100'000, 'x'), {}});
  EXPECT_LT(text.size(), 300U);
  EXPECT_THAT(text, testing::EndsWith("x..."));
}

}  // namespace
}  // namespace countersign::mailflow
