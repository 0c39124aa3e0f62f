// SPDX-License-Identifier: Apache-2.0
//
// Whole configurations, from their files to the policy: what the tutorials quote, and what is told
// about it.

#include "service/config/snapshot.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/memory_files.hpp"

namespace countersign::service::config {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// An RSA key of 2048 bits, made once.
const std::string& rsa_pem() {
  static const std::string pem =
      crypto::PrivateKey::generate(crypto::KeyType::rsa, 2'048, Limits())->to_pem();
  return pem;
}

const std::string& ed25519_pem() {
  static const std::string pem =
      crypto::PrivateKey::generate(crypto::KeyType::ed25519, 0, Limits())->to_pem();
  return pem;
}

class SnapshotTest : public ::testing::Test {
 protected:
  Snapshot load_opendkim(std::vector<std::pair<std::string, std::string>> overrides = {}) {
    return load({Source::Form::opendkim, "/etc/opendkim.conf", std::move(overrides)},
                {files, accounts, "mail.example.org"});
  }

  Snapshot load_own(const std::string& text) {
    files.add("/etc/countersign.toml", text);
    return load({Source::Form::countersign, "/etc/countersign.toml", {}},
                {files, accounts, "mail.example.org"});
  }

  static std::vector<std::string> texts(const std::vector<Problem>& problems) {
    std::vector<std::string> lines;
    for (const Problem& problem : problems) lines.push_back(to_string(problem));
    return lines;
  }

  static std::vector<std::string> lines_for(const Snapshot& snapshot, const std::string& user,
                                            const std::string& domain) {
    std::vector<std::string> names;
    for (const auto* line : snapshot.policy->signing_table->match(
             user, *DomainName::parse(domain), !snapshot.policy->multiple_signatures)) {
      names.push_back(line->key_name);
    }
    return names;
  }

  test::MemoryFiles files;
  test::MemoryAccounts accounts;
};

TEST_F(SnapshotTest, TheTutorialRunsUnedited) {
  files.add("/etc/opendkim.conf",
            "# the widespread how-to\n"
            "Syslog                  yes\n"
            "UMask                   002\n"
            "UserID                  opendkim\n"
            "KeyTable                /etc/postfix/dkim/keytable\n"
            "SigningTable            refile:/etc/postfix/dkim/signingtable\n"
            "ExternalIgnoreList      /etc/postfix/dkim/TrustedHosts\n"
            "InternalHosts           /etc/postfix/dkim/TrustedHosts\n"
            "Canonicalization        relaxed/simple\n"
            "Mode                    s\n"
            "SubDomains              no\n"
            "#ADSPAction             continue\n"
            "AutoRestart             yes\n"
            "AutoRestartRate         10/1M\n"
            "Background              yes\n"
            "DNSTimeout              5\n"
            "SignatureAlgorithm      rsa-sha256\n"
            "OversignHeaders         From\n");
  files.add("/etc/postfix/dkim/keytable",
            "smtprelay example.org:smtprelay:/etc/postfix/dkim/smtprelay.private\n");
  files.add("/etc/postfix/dkim/signingtable", "*  smtprelay\n");
  files.add("/etc/postfix/dkim/TrustedHosts", "127.0.0.1\n::1\nlocalhost\n192.168.0.0/16\n");
  files.add("/etc/postfix/dkim/smtprelay.private", rsa_pem())
      .set("/etc/postfix/dkim/smtprelay.private", 0600, 110, 110);

  const Snapshot snapshot = load_opendkim({{"Socket", "inet:8891@localhost"}});
  EXPECT_THAT(texts(snapshot.problems), IsEmpty());
  ASSERT_NE(snapshot.policy, nullptr);
  const Settings& settings = snapshot.settings;
  ASSERT_EQ(settings.daemon.sockets.size(), 1u);
  EXPECT_EQ(to_string(settings.daemon.sockets[0]), "inet:8891@localhost");
  EXPECT_EQ(settings.daemon.umask->bits, 2u);
  EXPECT_EQ(settings.daemon.user, "opendkim");
  EXPECT_TRUE(settings.daemon.background);
  EXPECT_TRUE(settings.daemon.restarts);
  EXPECT_EQ(settings.daemon.restart_rate, (Rate{10, std::chrono::minutes(1)}));
  EXPECT_TRUE(settings.log.to_syslog);
  EXPECT_FALSE(settings.log.successes);

  const mailflow::SigningPolicy& policy = *snapshot.policy;
  EXPECT_TRUE(policy.signs);
  EXPECT_FALSE(policy.judges);
  EXPECT_EQ(policy.header_canonicalization, dkim::Canonicalization::relaxed);
  EXPECT_EQ(policy.body_canonicalization, dkim::Canonicalization::simple);
  EXPECT_THAT(policy.fields.oversign, ElementsAre("From"));
  EXPECT_THAT(lines_for(snapshot, "anybody", "any.example"), ElementsAre("smtprelay"));
  const mailflow::KeyEntry* key = policy.key_table.find("smtprelay");
  ASSERT_NE(key, nullptr);
  EXPECT_EQ(key->domain->text(), "example.org");
  EXPECT_TRUE(policy.internal_hosts.match("", IpAddress::parse("192.168.7.7")));
  EXPECT_FALSE(policy.internal_hosts.match("mx.example.net", IpAddress::parse("192.0.2.1")));
}

TEST_F(SnapshotTest, OwnFormNeedsNoTables) {
  files.add("/keys/rsa.pem", rsa_pem()).add("/keys/ed.pem", ed25519_pem());
  const Snapshot snapshot = load_own(
      "[daemon]\n"
      "sockets = [\"inet:8891@localhost\", \"local:/run/countersign/milter.sock\"]\n"
      "[[signing.domain]]\n"
      "name = \"example.org\"\n"
      "subdomains = true\n"
      "keys = [{ selector = \"ed\", file = \"/keys/ed.pem\" },\n"
      "        { selector = \"rsa\", file = \"/keys/rsa.pem\" }]\n");
  EXPECT_THAT(texts(snapshot.problems), IsEmpty());
  ASSERT_NE(snapshot.policy, nullptr);
  EXPECT_EQ(snapshot.settings.daemon.sockets.size(), 2u);
  EXPECT_THAT(lines_for(snapshot, "joe", "example.org"),
              ElementsAre("rsa._domainkey.example.org", "ed._domainkey.example.org"));
  EXPECT_THAT(lines_for(snapshot, "joe", "a.b.example.org"),
              ElementsAre("rsa._domainkey.example.org", "ed._domainkey.example.org"));
  EXPECT_THAT(lines_for(snapshot, "joe", "example.net"), IsEmpty());
  EXPECT_EQ(snapshot.policy->header_canonicalization, dkim::Canonicalization::relaxed);
  EXPECT_FALSE(snapshot.policy->signed_octets_max);
}

}  // namespace
}  // namespace countersign::service::config
