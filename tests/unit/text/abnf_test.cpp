// SPDX-License-Identifier: Apache-2.0
//
// Every class is compared with its ABNF, written out a second time as ranges of numbers, over all
// 256 octets.

#include "countersign/text/abnf.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace countersign::text {
namespace {

struct Range {
  int first;
  int last;
};

bool in_ranges(int octet, const std::vector<Range>& ranges) {
  for (const Range& range : ranges)
    if (range.first <= octet && octet <= range.last) return true;
  return false;
}

struct ClassCase {
  std::string name;
  const CharClass* tested;
  std::vector<Range> abnf;
};

class AbnfClass : public testing::TestWithParam<ClassCase> {};

TEST_P(AbnfClass, HoldsExactlyTheOctetsOfItsRule) {
  for (int octet = 0; octet < 256; ++octet)
    EXPECT_EQ((*GetParam().tested)(static_cast<char>(octet)), in_ranges(octet, GetParam().abnf))
        << "octet " << octet;
}

// clang-format off
const std::vector<ClassCase> all_classes = {
    {"alpha", &is_alpha, {{0x41, 0x5A}, {0x61, 0x7A}}},
    {"digit", &is_digit, {{0x30, 0x39}}},
    {"alnum", &is_alnum, {{0x30, 0x39}, {0x41, 0x5A}, {0x61, 0x7A}}},
    {"hex_digit", &is_hex_digit, {{0x30, 0x39}, {0x41, 0x46}, {0x61, 0x66}}},
    {"wsp", &is_wsp, {{0x20, 0x20}, {0x09, 0x09}}},
    {"fws", &is_fws, {{0x20, 0x20}, {0x09, 0x0A}, {0x0D, 0x0D}}},
    {"vchar", &is_vchar, {{0x21, 0x7E}}},
    {"ctl", &is_ctl, {{0x00, 0x1F}, {0x7F, 0x7F}}},
    {"eight_bit", &is_8bit, {{0x80, 0xFF}}},
    {"ftext", &is_ftext, {{33, 57}, {59, 126}}},
    {"special", &is_special,
     {{'(', ')'}, {'<', '<'}, {'>', '>'}, {'[', ']'}, {':', ';'}, {'@', '@'}, {',', ','},
      {'.', '.'}, {'"', '"'}}},
    {"ascii_atext", &is_ascii_atext,
     {{'a', 'z'}, {'A', 'Z'}, {'0', '9'}, {'!', '!'}, {'#', '\''}, {'*', '+'}, {'-', '-'},
      {'/', '/'}, {'=', '='}, {'?', '?'}, {'^', '`'}, {'{', '~'}}},
    {"atext", &is_atext,
     {{'a', 'z'}, {'A', 'Z'}, {'0', '9'}, {'!', '!'}, {'#', '\''}, {'*', '+'}, {'-', '-'},
      {'/', '/'}, {'=', '='}, {'?', '?'}, {'^', '`'}, {'{', '~'}, {0x80, 0xFF}}},
    {"dot_atom", &is_dot_atom,
     {{'a', 'z'}, {'A', 'Z'}, {'0', '9'}, {'!', '!'}, {'#', '\''}, {'*', '+'}, {'-', '/'},
      {'=', '='}, {'?', '?'}, {'^', '`'}, {'{', '~'}, {0x80, 0xFF}}},
    {"ctext", &is_ctext, {{33, 39}, {42, 91}, {93, 126}, {0x80, 0xFF}}},
    {"qtext", &is_qtext, {{33, 33}, {35, 91}, {93, 126}, {0x80, 0xFF}}},
    {"quotable", &is_quotable, {{0x09, 0x09}, {0x20, 0x7E}, {0x80, 0xFF}}},
    {"token", &is_token,
     {{'a', 'z'}, {'A', 'Z'}, {'0', '9'}, {'!', '!'}, {'#', '\''}, {'*', '+'}, {'-', '.'},
      {'^', '`'}, {'{', '~'}}},
    {"tag_name", &is_tag_name, {{'a', 'z'}, {'A', 'Z'}, {'0', '9'}, {'_', '_'}}},
    {"tag_value", &is_tag_value, {{0x21, 0x3A}, {0x3C, 0x7E}}},
    {"let_dig_hyphen", &is_let_dig_hyphen, {{'a', 'z'}, {'A', 'Z'}, {'0', '9'}, {'-', '-'}}},
    {"base64", &is_base64, {{'A', 'Z'}, {'a', 'z'}, {'0', '9'}, {'+', '+'}, {'/', '/'}}},
};
// clang-format on

INSTANTIATE_TEST_SUITE_P(All, AbnfClass, testing::ValuesIn(all_classes),
                         [](const auto& param_info) { return param_info.param.name; });

TEST(AbnfCharClass, JoinsAndSubtracts) {
  constexpr CharClass vowels("aeiou");
  static_assert((vowels | CharClass("y"))('y'));
  static_assert(!(vowels - CharClass("e"))('e'));
  static_assert((vowels - CharClass("e"))('a'));
  static_assert(CharClass::range(0xFF, 0xFF)('\xFF'));
  static_assert(!vowels('y'));
}

TEST(AbnfCharClass, AllOfAsksEveryOctet) {
  EXPECT_TRUE(is_digit.all_of("2026"));
  EXPECT_TRUE(is_digit.all_of(""));
  EXPECT_FALSE(is_digit.all_of("202x"));
  EXPECT_FALSE(is_digit.all_of("x026"));
}

TEST(AbnfCase, LowersLettersOfAsciiOnly) {
  for (int octet = 0; octet < 256; ++octet) {
    const bool upper = octet >= 'A' && octet <= 'Z';
    EXPECT_EQ(to_lower(static_cast<char>(octet)), static_cast<char>(upper ? octet + 32 : octet));
  }
  EXPECT_EQ(to_lower("DKIM-Signature \xC3\x9C"), "dkim-signature \xC3\x9C");
}

TEST(AbnfCase, ComparesWithoutCase) {
  EXPECT_TRUE(equal_ignoring_case("From", "fROM"));
  EXPECT_TRUE(equal_ignoring_case("", ""));
  EXPECT_FALSE(equal_ignoring_case("From", "Fro"));
  EXPECT_FALSE(equal_ignoring_case("From", "Form"));
  EXPECT_FALSE(equal_ignoring_case("[", "{")) << "32 apart, but no letters";
  EXPECT_FALSE(equal_ignoring_case("\xC3\x9C", "\xC3\xBC")) << "only ASCII has case here";
  EXPECT_TRUE(starts_with_ignoring_case("XN--abc", "xn--"));
  EXPECT_TRUE(starts_with_ignoring_case("abc", ""));
  EXPECT_FALSE(starts_with_ignoring_case("xn-", "xn--"));
}

TEST(AbnfTrim, CutsBothEndsAndNothingInside) {
  EXPECT_EQ(trim(" \t\r\n a b \r\n\t", is_fws), "a b");
  EXPECT_EQ(trim(" \t ", is_wsp), "");
  EXPECT_EQ(trim("", is_wsp), "");
  EXPECT_EQ(trim("\na\n", is_wsp), "\na\n");
}

}  // namespace
}  // namespace countersign::text
