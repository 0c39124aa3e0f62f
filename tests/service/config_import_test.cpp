// SPDX-License-Identifier: Apache-2.0
//
// The configurations of OpenDMARC, OpenARC and dkimpy-milter, unedited: what becomes of every kind
// of option, and what several files make together. policyd-spf has a test of its own.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "service/config/import/combine.hpp"
#include "service/config/import/common.hpp"
#include "service/config/import/recognize.hpp"
#include "service/config/snapshot.hpp"
#include "tests/support/configurations.hpp"
#include "tests/support/exact.hpp"
#include "tests/support/keys.hpp"

namespace countersign::service::config {
namespace {

using mailflow::Action;
using mailflow::RejectPolicy;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

constexpr Form foreign_forms[] = {Form::opendkim, Form::opendmarc, Form::openarc, Form::policyd_spf,
                                  Form::dkimpy};

// --- the tables ---

TEST(ForeignOptions, EveryRowLeadsSomewhere) {
  for (const Form form : foreign_forms) {
    const Dialect& dialect = dialect_of(form);
    std::set<std::string> names;
    for (const Option& option : dialect.options) {
      EXPECT_TRUE(names.insert(std::string(option.name)).second) << option.name << " stands twice";
      if (!option.key.empty()) {
        EXPECT_NE(find_setting(option.key), nullptr) << option.name;
      }
      EXPECT_TRUE(option.fate == Fate::works || !option.remark.empty()) << option.name;
    }
    for (const Special& special : dialect.specials) {
      EXPECT_TRUE(names.contains(std::string(special.option))) << special.option;
    }
  }
}

TEST(ForeignOptions, EachThatDoesNothingWarnsOnce) {
  for (const Form form : foreign_forms) {
    for (const Option& option : dialect_of(form).options) {
      if (option.fate == Fate::works) continue;
      const std::string equals = form == Form::policyd_spf ? " = " : " ";
      const std::string line = std::string(option.name) + equals + "x\n";
      EXPECT_THAT(import(form, line + line).problems,
                  ElementsAre(AllOf(HasSubstr(option.name), HasSubstr("has no effect"))));
    }
  }
}

TEST(ForeignOptions, NamesThatNobodyKnows) {
  EXPECT_THAT(import(Form::opendmarc, "RejectFailure yes\n").problems,
              ElementsAre("f:1: fatal: there is no option 'RejectFailure'; did you mean "
                          "RejectFailures?"));
  EXPECT_THAT(import(Form::openarc, "Seal yes\n").problems, ElementsAre(HasSubstr("fatal")));
  // These two programs log a line and go on.
  EXPECT_THAT(import(Form::policyd_spf, "Helo_rejects = Fail\n").problems,
              ElementsAre(HasSubstr("warning: there is no option")));
  EXPECT_THAT(import(Form::dkimpy, "Syslogs yes\n").problems,
              ElementsAre(HasSubstr("warning: there is no option")));
}

// --- opendmarc.conf ---

TEST(OpenDmarcImport, TheFileOfDebianOnlyWritesResults) {
  const Imported imported =
      import(Form::opendmarc,
             "PidFile /run/opendmarc/opendmarc.pid\n"
             "PublicSuffixList /usr/share/publicsuffix/public_suffix_list.dat\n"
             "Socket local:/run/opendmarc/opendmarc.sock\n"
             "Syslog true\nUMask 0002\nUserID opendmarc\n");
  EXPECT_THAT(imported.problems,
              ElementsAre(HasSubstr("f:2: note: PublicSuffixList has no use: organizations are")));
  const Settings& settings = imported.settings;
  EXPECT_EQ(settings.judging.dmarc_discovery, dmarc::DiscoveryMethod::treewalk);
  EXPECT_EQ(settings.judging.public_suffix_list, "/usr/share/publicsuffix/public_suffix_list.dat");
  EXPECT_EQ(settings.signing.mode, Mode::verify);
  EXPECT_TRUE(settings.daemon.background);
  EXPECT_TRUE(settings.log.to_syslog);
  EXPECT_EQ(settings.daemon.umask->bits, 2u);
  const JudgingSettings& judging = settings.judging;
  EXPECT_TRUE(judging.spf && judging.dmarc);
  EXPECT_FALSE(judging.arc || judging.iprev);
  EXPECT_EQ(judging.actions.dmarc_reject, RejectPolicy::quarantine);
  EXPECT_EQ(judging.actions.dmarc_quarantine, Action::accept);
  EXPECT_EQ(judging.actions.dmarc_temperror, Action::accept);
  EXPECT_EQ(judging.actions.ambiguous, Action::accept);
}

TEST(OpenDmarcImport, RejectFailures) {
  const mailflow::Actions reject = clean(Form::opendmarc, "RejectFailures true\n").judging.actions;
  EXPECT_EQ(reject.dmarc_reject, RejectPolicy::reject);
  EXPECT_EQ(reject.dmarc_quarantine, Action::accept);
  EXPECT_EQ(reject.dmarc_temperror, Action::tempfail);
  const mailflow::Actions both =
      clean(Form::opendmarc, "HoldQuarantinedMessages true\nRejectFailures true\n").judging.actions;
  EXPECT_EQ(both.dmarc_quarantine, Action::quarantine);
  EXPECT_EQ(both.dmarc_reject, RejectPolicy::reject);
  const Imported hold = import(Form::opendmarc, "HoldQuarantinedMessages true\n");
  EXPECT_EQ(hold.settings.judging.actions.dmarc_quarantine, Action::accept);
  EXPECT_THAT(hold.problems, ElementsAre(HasSubstr("no effect without RejectFailures")));
}

TEST(OpenDmarcImport, Exceptions) {
  const JudgingSettings judging =
      clean(Form::opendmarc,
            "IgnoreHosts /etc/opendmarc/ignore.hosts\nIgnoreMailFrom a.example,b.example\n"
            "IgnoreAuthenticatedClients yes\nDomainWhitelist c.example, d.example\n"
            "DomainWhitelistFile /etc/opendmarc/sealers\n")
          .judging;
  EXPECT_EQ(judging.unjudged.source, "file:/etc/opendmarc/ignore.hosts");
  EXPECT_EQ(judging.trust.author_domains.source, "a.example,b.example");
  EXPECT_TRUE(judging.trust.authenticated);
  EXPECT_THAT(judging.trust.sealers.lines, ElementsAre("c.example", "d.example"));
  EXPECT_EQ(judging.trust.sealers.source, "file:/etc/opendmarc/sealers");
  EXPECT_TRUE(judging.arc) << "sealers are of no use unless seals are checked";
  EXPECT_FALSE(clean(Form::opendmarc, "").judging.trust.authenticated);
}

TEST(OpenDmarcImport, WhoseMailItIs) {
  for (const char* line :
       {"RejectMultiValueFrom yes\n", "RequiredHeaders yes\n", "RequiredFrom yes\n"}) {
    EXPECT_EQ(clean(Form::opendmarc, line).judging.actions.ambiguous, Action::reject) << line;
  }
  EXPECT_EQ(clean(Form::opendmarc, "RejectMultiValueFrom no\n").judging.actions.ambiguous,
            Action::accept);
}

TEST(OpenDmarcImport, WhatIsDoneAnywayIsNotTold) {
  (void)clean(Form::opendmarc,
              "TrustedAuthservIDs HOSTNAME\nSPFSelfValidate true\nSPFIgnoreResults yes\n"
              "FailureReports false\nRecordAllMessages no\n");
  EXPECT_EQ(clean(Form::opendmarc, "RejectString see us, %s\n").judging.help, "see us, %s");
  EXPECT_EQ(clean(Form::opendmarc, "AuthservID HOSTNAME\n").judging.results.authserv_id, "");
  EXPECT_EQ(clean(Form::opendmarc, "AuthservID mx.example\n").judging.results.authserv_id,
            "mx.example");
}

TEST(OpenDmarcImport, HistoryIsKept) {
  EXPECT_EQ(clean(Form::opendmarc, "HistoryFile /run/opendmarc.dat\n").store.history_file,
            "/run/opendmarc.dat");
  EXPECT_EQ(clean(Form::opendmarc, "").store.history_file, "");
  EXPECT_FALSE(clean(Form::opendmarc, "HistoryFile /run/opendmarc.dat\n").store.history_all);
  EXPECT_TRUE(clean(Form::opendmarc, "HistoryFile /run/opendmarc.dat\nRecordAllMessages yes\n")
                  .store.history_all);
}

TEST(OpenDmarcImport, NamesItself) {
  EXPECT_TRUE(clean(Form::opendmarc, "SoftwareHeader yes\n").judging.results.software_header);
  EXPECT_FALSE(clean(Form::opendmarc, "").judging.results.software_header);
}

TEST(OpenDmarcImport, WhoGetsCopies) {
  for (const char* address : {"a@b.example", "postmaster@localhost", "postmaster"}) {
    EXPECT_EQ(clean(Form::opendmarc, "CopyFailuresTo " + std::string(address) + "\n")
                  .judging.copies_failures_to,
              address);
  }
  EXPECT_EQ(clean(Form::opendmarc, "").judging.copies_failures_to, "");
  const Imported bad = import(Form::opendmarc, "CopyFailuresTo a@b@c\n");
  EXPECT_THAT(bad.problems, ElementsAre(HasSubstr("f:1: warning: 'a@b@c' is no address")));
  EXPECT_EQ(bad.settings.judging.copies_failures_to, "");
}

TEST(OpenDmarcImport, WhoIsLeftOutOfReports) {
  const ReportSettings reports =
      clean(Form::opendmarc,
            "IgnoreMailTo dmarc@a.example, x=y@b.example\nNoReportsList /etc/opendmarc/silent\n")
          .reports;
  EXPECT_THAT(reports.own_addresses.lines, ElementsAre("dmarc@a.example", "x=y@b.example"));
  EXPECT_EQ(reports.own_addresses.place.line, 1u);
  EXPECT_EQ(reports.opted_out.source, "file:/etc/opendmarc/silent");
}

TEST(OpenDmarcImport, FailureReports) {
  const ReportSettings off = clean(Form::opendmarc, "FailureReports no\n").reports;
  EXPECT_EQ(off.failures.privacy, report::Privacy::never);
  const ReportSettings on = clean(Form::opendmarc,
                                  "FailureReports true\nFailureReportsSentBy dmarc@example.org\n"
                                  "FailureReportsBcc a@example.org, b@example.org\n"
                                  "ReportCommand /usr/sbin/sendmail -t -odq\n")
                                .reports;
  EXPECT_EQ(on.failures.privacy, report::Privacy::redacted);
  EXPECT_FALSE(on.failures.on_none);
  EXPECT_EQ(on.from, "dmarc@example.org");
  EXPECT_THAT(on.failures.bcc, ElementsAre("a@example.org", "b@example.org"));
  EXPECT_TRUE(clean(Form::opendmarc, "FailureReportsOnNone yes\nFailureReports yes\n")
                  .reports.failures.on_none);
  EXPECT_FALSE(clean(Form::opendmarc, "FailureReports yes\nFailureReportsOnNone no\n")
                   .reports.failures.on_none);
}

TEST(OpenDmarcImport, FailureReportsThatCannotBeSentOnlyWarn) {
  EXPECT_THAT(import(Form::opendmarc, "FailureReportsSentBy nobody\n").problems,
              ElementsAre(HasSubstr("f:1: warning: 'nobody' is no address")));
  const Imported copies = import(Form::opendmarc, "FailureReportsBcc nobody,a@example.org\n");
  EXPECT_THAT(copies.problems, ElementsAre(HasSubstr("f:1: warning: 'nobody' is no address")));
  EXPECT_THAT(copies.settings.reports.failures.bcc, ElementsAre("a@example.org"));
  EXPECT_THAT(import(Form::opendmarc, "ReportCommand /usr/bin/mailer -x\n").problems,
              ElementsAre(HasSubstr("f:1: warning: ReportCommand is not run")));
}

// --- openarc.conf ---

TEST(OpenArcImport, SealsAreChecked) {
  const Settings settings = clean(Form::openarc,
                                  "Mode sv\nAuthservID mx.example\nAuthResComments yes\n"
                                  "InternalHosts /etc/openarc/hosts\nPeerList 192.0.2.1\n"
                                  "MaximumHeaders 0\nSocket inet:8894@localhost\n");
  EXPECT_EQ(settings.signing.mode, Mode::verify);
  EXPECT_TRUE(settings.judging.arc);
  EXPECT_FALSE(settings.judging.spf || settings.judging.dmarc);
  EXPECT_TRUE(settings.judging.results.comments);
  EXPECT_EQ(settings.signing.internal_hosts.source, "/etc/openarc/hosts");
  EXPECT_EQ(settings.limits.header_octets, 67'108'864u);
  EXPECT_FALSE(clean(Form::openarc, "Mode v\n").sealing.judged);
  EXPECT_THAT(import(Form::openarc, "Mode x\n").problems, ElementsAre(HasSubstr("fatal")));
}

constexpr const char* openarc_key = "Domain d.example\nSelector s\nKeyFile /etc/openarc/key\n";

TEST(OpenArcImport, ItsKeyIsNoneOfDkim) {
  const Settings settings = clean(Form::openarc, openarc_key);
  EXPECT_TRUE(settings.signing.single.key_file.empty());
  EXPECT_TRUE(settings.signing.domains.empty());
}

TEST(OpenArcImport, ModeSaysWhatIsSealed) {
  for (const char* mode : {"s", "sv", "vs"}) {
    const Settings settings =
        clean(Form::openarc, std::string(openarc_key) + "Mode " + mode + "\n");
    EXPECT_TRUE(settings.sealing.judged) << mode;
    EXPECT_TRUE(settings.judging.arc) << mode << " needs to know what the chain is worth";
    EXPECT_TRUE(settings.sealing.returned.empty()) << mode;
    EXPECT_EQ(settings.sealing.domain, "d.example");
    EXPECT_EQ(settings.sealing.selector, "s");
    EXPECT_EQ(settings.sealing.key_file, "/etc/openarc/key");
  }
  const Settings checked = clean(Form::openarc, std::string(openarc_key) + "Mode v\n");
  EXPECT_FALSE(checked.sealing.judged);
  EXPECT_TRUE(checked.sealing.returned.empty());
}

TEST(OpenArcImport, WithoutModeTheHostDecides) {
  const Settings by_default = clean(Form::openarc, openarc_key);
  EXPECT_FALSE(by_default.sealing.judged);
  EXPECT_THAT(by_default.sealing.returned.lines, ElementsAre("127.0.0.1", "::1"));
  const Settings named =
      clean(Form::openarc, std::string(openarc_key) + "InternalHosts /etc/openarc/hosts\n");
  EXPECT_EQ(named.sealing.returned.source, "/etc/openarc/hosts");
  EXPECT_TRUE(clean(Form::openarc, "AuthservID mx.example\n").sealing.returned.empty());
}

TEST(OpenArcImport, HowItIsSealed) {
  const Settings settings = clean(Form::openarc, std::string(openarc_key) +
                                                     "Mode sv\nSignHeaders from,subject\n"
                                                     "OmitHeaders subject\nSignatureTTL 604800\n"
                                                     "SignatureAlgorithm rsa-sha256\n"
                                                     "RequireSafeKeys no\n");
  EXPECT_EQ(settings.sealing.canonicalization,
            (Canonicalizations{dkim::Canonicalization::relaxed, dkim::Canonicalization::simple}));
  EXPECT_EQ(settings.sealing.signed_fields.source, "from,subject");
  EXPECT_EQ(settings.sealing.omitted_fields.source, "subject");
  EXPECT_THAT(settings.sealing.oversigned_fields.lines, ElementsAre("."));
  EXPECT_EQ(settings.sealing.lifetime, std::chrono::hours{168});
  EXPECT_FALSE(settings.signing.safe_keys_required);
  EXPECT_EQ(clean(Form::openarc, "Canonicalization relaxed/relaxed\n").sealing.canonicalization,
            Canonicalizations{});
  EXPECT_FALSE(clean(Form::openarc, "SignatureTTL 0\n").sealing.lifetime);
  EXPECT_THAT(import(Form::openarc, "SignatureAlgorithm rsa-sha1\n").problems,
              ElementsAre(HasSubstr("warning: SignatureAlgorithm rsa-sha1 has no effect")));
  EXPECT_THAT(import(Form::openarc, "SignatureAlgorithm x\n").problems,
              ElementsAre(HasSubstr("fatal")));
}

TEST(OpenArcImport, WhichMailIsSealed) {
  const Imported checks = import(Form::openarc, "SealHeaderChecks /etc/checks\n");
  EXPECT_EQ(checks.settings.sealing.header_checks.source, "file:/etc/checks");
  EXPECT_THAT(
      checks.problems,
      ElementsAre(HasSubstr("f:1: note: the expressions of /etc/checks are read as those")));
  EXPECT_TRUE(clean(Form::openarc, "SoftwareHeader yes\n").sealing.software_header);
  EXPECT_FALSE(clean(Form::openarc, "").sealing.software_header);
}

TEST(OpenArcImport, WhatIsWritten) {
  const ResultsSettings usual = clean(Form::openarc, "").judging.results;
  EXPECT_TRUE(usual.remote_ip);
  EXPECT_FALSE(usual.arc_chain);
  const ResultsSettings other =
      clean(Form::openarc, "AuthResIP no\nFinalReceiver yes\n").judging.results;
  EXPECT_FALSE(other.remote_ip);
  EXPECT_TRUE(other.arc_chain);
}

TEST(OpenArcImport, WhatIsDoneWithMailThatCannotBeSealed) {
  const Settings usual = clean(Form::openarc, "");
  EXPECT_EQ(usual.sealing.on_error, Action::accept);
  EXPECT_EQ(usual.signing.on_limit, Action::reject);
  const Settings other =
      clean(Form::openarc, "ResponseUnable tempfail\nResponseUnwilling accept\n");
  EXPECT_EQ(other.sealing.on_error, Action::tempfail);
  EXPECT_EQ(other.signing.on_peer, Action::accept);
  EXPECT_EQ(other.signing.on_limit, Action::accept);
}

TEST(OpenArcImport, WhatIsDoneWithMailOfPeers) {
  EXPECT_EQ(clean(Form::openarc, "PeerList 192.0.2.1\n").signing.on_peer, Action::accept);
  for (const auto& [word, action] :
       {std::pair("accept", Action::accept), std::pair("Tempfail", Action::tempfail),
        std::pair("reject", Action::reject), std::pair("discard", Action::discard)}) {
    EXPECT_EQ(clean(Form::openarc, "ResponseDisabled " + std::string(word) + "\n").signing.on_peer,
              action)
        << word;
  }
  EXPECT_THAT(import(Form::openarc, "ResponseDisabled bounce\n").problems,
              ElementsAre(HasSubstr("f:1: warning: ResponseDisabled bounce: expected one of")));
}

TEST(OpenArcImport, WhatIsDoneAnywayIsNotTold) {
  (void)clean(Form::openarc, "PermitAuthenticationOverrides no\nKeepTemporaryFiles no\n");
  (void)clean(Form::openarc, "PermitAuthenticationOverrides yes\n");
  EXPECT_THAT(import(Form::openarc, "KeepTemporaryFiles yes\n").problems,
              ElementsAre(HasSubstr("has no effect")));
}

// --- dkimpy-milter.conf ---

TEST(DkimpyImport, TwoKeysSignForEachDomain) {
  const Settings settings =
      clean(Form::dkimpy,
            "Domain a.example,b.example\nSubDomains yes\nKeyFile /etc/dkimkeys/rsa\nSelector r\n"
            "KeyFileEd25519 /etc/dkimkeys/ed\nSelectorEd25519 e\nUserID dkimpy-milter\n");
  ASSERT_EQ(settings.signing.domains.size(), 2u);
  const SigningDomain& second = settings.signing.domains[1];
  EXPECT_EQ(second.name, "b.example");
  EXPECT_TRUE(second.subdomains);
  ASSERT_EQ(second.keys.size(), 2u);
  EXPECT_EQ(second.keys[0].selector, "r");
  EXPECT_EQ(second.keys[1].file, "/etc/dkimkeys/ed");
  EXPECT_EQ(settings.signing.mode, Mode::both);
  EXPECT_EQ(settings.signing.canonicalization.body, dkim::Canonicalization::simple);
  EXPECT_EQ(settings.signing.canonicalization.header, dkim::Canonicalization::relaxed);
  EXPECT_THAT(settings.signing.oversigned_fields.lines, ElementsAre("From"));
  EXPECT_FALSE(settings.daemon.background);
  EXPECT_EQ(settings.daemon.umask->bits, 7u);
}

TEST(DkimpyImport, Mistakes) {
  EXPECT_THAT(import(Form::dkimpy, "Domain a.example\n").problems,
              ElementsAre(HasSubstr("go together")));
  EXPECT_THAT(import(Form::dkimpy, "Mode x\n").problems, ElementsAre(HasSubstr("fatal")));
  EXPECT_EQ(clean(Form::dkimpy, "MinimumKeyBits 0\n").signing.key_bits_min, 1'024u);
  EXPECT_EQ(clean(Form::dkimpy, "MinimumKeyBits 2048\n").judging.key_bits_min, 2'048u);
  EXPECT_EQ(clean(Form::openarc, "MinimumKeySizeRSA 2048\n").judging.key_bits_min, 2'048u);
  EXPECT_EQ(clean(Form::openarc, "MinimumKeySizeRSA 0\n").judging.key_bits_min, 1'024u);
  EXPECT_THAT(import(Form::openarc, "MinimumKeySizeRSA 512\n").problems,
              ElementsAre(HasSubstr("MinimumKeySizeRSA 512 is taken as 1024")));
}

TEST(DkimpyImport, MacrosSayWhoseMailItIs) {
  const Settings settings = clean(
      Form::dkimpy, "MacroList daemon_name|ORIGINATING\nMacroListVerify daemon_name|VERIFYING\n");
  EXPECT_EQ(settings.signing.macros.source, "daemon_name|ORIGINATING");
  EXPECT_EQ(settings.judging.macros.source, "daemon_name|VERIFYING");
}

TEST(DkimpyImport, TablesGoBeforeSingleKeys) {
  const Settings settings =
      clean(Form::dkimpy, "Domain a.example\nSigningTable refile:/st\nKeyTable /kt\nMode s\n");
  EXPECT_TRUE(settings.signing.domains.empty());
  EXPECT_EQ(settings.signing.signing_table.source, "refile:/st");
  EXPECT_EQ(settings.signing.mode, Mode::sign);
}

TEST(DkimpyImport, BothTablesSign) {
  test::MemoryFiles files;
  files.add("/rsa", test::rsa_pem()).add("/ed", test::ed25519_pem());
  files.add("/kt", "k a.example:r:/rsa\n")
      .add("/kt2", "k a.example:e:/ed\nl b.example:e:/ed\n")
      .add("/st", "*@a.example k\n*@b.example l\n*@c.example m\n");
  files.add("/dkimpy-milter.conf",
            "Socket inet:1\nMode s\nKeyTable /kt\nKeyTableEd25519 /kt2\nSigningTable refile:/st\n");
  const test::MemoryAccounts accounts;
  const Snapshot snapshot = load({Form::any, "/dkimpy-milter.conf", {}}, {files, accounts, "h"});
  EXPECT_THAT(texts(snapshot.problems), ElementsAre(HasSubstr("/st:3: error: the key 'm'")));
  ASSERT_NE(snapshot.policy, nullptr);
  const auto selectors = [&snapshot](const char* domain) {
    std::vector<std::string> found;
    for (const mailflow::SigningEntry* line :
         snapshot.policy->signing_table->match("joe", *DomainName::parse(domain), false)) {
      const mailflow::KeyEntry* key = snapshot.policy->key_table.find(line->key_name);
      found.push_back(key ? key->selector.text() : "none");
    }
    return found;
  };
  EXPECT_TRUE(snapshot.policy->multiple_signatures);
  EXPECT_THAT(selectors("a.example"), ElementsAre("r", "e"));
  EXPECT_THAT(selectors("b.example"), ElementsAre("e"));
  EXPECT_THAT(selectors("c.example"), ElementsAre("none"));
}

// --- which file is which ---

TEST(Recognize, ByName) {
  const test::MemoryFiles none;
  EXPECT_EQ(recognize("/etc/opendkim.conf", none), Form::opendkim);
  EXPECT_EQ(recognize("/etc/opendmarc.conf", none), Form::opendmarc);
  EXPECT_EQ(recognize("/etc/opendmarc-inbound.conf", none), Form::opendmarc);
  EXPECT_EQ(recognize("openarc.conf", none), Form::openarc);
  EXPECT_EQ(recognize("/etc/postfix-policyd-spf-python/policyd-spf.conf", none), Form::policyd_spf);
  EXPECT_EQ(recognize("/etc/pyspf-milter/pyspf-milter.conf", none), Form::policyd_spf);
  EXPECT_EQ(recognize("/etc/dkimpy-milter/dkimpy-milter.conf", none), Form::dkimpy);
  EXPECT_EQ(recognize("/nowhere/milter.conf", none), Form::opendkim);
}

TEST(Recognize, ByOptions) {
  test::MemoryFiles files;
  const auto form = [&files](const std::string& text) {
    files.add("/etc/milter.conf", text);
    return recognize("/etc/milter.conf", files);
  };
  EXPECT_EQ(form(""), Form::opendkim);
  EXPECT_EQ(form("Syslog yes\nSocket inet:1\n"), Form::opendkim);
  EXPECT_EQ(form("Syslog yes\nRejectFailures yes\n"), Form::opendmarc);
  EXPECT_EQ(form("Syslog yes\nSealHeaderChecks /x\n"), Form::openarc);
  EXPECT_EQ(form("Selector s\nSelectorEd25519 t\n"), Form::dkimpy);
  EXPECT_EQ(form("debugLevel = 1\nHELO_reject = Fail\n"), Form::policyd_spf);
  EXPECT_EQ(form(std::string("\0\xff\n=\n", 5)), Form::opendkim);
}

TEST(Recognize, ByPrefix) {
  EXPECT_EQ(form_named("opendmarc"), Form::opendmarc);
  EXPECT_EQ(form_named("Policyd-SPF"), Form::policyd_spf);
  EXPECT_EQ(form_named("file"), std::nullopt);
  EXPECT_EQ(form_named(""), std::nullopt);
}

// --- several files ---

class CombineTest : public ConfigurationTest {
 protected:
  CombineTest() {
    files.add("/k", test::rsa_pem());
    files.add("/etc/opendkim.conf",
              "Socket inet:8891@localhost\nUserID opendkim\nSyslog yes\nMode sv\n"
              "Domain d.example\nSelector s\nKeyFile /k\nPidFile /run/a.pid\n");
    files.add("/etc/opendmarc.conf",
              "Socket inet:8893@localhost\nUserID opendkim\nSyslog yes\nRejectFailures yes\n"
              "PidFile /run/b.pid\n");
    files.add("/etc/policyd-spf.conf", "HELO_reject = False\nMail_From_reject = Softfail\n");
    files.set("/k", 0600, 110, 110);
  }

  Snapshot load_all(const std::vector<std::string>& names, const Overrides& overrides = {}) const {
    Source source{Form::any, names.front(), overrides};
    for (std::size_t i = 1; i < names.size(); ++i) source.others.push_back({Form::any, names[i]});
    return load(source, {files, accounts, "mail.example.org"});
  }
};

TEST_F(CombineTest, ThreeProgramsBecomeOne) {
  const Snapshot snapshot =
      load_all({"/etc/opendkim.conf", "/etc/opendmarc.conf", "/etc/policyd-spf.conf"});
  EXPECT_THAT(texts(snapshot.problems),
              ElementsAre(HasSubstr("/etc/opendmarc.conf:1: note: this socket does the same"),
                          HasSubstr("/etc/opendmarc.conf:5: note: daemon.pid_file")));
  ASSERT_NE(snapshot.policy, nullptr);
  const mailflow::Policy& policy = *snapshot.policy;
  EXPECT_TRUE(policy.signs && policy.judges);
  EXPECT_TRUE(policy.single_key);
  EXPECT_TRUE(policy.judging.spf && policy.judging.dmarc);
  EXPECT_FALSE(policy.judging.arc || policy.judging.iprev);
  EXPECT_EQ(policy.judging.actions.dmarc_reject, RejectPolicy::reject);
  EXPECT_EQ(policy.judging.actions.spf_softfail, Action::reject);
  EXPECT_EQ(policy.judging.actions.helo_fail, Action::accept);
  EXPECT_EQ(policy.judging.actions.dns_error, Action::tempfail) << "OpenDKIM's default";
  EXPECT_TRUE(policy.judging.results.received_spf);
  EXPECT_TRUE(policy.judging.spf_skipped.match("", IpAddress::parse("127.0.0.9")));
  const DaemonSettings& daemon = snapshot.settings.daemon;
  ASSERT_EQ(daemon.sockets.size(), 2u);
  EXPECT_EQ(to_string(daemon.sockets[1]), "inet:8893@localhost");
  EXPECT_EQ(daemon.pid_file, "/run/a.pid");
  EXPECT_TRUE(daemon.background);
  EXPECT_EQ(snapshot.settings.signing.fields, FieldDefaults::opendkim);
  EXPECT_FALSE(snapshot.settings.log.to_stderr);
}

TEST_F(CombineTest, TheOrderOfTheFilesDoesNotChangeWhatIsDone) {
  const Snapshot one = load_all({"/etc/opendkim.conf", "/etc/opendmarc.conf"});
  const Snapshot other = load_all({"/etc/opendmarc.conf", "/etc/opendkim.conf"});
  ASSERT_NE(other.policy, nullptr);
  EXPECT_EQ(one.settings.signing.mode, other.settings.signing.mode);
  EXPECT_EQ(one.policy->judging.dmarc, other.policy->judging.dmarc);
  EXPECT_EQ(one.policy->fields.sign, other.policy->fields.sign);
  EXPECT_EQ(one.settings.signing.canonicalization, other.settings.signing.canonicalization);
}

TEST_F(CombineTest, ConflictsAreToldWithBothPlaces) {
  files.add("/etc/opendmarc.conf",
            "UserID postfix\nSocket inet:8891@localhost\nAuthservID x.test\n");
  const Snapshot snapshot = load_all({"/etc/opendkim.conf", "/etc/opendmarc.conf"});
  EXPECT_THAT(texts(snapshot.problems),
              ElementsAre(AllOf(StartsWith("/etc/opendmarc.conf:1: warning: daemon.user = "
                                           "\"postfix\" has no effect"),
                                HasSubstr("/etc/opendkim.conf:2 says \"opendkim\""))));
  EXPECT_EQ(snapshot.settings.daemon.user, "opendkim");
  EXPECT_EQ(snapshot.settings.daemon.sockets.size(), 1u) << "the same socket";
  EXPECT_EQ(snapshot.policy->judging.results.authserv_id, "x.test");
}

TEST_F(CombineTest, ModeIsTheSumOfTheFiles) {
  files.add("/etc/opendkim.conf",
            "Socket inet:1\nMode s\nDomain d.example\nSelector s\nKeyFile /k\n");
  EXPECT_EQ(load_all({"/etc/opendkim.conf", "/etc/opendmarc.conf"}).settings.signing.mode,
            Mode::both);
  EXPECT_EQ(load_all({"/etc/opendmarc.conf", "/etc/policyd-spf.conf"}).settings.signing.mode,
            Mode::verify);
}

TEST_F(CombineTest, TheCommandLineCountsMore) {
  const Snapshot snapshot =
      load_all({"/etc/opendkim.conf", "/etc/opendmarc.conf"},
               {{"Socket", "inet:9999"}, {"Mode", "v"}, {"UserID", "postfix"}});
  EXPECT_THAT(texts(snapshot.problems), ElementsAre(HasSubstr("daemon.pid_file")));
  ASSERT_EQ(snapshot.settings.daemon.sockets.size(), 1u);
  EXPECT_EQ(snapshot.settings.daemon.sockets[0].port, 9999);
  EXPECT_EQ(snapshot.settings.signing.mode, Mode::verify);
  EXPECT_EQ(snapshot.settings.daemon.user, "postfix");
  EXPECT_FALSE(load_all({"/etc/opendmarc.conf"}, {{"Background", "no"}}).settings.daemon.background)
      << "one file alone, in OpenDKIM's words";
}

TEST_F(CombineTest, OwnSettingsCountMoreThanImported) {
  files.add("/own.toml",
            "[judging]\nspf = true\ndmarc = true\n[judging.actions]\ndmarc_reject = \"reject\"\n");
  Source source{Form::countersign, "/own.toml", {}};
  source.others.push_back({Form::any, "/etc/opendkim.conf"});
  const Snapshot snapshot = load(source, {files, accounts, "mail.example.org"});
  EXPECT_THAT(texts(snapshot.problems), IsEmpty());
  ASSERT_NE(snapshot.policy, nullptr);
  EXPECT_TRUE(snapshot.policy->judging.spf && snapshot.policy->judging.dmarc);
  EXPECT_FALSE(snapshot.policy->judging.arc);
  EXPECT_EQ(snapshot.policy->judging.actions.dmarc_reject, RejectPolicy::reject);
  EXPECT_EQ(snapshot.policy->judging.actions.dns_error, Action::tempfail);
  EXPECT_TRUE(snapshot.policy->signs);
  EXPECT_EQ(snapshot.settings.daemon.user, "opendkim");
}

TEST_F(CombineTest, AFileThatIsNotThereIsFatal) {
  const Snapshot snapshot = load_all({"/etc/opendkim.conf", "/none/opendmarc.conf"});
  EXPECT_EQ(snapshot.policy, nullptr);
  EXPECT_THAT(texts(snapshot.problems),
              ElementsAre(HasSubstr("/none/opendmarc.conf: fatal: cannot read")));
}

}  // namespace
}  // namespace countersign::service::config
