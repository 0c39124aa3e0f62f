// SPDX-License-Identifier: Apache-2.0
//
// Patterns with "*": what they match, and that no text makes them slow.

#include "countersign/text/glob.hpp"

#include <gtest/gtest.h>

#include <string>

#include "tests/support/exact.hpp"

namespace countersign::text {
namespace {

bool matches(std::string_view glob, std::string_view text) {
  const auto glob_copy = test::exact(glob);
  const auto text_copy = test::exact(text);
  return glob_matches(glob_copy.view(), text_copy.view());
}

TEST(Glob, WithoutAStarIsTheTextItself) {
  EXPECT_TRUE(matches("", ""));
  EXPECT_TRUE(matches("abc", "abc"));
  EXPECT_FALSE(matches("abc", "ab"));
  EXPECT_FALSE(matches("abc", "abcd"));
  EXPECT_FALSE(matches("abc", "xabc"));
  EXPECT_FALSE(matches("", "a"));
  EXPECT_FALSE(matches("a", ""));
}

TEST(Glob, StarStandsForAnyOctetsOrNone) {
  EXPECT_TRUE(matches("*", ""));
  EXPECT_TRUE(matches("*", "anything"));
  EXPECT_TRUE(matches("List-*", "List-"));
  EXPECT_TRUE(matches("List-*", "List-Id"));
  EXPECT_FALSE(matches("List-*", "List"));
  EXPECT_TRUE(matches("*@example.org", "@example.org"));
  EXPECT_FALSE(matches("*@example.org", "a@example.org.net"));
  EXPECT_TRUE(matches("a*b*c", "abc"));
  EXPECT_TRUE(matches("a*b*c", "a.b.b.c.c"));
  EXPECT_FALSE(matches("a*b*c", "acb"));
  EXPECT_TRUE(matches("**a**", "bab"));
  EXPECT_TRUE(matches("*a*a", "aaa"));
  EXPECT_FALSE(matches("*a*a", "a"));
}

TEST(Glob, ComparesWithoutRegardToCase) {
  EXPECT_TRUE(matches("LIST-*", "list-ID"));
  EXPECT_TRUE(matches("x-*-Z", "X-\xc3\xbc-z"));
  EXPECT_FALSE(matches("\xc3\xbc", "\xc3\x9c"));
}

TEST(Glob, EveryOtherOctetStandsForItself) {
  for (unsigned octet = 0; octet < 256; ++octet) {
    const char c = static_cast<char>(octet);
    if (c == '*') continue;
    EXPECT_TRUE(matches(std::string(1, c), std::string(1, c))) << octet;
    EXPECT_FALSE(matches(std::string(1, c), c == '!' ? "?" : "!")) << octet;
  }
}

TEST(Glob, StaysFastWhateverTheText) {
  const std::string text(20'000, 'a');
  std::string glob;
  for (int i = 0; i < 50; ++i) glob += "*a";
  EXPECT_FALSE(matches(glob + "*b", text));
}

}  // namespace
}  // namespace countersign::text
