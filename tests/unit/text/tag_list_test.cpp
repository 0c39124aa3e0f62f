// SPDX-License-Identifier: Apache-2.0
//
// Tag lists as RFC 6376 §3.2 has them, and the ways to get one wrong.

#include "countersign/text/tag_list.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "countersign/text/abnf.hpp"
#include "tests/support/exact.hpp"

namespace countersign::text {
namespace {

using Code = TagListErrorCode;

// The tags of a list as "name=value|name=value|".
std::string ok(std::string_view octets, const Limits& limits = {}) {
  const auto text = test::exact(octets);
  const Result<TagList, TagListError> list = parse_tag_list(text.view(), limits);
  if (!list) return "offset " + std::to_string(list.error().offset) + ": failed";
  std::string shown;
  for (const Tag& tag : list->tags()) {
    EXPECT_EQ(text.view().substr(tag.value_offset, tag.value.size()), tag.value);
    shown += std::string(tag.name) + "=" + std::string(tag.value) + "|";
  }
  return shown;
}

void bad(std::string_view octets, Code code, std::size_t offset, const Limits& limits = {}) {
  const auto text = test::exact(octets);
  const Result<TagList, TagListError> list = parse_tag_list(text.view(), limits);
  ASSERT_FALSE(list) << octets;
  EXPECT_EQ(list.error(), (TagListError{code, offset})) << octets;
}

TEST(TagListParse, ReadsTheFormsInUse) {
  EXPECT_EQ(ok("v=DKIM1; k=rsa; p=MIGf"), "v=DKIM1|k=rsa|p=MIGf|");
  EXPECT_EQ(ok("v=DMARC1;p=none;"), "v=DMARC1|p=none|");
  EXPECT_EQ(ok("a=1"), "a=1|");
  EXPECT_EQ(ok("x_1Y=z"), "x_1Y=z|");
  EXPECT_EQ(ok("p="), "p=|");
  EXPECT_EQ(ok("p=;"), "p=|");
  EXPECT_EQ(ok("b=AA==; bh=BB="), "b=AA==|bh=BB=|") << "\"=\" is an octet of values";
  EXPECT_EQ(ok("A=1; a=2"), "A=1|a=2|") << "names are case-sensitive";
}

TEST(TagListParse, CutsSpaceAroundAndKeepsItInside) {
  EXPECT_EQ(ok(" \t v = 1 ; \r\n\tb\r\n = \r\n A B\r\n\tC \r\n ; "), "v=1|b=A B\r\n\tC|");
  EXPECT_EQ(ok("h=from : to :\n\tsubject"), "h=from : to :\n\tsubject|");
  EXPECT_EQ(ok("p= \t "), "p=|");
}

TEST(TagListParse, RefusesASeparatorWithoutATagBeforeIt) {
  EXPECT_EQ(ok(""), "");
  EXPECT_EQ(ok(" \r\n "), "");
  EXPECT_EQ(ok("a=1;"), "a=1|");
  EXPECT_EQ(ok("a=1 ;\r\n "), "a=1|");
  bad(";", Code::empty_tag, 0);
  bad(" ; a=1", Code::empty_tag, 1);
  bad("a=1;; b=2", Code::empty_tag, 4);
  bad("a=1 ;\r\n\t; b=2", Code::empty_tag, 8);
  bad("a=1;;", Code::empty_tag, 4);
}

TEST(TagListParse, ReadsTheSignatureOfTheRfc) {
  // Laid out as the example of RFC 6376 §3.5.
  EXPECT_EQ(ok(" v=1; a=rsa-sha256; d=example.net; s=brisbane;\r\n"
               "   c=simple; q=dns/txt; i=@eng.example.net;\r\n"
               "   t=1117574938; x=1118006938;\r\n"
               "   h=from:to:subject:date;\r\n"
               "   z=From:foo@eng.example.net|To:joe@example.com|\r\n"
               "     Subject:demo=20run|Date:July=205,=202005=203:44:08=20PM=20-0700;\r\n"
               "   bh=MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTI=;\r\n"
               "   b=dzdVyOfAKCdLXdJOc9G2q8LoXSlEniSbav+yuU4zGeeruD00lszZ\r\n"
               "     VoG4ZHRNiYzR"),
            "v=1|a=rsa-sha256|d=example.net|s=brisbane|c=simple|q=dns/txt|i=@eng.example.net|"
            "t=1117574938|x=1118006938|h=from:to:subject:date|"
            "z=From:foo@eng.example.net|To:joe@example.com|\r\n"
            "     Subject:demo=20run|Date:July=205,=202005=203:44:08=20PM=20-0700|"
            "bh=MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTI=|"
            "b=dzdVyOfAKCdLXdJOc9G2q8LoXSlEniSbav+yuU4zGeeruD00lszZ\r\n     VoG4ZHRNiYzR|");
}

TEST(TagListParse, WantsANameThatIsOne) {
  bad("=x", Code::missing_name, 0);
  bad("a=1; =x", Code::missing_name, 5);
  bad("1a=x", Code::bad_name, 0);
  bad("_a=x", Code::bad_name, 0);
  bad("a-b=x", Code::bad_name, 1);
  bad("a=1; \xC3\xBC=x", Code::bad_name, 5);
  bad("a\r=x", Code::missing_equals, 1);
  bad(std::string_view("a\0=x", 4), Code::bad_name, 1);
}

TEST(TagListParse, WantsAnEqualsSign) {
  bad("a", Code::missing_equals, 1);
  bad("a;", Code::missing_equals, 1);
  bad("a b=c", Code::missing_equals, 2);
  bad("v=1; none ", Code::missing_equals, 10);
}

TEST(TagListParse, KnowsWhichOctetsAValueHolds) {
  for (int octet = 0; octet < 256; ++octet) {
    const std::string text = {'a', '=', 'x', static_cast<char>(octet), 'y'};
    if (octet == ';') {
      bad(text, Code::missing_equals, 5);
    } else if (is_ctl(text[3]) && octet != '\t') {
      bad(text, Code::bad_value, 3);
    } else {
      EXPECT_EQ(ok(text), text + "|");
    }
  }
}

TEST(TagListParse, RefusesLineEndsThatAreNoFolds) {
  bad("a=x\r\nb=y", Code::bad_value, 3);
  bad("a=x\r\n", Code::bad_value, 3);
  bad("a=x; \r\nb=y", Code::bad_name, 5);
  bad("a=x\r y", Code::bad_value, 3);
}

TEST(TagListParse, RefusesAListThatSaysSomethingTwice) {
  bad("p=none; p=reject", Code::duplicate_tag, 8);
  bad("a=1;b=2; c=3;b=2", Code::duplicate_tag, 13);
  bad("v=DKIM1; p=; p=MIGf", Code::duplicate_tag, 13);
}

TEST(TagListParse, ReportsTheFirstErrorOfTheText) {
  bad("a=1; a=\x01; =", Code::bad_value, 7);
  bad("a-=1; b", Code::bad_name, 1);
}

TEST(TagListParse, CountsTags) {
  const Limits limits{.tags_max = 3};
  EXPECT_EQ(ok("a=;b=;c=;", limits), "a=|b=|c=|");
  bad("a=;b=; c=;d=", Code::too_many_tags, 10, limits);
}

TEST(TagListParse, GoesOverLongTextOnce) {
  const std::string spaces(1'000'000, ' ');
  EXPECT_EQ(ok("a=" + spaces + ";b=" + spaces + "x" + spaces), "a=|b=x|");
  bad(spaces + ";", Code::empty_tag, spaces.size());
}

TEST(TagListFind, GivesTheTagOrNothing) {
  const std::string text = "v=1; b = x y ;";
  const TagList list = parse_tag_list(text, {}).value();
  ASSERT_NE(list.find("b"), nullptr);
  EXPECT_EQ(list.find("b")->value, "x y");
  EXPECT_EQ(list.find("b")->value_offset, 9U);
  EXPECT_EQ(list.find("B"), nullptr);
  EXPECT_EQ(list.find(""), nullptr);
  EXPECT_EQ(TagList().find("v"), nullptr);
}

TEST(TagListError, SaysWhatIsWrongInOwnWords) {
  std::vector<std::string_view> sentences;
  for (const Code code : {Code::empty_tag, Code::missing_name, Code::missing_equals, Code::bad_name,
                          Code::bad_value, Code::duplicate_tag, Code::too_many_tags})
    sentences.push_back(to_string(code));
  EXPECT_THAT(sentences, testing::Each(testing::HasSubstr("RFC 6376 §3.2")));
  std::ranges::sort(sentences);
  EXPECT_EQ(std::ranges::adjacent_find(sentences), sentences.end());
}

}  // namespace
}  // namespace countersign::text
