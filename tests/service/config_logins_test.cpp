// SPDX-License-Identifier: Apache-2.0
//
// [signing.logins] from files to the policy: the table in each of its forms, the fallback, and what
// is told about mistakes.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "service/config/settings_table.hpp"
#include "service/config/snapshot.hpp"
#include "tests/support/configurations.hpp"
#include "tests/support/keys.hpp"

namespace countersign::service::config {
namespace {

using mailflow::MismatchAction;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

class LoginsTest : public ConfigurationTest {
 protected:
  LoginsTest() {
    files.add("/keys/rsa.pem", test::rsa_pem()).add("/keys/ed.pem", test::ed25519_pem());
  }

  /// The section, in settings that sign for example.org with one key and for host.example with two.
  Snapshot load_own(const std::string& section) {
    files.add("/etc/countersign.toml",
              "[daemon]\n"
              "sockets = [\"inet:8891@localhost\"]\n"
              "[[signing.domain]]\n"
              "name = \"example.org\"\n"
              "keys = [{ selector = \"mail\", file = \"/keys/rsa.pem\" }]\n"
              "[[signing.domain]]\n"
              "name = \"host.example\"\n"
              "keys = [{ selector = \"r\", file = \"/keys/rsa.pem\" },\n"
              "        { selector = \"e\", file = \"/keys/ed.pem\" }]\n"
              "[signing.logins]\n" +
                  section);
    return load_form(Source::Form::countersign, "/etc/countersign.toml");
  }

