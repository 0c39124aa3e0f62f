// SPDX-License-Identifier: Apache-2.0
//
// Every code point in UTF-8, and every form that is not UTF-8 though it looks so.

#include "countersign/text/utf8.hpp"

#include <gtest/gtest.h>

#include <string>

#include "tests/support/exact.hpp"
#include "tests/support/utf8.hpp"

namespace countersign::text {
namespace {

bool valid(std::string_view octets) { return is_utf8(test::exact(octets).view()); }

TEST(Utf8, DecodesEveryCodePoint) {
  for (char32_t point = 0; point <= 0x10FFFF; ++point) {
    if (point == 0xD800) point = 0xE000;  // Surrogates are no code points of text.
    const std::string octets = test::utf8(point) + "x";
    std::string_view rest = octets;
    ASSERT_EQ(take_code_point(rest), point);
    ASSERT_EQ(rest, "x");
  }
}

TEST(Utf8, LeavesMalformedTextAlone) {
  std::string_view text = "\xC3(";
  EXPECT_FALSE(take_code_point(text));
  EXPECT_EQ(text, "\xC3(");
  std::string_view nothing;
  EXPECT_FALSE(take_code_point(nothing));
}

TEST(Utf8, AcceptsWellFormedText) {
  EXPECT_TRUE(valid(""));
  EXPECT_TRUE(valid("plain"));
  EXPECT_TRUE(valid("gr\xC3\xBC\xC3\x9F \xE2\x82\xAC \xF0\x9F\x92\xA9"));
}

TEST(Utf8, RefusesOverlongForms) {
  EXPECT_FALSE(valid("\xC0\x80"));
  EXPECT_FALSE(valid("\xC0\xAE"));
  EXPECT_FALSE(valid("\xC1\xBF"));
  EXPECT_FALSE(valid("\xE0\x9F\xBF"));
  EXPECT_FALSE(valid("\xF0\x8F\xBF\xBF"));
}

TEST(Utf8, RefusesSurrogatesAndWhatLiesAboveUnicode) {
  EXPECT_FALSE(valid("\xED\xA0\x80"));
  EXPECT_FALSE(valid("\xED\xBF\xBF"));
  EXPECT_FALSE(valid("\xF4\x90\x80\x80"));
  EXPECT_FALSE(valid("\xF8\x88\x80\x80\x80"));
  EXPECT_FALSE(valid("\xFF"));
}

TEST(Utf8, RefusesBrokenSequences) {
  EXPECT_FALSE(valid("\x80"));
  EXPECT_FALSE(valid("a\xC3"));
  EXPECT_FALSE(valid("\xE2\x82"));
  EXPECT_FALSE(valid("\xE2\x28\xAC"));
  EXPECT_FALSE(valid("\xF0\x9F\x92"));
}

}  // namespace
}  // namespace countersign::text
