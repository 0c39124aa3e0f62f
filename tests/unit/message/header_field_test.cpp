// SPDX-License-Identifier: Apache-2.0
//
// Fields keep their octets, and names are found in every spelling that some reader takes for them.

#include "countersign/message/header_field.hpp"

#include <gtest/gtest.h>

#include <string>

#include "tests/support/exact.hpp"

namespace countersign {
namespace {

using std::string_literals::operator""s;

struct Cut {
  std::string raw;
  std::string name;
  std::string value;
};

class HeaderFieldCut : public testing::TestWithParam<Cut> {};

TEST_P(HeaderFieldCut, GivesNameAndValue) {
  const HeaderField field(GetParam().raw);
  EXPECT_EQ(field.raw(), GetParam().raw);
  EXPECT_EQ(field.name(), GetParam().name);
  EXPECT_EQ(field.value(), GetParam().value);
}

INSTANTIATE_TEST_SUITE_P(
    Spellings, HeaderFieldCut,
    testing::Values(Cut{"Subject: Hello\r\n world", "Subject", " Hello\r\n world"},
                    Cut{"Subject:Hello", "Subject", "Hello"}, Cut{"Subject:", "Subject", ""},
                    Cut{"Subject \t: x", "Subject", " x"}, Cut{"From\r\n : x", "From", " x"},
                    Cut{" From: x", " From", " x"}, Cut{"a b: x", "a b", " x"},
                    Cut{": x", "", " x"}, Cut{" : x", "", " x"}, Cut{"X: a:b", "X", " a:b"},
                    Cut{"no colon", "no colon", ""}, Cut{"no colon ", "no colon", ""},
                    Cut{"  ", "", ""}, Cut{"", "", ""}, Cut{"N\0l: \0"s, "N\0l"s, " \0"s}));

TEST(HeaderField, KnowsAStrayLine) {
  EXPECT_TRUE(HeaderField("a: b").has_colon());
  EXPECT_TRUE(HeaderField(":").has_colon());
  EXPECT_FALSE(HeaderField("a b").has_colon());
  EXPECT_FALSE(HeaderField("a ").has_colon());
  EXPECT_FALSE(HeaderField("").has_colon());
}

std::string from_parts(std::string_view name, std::string_view value) {
  const auto name_copy = test::exact(name);
  const auto value_copy = test::exact(value);
  return std::string(HeaderField::from_parts(name_copy.view(), value_copy.view()).raw());
}

TEST(HeaderField, KeepsTheLeadingSpaceThatThePeerKept) {
  EXPECT_EQ(from_parts("A", " b"), "A: b");
  EXPECT_EQ(from_parts("A", "b"), "A:b");
  EXPECT_EQ(from_parts("A", "\t b "), "A:\t b ");
  EXPECT_EQ(from_parts("A", ""), "A:");
  EXPECT_EQ(from_parts("A ", " b"), "A : b");
}

TEST(HeaderField, MakesLineEndsCrlf) {
  EXPECT_EQ(from_parts("A", " b\n c"), "A: b\r\n c");
  EXPECT_EQ(from_parts("A", " b\r\n c"), "A: b\r\n c");
  EXPECT_EQ(from_parts("A", " b\n c\r\n d\n\te"), "A: b\r\n c\r\n d\r\n\te");
  EXPECT_EQ(from_parts("A", "\n b"), "A:\r\n b");
  EXPECT_EQ(from_parts("A", "\n\n"), "A:\r\n\r\n");
  EXPECT_EQ(from_parts("A", "b\r\r\n c"), "A:b\r\r\n c");
}

TEST(HeaderField, KeepsALoneCarriageReturn) {
  EXPECT_EQ(from_parts("A", " b\rc\r"), "A: b\rc\r");
  EXPECT_EQ(from_parts("A", "\r"), "A:\r");
}

TEST(HeaderField, KeepsNulAndEightBitOctets) {
  EXPECT_EQ(from_parts("A", " \0\xff"s), "A: \0\xff"s);
}

TEST(HeaderField, CutsAPeersNameAtItsColon) {
  const HeaderField field = HeaderField::from_parts("From: x\r\nTo", " y");
  EXPECT_EQ(field.name(), "From");
  EXPECT_EQ(field.raw(), "From: x\r\nTo: y");
}

TEST(HeaderField, IsFoundInAnyCaseAndWithSpaceBeforeTheColon) {
  for (const char* raw : {"From: x", "from:x", "FROM: x", "fRoM \t: x", "From\r\n : x"})
    EXPECT_TRUE(HeaderField(raw).is("From")) << raw;
  for (const char* raw : {" From: x", "Fro: x", "Fromm: x", "F rom: x", ": x", "X-From: x"})
    EXPECT_FALSE(HeaderField(raw).is("From")) << raw;
}

TEST(HeaderField, NamesAreEqualWithoutRegardToCaseOfAsciiLettersAlone) {
  for (unsigned i = 0; i < 256; ++i) {
    for (unsigned j = 0; j < 256; ++j) {
      const unsigned low_i = i >= 'A' && i <= 'Z' ? i + 32 : i;
      const unsigned low_j = j >= 'A' && j <= 'Z' ? j + 32 : j;
      const std::string a(1, static_cast<char>(i));
      const std::string b(1, static_cast<char>(j));
      ASSERT_EQ(equal_names(a, b), low_i == low_j) << i << ' ' << j;
    }
  }
  EXPECT_TRUE(equal_names("", ""));
  EXPECT_FALSE(equal_names("From", "Fro"));
}

TEST(Header, CountsAndFindsFields) {
  const Header header = {HeaderField("To: 1"), HeaderField("from: 2"), HeaderField("From : 3")};
  EXPECT_EQ(count_fields(header, "FROM"), 2U);
  EXPECT_EQ(count_fields(header, "Subject"), 0U);
  EXPECT_EQ(find_field(header, "From"), &header[1]);
  EXPECT_EQ(find_field(header, "Subject"), nullptr);
}

TEST(HeaderField, IsEqualToItsOctets) {
  EXPECT_EQ(HeaderField("A: b"), HeaderField::from_parts("A", " b"));
  EXPECT_NE(HeaderField("A: b"), HeaderField("A:b"));
}

}  // namespace
}  // namespace countersign