  static bool may(const Snapshot& snapshot, std::string_view login, std::string_view address) {
    mailflow::Envelope envelope;
    envelope.macros["auth_authen"] = login;
    const std::size_t at = address.rfind('@');
    const std::vector<Mailbox> author = {
        {std::string(address.substr(0, at)), *DomainName::parse(address.substr(at + 1))}};
    const mailflow::Policy& policy = *snapshot.policy;
    return rule_on_login(policy.logins, envelope, author, policy.limits).is_allowed;
  }
};

TEST_F(LoginsTest, ByDefaultALoginMayUseItsOwnDomain) {
  const Snapshot snapshot = load_own("");
  EXPECT_THAT(texts(snapshot), IsEmpty());
  const mailflow::LoginPolicy& logins = snapshot.policy->logins;
  EXPECT_TRUE(logins.bound);
  EXPECT_FALSE(logins.shadow);
  EXPECT_EQ(logins.on_mismatch, MismatchAction::unsigned_);
  EXPECT_TRUE(may(snapshot, "alice@example.org", "shop@example.org"));
  EXPECT_FALSE(may(snapshot, "alice@example.org", "shop@host.example"));
  EXPECT_TRUE(may(snapshot, "alice", "shop@host.example"));
}

TEST_F(LoginsTest, FilesOfOtherProgramsSignAsBefore) {
  files.add("/etc/opendkim.conf",
            "Mode s\nSocket inet:8891@localhost\nBackground no\nSyslog yes\n"
            "KeyTable csl:k=host.example:mail:/keys/rsa.pem\nSigningTable csl:host.example=k\n");
  const Snapshot snapshot = load_form(Source::Form::opendkim, "/etc/opendkim.conf");
  EXPECT_THAT(texts(snapshot), IsEmpty());
  ASSERT_NE(snapshot.policy, nullptr);
  EXPECT_FALSE(snapshot.policy->logins.bound);
  EXPECT_TRUE(may(snapshot, "alice@example.org", "shop@host.example"));
}

TEST_F(LoginsTest, AFileOfOursBesideThemBindsTheirLogins) {
  files
      .add("/etc/opendkim.conf",
           "Mode s\nSocket inet:8891@localhost\nBackground no\nSyslog yes\n"
           "Domain host.example\nSelector mail\nKeyFile /keys/rsa.pem\n")
      .add("/etc/more.toml",
           "[signing.logins]\nbound = true\non_mismatch = \"fallback\"\n"
           "fallback = \"host.example\"\ntable = \"csl:bob=a@example.org\"\n");
  const Snapshot snapshot = load({.form = Source::Form::opendkim,
                                  .file = "/etc/opendkim.conf",
                                  .overrides = {},
                                  .others = {{Source::Form::countersign, "/etc/more.toml"}}},
                                 {files, accounts, "mail.example.org"});
  ASSERT_NE(snapshot.policy, nullptr) << ::testing::PrintToString(texts(snapshot));
  EXPECT_TRUE(may(snapshot, "bob", "a@example.org"));
  EXPECT_FALSE(may(snapshot, "bob", "a@host.example"));
  ASSERT_EQ(snapshot.policy->logins.fallback.size(), 1u);
  EXPECT_EQ(snapshot.policy->logins.fallback[0].selector.text(), "mail");
}

TEST_F(LoginsTest, ATableIsReadInEachOfItsForms) {
  files.add("/etc/logins",
            "# who may send as whom\n"
            "*@*    %d\n"
            "alice  example.org, .example.org  shop@host.example   # two domains and an address\n");
  files.add_lmdb("/etc/logins.mdb", {{"*@*", "%d"}, {"alice", "*.example.org,shop@host.example"}});
  for (const char* source :
       {"\"/etc/logins\"", "\"file:/etc/logins\"", "\"refile:/etc/logins\"",
        "\"mdb:/etc/logins.mdb\"", "[\"*@* %d\", \"alice .example.org shop@host.example\"]",
        "\"*@*=%d,alice=.example.org shop@host.example\""}) {
    const Snapshot snapshot = load_own(std::string("table = ") + source + "\n");
    EXPECT_THAT(texts(snapshot), IsEmpty()) << source;
    EXPECT_TRUE(may(snapshot, "bob@host.example", "x@host.example")) << source;
    EXPECT_FALSE(may(snapshot, "bob@host.example", "x@example.org")) << source;
    EXPECT_TRUE(may(snapshot, "alice", "x@www.example.org")) << source;
    EXPECT_TRUE(may(snapshot, "alice", "shop@host.example")) << source;
    EXPECT_FALSE(may(snapshot, "alice", "x@host.example")) << source;
    EXPECT_FALSE(may(snapshot, "bob", "x@host.example")) << source;
  }
}

TEST_F(LoginsTest, MistakesOfATableAreToldWithTheirLines) {
  files.add("/etc/logins",
            "*@* %d\n"
            "al*ce example.org\n"
            "bob@example.org\n"
            "carol@example.org carol@example.org %u\n");
  const Snapshot snapshot = load_own("table = \"/etc/logins\"\n");
  EXPECT_THAT(
      texts(snapshot),
      ElementsAre(StartsWith("/etc/logins:2: error: 'al*ce' is no login"),
                  StartsWith("/etc/logins:3: error: the line of 'bob@example.org' names no"),
                  StartsWith("/etc/logins:4: error: '%u' is neither an address nor")));
  EXPECT_FALSE(may(snapshot, "bob@example.org", "bob@example.org"));
  EXPECT_TRUE(may(snapshot, "carol@example.org", "carol@example.org"));
}

TEST_F(LoginsTest, ATableThatIsNotThereOrEmptyIsTold) {
  files.add("/etc/empty", "# nobody yet\n");
  EXPECT_THAT(texts(load_own("table = \"/etc/empty\"\n")),
              ElementsAre(AllOf(StartsWith("/etc/countersign.toml:11: error:"),
                                HasSubstr("nobody who logs in may use any address"))));
  const Snapshot snapshot = load_own("table = \"/etc/nowhere\"\n");
  EXPECT_THAT(texts(snapshot), Contains(HasSubstr("fatal: cannot read /etc/nowhere")));
  EXPECT_EQ(snapshot.policy, nullptr);
}

TEST_F(LoginsTest, TheFallbackIsADomainWithAllItsKeysOrOneKey) {
  const Snapshot domain = load_own(
      "on_mismatch = \"fallback\"\nfallback = \"host.example\"\n"
      "fallback_signer = \"@customers.host.example\"\n");
  EXPECT_THAT(texts(domain), IsEmpty());
  ASSERT_EQ(domain.policy->logins.fallback.size(), 2u);
  EXPECT_EQ(domain.policy->logins.fallback[0].selector.text(), "r");
  EXPECT_EQ(domain.policy->logins.fallback[1].selector.text(), "e");
  EXPECT_EQ(domain.policy->logins.fallback_signer, "@customers.host.example");
  EXPECT_EQ(domain.policy->logins.on_mismatch, MismatchAction::fallback);

  const Snapshot key =
      load_own("on_mismatch = \"fallback\"\nfallback = \"e._domainkey.host.example\"\n");
  EXPECT_THAT(texts(key), IsEmpty());
  ASSERT_EQ(key.policy->logins.fallback.size(), 1u);
  EXPECT_EQ(key.policy->logins.fallback[0].selector.text(), "e");
}

TEST_F(LoginsTest, AFallbackWithoutAKeyIsNoFallback) {
  for (const char* name : {"three.example", "www.host.example", "mail", "no domain", "*"}) {
    const Snapshot snapshot =
        load_own("on_mismatch = \"fallback\"\nfallback = \"" + std::string(name) + "\"\n");
    EXPECT_THAT(texts(snapshot),
                ElementsAre(AllOf(StartsWith("/etc/countersign.toml:12: fatal: the fallback '" +
                                             std::string(name) + "' is neither"),
                                  HasSubstr("; name a key"))));
    EXPECT_EQ(snapshot.policy, nullptr);
  }
  EXPECT_THAT(texts(load_own("on_mismatch = \"fallback\"\n")),
              ElementsAre(AllOf(StartsWith("/etc/countersign.toml:11: fatal:"),
                                HasSubstr("no fallback is set"))));
}

TEST_F(LoginsTest, AKeyForEveryDomainIsNoFallback) {
  files.add("/etc/countersign.toml",
            "[daemon]\nsockets = [\"inet:8891@localhost\"]\n[signing]\n"
            "key_table = [\"any %:mail:/keys/rsa.pem\"]\nsigning_table = [\"* any\"]\n"
            "[signing.logins]\non_mismatch = \"fallback\"\nfallback = \"any\"\n");
  const Snapshot snapshot = load_form(Source::Form::countersign, "/etc/countersign.toml");
  EXPECT_THAT(texts(snapshot),
              ElementsAre(HasSubstr("countersign.toml:8: fatal: the fallback 'any' is neither")));
}

TEST_F(LoginsTest, TheSignerOfAFallbackIsInItsDomain) {
  for (const char* signer : {"@example.org", "host.example", "@", "@badhost.example"})
    EXPECT_THAT(texts(load_own("on_mismatch = \"fallback\"\nfallback = \"host.example\"\n"
                               "fallback_signer = \"" +
                               std::string(signer) + "\"\n")),
                ElementsAre(AllOf(StartsWith("/etc/countersign.toml:13: fatal: '"),
                                  HasSubstr("is no identity of host.example"))))
        << signer;
}

TEST_F(LoginsTest, WhatHasNoEffectIsTold) {
  const Snapshot snapshot =
      load_own("bound = false\non_mismatch = \"reject\"\ntable = [\"* %d\"]\n");
  EXPECT_THAT(texts(snapshot),
              ElementsAre(HasSubstr(":12: warning: signing.logins.on_mismatch has no effect"),
                          HasSubstr(":13: warning: signing.logins.table has no effect")));
}

TEST_F(LoginsTest, TheWordsOfAMismatch) {
  EXPECT_EQ(load_own("on_mismatch = \"reject\"\n").policy->logins.on_mismatch,
            MismatchAction::reject);
  EXPECT_EQ(load_own("on_mismatch = \"unsigned\"\nshadow = true\n").policy->logins.shadow, true);
  EXPECT_THAT(texts(load_own("on_mismatch = \"accept\"\n")),
              ElementsAre(HasSubstr("expected one of unsigned, fallback, reject")));
}

// The session asks for the right to put mail aside when one of these settings says so.
TEST_F(LoginsTest, EachActionOfAJudgeHasASetting) {
  std::size_t settings = 0;
  Settings values;
  for (const Setting& setting : settings_table())
    if (std::holds_alternative<mailflow::Action*>(setting.slot(values)) &&
        setting.key.starts_with("judging.actions."))
      ++settings;
  EXPECT_EQ(settings, mailflow::Actions::count);
}

}  // namespace
}  // namespace countersign::service::config
