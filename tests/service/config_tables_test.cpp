// SPDX-License-Identifier: Apache-2.0
//
// KeyTable and SigningTable: every form of a line, and what is told about those that cannot be
// used.

#include "service/config/tables.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/keys.hpp"
#include "tests/support/memory_files.hpp"

namespace countersign::service::config {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;
using ::testing::UnorderedElementsAre;

TEST(KeyLine, Parts) {
  const auto parts = [](std::string_view value) {
    const KeyLine line = cut_key_line(value);
    return std::vector<std::string_view>{line.domain, line.selector, line.key, line.algorithm};
  };
  EXPECT_THAT(parts("d:s:/k"), ElementsAre("d", "s", "/k", ""));
  EXPECT_THAT(parts("d : s : /k "), ElementsAre("d", "s", "/k", ""));
  EXPECT_THAT(parts("%:s:/k/%"), ElementsAre("%", "s", "/k/%", ""));
  EXPECT_THAT(parts("d:s:/a:b"), ElementsAre("d", "s", "/a:b", ""));
  EXPECT_THAT(parts("d:s:/k:ed25519-sha256"), ElementsAre("d", "s", "/k", "ed25519-sha256"));
  EXPECT_THAT(parts("d:s:/k:RSA"), ElementsAre("d", "s", "/k", "RSA"));
  EXPECT_THAT(parts("d:s"), ElementsAre("d", "s", "", ""));
  EXPECT_THAT(parts("d"), ElementsAre("d", "", "", ""));
  EXPECT_THAT(parts(""), ElementsAre("", "", "", ""));
  EXPECT_THAT(parts("::"), ElementsAre("", "", "", ""));
}

TEST(KeyLine, Paths) {
  for (const char* path : {"/k", "./k", "../k", "/"}) EXPECT_TRUE(is_key_path(path)) << path;
  for (const char* key : {"", ".", "k", "MIIE", ".k", "-----BEGIN"}) {
    EXPECT_FALSE(is_key_path(key)) << key;
  }
}

class TablesTest : public ::testing::Test {
 protected:
  TablesTest() { files.add("/k/rsa", test::rsa_pem()).add("/k/ed", test::ed25519_pem()); }

  Tables read(const std::string& keys, const std::string& lines, bool patterns = true) {
    files.add("/kt", keys).add("/st", lines);
    SigningSettings settings;
    settings.key_table = {.source = "file:/kt", .lines = {}, .place = {"conf", 1}};
    settings.signing_table = {
        .source = patterns ? "refile:/st" : "/st", .lines = {}, .place = {"conf", 2}};
    KeyStore store({.user = accounts.current()}, files, accounts, problems);
    return read_tables(settings, files, store, problems);
  }

  std::vector<std::string> told() {
    std::vector<std::string> texts;
    for (const Problem& problem : problems.take_sorted()) texts.push_back(to_string(problem));
    return texts;
  }

  static std::vector<std::string> keys_for(const Tables& tables, const std::string& user,
                                           const std::string& domain) {
    std::vector<std::string> names;
    for (const auto* line : tables.lines.match(user, *DomainName::parse(domain), false)) {
      names.push_back(line->key_name);
    }
    return names;
  }

