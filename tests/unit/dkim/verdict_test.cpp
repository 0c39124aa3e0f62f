// SPDX-License-Identifier: Apache-2.0
//
// The words and sentences of results and reasons: none missing, none twice.

#include "countersign/dkim/verdict.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string_view>
#include <vector>

namespace countersign::dkim {
namespace {

// RFC 8601 §2.7.1 has these words and no others.
TEST(Result, IsTheWordOnTheWire) {
  std::vector<std::string_view> words;
  for (auto result = 0; result <= static_cast<int>(Result::permerror); ++result)
    words.push_back(to_string(static_cast<Result>(result)));
  EXPECT_EQ(words, (std::vector<std::string_view>{"none", "pass", "fail", "policy", "neutral",
                                                  "temperror", "permerror"}));
}

TEST(Reason, HasASentenceForEach) {
  std::vector<std::string_view> sentences;
  for (auto reason = 0; reason <= static_cast<int>(Reason::limit_exceeded); ++reason) {
    const std::string_view sentence = to_string(static_cast<Reason>(reason));
    EXPECT_NE(sentence, "unknown reason");
    EXPECT_TRUE(sentence == to_string(Reason::valid) || sentence.contains("RFC ")) << sentence;
    EXPECT_EQ(std::ranges::count(sentences, sentence), 0) << sentence;
    sentences.push_back(sentence);
  }
}

}  // namespace
}  // namespace countersign::dkim
