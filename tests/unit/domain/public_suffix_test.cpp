// SPDX-License-Identifier: Apache-2.0
//
// The public suffix list: rules, wildcards, exceptions, names in Unicode, and what is no list.

#include "countersign/domain/public_suffix.hpp"

#include <gtest/gtest.h>

#include <string>

#include "countersign/limits.hpp"
#include "tests/support/exact.hpp"

namespace countersign {
namespace {

constexpr std::string_view rules = R"(// a comment
// ===BEGIN ICANN DOMAINS===
com
uk
co.uk
*.ck
!www.ck
公司.cn
cn
*.kawasaki.jp
!city.kawasaki.jp
jp
// ===END ICANN DOMAINS===
// ===BEGIN PRIVATE DOMAINS===
github.io
io
*.compute.example
// ===END PRIVATE DOMAINS===
)";

std::string org_of(const PublicSuffixList& list, std::string_view name) {
  return list.org_domain(DomainName::parse(name).value()).text();
}

std::string org_of(std::string_view name) {
  static const auto list = PublicSuffixList::parse(test::exact(rules).view());
  return org_of(*list, name);
}

TEST(PublicSuffixList, TakesTheLongestRuleAndOneLabelMore) {
  EXPECT_EQ(org_of("example.com"), "example.com");
  EXPECT_EQ(org_of("a.mail.example.com"), "example.com");
  EXPECT_EQ(org_of("a.example.co.uk"), "example.co.uk");
  EXPECT_EQ(org_of("a.example.uk"), "example.uk");
}

TEST(PublicSuffixList, APublicSuffixIsItsOwn) {
  EXPECT_EQ(org_of("com"), "com");
  EXPECT_EQ(org_of("co.uk"), "co.uk");
  EXPECT_EQ(org_of("anything.ck"), "anything.ck");
}

TEST(PublicSuffixList, KnowsWildcardsAndExceptions) {
  EXPECT_EQ(org_of("shop.some.ck"), "shop.some.ck");
  EXPECT_EQ(org_of("a.b.shop.some.ck"), "shop.some.ck");
  EXPECT_EQ(org_of("www.ck"), "www.ck");
  EXPECT_EQ(org_of("a.b.www.ck"), "www.ck");
  EXPECT_EQ(org_of("a.city.kawasaki.jp"), "city.kawasaki.jp");
  EXPECT_EQ(org_of("a.b.c.kawasaki.jp"), "b.c.kawasaki.jp");
}

// What no rule matches is taken as if its last label were one.
TEST(PublicSuffixList, HasADefaultRule) {
  EXPECT_EQ(org_of("a.b.example.unlisted"), "example.unlisted");
  EXPECT_EQ(org_of("unlisted"), "unlisted");
}

TEST(PublicSuffixList, FindsNamesInUnicodeByTheirALabels) {
  EXPECT_EQ(org_of("a.beispiel.公司.cn"), "beispiel.xn--55qx5d.cn");
  EXPECT_EQ(org_of("a.beispiel.xn--55qx5d.cn"), "beispiel.xn--55qx5d.cn");
  EXPECT_EQ(org_of("a.b\xC3\xBC"
                   "cher.com"),
            "xn--bcher-kva.com");
}

// Customers of a hosting company are strangers to each other.
TEST(PublicSuffixList, CountsThePrivateSectionToo) {
  EXPECT_EQ(org_of("www.alice.github.io"), "alice.github.io");
  EXPECT_EQ(org_of("a.b.zone.compute.example"), "b.zone.compute.example");
}

TEST(PublicSuffixList, TakesNamesOfRecordsAndTheLongestNames) {
  EXPECT_EQ(org_of("_dmarc.example.com"), "example.com");
  std::string longest;
  while (longest.size() + 2 + 3 < 253) longest += "a.";
  longest += "com";
  EXPECT_EQ(org_of(longest), "a.com");
}

TEST(PublicSuffixList, RefusesWhatIsNoList) {
  EXPECT_EQ(PublicSuffixList::parse("").error(), PublicSuffixErrorCode::no_rules);
  EXPECT_EQ(PublicSuffixList::parse("// nothing\n\n").error(), PublicSuffixErrorCode::no_rules);
  const std::string octets(Limits{}.public_suffix_bytes_max + 1, '\n');
  EXPECT_EQ(PublicSuffixList::parse(octets).error(), PublicSuffixErrorCode::too_long);
  EXPECT_EQ(PublicSuffixList::parse(octets.substr(1)).error(), PublicSuffixErrorCode::no_rules);
  EXPECT_FALSE(to_string(PublicSuffixErrorCode::no_rules).empty());
  EXPECT_FALSE(to_string(PublicSuffixErrorCode::too_long).empty());
}

TEST(PublicSuffixList, CountsItsRulesAndIsCopied) {
  auto list = PublicSuffixList::parse("com\nco.uk\n");
  ASSERT_TRUE(list.has_value());
  EXPECT_EQ(list->rules(), 2U);
  const PublicSuffixList copy = *list;
  list = PublicSuffixList::parse("uk\n");
  EXPECT_EQ(org_of(copy, "a.b.co.uk"), "b.co.uk");
  EXPECT_EQ(org_of(*list, "a.b.co.uk"), "co.uk");
}

TEST(PublicSuffixList, ReadsTheLastLineWithoutItsEnd) {
  const auto list = PublicSuffixList::parse("com\nco.uk");
  ASSERT_TRUE(list.has_value());
  EXPECT_EQ(org_of(*list, "a.b.co.uk"), "b.co.uk");
}

TEST(PublicSuffixList, ComesWithTheLibrary) {
  const std::optional<PublicSuffixList> list = PublicSuffixList::built_in();
  ASSERT_TRUE(list.has_value());
  EXPECT_EQ(org_of(*list, "a.example.co.uk"), "example.co.uk");
  EXPECT_EQ(org_of(*list, "a.example.com"), "example.com");
}

}  // namespace
}  // namespace countersign