  test::MemoryFiles files;
  test::MemoryAccounts accounts;
  Problems problems;
};

TEST_F(TablesTest, TheClassicPair) {
  const Tables tables = read("mail._domainkey.example.org example.org:mail:/k/rsa\n",
                             "*@example.org mail._domainkey.example.org\n");
  EXPECT_THAT(told(), IsEmpty());
  const mailflow::KeyEntry* key = tables.keys.find("mail._domainkey.example.org");
  ASSERT_NE(key, nullptr);
  EXPECT_EQ(key->domain->text(), "example.org");
  EXPECT_EQ(key->selector.text(), "mail");
  EXPECT_EQ(key->place, (Place{"/kt", 1}));
  EXPECT_THAT(keys_for(tables, "joe", "example.org"), ElementsAre("mail._domainkey.example.org"));
  EXPECT_THAT(keys_for(tables, "joe", "example.net"), IsEmpty());
}

TEST_F(TablesTest, SignersStayAsWritten) {
  const Tables tables = read("k d.example:s:/k/rsa\n", "*@a.example k:@%\n*@b.example k:x@d\n");
  EXPECT_THAT(told(), IsEmpty());
  EXPECT_EQ(tables.lines.entries()[0].signer, "@%");
  EXPECT_EQ(tables.lines.entries()[1].signer, "x@d");
}

TEST_F(TablesTest, KeysOfTheTableItself) {
  std::string pem = test::rsa_pem();
  std::erase(pem, '\n');
  const Tables tables = read("k d.example:s:" + pem + "\n", "* k\n");
  EXPECT_NE(tables.keys.find("k"), nullptr);
  EXPECT_THAT(told(), ElementsAre(HasSubstr("note: the line has")));
}

TEST_F(TablesTest, InternationalDomainsBecomeALabels) {
  const Tables tables = read("k müller.example:s:/k/rsa\n", "*@müller.example k\n");
  EXPECT_EQ(tables.keys.find("k")->domain->text(), "xn--mller-kva.example");
  EXPECT_THAT(keys_for(tables, "joe", "xn--mller-kva.example"), ElementsAre("k"));
  EXPECT_THAT(told(), IsEmpty());
}

TEST_F(TablesTest, PercentInAPathWithADomainIsThatDomain) {
  files.add("/k/d.example/x", test::rsa_pem());
  const Tables tables = read("k d.example:s:/k/%/x\n", "* k\n");
  EXPECT_NE(tables.keys.find("k"), nullptr);
  EXPECT_THAT(told(), IsEmpty());
}

TEST_F(TablesTest, PercentInAPathWithoutADomainIsEveryDomainThatHasAFile) {
  for (const char* name : {"a.example", "B.example", "no file", "c.example"}) {
    files.add("/d/" + std::string(name) + "/" + name + ".key", test::rsa_pem());
  }
  files.add("/d/e.example/other", "x");
  const Tables tables = read("k %:s:/d/%/%.key\n", "* k\n");
  EXPECT_THAT(told(), IsEmpty());
  const auto& keys = std::get<1>(tables.keys.find("k")->key);
  std::vector<std::string> domains;
  for (const auto& [domain, key] : keys) domains.push_back(domain);
  EXPECT_THAT(domains, UnorderedElementsAre("a.example", "b.example", "c.example"));
}

TEST_F(TablesTest, PercentAsPartOfAName) {
  files.add("/d/mail.a.example.private", test::rsa_pem());
  const Tables tables = read("k %:s:/d/mail.%.private\n", "* k\n");
  EXPECT_TRUE(std::get<1>(tables.keys.find("k")->key).contains("a.example"));
  EXPECT_THAT(told(), IsEmpty());
}

TEST_F(TablesTest, PercentWithoutAnyFileIsTold) {
  (void)read("k %:s:/none/%\n", "* k\n");
  EXPECT_THAT(told(), ElementsAre(HasSubstr("/kt:1: error: cannot list /none/")));
  (void)read("k %:s:/k/%.pem\n", "* k\n");
  EXPECT_THAT(told(), ElementsAre("/kt:1: error: no file matches /k/%.pem"));
}

TEST_F(TablesTest, TheFourthFieldIsTakenAndCompared) {
  const Tables tables =
      read("a d.example:s:/k/rsa:rsa-sha256\nb d.example:t:/k/ed:rsa\n", "* a\n* b\n");
  EXPECT_NE(tables.keys.find("a"), nullptr);
  EXPECT_NE(tables.keys.find("b"), nullptr);
  EXPECT_THAT(told(), ElementsAre(HasSubstr("/kt:2: warning: the line says rsa, but the key is")));
}

TEST_F(TablesTest, BrokenKeyLinesAreToldAndTheRestSigns) {
  const Tables tables = read(
      "a\n"
      "b d.example:s\n"
      "c d..example:s:/k/rsa\n"
      "d d.example:a b:/k/rsa\n"
      "e d.example:s:/none\n"
      "f d.example:s:/k/rsa\n"
      "f d.example:t:/k/rsa\n",
      "* f\n");
  EXPECT_THAT(told(),
              ElementsAre(StartsWith("/kt:1: error: the line of key 'a' is incomplete"),
                          StartsWith("/kt:2: error: the line of key 'b' is incomplete"),
                          StartsWith("/kt:3: error: 'd..example' is no domain"),
                          StartsWith("/kt:4: error: 'a b' is no selector"),
                          StartsWith("/kt:5: error: cannot read the key /none"),
                          AllOf(StartsWith("/kt:7: warning: the key name 'f' is in use already"),
                                HasSubstr("/kt:6"))));
  EXPECT_EQ(tables.keys.entries().size(), 1u);
  EXPECT_EQ(tables.keys.find("f")->selector.text(), "s");
}

TEST_F(TablesTest, BrokenSigningLinesAreTold) {
  const Tables tables = read("k d.example:s:/k/rsa\n",
                             "*@a.example\n"
                             "*@b.example k:nobody\n"
                             "*@[ k\n"
                             "*@c.example K\n"
                             "*@d.example %\n");
  EXPECT_THAT(told(),
              ElementsAre(AllOf(StartsWith("/st:1: error: the line of '*@a.example' names no key"),
                                HasSubstr("write: *@a.example keyname")),
                          StartsWith("/st:2: warning: the signer 'nobody' is taken as '@nobody'"),
                          StartsWith("/st:3: error: "),
                          StartsWith("/st:4: error: the key 'K' is not in the KeyTable")));
  EXPECT_EQ(tables.lines.entries().size(), 3u) << "lines whose key is not there stay";
}

TEST_F(TablesTest, KeyedTablesGoByTheirKeys) {
  const Tables tables =
      read("a d.example:a:/k/rsa\nb d.example:b:/k/ed\n", "* a\nd.example b\nd.example a\n", false);
  EXPECT_THAT(keys_for(tables, "joe", "d.example"), ElementsAre("b", "a", "a"));
  EXPECT_THAT(keys_for(tables, "joe", "e.example"), ElementsAre("a"));
}

// --- the simple form ---

class DomainTablesTest : public TablesTest {
 protected:
  Tables make(std::vector<SigningDomain> domains) {
    KeyStore store({.user = accounts.current()}, files, accounts, problems);
    return make_tables(domains, store, problems);
  }

