// SPDX-License-Identifier: Apache-2.0
//
// Tokens of RFC 5322 §3.2: what each reader gives, and where it stands when it gives nothing.

#include "countersign/text/cfws.hpp"

#include <gtest/gtest.h>

#include <string>

#include "tests/support/exact.hpp"

namespace countersign::text {
namespace {

constexpr Limits limits{.comment_depth_max = 3};

// What a reader of white space said, and where it then stood.
struct Skip {
  bool well_formed;
  std::size_t offset;
  friend bool operator==(const Skip&, const Skip&) = default;
};

Skip skip(std::string_view octets) {
  const auto text = test::exact(octets);
  Scanner scanner(text.view());
  const bool well_formed = skip_cfws(scanner, limits);
  return {well_formed, scanner.offset()};
}

TEST(Cfws, SkipsWhiteSpaceAndComments) {
  EXPECT_EQ(skip(""), (Skip{true, 0}));
  EXPECT_EQ(skip("a"), (Skip{true, 0}));
  EXPECT_EQ(skip(" \r\n\ta"), (Skip{true, 4}));
  EXPECT_EQ(skip("()a"), (Skip{true, 2}));
  EXPECT_EQ(skip(" (one)(two)\r\n (three) a"), (Skip{true, 22}));
  EXPECT_EQ(skip("(a (b (c)) d)x"), (Skip{true, 13}));
  EXPECT_EQ(skip("(\\) \\( \\\\ \\\")x"), (Skip{true, 13}));
  EXPECT_EQ(skip("(\"no quotes in comments)x"), (Skip{true, 24}));
  EXPECT_EQ(skip("(gr\xC3\xBC\xC3\x9F)x"), (Skip{true, 8}));
  EXPECT_EQ(skip("(folded\r\n here)x"), (Skip{true, 15}));
}

TEST(Cfws, StandsWhereACommentIsMalformed) {
  EXPECT_EQ(skip("("), (Skip{false, 1}));
  EXPECT_EQ(skip("(a (b)"), (Skip{false, 6}));
  EXPECT_EQ(skip("(a\\"), (Skip{false, 3}));
  EXPECT_EQ(skip(std::string_view("(a\0)", 4)), (Skip{false, 2}));
  EXPECT_EQ(skip("(a\x7F)"), (Skip{false, 2}));
  EXPECT_EQ(skip("(a\r\nb)"), (Skip{false, 2}));
  EXPECT_EQ(skip("(a\\\r\n b)"), (Skip{false, 3}));
  EXPECT_EQ(skip(") a"), (Skip{true, 0})) << "not white space, so left to the caller";
}

TEST(Cfws, BoundsTheDepthAndNotTheNumber) {
  EXPECT_EQ(skip("(((c)))"), (Skip{true, 7}));
  EXPECT_EQ(skip("((((d))))"), (Skip{false, 3}));
  EXPECT_EQ(skip("(((c)(c)))((b))"), (Skip{true, 15}));
  EXPECT_EQ(skip(std::string(100'000, '(')), (Skip{false, 3}));
}

TEST(Cfws, TakesNothingElseForAComment) {
  Scanner letter("a)");
  EXPECT_FALSE(skip_comment(letter, limits));
  EXPECT_EQ(letter.offset(), 0U);
  Scanner closing(")");
  EXPECT_FALSE(skip_comment(closing, limits));
  Scanner nothing("");
  EXPECT_FALSE(skip_comment(nothing, limits));
}

// A reader's result and where the scanner then stood, as "content|offset" or "-|offset".
template <class Reader>
std::string read(Reader reader, std::string_view octets) {
  const auto text = test::exact(octets);
  Scanner scanner(text.view());
  const auto token = reader(scanner);
  return (token ? std::string(*token) : "-") + "|" + std::to_string(scanner.offset());
}

TEST(CfwsAtom, EndsBeforeSpecialsAndSpace) {
  EXPECT_EQ(read(read_atom, "joe@x"), "joe|3");
  EXPECT_EQ(read(read_atom, "a.b"), "a|1");
  EXPECT_EQ(read(read_atom, "a b"), "a|1");
  EXPECT_EQ(read(read_atom, "gr\xC3\xBC\xC3\x9F,"), "gr\xC3\xBC\xC3\x9F|6");
  EXPECT_EQ(read(read_atom, ""), "-|0");
  EXPECT_EQ(read(read_atom, "(a"), "-|0");
}

TEST(CfwsDotAtom, HasNoEmptyPart) {
  EXPECT_EQ(read(read_dot_atom_text, "mail.example.org>"), "mail.example.org|16");
  EXPECT_EQ(read(read_dot_atom_text, "a"), "a|1");
  EXPECT_EQ(read(read_dot_atom_text, ".a"), "-|0");
  EXPECT_EQ(read(read_dot_atom_text, "a..b"), "-|2");
  EXPECT_EQ(read(read_dot_atom_text, "a."), "-|2");
  EXPECT_EQ(read(read_dot_atom_text, "a .b"), "a|1") << "white space is between tokens only";
}

TEST(CfwsQuotedString, GivesWhatItMeans) {
  EXPECT_EQ(read(read_quoted_string, "\"\"x"), "|2");
  EXPECT_EQ(read(read_quoted_string, "\"a b\""), "a b|5");
  EXPECT_EQ(read(read_quoted_string, "\"a\\\"b\\\\\\c\""), "a\"b\\c|10");
  EXPECT_EQ(read(read_quoted_string, "\"a@b (no comment) <c>\""), "a@b (no comment) <c>|22");
  EXPECT_EQ(read(read_quoted_string, "\"a\r\n\tb\""), "a\tb|7") << "the fold goes, its tab stays";
  EXPECT_EQ(read(read_quoted_string, "\"\xC3\xBC\""), "\xC3\xBC|4");
  EXPECT_EQ(read(read_quoted_string, "\"\\ \""), " |4");
}

TEST(CfwsQuotedString, StandsAtTheOctetAtFault) {
  EXPECT_EQ(read(read_quoted_string, ""), "-|0");
  EXPECT_EQ(read(read_quoted_string, "a"), "-|0");
  EXPECT_EQ(read(read_quoted_string, "\"a"), "-|2");
  EXPECT_EQ(read(read_quoted_string, "\"a\\"), "-|3");
  EXPECT_EQ(read(read_quoted_string, "\"a\\\""), "-|4") << "that quote was quoted";
  EXPECT_EQ(read(read_quoted_string, "\"a\r\nb\""), "-|2");
  EXPECT_EQ(read(read_quoted_string, "\"a\rb\""), "-|2");
  EXPECT_EQ(read(read_quoted_string, std::string_view("\"a\0b\"", 5)), "-|2");
  EXPECT_EQ(read(read_quoted_string, std::string_view("\"a\\\0b\"", 6)), "-|3") << "no obs-qp";
}

TEST(CfwsWord, IsAnAtomOrAQuotedString) {
  EXPECT_EQ(read(read_word, "John <"), "John|4");
  EXPECT_EQ(read(read_word, "\"John Q.\" <"), "John Q.|9");
  EXPECT_EQ(read(read_word, "<"), "-|0");
}

TEST(CfwsQuote, IsReadBackAsItWas) {
  for (int octet = 0; octet < 256; ++octet) {
    const std::string content = {'a', static_cast<char>(octet), 'b'};
    const std::optional<std::string> quoted = quote(content);
    if (is_ctl(content[1]) && octet != '\t') {
      EXPECT_FALSE(quoted) << "octet " << octet;
      continue;
    }
    ASSERT_TRUE(quoted) << "octet " << octet;
    Scanner scanner(*quoted);
    EXPECT_EQ(read_quoted_string(scanner), content);
    EXPECT_TRUE(scanner.at_end());
  }
  EXPECT_EQ(quote(""), "\"\"");
  EXPECT_EQ(quote("a\"b\\c"), "\"a\\\"b\\\\c\"");
}

}  // namespace
}  // namespace countersign::text
