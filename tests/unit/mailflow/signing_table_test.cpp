// SPDX-License-Identifier: Apache-2.0
//
// For whom we vouch: the order of both kinds of tables, and the lines that OpenDKIM takes and never
// matches.

#include "countersign/mailflow/signing_table.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/signing.hpp"

namespace countersign::mailflow {
namespace {

using test::name;
using test::signing_table;
using testing::ElementsAre;
using testing::IsEmpty;
using Kind = SigningTable::Kind;

/// The keys of the lines that match "user@host", in their order.
std::vector<std::string> keys(const SigningTable& table, std::string_view address,
                              bool first_only = false) {
  const std::size_t at = address.rfind('@');
  std::vector<std::string> names;
  for (const SigningEntry* entry :
       table.match(address.substr(0, at), name(address.substr(at + 1)), first_only))
    names.push_back(entry->key_name);
  return names;
}

// --- keyed tables --------------------------------------------------------------------------------

TEST(KeyedTable, AsksFromTheMostSpecific) {
  const SigningTable table =
      signing_table(Kind::keys, {"* any", "joe@* joe-any", ".com com", "joe@.com joe-com",
                                 ".example.com below", "joe@.example.com joe-below",
                                 "mail.example.com host", "joe@mail.example.com joe-host"});
  EXPECT_THAT(
      keys(table, "joe@mail.example.com"),
      ElementsAre("joe-host", "host", "joe-below", "below", "joe-com", "com", "joe-any", "any"));
  EXPECT_THAT(keys(table, "joe@mail.example.com", true), ElementsAre("joe-host"));
  EXPECT_THAT(keys(table, "ann@mail.example.com"), ElementsAre("host", "below", "com", "any"));
  EXPECT_THAT(keys(table, "ann@example.com"), ElementsAre("com", "any"));
  EXPECT_THAT(keys(table, "joe@example.net"), ElementsAre("joe-any", "any"));
  EXPECT_THAT(keys(table, "ann@example.net", true), ElementsAre("any"));
}

TEST(KeyedTable, ADomainDoesNotStandForThoseBelow) {
  const SigningTable table = signing_table(Kind::keys, {"example.com key"});
  EXPECT_THAT(keys(table, "a@example.com"), ElementsAre("key"));
  EXPECT_THAT(keys(table, "a@mail.example.com"), IsEmpty());
  EXPECT_THAT(keys(table, "a@badexample.com"), IsEmpty());
}

TEST(KeyedTable, ComparesWithoutRegardToCase) {
  const SigningTable table = signing_table(Kind::keys, {"Joe@Example.COM key"});
  EXPECT_THAT(keys(table, "joe@example.com"), ElementsAre("key"));
  EXPECT_THAT(keys(table, "JOE@EXAMPLE.com"), ElementsAre("key"));
}

TEST(KeyedTable, ARepeatedKeyCountsEachTime) {
  const SigningTable table = signing_table(Kind::keys, {"example.com rsa", "example.com ed25519"});
  EXPECT_THAT(keys(table, "a@example.com"), ElementsAre("rsa", "ed25519"));
  EXPECT_THAT(keys(table, "a@example.com", true), ElementsAre("rsa"));
}

TEST(KeyedTable, TakesStarsForWhatTheyMean) {
  const SigningTable table = signing_table(
      Kind::keys, {"*@example.com all", "*.example.net below", "*@*.example.org low"});
  EXPECT_THAT(keys(table, "a@example.com"), ElementsAre("all"));
  EXPECT_THAT(keys(table, "a@mail.example.net"), ElementsAre("below"));
  EXPECT_THAT(keys(table, "a@example.net"), IsEmpty());
  EXPECT_THAT(keys(table, "a@mail.example.org"), ElementsAre("low"));
  EXPECT_THAT(keys(signing_table(Kind::keys, {"*@* all"}), "a@b.example"), ElementsAre("all"));
}

TEST(KeyedTable, AnExpressionIsNoneHere) {
  const SigningTable table = signing_table(Kind::keys, {"a{b}|c@example.com key"});
  EXPECT_THAT(keys(table, "a{b}|c@example.com"), ElementsAre("key"));
  EXPECT_THAT(keys(table, "c@example.com"), IsEmpty());
}

TEST(KeyedTable, ComparesInternationalDomainsAsALabels) {
  for (const Kind kind : {Kind::keys, Kind::patterns}) {
    const SigningTable table =
        signing_table(kind, {"*@bücher.example u", "a@XN--BCHER-KVA.example a"});
    EXPECT_THAT(keys(table, "b@xn--bcher-kva.example"), ElementsAre("u"));
    EXPECT_THAT(keys(table, "b@BÜCHER.example"), ElementsAre("u"));
    EXPECT_THAT(keys(table, "a@bücher.example").size(), 2);
  }
}

// --- tables of patterns --------------------------------------------------------------------------

TEST(PatternTable, GoesByItsLines) {
  const SigningTable table = signing_table(
      Kind::patterns, {"joe@example.com joe", "*@example.com all", "j*@example.com j",
                       "*@*.com com", "* any", "joe@* joe-any", "[j]oe@example.com re"});
  EXPECT_THAT(keys(table, "joe@example.com"),
              ElementsAre("joe", "all", "j", "com", "any", "joe-any", "re"));
  EXPECT_THAT(keys(table, "joe@example.com", true), ElementsAre("joe"));
  EXPECT_THAT(keys(table, "joe@mail.example.com"), ElementsAre("com", "any", "joe-any"));
  EXPECT_THAT(keys(table, "ann@example.net", true), ElementsAre("any"));
}

TEST(PatternTable, TheFirstLineWinsWhateverItsForm) {
  EXPECT_THAT(
      keys(signing_table(Kind::patterns, {"* any", "joe@a.example joe"}), "joe@a.example", true),
      ElementsAre("any"));
  EXPECT_THAT(keys(signing_table(Kind::patterns, {"j*@a.example j", "joe@a.example joe"}),
                   "joe@a.example", true),
              ElementsAre("j"));
  EXPECT_THAT(keys(signing_table(Kind::patterns, {"joe@a.example joe", "j*@a.example j"}),
                   "joe@a.example", true),
              ElementsAre("joe"));
}

TEST(PatternTable, StarsMeetDotsAndAts) {
  const SigningTable table = signing_table(
      Kind::patterns, {"*example.com suffix", "*.example.com below", "*@*mail*.example.net mail"});
  EXPECT_THAT(keys(table, "a@badexample.com"), ElementsAre("suffix"));
  EXPECT_THAT(keys(table, "a@example.com"), ElementsAre("suffix"));
  EXPECT_THAT(keys(table, "a@x.example.com"), ElementsAre("suffix", "below"));
  EXPECT_THAT(keys(table, "a@webmail1.example.net"), ElementsAre("mail"));
}

TEST(PatternTable, LinesWithoutAStarMeanWhatAKeyedTableReadsInThem) {
  const SigningTable table = signing_table(
      Kind::patterns, {"example.com domain", ".example.net below", "joe@.example.org joe"});
  EXPECT_THAT(keys(table, "a@example.com"), ElementsAre("domain"));
  EXPECT_THAT(keys(table, "a@mail.example.net"), ElementsAre("below"));
  EXPECT_THAT(keys(table, "joe@mail.example.org"), ElementsAre("joe"));
  EXPECT_THAT(keys(table, "ann@mail.example.org"), IsEmpty());
}

TEST(PatternTable, AnExpressionSeesDomainsInBothForms) {
  const SigningTable table =
      signing_table(Kind::patterns, {"[ab]@bücher.example u", "[ab]@xn--bcher-kva.example a"});
  EXPECT_THAT(keys(table, "a@xn--bcher-kva.example"), ElementsAre("u", "a"));
}

TEST(PatternTable, AQuotedLocalPartCannotBorrowADomain) {
  const SigningTable table = signing_table(Kind::patterns, {"*@example.com key", "joe@* joe"});
  EXPECT_THAT(keys(table, "x@example.com@evil.example"), IsEmpty());
  EXPECT_THAT(keys(table, "joe@x@evil.example"), IsEmpty());
}

// --- lines that are none -------------------------------------------------------------------------

void bad(Kind kind, std::string pattern, std::string key = "key") {
  SigningTable table(kind);
  const auto error = table.add({.pattern = std::move(pattern), .key_name = std::move(key)});
  EXPECT_TRUE(error);
  EXPECT_TRUE(table.entries().empty());
}

TEST(SigningTable, RefusesLinesThatCannotMatch) {
  bad(Kind::keys, "");
  bad(Kind::keys, "example.com", "");
  bad(Kind::keys, "joe@");
  bad(Kind::keys, "joe@exa mple.com");
  bad(Kind::keys, "j*e@example.com");
  bad(Kind::keys, "joe@*example.com");
  bad(Kind::keys, "joe@example..com");
  bad(Kind::keys, std::string(1'025, 'a'));
  bad(Kind::patterns, "", "key");
  bad(Kind::patterns, "*", "");
  bad(Kind::patterns, "joe@exa mple.com");
  bad(Kind::patterns, "joe@(example.com");
  bad(Kind::patterns, "(j)oe\\1@example.com");
  bad(Kind::patterns, std::string(1'025, '*'));
}

TEST(SigningTable, KeepsItsLinesInOrder) {
  const SigningTable table = signing_table(Kind::patterns, {"b@c.example k1", "* k2", "[a]@b k3"});
  ASSERT_EQ(table.entries().size(), 3U);
  EXPECT_EQ(table.entries()[2].pattern, "[a]@b");
  EXPECT_EQ(table.match("b", name("c.example"), true)[0]->place, (Place{"table", 1}));
}

TEST(SigningTable, ACopyIsATableOfItsOwn) {
  const SigningTable table = signing_table(Kind::patterns, {"[a]@* k1"});
  SigningTable copy(Kind::keys);
  copy = table;
  EXPECT_FALSE(copy.add({.pattern = "*", .key_name = "k2"}));
  EXPECT_THAT(keys(copy, "a@b.example"), ElementsAre("k1", "k2"));
  EXPECT_THAT(keys(table, "a@b.example"), ElementsAre("k1"));
}

TEST(SigningTable, LooksUpInLongTablesAtOnce) {
  SigningTable table(Kind::patterns);
  constexpr int lines = 100'000;
  for (int i = 0; i < lines; ++i)
    ASSERT_FALSE(table.add({.pattern = "*@d" + std::to_string(i) + ".example", .key_name = "k"}));

  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < lines; ++i)
    ASSERT_EQ(table.match("a", name("d" + std::to_string(i) + ".example"), true).size(), 1U);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds{10})
      << "a scan of the table would take hours";
}

// --- keys ----------------------------------------------------------------------------------------

TEST(KeyTable, NamesAreCaseSensitiveAndTheFirstStays) {
  KeyTable table;
  EXPECT_TRUE(table.add(test::key_entry("Key", "example.com", "s1")));
  EXPECT_TRUE(table.add(test::key_entry("key", "example.com", "s2")));
  EXPECT_FALSE(table.add(test::key_entry("key", "example.com", "s3")));
  EXPECT_EQ(table.find("key")->selector.text(), "s2");
  EXPECT_EQ(table.find("Key")->selector.text(), "s1");
  EXPECT_EQ(table.find("KEY"), nullptr);
  EXPECT_EQ(table.entries().size(), 2U);
}

}  // namespace
}  // namespace countersign::mailflow
