// SPDX-License-Identifier: Apache-2.0
//
// The words and sentences of statuses and reasons: none missing, none twice.

#include "countersign/arc/verdict.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string_view>
#include <vector>

namespace countersign::arc {
namespace {

constexpr int reasons = static_cast<int>(Reason::key_unavailable) + 1;

// RFC 8617 §4.4 has these words and no others.
TEST(ChainStatus, IsTheWordOnTheWire) {
  EXPECT_EQ(to_string(ChainStatus::none), "none");
  EXPECT_EQ(to_string(ChainStatus::pass), "pass");
  EXPECT_EQ(to_string(ChainStatus::fail), "fail");
}

TEST(ArcReason, HasASentenceForEach) {
  std::vector<std::string_view> sentences;
  for (int number = 0; number < reasons; ++number) {
    const std::string_view sentence = to_string(static_cast<Reason>(number));
    EXPECT_NE(sentence, "unknown reason");
    EXPECT_TRUE(sentence == to_string(Reason::valid) || sentence.contains("RFC ")) << sentence;
    EXPECT_EQ(std::ranges::count(sentences, sentence), 0) << sentence;
    sentences.push_back(sentence);
  }
}

TEST(ArcReason, HasANameForEach) {
  std::vector<std::string_view> names;
  for (int number = 0; number < reasons; ++number) {
    const std::string_view name = name_of(static_cast<Reason>(number));
    EXPECT_NE(name, "unknown");
    EXPECT_EQ(std::ranges::count(names, name), 0) << name;
    names.push_back(name);
  }
  EXPECT_EQ(name_of(Reason::seal_failed), "seal_failed");
}

}  // namespace
}  // namespace countersign::arc
