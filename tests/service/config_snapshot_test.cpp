// SPDX-License-Identifier: Apache-2.0
//
// Whole configurations, from their files to the policy: what the tutorials quote, and what is told
// about it.

#include "service/config/snapshot.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "tests/support/configurations.hpp"
#include "tests/support/keys.hpp"

namespace countersign::service::config {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class SnapshotTest : public ConfigurationTest {
 protected:
  Snapshot load_opendkim(std::vector<std::pair<std::string, std::string>> overrides = {}) {
    return load_form(Form::opendkim, "/etc/opendkim.conf", std::move(overrides));
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
  files.add("/etc/postfix/dkim/smtprelay.private", test::rsa_pem())
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

  const mailflow::Policy& policy = *snapshot.policy;
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
  files.add("/keys/rsa.pem", test::rsa_pem()).add("/keys/ed.pem", test::ed25519_pem());
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

TEST_F(SnapshotTest, TheFirstKeyIsDueWhenItsLifetimeEnds) {
  const auto written_at = [](std::int64_t seconds) {
    test::MemoryFiles::Status status;
    status.modified = seconds;
    return status;
  };
  files.add("/keys/rsa.pem", test::rsa_pem(), written_at(5'000))
      .add("/keys/ed.pem", test::ed25519_pem(), written_at(3'000));
  const std::string signing =
      "[[signing.domain]]\nname = \"example.org\"\n"
      "keys = [{ selector = \"ed\", file = \"/keys/ed.pem\" },\n"
      "        { selector = \"rsa\", file = \"/keys/rsa.pem\" }]\n";
  const std::string daemon = "[daemon]\nsockets = [\"inet:1\"]\n";
  EXPECT_EQ(load_own(daemon + signing).key_files.expires, 0);
  const Snapshot snapshot = load_own(daemon + "[signing]\nkey_lifetime = \"30d\"\n" + signing);
  EXPECT_THAT(texts(snapshot.problems), IsEmpty());
  EXPECT_EQ(snapshot.key_files.oldest, 3'000);
  EXPECT_EQ(snapshot.key_files.expires, 3'000 + 30 * 86'400);
}

// --- what a whole configuration is told ---

TEST_F(SnapshotTest, NothingAtAllStartsAndSaysWhatIsMissing) {
  files.add("/etc/opendkim.conf", "");
  const Snapshot snapshot = load_opendkim();
  EXPECT_NE(snapshot.policy, nullptr);
  EXPECT_THAT(texts(snapshot.problems),
              ElementsAre(HasSubstr("/etc/opendkim.conf: warning: no socket is set"),
                          HasSubstr("warning: no domain and no key is set"),
                          HasSubstr("note: SPF and DMARC of incoming mail")));
}

TEST_F(SnapshotTest, TheSocketOfTheInitScriptIsNamed) {
  files.add("/etc/opendkim.conf", "Mode s\n");
  files.add("/etc/default/opendkim",
            "RUNDIR=/run/opendkim\n#SOCKET=inet:1@localhost\nSOCKET=\"inet:8891@127.0.0.1\"\n");
  EXPECT_THAT(texts(load_opendkim().problems),
              Contains(HasSubstr("start with -p inet:8891@127.0.0.1")));
  files.add("/etc/default/opendkim", "SOCKET=local:/run/x # here\nUSER=opendkim\n");
  EXPECT_THAT(texts(load_opendkim().problems), Contains(HasSubstr("-p local:/run/x")));
  files.add("/etc/default/opendkim", "RUNDIR=/run/o\nSOCKET=local:$RUNDIR/o.sock\n");
  EXPECT_THAT(texts(load_opendkim().problems), Contains(HasSubstr("-p local:/run/o/o.sock")));
  files.add("/etc/default/opendkim", "#SOCKET=x\nSOCKET=\n");
  EXPECT_THAT(texts(load_opendkim().problems), Contains(HasSubstr("set one, for example")));
  EXPECT_THAT(texts(load_opendkim({{"Socket", "inet:8891"}}).problems),
              ::testing::Not(Contains(HasSubstr("socket"))));
}

TEST_F(SnapshotTest, AllProblemsAreToldAtOnceInOrder) {
  files.add("/etc/opendkim.conf",
            "Cheese yes\n"
            "Mode s\n"
            "UserID nobody-here\n"
            "KeyTable /kt\n"
            "SigningTable refile:/st\n"
            "InternalHosts ldap://x\n"
            "ADSPAction none\n");
  files.add("/kt", "a d.example:s:/none\n").add("/st", "*@d.example\n*@d.example b\n");
  const Snapshot snapshot = load_opendkim();
  EXPECT_EQ(snapshot.policy, nullptr);
  EXPECT_THAT(texts(snapshot.problems),
              ElementsAre(HasSubstr("/etc/opendkim.conf: warning: no socket"),
                          HasSubstr("/etc/opendkim.conf:1: fatal: there is no option 'Cheese'"),
                          HasSubstr("/etc/opendkim.conf:3: fatal: there is no user"),
                          HasSubstr("/etc/opendkim.conf:6: fatal: data sets of type ldap:"),
                          HasSubstr("/etc/opendkim.conf:7: warning: ADSPAction was removed"),
                          HasSubstr("/kt:1: error: cannot read the key /none"),
                          HasSubstr("/st:1: error: the line of '*@d.example' names no key"),
                          HasSubstr("/st:2: error: the key 'b' is not in the KeyTable")));
}

TEST_F(SnapshotTest, BrokenLinesDoNotKeepTheDaemonFromStarting) {
  files.add("/etc/opendkim.conf", "Mode s\nSocket inet:1\nKeyTable /kt\nSigningTable /st\n");
  files.add("/k", test::rsa_pem());
  files.add("/kt", "a d.example:s:/k\nb e.example:s:/none\n")
      .add("/st", "d.example a\ne.example b\n");
  const Snapshot snapshot = load_opendkim();
  ASSERT_NE(snapshot.policy, nullptr);
  EXPECT_EQ(worst(snapshot.problems), Severity::error);
  EXPECT_NE(snapshot.policy->key_table.find("a"), nullptr);
  EXPECT_THAT(lines_for(snapshot, "joe", "e.example"), ElementsAre("b"));
}

TEST_F(SnapshotTest, TablesGoTogether) {
  files.add("/t", "");
  files.add("/etc/opendkim.conf", "Mode s\nSocket inet:1\nKeyTable /t\n");
  EXPECT_THAT(texts(load_opendkim().problems),
              ElementsAre(HasSubstr(":3: fatal: a KeyTable needs a SigningTable")));
  files.add("/etc/opendkim.conf", "Mode s\nSocket inet:1\nSigningTable /t\n");
  EXPECT_THAT(texts(load_opendkim().problems),
              ElementsAre(HasSubstr(":3: fatal: a SigningTable needs a KeyTable")));
  files.add("/etc/opendkim.conf", "Mode v\nSocket inet:1\nSigningTable /t\n");
  EXPECT_NE(load_opendkim().policy, nullptr) << "a verifier needs no keys";
}

TEST_F(SnapshotTest, OneKeyForSomeDomains) {
  files.add("/k", test::rsa_pem());
  files.add("/etc/opendkim.conf",
            "Mode s\nSocket inet:1\nDomain example.org,example.net\nSelector mail\nKeyFile /k\n"
            "SubDomains yes\n");
  const Snapshot snapshot = load_opendkim();
  EXPECT_THAT(texts(snapshot.problems), IsEmpty());
  ASSERT_TRUE(snapshot.policy->single_key);
  EXPECT_TRUE(snapshot.policy->single_key->subdomains);
  EXPECT_EQ(snapshot.policy->single_key->selector.text(), "mail");
  EXPECT_TRUE(snapshot.policy->single_key->domains.contains(*DomainName::parse("example.net")));
  EXPECT_EQ(snapshot.policy->single_key->place, (Place{"/etc/opendkim.conf", 5}));
}

TEST_F(SnapshotTest, OneKeyNeedsAllThreeOptions) {
  files.add("/k", test::rsa_pem());
  for (const char* text : {"Domain a.example\n", "Domain a.example\nSelector s\n",
                           "Selector s\nKeyFile /k\n", "KeyFile /k\n"}) {
    files.add("/etc/opendkim.conf", "Mode s\nSocket inet:1\n" + std::string(text));
    EXPECT_THAT(texts(load_opendkim().problems), ElementsAre(HasSubstr("go together")));
  }
  files.add("/etc/opendkim.conf",
            "Mode s\nSocket inet:1\nDomain a.example\nSelector s\nKeyFile /none\n");
  EXPECT_THAT(texts(load_opendkim().problems),
              ElementsAre(HasSubstr(":5: error: cannot read the key /none"),
                          HasSubstr(":5: fatal: the only key cannot be used")));
}

TEST_F(SnapshotTest, RelativePathsBeginAtTheBaseDirectory) {
  files.add("/base/k", test::rsa_pem());
  files.add("/base/kt", "a d.example:s:./k\n").add("/base/st", "d.example a\n");
  files.add("/etc/opendkim.conf",
            "Mode s\nSocket inet:1\nBaseDirectory /base\nKeyTable file:kt\n"
            "SigningTable file:st\n");
  files.add("/base/./k", test::rsa_pem());
  EXPECT_THAT(texts(load_opendkim().problems), IsEmpty());
}

TEST_F(SnapshotTest, TheGroupOfTheUserCounts) {
  files.add("/k", test::rsa_pem()).set("/k", 0640, 0, 105);
  const std::string text =
      "Mode s\nSocket inet:1\nDomain a.example\nSelector s\nKeyFile /k\nRequireSafeKeys no\n";
  files.add("/etc/opendkim.conf", text + "UserID opendkim:postfix\n");
  EXPECT_THAT(texts(load_opendkim().problems), ElementsAre(HasSubstr("by group postfix")));
  files.add("/etc/opendkim.conf", text + "UserID opendkim\n");
  EXPECT_THAT(texts(load_opendkim().problems),
              ElementsAre(HasSubstr("by group postfix"), HasSubstr("opendkim cannot read /k")));
  files.add("/etc/opendkim.conf", text + "UserID opendkim:nogroup\n");
  EXPECT_THAT(texts(load_opendkim().problems), Contains(HasSubstr("no group 'nogroup'")));
}

TEST_F(SnapshotTest, AStoreIsOffOrWhole) {
  const std::string socket = "[daemon]\nsockets = [\"inet:1\"]\n[signing]\nmode = \"verify\"\n";
  const auto fatal_of = [&](const std::string& lines) {
    return texts(load_own(socket + "[store]\n" + lines).problems);
  };
  EXPECT_FALSE(load_own(socket).settings.store.is_on());
  EXPECT_TRUE(load_own(socket + "[store]\npath = \"/s\"\n").settings.store.is_on());
  EXPECT_THAT(
      fatal_of("connection = \"host=db\"\n"),
      Contains(HasSubstr(":6: fatal: store.connection is set, and store.engine is sqlite")));
  EXPECT_THAT(
      fatal_of("engine = \"postgresql\"\npath = \"/s\"\n"),
      Contains(HasSubstr(":6: fatal: store.engine is postgresql, and store.connection is")));
  EXPECT_THAT(fatal_of("path = \"/s\"\nspool_directory = \"\"\n"),
              Contains(HasSubstr(":7: fatal: a store needs a spool directory")));
  EXPECT_THAT(fatal_of("path = \"/s\"\nretention = \"1d\"\n"),
              Contains(HasSubstr("expected a number from 259200 to")));
}

TEST_F(SnapshotTest, FilesOfTheResolverMustBeThere) {
  files.add("/etc/opendkim.conf",
            "Socket inet:1\nMode v\nTrustAnchorFile /none\nNameservers 192.0.2.1,dns.example\n");
  EXPECT_THAT(texts(load_opendkim().problems),
              ElementsAre(HasSubstr(":2: note"), HasSubstr(":3: fatal: cannot read /none"),
                          HasSubstr(":4: fatal: 'dns.example' is no IP address")));
}

TEST_F(SnapshotTest, TheManualIsFollowed) {
  files.add("/etc/opendkim.conf",
            "Socket inet:1\nMode s\nSoftwareHeader yes\nLogWhy yes\nSignatureTTL 3600\n"
            "Diagnostics yes\nFixCRLF yes\nRequiredHeaders yes\nRemoveOldSignatures yes\n"
            "RequestReports yes\nMaximumSignedBytes 10\nAllowBodyLength yes\n"
            "MaximumHeaders 100000\nMTA ORIGINATING\nMacroList daemon_name=a|b\n"
            "DontSignMailTo list.example\nExemptDomains x.example\nPeerList 192.0.2.1\n");
  const Snapshot snapshot = load_opendkim();
  ASSERT_NE(snapshot.policy, nullptr);
  const mailflow::Policy& policy = *snapshot.policy;
  EXPECT_THAT(policy.software_header,
              AllOf(HasSubstr("countersign"), HasSubstr("mail.example.org")));
  EXPECT_TRUE(policy.explains);
  EXPECT_EQ(policy.signature_lifetime, std::chrono::hours(1));
  EXPECT_TRUE(policy.copies_fields);
  EXPECT_TRUE(policy.fixes_line_ends);
  EXPECT_TRUE(policy.requires_headers);
  EXPECT_TRUE(policy.removes_old_signatures);
  EXPECT_TRUE(policy.requests_reports);
  EXPECT_EQ(policy.signed_octets_max, 10u);
  EXPECT_EQ(policy.limits.header_bytes_max, 100'000u);
  EXPECT_THAT(policy.mta_names, ElementsAre("ORIGINATING"));
  EXPECT_EQ(policy.macros.size(), 1u);
  EXPECT_TRUE(policy.unsigned_recipients.contains("any@list.example"));
  EXPECT_TRUE(policy.exempt_domains.contains(*DomainName::parse("x.example")));
  EXPECT_TRUE(policy.peers.match("", IpAddress::parse("192.0.2.1")));
}

TEST_F(SnapshotTest, BodyLengthIsNotWrittenWithoutTheSecondWord) {
  files.add("/etc/opendkim.conf", "Socket inet:1\nMode s\nMaximumSignedBytes 10\n");
  EXPECT_FALSE(load_opendkim().policy->signed_octets_max);
}

// --- countersign.toml ---

TEST_F(SnapshotTest, OwnFormWithTables) {
  files.add("/k", test::rsa_pem());
  const Snapshot snapshot = load_own(
      "[daemon]\nsockets = \"inet:8891\"\n"
      "[signing]\n"
      "key_table = [\"a d.example:s:/k\"]\n"
      "signing_table = [\"*@d.example a\", \"*@*.d.example a\"]\n"
      "lifetime = \"7d\"\n"
      "internal_hosts = [\"192.0.2.0/24\"]\non_peer = \"tempfail\"\n");
  EXPECT_THAT(texts(snapshot.problems), IsEmpty());
  EXPECT_EQ(snapshot.policy->on_peer, mailflow::Action::tempfail);
  EXPECT_THAT(lines_for(snapshot, "joe", "x.d.example"), ElementsAre("a"));
  EXPECT_EQ(snapshot.policy->signature_lifetime, std::chrono::hours(168));
  EXPECT_FALSE(snapshot.policy->internal_hosts.match("", IpAddress::parse("127.0.0.1")));
}

TEST_F(SnapshotTest, OwnFormTakesOneOfBothForms) {
  files.add("/k", test::rsa_pem());
  EXPECT_THAT(texts(load_own("[signing]\nkey_table = \"/kt\"\n"
                             "[[signing.domain]]\nname = \"d.example\"\n"
                             "keys = [{ selector = \"s\", file = \"/k\" }]\n")
                        .problems),
              Contains(HasSubstr(":3: fatal: both [[signing.domain]] and tables are set")));
}

TEST_F(SnapshotTest, OwnFormTellsEveryMistakeWithItsLine) {
  EXPECT_THAT(texts(load_own("colour = \"red\"\n"
                             "[daemon]\n"
                             "socket = \"inet:1\"\n"
                             "workers = \"many\"\n"
                             "[log]\n"
                             "level = \"loud\"\n"
                             "when = 2024-01-01\n"
                             "[cooking]\n"
                             "authserv_id = \"x\"\n"
                             "[[signing.domain]]\n"
                             "nam = \"x\"\n"
                             "[[signing.domain]]\n"
                             "name = \"d.example\"\n"
                             "keys = [{ selector = \"s\" }, { file = \"f\", size = 1 }]\n"
                             "[[signing.domain]]\n"
                             "name = 5\n"
                             "keys = \"x\"\n"
                             "[[signing.domain]]\n"
                             "name = \"e.example\"\n"
                             "[[signing.domain]]\n"
                             "name = \"f.example\"\n"
                             "keys = []\n")
                        .problems),
              ElementsAre(HasSubstr("warning: no socket is set"),
                          HasSubstr(":1: fatal: there is no setting 'colour'"),
                          HasSubstr(":3: fatal: there is no setting 'daemon.socket'; did you mean "
                                    "daemon.sockets?"),
                          HasSubstr(":4: fatal: daemon.workers: expected a number from 0 to 1024"),
                          HasSubstr(":6: fatal: log.level: expected one of error, warning"),
                          HasSubstr(":7: fatal: no setting takes a date"),
                          HasSubstr(":8: fatal: there is no setting 'cooking'"),
                          HasSubstr(":10: fatal: a domain needs a name"),
                          HasSubstr(":11: fatal: signing.domain has no 'nam'; did you mean name?"),
                          HasSubstr(":14: fatal: a key needs a selector and a file"),
                          HasSubstr(":14: fatal: keys has no 'size'"),
                          HasSubstr(":15: fatal: a domain needs a name"),
                          HasSubstr(":16: fatal: signing.domain.name: expected a text"),
                          HasSubstr(":17: fatal: keys: expected a list"),
                          HasSubstr(":18: fatal: the domain e.example needs keys"),
                          HasSubstr(":22: fatal: keys: expected a list")));
}

TEST_F(SnapshotTest, OwnFormTellsASyntaxErrorWithItsLine) {
  EXPECT_THAT(texts(load_own("[daemon]\nsockets = [\n").problems),
              Contains(HasSubstr("/etc/countersign.toml:2: fatal: ")));
  EXPECT_THAT(texts(load_own("signing = 5\n").problems),
              Contains(HasSubstr(":1: fatal: signing is a section")));
}

TEST_F(SnapshotTest, OwnFormTakesOverrides) {
  files.add("/c.toml", "[daemon]\nsockets = \"inet:1\"\nuser = \"nobody-here\"\n");
  const Snapshot snapshot = load({Source::Form::countersign,
                                  "/c.toml",
                                  {{"daemon.sockets", "[\"inet:2\", \"inet:3\"]"},
                                   {"daemon.user", "opendkim"},
                                   {"log.explains", "true"},
                                   {"daemon.workers", "3"}}},
                                 {files, accounts, ""});
  EXPECT_EQ(snapshot.settings.daemon.sockets.size(), 2u);
  EXPECT_EQ(snapshot.settings.daemon.user, "opendkim");
  EXPECT_TRUE(snapshot.settings.log.explains);
  EXPECT_EQ(snapshot.settings.daemon.workers, 3u);
  EXPECT_THAT(texts(snapshot.problems), ElementsAre(HasSubstr("nothing is signed")));
}

// --- judging ---

TEST_F(SnapshotTest, OwnFormJudgesEverythingByDefault) {
  const Snapshot snapshot =
      load_own("[daemon]\nsockets = \"inet:1\"\n[signing]\nmode = \"verify\"\n");
  EXPECT_THAT(texts(snapshot.problems), IsEmpty());
  ASSERT_NE(snapshot.policy, nullptr);
  EXPECT_TRUE(snapshot.policy->judges);
  EXPECT_FALSE(snapshot.policy->signs);
  const mailflow::JudgingPolicy& judging = snapshot.policy->judging;
  EXPECT_TRUE(judging.spf && judging.dmarc && judging.arc && judging.iprev);
  EXPECT_EQ(judging.results.authserv_id, "mail.example.org");
  EXPECT_EQ(judging.receiver, "mail.example.org");
  EXPECT_EQ(judging.actions.dmarc_reject, mailflow::RejectPolicy::corroborated);
  EXPECT_EQ(judging.actions.ambiguous, mailflow::Action::quarantine);
}

TEST_F(SnapshotTest, DefaultsOfJudgingAreThoseOfThePolicy) {
  const JudgingSettings settings;
  const mailflow::JudgingPolicy policy;
  const Limits limits;
  EXPECT_EQ(settings.spf, policy.spf);
  EXPECT_EQ(settings.arc, policy.arc);
  EXPECT_EQ(settings.dmarc, policy.dmarc);
  EXPECT_EQ(settings.iprev, policy.iprev);
  EXPECT_EQ(settings.accepts_partly_signed_body, policy.accepts_partly_signed_body);
  EXPECT_EQ(settings.shadow, policy.shadow);
  EXPECT_EQ(settings.results.authserv_id_with_job_id, policy.results.authserv_id_with_job_id);
  EXPECT_EQ(settings.results.removes_all, policy.results.removes_all);
  EXPECT_EQ(settings.results.keeps_all, policy.results.keeps_all);
  EXPECT_EQ(settings.results.removes_bimi, policy.results.removes_bimi);
  EXPECT_EQ(settings.results.comments, policy.results.comments);
  EXPECT_EQ(settings.results.signature_values, policy.results.signature_values);
  EXPECT_EQ(settings.results.received_spf, policy.results.received_spf);
  EXPECT_EQ(settings.trust.authenticated, policy.trust.authenticated);
  EXPECT_EQ(settings.signatures_max, limits.signatures_max);
  EXPECT_EQ(settings.clock_drift.count(), limits.clock_drift_seconds);
  EXPECT_EQ(settings.spf_void_lookups_max, limits.spf_void_lookups_max);
  EXPECT_EQ(settings.key_bits_min, limits.rsa_verify_bits_min);
}

TEST_F(SnapshotTest, ChecksAndTrustAreSet) {
  const Snapshot snapshot = load_own(
      "[daemon]\nsockets = \"inet:1\"\n[signing]\nmode = \"verify\"\n"
      "[judging]\nspf = true\narc = false\ndmarc = false\niprev = false\n"
      "accepts_partly_signed_body = false\nsignatures_max = 3\nclock_drift = \"1m\"\n"
      "key_bits_min = 2048\n"
      "spf_void_lookups_max = 4\nunjudged = [\"192.0.2.1\"]\nspf_skipped = [\"192.0.2.2\"]\n"
      "spf_shared = [\"192.0.2.4\"]\nfields_to_be_signed = [\"Subject\"]\n"
      "third_party_signers = [\"d.example\"]\n"
      "receiver = \"mx.example\"\nhelp = \"see https://x.example/%s\"\nshadow = true\n"
      "[judging.trust]\nnetworks = [\"192.0.2.3\"]\nauthor_domains = [\"a.example\"]\n"
      "forwarders = [\"b.example\"]\nsealers = [\"c.example\"]\nauthenticated = false\n");
  EXPECT_THAT(texts(snapshot.problems), IsEmpty());
  ASSERT_NE(snapshot.policy, nullptr);
  const mailflow::JudgingPolicy& judging = snapshot.policy->judging;
  EXPECT_FALSE(judging.arc || judging.dmarc || judging.iprev);
  EXPECT_FALSE(judging.accepts_partly_signed_body);
  EXPECT_EQ(snapshot.policy->limits.signatures_max, 3u);
  EXPECT_EQ(snapshot.policy->limits.clock_drift_seconds, 60u);
  EXPECT_EQ(snapshot.policy->limits.rsa_verify_bits_min, 2'048u);
  EXPECT_EQ(snapshot.policy->limits.spf_void_lookups_max, 4u);
  EXPECT_TRUE(judging.unjudged.match("", IpAddress::parse("192.0.2.1")));
  EXPECT_TRUE(judging.spf_skipped.match("", IpAddress::parse("192.0.2.2")));
  EXPECT_TRUE(judging.spf_shared.match("", IpAddress::parse("192.0.2.4")));
  EXPECT_THAT(judging.signatures.fields_to_be_signed, ElementsAre("Subject"));
  ASSERT_TRUE(judging.signatures.third_parties);
  EXPECT_TRUE(judging.signatures.third_parties->contains(*DomainName::parse("d.example")));
  EXPECT_EQ(judging.receiver, "mx.example");
  EXPECT_EQ(judging.help, "see https://x.example/%s");
  EXPECT_TRUE(judging.shadow);
  EXPECT_TRUE(judging.trust.networks.match("", IpAddress::parse("192.0.2.3")));
  EXPECT_TRUE(judging.trust.author_domains.contains(*DomainName::parse("a.example")));
  EXPECT_TRUE(judging.trust.forwarders.contains(*DomainName::parse("b.example")));
  EXPECT_TRUE(judging.trust.sealers.contains(*DomainName::parse("c.example")));
  EXPECT_FALSE(judging.trust.authenticated);
}

TEST_F(SnapshotTest, FieldsToBeSignedMustBeNames) {
  const Snapshot snapshot = load_own(
      "[daemon]\nsockets = \"inet:1\"\n[signing]\nmode = \"verify\"\n"
      "[judging]\nfields_to_be_signed = [\"To\", \"Subject:\"]\n");
  EXPECT_THAT(texts(snapshot.problems), ElementsAre(HasSubstr("'Subject:' is no name")));
  ASSERT_NE(snapshot.policy, nullptr);
  EXPECT_THAT(snapshot.policy->judging.signatures.fields_to_be_signed, ElementsAre("To"));
  EXPECT_FALSE(snapshot.policy->judging.signatures.third_parties);
}

TEST_F(SnapshotTest, ResultsFieldIsSet) {
  const Snapshot snapshot = load_own(
      "[daemon]\nsockets = \"inet:1\"\n[signing]\nmode = \"verify\"\n"
      "[judging.results]\nauthserv_id = \"mx.example\"\nauthserv_id_with_job_id = true\n"
      "removed_ids = [\"a.example\", \".b.example\"]\nremoves_all = true\nremoves_bimi = false\n"
      "comments = true\nsignature_values = false\nreceived_spf = true\n");
  EXPECT_THAT(texts(snapshot.problems), ElementsAre(HasSubstr("'.b.example' is no whole name")));
  ASSERT_NE(snapshot.policy, nullptr);
  const mailflow::ResultsPolicy& results = snapshot.policy->judging.results;
  EXPECT_EQ(results.authserv_id, "mx.example");
  EXPECT_TRUE(results.authserv_id_with_job_id && results.removes_all && results.comments);
  EXPECT_TRUE(results.received_spf);
  EXPECT_FALSE(results.removes_bimi || results.signature_values || results.keeps_all);
  EXPECT_THAT(results.removed_ids, ElementsAre("a.example"));
}

// Each action by its own key, so that no two rows of the table share a slot.
TEST_F(SnapshotTest, EveryActionHasItsSetting) {
  using mailflow::Action;
  using mailflow::Actions;
  const std::map<std::string, Action Actions::*> actions{
      {"ambiguous", &Actions::ambiguous},
      {"bare_line_end", &Actions::bare_line_end},
      {"dmarc_quarantine", &Actions::dmarc_quarantine},
      {"dmarc_temperror", &Actions::dmarc_temperror},
      {"dmarc_permerror", &Actions::dmarc_permerror},
      {"spf_fail", &Actions::spf_fail},
      {"spf_softfail", &Actions::spf_softfail},
      {"spf_temperror", &Actions::spf_temperror},
      {"spf_permerror", &Actions::spf_permerror},
      {"helo_fail", &Actions::helo_fail},
      {"no_signature", &Actions::no_signature},
      {"bad_signature", &Actions::bad_signature},
      {"key_not_found", &Actions::key_not_found},
      {"dns_error", &Actions::dns_error},
      {"bad_key", &Actions::bad_key},
      {"unauthenticated", &Actions::unauthenticated}};
  for (const auto& [name, member] : actions) {
    const Snapshot snapshot = load_own(
        "[daemon]\nsockets = \"inet:1\"\n[signing]\nmode = \"verify\"\n"
        "[judging.actions]\n" +
        name + " = \"discard\"\n");
    ASSERT_NE(snapshot.policy, nullptr) << name;
    for (const auto& [other, slot] : actions) {
      const Action expected = other == name ? Action::discard : Actions().*slot;
      EXPECT_EQ(snapshot.policy->judging.actions.*slot, expected) << name << " " << other;
    }
  }
  const Snapshot snapshot = load_own(
      "[daemon]\nsockets = \"inet:1\"\n[signing]\nmode = \"verify\"\n"
      "[judging.actions]\ndmarc_reject = \"reject\"\n");
  EXPECT_EQ(snapshot.policy->judging.actions.dmarc_reject, mailflow::RejectPolicy::reject);
}

TEST_F(SnapshotTest, AuthservIdMustBeOne) {
  const std::string mode = "[daemon]\nsockets = \"inet:1\"\n[signing]\nmode = \"verify\"\n";
  for (const char* wrong : {"--", "m\u00fcller.example", " "}) {
    const Snapshot snapshot =
        load_own(mode + "[judging.results]\nauthserv_id = \"" + wrong + "\"\n");
    EXPECT_EQ(snapshot.policy, nullptr) << wrong;
    EXPECT_THAT(texts(snapshot.problems), ElementsAre(HasSubstr(":6: fatal: '"))) << wrong;
  }
  files.add("/c.toml", mode);
  const Snapshot nameless = load({Source::Form::countersign, "/c.toml", {}}, {files, accounts, ""});
  EXPECT_EQ(nameless.policy->judging.results.authserv_id, "localhost");
}

TEST_F(SnapshotTest, AVerifyingOpenDkimJudgesDkimAlone) {
  files.add("/etc/opendkim.conf", "Socket inet:1\nMode v\nOn-NoSignature reject\n");
  const Snapshot snapshot = load_opendkim();
  EXPECT_THAT(texts(snapshot.problems),
              ElementsAre(HasSubstr(":2: note: SPF and DMARC of incoming mail are not checked")));
  ASSERT_NE(snapshot.policy, nullptr);
  EXPECT_TRUE(snapshot.policy->judges);
  const mailflow::JudgingPolicy& judging = snapshot.policy->judging;
  EXPECT_FALSE(judging.spf || judging.dmarc || judging.arc || judging.iprev);
  EXPECT_EQ(judging.actions.no_signature, mailflow::Action::reject);
  EXPECT_EQ(judging.results.authserv_id, "mail.example.org");
}

TEST_F(SnapshotTest, AFileThatIsNotThereIsFatal) {
  const Snapshot snapshot = load({Source::Form::countersign, "/none", {}}, {files, accounts, ""});
  EXPECT_EQ(snapshot.policy, nullptr);
  EXPECT_THAT(texts(snapshot.problems), Contains(HasSubstr("/none: fatal: cannot read it")));
}

}  // namespace
}  // namespace countersign::service::config
