// SPDX-License-Identifier: Apache-2.0
//
// From [sealing] and openarc.conf to the value that seals, and what is told when it cannot.

#include "service/config/sealing.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "service/config/snapshot.hpp"
#include "tests/support/configurations.hpp"
#include "tests/support/keys.hpp"

namespace countersign::service::config {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class SealingConfig : public ConfigurationTest {
 protected:
  SealingConfig() {
    files.add("/etc/arc.pem", test::rsa_pem());
    files.add("/etc/ed.pem", test::ed25519_pem());
  }

  Snapshot load_openarc(const std::string& text) {
    files.add("/etc/openarc.conf", text);
    return load_form(Form::openarc, "/etc/openarc.conf");
  }
};

constexpr const char* verifying =
    "[daemon]\nsockets = [\"inet:8891@localhost\"]\n[signing]\nmode = \"verify\"\n";

std::string sealing(const std::string& lines) {
  return std::string(verifying) + "[sealing]\n" + lines;
}

constexpr const char* identity =
    "domain = \"Example.ORG\"\nselector = \"arc\"\nkey_file = \"/etc/arc.pem\"\n";

TEST_F(SealingConfig, IsOffByDefault) {
  const Snapshot snapshot = load_own(verifying);
  ASSERT_NE(snapshot.policy, nullptr);
  EXPECT_FALSE(snapshot.policy->sealing);
  EXPECT_THAT(texts(snapshot), IsEmpty());
}

TEST_F(SealingConfig, SealsWhatIsJudged) {
  const Snapshot snapshot = load_own(sealing(std::string("judged = true\n") + identity));
  EXPECT_THAT(texts(snapshot), IsEmpty());
  ASSERT_NE(snapshot.policy, nullptr);
  ASSERT_TRUE(snapshot.policy->sealing);
  const mailflow::SealingPolicy& policy = *snapshot.policy->sealing;
  EXPECT_TRUE(policy.judged);
  EXPECT_TRUE(policy.returned.empty());
  EXPECT_EQ(policy.identity.sdid.text(), "example.org");
  EXPECT_EQ(policy.identity.selector.text(), "arc");
  EXPECT_EQ(policy.identity.key.type(), crypto::KeyType::rsa);
  EXPECT_THAT(policy.identity.fields.sign, Contains("DKIM-Signature"));
  EXPECT_FALSE(policy.identity.lifetime);
}

TEST_F(SealingConfig, TakesEverySetting) {
  const Snapshot snapshot = load_own(
      sealing(std::string(identity) +
              "returned = [\"127.0.0.1\", \"lists.example.org\"]\n"
              "canonicalization = \"simple/relaxed\"\nsigned_fields = [\"From\", \"Subject\"]\n"
              "omitted_fields = [\"Subject\"]\noversigned_fields = [\".\"]\nlifetime = \"7d\"\n"));
  EXPECT_THAT(texts(snapshot), IsEmpty());
  ASSERT_TRUE(snapshot.policy && snapshot.policy->sealing);
  const mailflow::SealingPolicy& policy = *snapshot.policy->sealing;
  EXPECT_FALSE(policy.judged);
  EXPECT_TRUE(policy.returned.match("", IpAddress::parse("127.0.0.1")));
  EXPECT_EQ(policy.identity.header_canonicalization, dkim::Canonicalization::simple);
  EXPECT_EQ(policy.identity.body_canonicalization, dkim::Canonicalization::relaxed);
  EXPECT_THAT(policy.identity.fields.sign, testing::ElementsAre("From", "Subject"));
  EXPECT_THAT(policy.identity.fields.omit, testing::ElementsAre("Subject"));
  EXPECT_THAT(policy.identity.fields.oversign, IsEmpty());
  EXPECT_EQ(policy.identity.lifetime, std::chrono::hours{168});
}

TEST_F(SealingConfig, TellsWhatIsMissingOrWrong) {
  const auto expect_fatal = [this](const std::string& lines, const std::string& sentence) {
    const Snapshot snapshot = load_own(sealing(lines));
    EXPECT_EQ(snapshot.policy, nullptr) << lines;
    EXPECT_THAT(texts(snapshot), Contains(HasSubstr(sentence))) << lines;
  };
  expect_fatal("judged = true\n", "fatal: sealing.domain is missing");
  expect_fatal("judged = true\ndomain = \"a.example\"\n", "fatal: sealing.selector is missing");
  expect_fatal("returned = [\"::1\"]\ndomain = \"a.example\"\nselector = \"s\"\n",
               "fatal: sealing.key_file is missing");
  expect_fatal("judged = true\ndomain = \"a b\"\nselector = \"s\"\nkey_file = \"/etc/arc.pem\"\n",
               "fatal: 'a b' cannot be used for sealing.domain");
  expect_fatal("judged = true\ndomain = \"a.example\"\nselector = \"s\"\nkey_file = \"/gone\"\n",
               "fatal: the key that seals cannot be used");
  expect_fatal(std::string("judged = true\n") + identity + "[judging]\narc = false\n",
               "fatal: a seal says what was found of the seals before it");
}

TEST_F(SealingConfig, WarnsOfWhatHasNoUse) {
  EXPECT_THAT(texts(load_own(sealing(identity))),
              Contains(HasSubstr("warning: nothing is sealed")));
  const Snapshot signing = load_own(
      std::string("[daemon]\nsockets = [\"inet:8891@localhost\"]\n[signing]\nmode = \"sign\"\n"
                  "[sealing]\njudged = true\n") +
      identity);
  EXPECT_THAT(texts(signing), Contains(HasSubstr("warning: no mail is judged, so none of it is")));
  EXPECT_THAT(texts(load_own(sealing(std::string("returned = [\"::1\"]\n") + identity +
                                     "[judging.results]\nauthserv_id_with_job_id = true\n"))),
              Contains(HasSubstr("warning: results with a queue id")));
  const Snapshot ed25519 =
      load_own(sealing("judged = true\ndomain = \"a.example\"\nselector = \"s\"\n"
                       "key_file = \"/etc/ed.pem\"\n"));
  EXPECT_THAT(texts(ed25519), Contains(HasSubstr("note: the key that seals is Ed25519")));
  EXPECT_TRUE(ed25519.policy && ed25519.policy->sealing);
}

// OpenARC names RSA as its algorithm, and opendkim.conf may name another for its own keys.
TEST_F(SealingConfig, TheTypeOfSigningKeysIsNoneOfItsBusiness) {
  files.add("/etc/opendkim.conf", "SignatureAlgorithm ed25519-sha256\nSocket inet:8891\nMode v\n");
  files.add("/etc/openarc.conf",
            "Mode sv\nDomain a.example\nSelector s\nKeyFile /etc/arc.pem\nSyslog yes\n");
  const Snapshot snapshot = load({.form = Source::Form::opendkim,
                                  .file = "/etc/opendkim.conf",
                                  .others = {{Source::Form::openarc, "/etc/openarc.conf"}}},
                                 {files, accounts, "mx.example.org"});
  ASSERT_TRUE(snapshot.policy && snapshot.policy->sealing);
  EXPECT_THAT(texts(snapshot), Not(Contains(HasSubstr("arc.pem"))));
}

TEST_F(SealingConfig, OpenArcSealsByItsOwnFile) {
  const Snapshot snapshot = load_openarc(
      "Socket inet:8894@localhost\nMode sv\nAuthservID mx.example.org\nDomain example.org\n"
      "Selector arc\nKeyFile /etc/arc.pem\nCanonicalization relaxed/simple\n");
  ASSERT_TRUE(snapshot.policy && snapshot.policy->sealing);
  const mailflow::SealingPolicy& policy = *snapshot.policy->sealing;
  EXPECT_TRUE(policy.judged);
  EXPECT_TRUE(snapshot.policy->judging.arc);
  EXPECT_EQ(policy.identity.body_canonicalization, dkim::Canonicalization::simple);
  EXPECT_THAT(policy.identity.fields.oversign, IsEmpty());

  const Snapshot by_host = load_openarc(
      "Socket inet:8894@localhost\nDomain example.org\nSelector arc\nKeyFile /etc/arc.pem\n");
  ASSERT_TRUE(by_host.policy && by_host.policy->sealing);
  EXPECT_FALSE(by_host.policy->sealing->judged);
  EXPECT_TRUE(by_host.policy->sealing->returned.match("", IpAddress::parse("127.0.0.1")));

  EXPECT_EQ(load_openarc("Socket inet:8894@localhost\nMode sv\n").policy, nullptr);
}

// --- header checks ---

class HeaderChecks : public SealingConfig {
 protected:
  /// The policy that seals where a line of the list matches.
  std::vector<mailflow::HeaderCheck> checks(const std::string& value) {
    const Snapshot snapshot = load_own(
        sealing(std::string("judged = true\n") + identity + "header_checks = " + value + "\n"));
    told = texts(snapshot);
    return snapshot.policy && snapshot.policy->sealing ? snapshot.policy->sealing->header_checks
                                                       : std::vector<mailflow::HeaderCheck>();
  }
  /// The one check of a list of one.
  mailflow::HeaderCheck check(const std::string& line) {
    std::vector<mailflow::HeaderCheck> read = checks("['" + line + "']");
    EXPECT_EQ(read.size(), 1u) << line;
    return read.empty() ? mailflow::HeaderCheck{"", [](std::string_view) { return false; }}
                        : std::move(read.front());
  }
  std::vector<std::string> told;
};

TEST_F(HeaderChecks, AreExpressions) {
  const mailflow::HeaderCheck one = check("X-Class: ^(news|List) [0-9]+$");
  EXPECT_EQ(one.name, "X-Class");
  EXPECT_TRUE(one.matches("news 12"));
  EXPECT_TRUE(one.matches("List 1"));
  EXPECT_FALSE(one.matches("list 1")) << "case counts";
  EXPECT_FALSE(one.matches("news 12 ")) << "the ends count";
  EXPECT_TRUE(check("X:b").matches("abc")) << "anywhere";
  EXPECT_TRUE(check("X:").matches("")) << "a field that is there";
  EXPECT_TRUE(check("X:^a:b,c=d$").matches("a:b,c=d"));
  EXPECT_TRUE(check("X:^.\\xe4.$")
                  .matches("b\xE4"
                           "d"))
      << "octets, not characters";
  EXPECT_THAT(told, IsEmpty());
}

TEST_F(HeaderChecks, LookIntoJson) {
  const mailflow::HeaderCheck one = check("X:^news$");
  EXPECT_TRUE(one.matches("\"news\""));
  EXPECT_TRUE(one.matches("[\"old\", 7, [\"news\"], \"n\\u0065ws\"]"));
  EXPECT_FALSE(one.matches("[\"old\", 7, [\"news\"]]"));
  EXPECT_FALSE(one.matches("[\"news\""));
  EXPECT_TRUE(check("X:^.\"news").matches("[\"news\"")) << "what is no JSON is text";
  EXPECT_FALSE(one.matches(std::string(100'000, '[')));
}

TEST_F(HeaderChecks, ComeFromAFile) {
  files.add("/etc/checks", "# what we pass on\nX-Class:news#1\n\n  List-Id : a.example  \r\n");
  const std::vector<mailflow::HeaderCheck> read = checks("\"file:/etc/checks\"");
  EXPECT_THAT(told, IsEmpty());
  ASSERT_EQ(read.size(), 2u);
  EXPECT_TRUE(read[0].matches("news#1"));
  EXPECT_FALSE(read[0].matches("news"));
  EXPECT_EQ(read[1].name, "List-Id");
  EXPECT_TRUE(read[1].matches("<a.example>"));
}

TEST_F(HeaderChecks, ThatAreWrongAreToldWithTheirPlace) {
  const auto expect_fatal = [this](const std::string& value, const std::string& sentence) {
    EXPECT_THAT(checks(value), IsEmpty()) << value;
    EXPECT_THAT(told, Contains(HasSubstr(sentence))) << value;
  };
  files.add("/etc/checks", "X: fine\nX: (\n");
  expect_fatal("\"file:/etc/checks\"",
               "/etc/checks:2: fatal: the expression cannot be used: missing ): (");
  expect_fatal("['X-Class']", "fatal: this is no header check");
  expect_fatal("[': a']", "fatal: this is no header check");
  expect_fatal("['a b: c']", "fatal: this is no header check");
  expect_fatal("['X: (a)\\1']", "fatal: the expression cannot be used");
  expect_fatal("\"file:/gone\"", "cannot read /gone");
  expect_fatal("\"X-Class: a\"", "'X-Class: a' is no file of header checks");
}

TEST_F(HeaderChecks, AreBounded) {
  EXPECT_EQ(checks("['X:" + std::string(1'000, 'a') + "']").size(), 1u);
  EXPECT_THAT(told, IsEmpty());
  checks("['X:" + std::string(1'001, 'a') + "']");
  EXPECT_THAT(told, Contains(HasSubstr("fatal: the expression has more than 1000 octets")));
  checks("['X:((a{100}){100}){100}']");
  EXPECT_THAT(told, Contains(HasSubstr("fatal: the expression cannot be used")));
  std::string many;
  for (int i = 0; i < 100; ++i) many += "X:a\n";
  files.add("/etc/checks", many);
  EXPECT_EQ(checks("\"file:/etc/checks\"").size(), 100u);
  files.add("/etc/checks", many + "X:a\n");
  checks("\"file:/etc/checks\"");
  EXPECT_THAT(told, Contains(HasSubstr("/etc/checks:101: fatal: there are more than 100")));
}

// What makes a matcher that goes back take for ever.
TEST_F(HeaderChecks, TakeNoLongerForHostileText) {
  const mailflow::HeaderCheck one = check("X:^(a|a)*(a*)*b$");
  EXPECT_FALSE(one.matches(std::string(60'000, 'a')));
}

TEST_F(SealingConfig, TellsSoftwareAndWhatIsDoneOnDemand) {
  const Snapshot usual = load_own(sealing(std::string("judged = true\n") + identity));
  ASSERT_TRUE(usual.policy && usual.policy->sealing);
  EXPECT_EQ(usual.policy->sealing->software_header, "");
  EXPECT_EQ(usual.policy->sealing->on_error, mailflow::Action::accept);
  EXPECT_TRUE(usual.policy->judging.results.remote_ip);
  EXPECT_FALSE(usual.policy->judging.results.arc_chain);

  const Snapshot other =
      load_own(sealing(std::string("judged = true\n") + identity +
                       "software_header = true\non_error = \"tempfail\"\n[judging.results]\n"
                       "remote_ip = false\narc_chain = true\n"));
  ASSERT_TRUE(other.policy && other.policy->sealing);
  EXPECT_THAT(other.policy->sealing->software_header,
              ::testing::MatchesRegex("countersign v[^ ]+ mail\\.example\\.org"));
  EXPECT_EQ(other.policy->sealing->on_error, mailflow::Action::tempfail);
  EXPECT_FALSE(other.policy->judging.results.remote_ip);
  EXPECT_TRUE(other.policy->judging.results.arc_chain);
}

}  // namespace
}  // namespace countersign::service::config
