// SPDX-License-Identifier: Apache-2.0
//
// Data sets: what their texts name, and the entries that are read. Outcomes for files and lists
// were compared with OpenDKIM 2.11 (opendkim -Q).

#include "service/config/data_set.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/memory_files.hpp"

namespace countersign::service::config {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;
using Kind = DataSource::Kind;

class DataSetTest : public ::testing::Test {
 protected:
  std::vector<std::string> read(const std::string& source) {
    return read_set({.source = source, .lines = {}, .place = {"conf", 7}});
  }

  std::vector<std::string> read_set(const DataSet& set) {
    Problems problems;
    const DataEntries read = read_data_set(set, files, problems);
    patterns = read.patterns;
    told.clear();
    for (const Problem& problem : problems.all()) told.push_back(to_string(problem));
    std::vector<std::string> entries;
    for (const DataEntry& entry : read.entries) {
      entries.push_back(entry.place.to_string() + " [" + entry.key + "] [" + entry.value + "]");
    }
    return entries;
  }

  test::MemoryFiles files;
  bool patterns = false;
  std::vector<std::string> told;
};

TEST(DataSource, PrefixEndsAtTheFirstColonBeforeAnyComma) {
  EXPECT_EQ(parse_data_source("file:/a:b"), (DataSource{Kind::file, "file", "/a:b"}));
  EXPECT_EQ(parse_data_source("REFILE:/a"), (DataSource{Kind::patterns, "refile", "/a"}));
  EXPECT_EQ(parse_data_source("csl:a,b"), (DataSource{Kind::list, "csl", "a,b"}));
  EXPECT_EQ(parse_data_source("mdb:/a"), (DataSource{Kind::lmdb, "mdb", "/a"}));
  EXPECT_EQ(parse_data_source("/a"), (DataSource{Kind::file, "", "/a"}));
  EXPECT_EQ(parse_data_source("/a:b"), (DataSource{Kind::file, "", "/a:b"}));
  EXPECT_EQ(parse_data_source("a,b:c"), (DataSource{Kind::list, "", "a,b:c"}));
  EXPECT_EQ(parse_data_source("a"), (DataSource{Kind::list, "", "a"}));
  EXPECT_EQ(parse_data_source(""), (DataSource{Kind::list, "", ""}));
  EXPECT_EQ(parse_data_source("x:y").kind, Kind::unknown);
}

TEST(DataSource, AddressesAreNoPrefix) {
  EXPECT_EQ(parse_data_source("::1,127.0.0.1"), (DataSource{Kind::list, "", "::1,127.0.0.1"}));
  EXPECT_EQ(parse_data_source("2001:db8::/32").kind, Kind::list);
  EXPECT_EQ(parse_data_source("[::1]").kind, Kind::list);
}

TEST(DataSource, WhatIsNotReadIsKnown) {
  for (const char* text :
       {"db:/a", "bdb:/a", "dsn:mysql://x", "ldap://x", "ldaps://x", "ldapi://x", "lua:/a",
        "memcache:x/y", "erlang:x", "socket:x", "repute:x", "/var/lib/x.db", "x.db"}) {
    EXPECT_EQ(parse_data_source(text).kind, Kind::refused) << text;
    EXPECT_FALSE(parse_data_source(text).rest.empty()) << text;
  }
}

TEST_F(DataSetTest, Files) {
  files.add("/t",
            "a.example  one:two:three\n"
            "  lead.example   x y  z # comment\n"
            "#c\n"
            "novalue\n"
            "cr.example v\r\n"
            "hash#x v\n"
            "\n"
            "last\tv");
  const auto expected = ElementsAre("/t:1 [a.example] [one:two:three]",
                                    "/t:2 [lead.example] [x y  z]", "/t:4 [novalue] []",
                                    "/t:5 [cr.example] [v]", "/t:6 [hash] []", "/t:8 [last] [v]");
  EXPECT_THAT(read("file:/t"), expected);
  EXPECT_FALSE(patterns);
  EXPECT_THAT(read("/t"), expected);
  EXPECT_THAT(read("refile:/t"), expected);
  EXPECT_TRUE(patterns);
  EXPECT_THAT(told, IsEmpty());
}

TEST_F(DataSetTest, Lists) {
  EXPECT_THAT(read("a , b = 2 ,c:d,,x=y=z"), ElementsAre("conf:7 [a] []", "conf:7 [b] [2]",
                                                         "conf:7 [c:d] []", "conf:7 [x] [y=z]"));
  EXPECT_THAT(read("csl:a"), ElementsAre("conf:7 [a] []"));
  EXPECT_THAT(read("csl:"), IsEmpty());
}

TEST_F(DataSetTest, LinesOfTheSettings) {
  EXPECT_THAT(read_set({.source = "", .lines = {"a b", " c ", ""}, .place = {"conf", 7}}),
              ElementsAre("conf:7 [a] [b]", "conf:7 [c] []"));
  EXPECT_TRUE(patterns);
}

TEST_F(DataSetTest, Lmdb) {
  files.add_lmdb("/m", {{"k", "d:s:/p"}, {"l", ""}});
  EXPECT_THAT(read("mdb:/m"), ElementsAre("/m [k] [d:s:/p]", "/m [l] []"));
  EXPECT_THAT(read("mdb:/n"), IsEmpty());
  EXPECT_THAT(told, ElementsAre("conf:7: fatal: cannot read /n: No such file or directory"));
}

TEST_F(DataSetTest, LongLinesAreWhole) {
  files.add("/t", "k d:s:" + std::string(1'500, 'A') + "\nl v\n");
  const std::vector<std::string> entries = read("/t");
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_EQ(entries[0].size(), std::string("/t:1 [k] [d:s:]").size() + 1'500);
  EXPECT_THAT(told, ElementsAre(StartsWith("/t:1: note: the line has 1506 octets")));
}

TEST_F(DataSetTest, WhatCannotBeReadIsFatalWithARemedy) {
  EXPECT_THAT(read("/none"), IsEmpty());
  EXPECT_THAT(told, ElementsAre("conf:7: fatal: cannot read /none: No such file or directory"));
  EXPECT_THAT(read("dsn:mysql://u@h/d"), IsEmpty());
  EXPECT_THAT(told, ElementsAre(AllOf(HasSubstr("fatal: data sets of type dsn: cannot be read"),
                                      HasSubstr("text file"))));
  EXPECT_THAT(read("flie:/x"), IsEmpty());
  EXPECT_THAT(told, ElementsAre(HasSubstr("'flie:' is no type of data set")));
}

TEST_F(DataSetTest, BinaryFilesGiveNoEntries) {
  files.add("/t", std::string("a\0b c\nd e\n", 10));
  EXPECT_THAT(read("/t"), ElementsAre("/t:2 [d] [e]"));
  EXPECT_THAT(told, ElementsAre(HasSubstr("NUL octet")));
}

}  // namespace
}  // namespace countersign::service::config