  static KeyReference key(const std::string& selector, const std::string& file) {
    return {selector, file, {"conf", 5}};
  }
};

TEST_F(DomainTablesTest, AnUnusableKeyLeavesTheOther) {
  const Tables tables =
      make({{"example.org", false, {key("a", "/none"), key("b", "/k/ed")}, {"conf", 4}}});
  EXPECT_THAT(keys_for(tables, "joe", "example.org"), ElementsAre("b._domainkey.example.org"));
  EXPECT_THAT(told(), ElementsAre(HasSubstr("conf:5: error: cannot read the key /none")));
}

TEST_F(DomainTablesTest, ADomainWithoutUsableKeysKeepsItsLine) {
  const Tables tables = make({{"example.org", true, {key("a", "/none")}, {"conf", 4}}});
  ASSERT_EQ(keys_for(tables, "joe", "example.org").size(), 1u);
  EXPECT_EQ(tables.keys.find(keys_for(tables, "joe", "x.example.org").at(0)), nullptr);
}

TEST_F(DomainTablesTest, Mistakes) {
  (void)make({{"a..b", false, {key("a", "/k/rsa")}, {"conf", 1}},
              {"example.org", false, {key("s", "/k/rsa"), key("s", "/k/ed")}, {"conf", 4}},
              {"example.net", false, {key("no way", "/k/rsa")}, {"conf", 6}}});
  EXPECT_THAT(told(), ElementsAre(HasSubstr("conf:1: fatal: 'a..b' is no domain"),
                                  HasSubstr("conf:5: fatal: s._domainkey.example.org is named "
                                            "twice"),
                                  HasSubstr("conf:5: fatal: 'no way' is no selector")));
}

}  // namespace
}  // namespace countersign::service::config
