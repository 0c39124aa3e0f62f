// SPDX-License-Identifier: Apache-2.0
//
// Hosts, domains, recipients, macros and header fields, from the entries of their data sets.

#include "service/config/lists.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/memory_files.hpp"

namespace countersign::service::config {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ListsTest : public ::testing::Test {
 protected:
  // A refile with these lines.
  DataSet lines(const std::string& text) {
    files.add("/list", text);
    return {.source = "refile:/list", .lines = {}, .place = {"conf", 1}};
  }

  std::vector<std::string> told() {
    std::vector<std::string> texts;
    for (const Problem& problem : problems.take_sorted()) texts.push_back(to_string(problem));
    return texts;
  }

  test::MemoryFiles files;
  Problems problems;
};

TEST_F(ListsTest, TrustedHostsOfTheTutorials) {
  const mailflow::HostList hosts =
      read_host_list(lines("127.0.0.1\nlocalhost\n192.168.0.0/16\n"), files, problems);
  EXPECT_THAT(told(), IsEmpty());
  EXPECT_EQ(hosts.match("localhost", std::nullopt), (Place{"/list", 2}));
  EXPECT_EQ(hosts.match("", IpAddress::parse("192.168.3.4")), (Place{"/list", 3}));
  EXPECT_FALSE(hosts.match("x.example", IpAddress::parse("192.0.2.1")));
}

TEST_F(ListsTest, EntriesThatOpenDkimMisreadsAreTold) {
  const mailflow::HostList hosts = read_host_list(
      lines("192.168.0.1/24\n*.example.org\n10.1/16\n172.16.*\n*\nwhat is this\n-?-\n"), files,
      problems);
  EXPECT_TRUE(hosts.match("", IpAddress::parse("192.168.0.9")));
  EXPECT_TRUE(hosts.match("mail.example.org", std::nullopt));
  EXPECT_TRUE(hosts.match("", IpAddress::parse("10.1.2.3")));
  EXPECT_TRUE(hosts.match("", IpAddress::parse("172.16.9.9")));
  EXPECT_FALSE(hosts.match("x.example", IpAddress::parse("192.0.2.1"))) << "'*' trusts nobody";
  EXPECT_THAT(told(), ElementsAre(HasSubstr("/list:1: warning: '192.168.0.1/24' is taken as"),
                                  HasSubstr("/list:2: warning: '*.example.org' is taken as"),
                                  HasSubstr("/list:3: warning: '10.1/16' is taken as"),
                                  HasSubstr("/list:4: warning: '172.16.*' is taken as"),
                                  HasSubstr("/list:5: warning: '*' is left out"),
                                  HasSubstr("/list:7: warning: '-?-' is neither")));
}

TEST_F(ListsTest, OneFileForTwoListsIsToldOnce) {
  const DataSet set = lines("*.example.org\n");
  (void)read_host_list(set, files, problems);
  (void)read_host_list(set, files, problems);
  EXPECT_EQ(told().size(), 1u);
}

TEST_F(ListsTest, Domains) {
  const mailflow::DomainSet some =
      read_domain_set({.source = "example.org,.example.net"}, files, problems);
  EXPECT_TRUE(some.contains(*DomainName::parse("example.org")));
  EXPECT_TRUE(some.contains(*DomainName::parse("a.example.net")));
  EXPECT_FALSE(some.contains(*DomainName::parse("a.example.org")));
  const mailflow::DomainSet all = read_domain_set({.source = "*"}, files, problems);
  EXPECT_TRUE(all.contains(*DomainName::parse("any.example")));
  EXPECT_THAT(told(), IsEmpty());
}

TEST_F(ListsTest, Recipients) {
  const mailflow::RecipientList recipients = read_recipients(
      lines("Joe@Example.org\nexample.net\n*.example.com\nlist-*@example.org\n"), files, problems);
  for (const char* listed :
       {"joe@example.org", "any@example.net", "any@a.example.com", "list-owner@example.org"})
    EXPECT_TRUE(recipients.contains(listed)) << listed;
  for (const char* other : {"ann@example.org", "any@a.example.net", "any@example.com"})
    EXPECT_FALSE(recipients.contains(other)) << other;
  EXPECT_THAT(told(), IsEmpty());

  EXPECT_TRUE(read_recipients(lines("(ann@example.org\n"), files, problems).empty());
  EXPECT_THAT(told(), ElementsAre(HasSubstr("/list:1: error: '(ann@example.org' is no pattern")));
}

TEST_F(ListsTest, Macros) {
  const auto rules =
      read_macros({.source = "daemon_name=ORIGINATING|SUBMIT,auth_type"}, files, problems);
  ASSERT_EQ(rules.size(), 2u);
  EXPECT_EQ(rules[0].name, "daemon_name");
  EXPECT_THAT(rules[0].values, ElementsAre("ORIGINATING", "SUBMIT"));
  EXPECT_EQ(rules[1].name, "auth_type");
  EXPECT_THAT(rules[1].values, IsEmpty());
  const auto from_file = read_macros(lines("daemon_name A|B\n"), files, problems);
  EXPECT_THAT(from_file.front().values, ElementsAre("A", "B"));
  const auto from_lines = read_macros({.source = "", .lines = {"x=A|B"}}, files, problems);
  EXPECT_EQ(from_lines.front().name, "x");
  EXPECT_THAT(from_lines.front().values, ElementsAre("A", "B"));
  const auto bars = read_macros({.source = "daemon_name|A|B,auth_type"}, files, problems);
  ASSERT_EQ(bars.size(), 2u) << "as dkimpy-milter writes it";
  EXPECT_EQ(bars[0].name, "daemon_name");
  EXPECT_THAT(bars[0].values, ElementsAre("A", "B"));
  EXPECT_THAT(told(), IsEmpty());
}

TEST_F(ListsTest, MacrosThatOpenDkimNeverFinds) {
  const auto braces = read_macros({.source = "{daemon_name}=A"}, files, problems);
  EXPECT_EQ(braces.front().name, "daemon_name");
  EXPECT_THAT(braces.front().values, ElementsAre("A"));
  const auto equals = read_macros(lines("verify=OK\n"), files, problems);
  EXPECT_EQ(equals.front().name, "verify");
  EXPECT_THAT(equals.front().values, ElementsAre("OK"));
  EXPECT_THAT(told(), ElementsAre(HasSubstr("'{daemon_name}' is taken as the macro 'daemon_name'"),
                                  HasSubstr("/list:1: warning: 'verify=OK' is taken as")));
}

// --- header fields; compared with the h= of opendkim -b s -t ---

class FieldsTest : public ListsTest {
 protected:
  dkim::FieldSelection select(FieldDefaults defaults, const std::string& signed_fields,
                              const std::string& omitted, const std::string& oversigned) {
    SigningSettings settings;
    settings.fields = defaults;
    settings.signed_fields.source = signed_fields;
    settings.omitted_fields.source = omitted;
    settings.oversigned_fields.source = oversigned;
    return read_field_selection(settings, files, problems);
  }
};

TEST_F(FieldsTest, DefaultsOfOpenDkim) {
  const dkim::FieldSelection fields = select(FieldDefaults::opendkim, "", "", "");
  EXPECT_THAT(fields.sign,
              ElementsAre("From", "Reply-To", "Subject", "Date", "To", "Cc", "Resent-Date",
                          "Resent-From", "Resent-Sender", "Resent-To", "Resent-Cc", "In-Reply-To",
                          "References", "List-Id", "List-Help", "List-Unsubscribe",
                          "List-Subscribe", "List-Post", "List-Owner", "List-Archive"));
  EXPECT_THAT(fields.omit, ElementsAre("Return-Path", "Received", "Comments", "Keywords", "Bcc",
                                       "Resent-Bcc", "DKIM-Signature"));
  EXPECT_THAT(fields.oversign, IsEmpty());
}

TEST_F(FieldsTest, OwnDefaultsOversign) {
  const dkim::FieldSelection fields = select(FieldDefaults::advised, "", "", "");
  EXPECT_EQ(fields.oversign, dkim::default_field_selection().oversign);
  EXPECT_EQ(fields.sign, dkim::default_field_selection().sign);
  EXPECT_THAT(select(FieldDefaults::advised, "", "", ".").oversign, IsEmpty());
}

TEST_F(FieldsTest, ListsReplaceOrChange) {
  EXPECT_THAT(select(FieldDefaults::opendkim, "From,X-Foo", "", "").sign,
              ElementsAre("From", "X-Foo"));
  const auto changed = select(FieldDefaults::opendkim, "*,+X-Foo,-cc", "", "").sign;
  EXPECT_EQ(changed.size(), 20u);
  EXPECT_EQ(changed.back(), "X-Foo");
  EXPECT_THAT(changed, ::testing::Not(::testing::Contains("Cc")));
  EXPECT_THAT(changed, ::testing::Not(::testing::Contains("*"))) << "dkim reads it as all fields";
  EXPECT_EQ(select(FieldDefaults::opendkim, "", "*,+Date", "").omit.size(), 8u);
  EXPECT_THAT(select(FieldDefaults::opendkim, "", ".", "").omit, IsEmpty());
  EXPECT_THAT(select(FieldDefaults::opendkim, "", "", "From,To,from").oversign,
              ElementsAre("From", "To"));
  EXPECT_THAT(told(), IsEmpty());
}

TEST_F(FieldsTest, NamesThatAreNoneAreTold) {
  EXPECT_THAT(select(FieldDefaults::opendkim, "", "", "To,From:,a b").oversign, ElementsAre("To"));
  EXPECT_THAT(told(), ElementsAre(HasSubstr("'From:' is no name"), HasSubstr("'a b' is no name")));
}

}  // namespace
}  // namespace countersign::service::config
