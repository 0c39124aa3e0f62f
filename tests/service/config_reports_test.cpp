// SPDX-License-Identifier: Apache-2.0
//
// Settings of reports: what they need besides, and what is told when it is not there.

#include "service/config/reports.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "service/config/snapshot.hpp"
#include "tests/support/configurations.hpp"

namespace countersign::service::config {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

using ReportSettingsTest = ConfigurationTest;

TEST_F(ReportSettingsTest, ReportsNeedSomebodyWhoseMailIsSigned) {
  const std::string head = "[daemon]\nsockets = [\"inet:1\"]\n[signing]\nmode = \"verify\"\n";
  const auto problems_of = [&](const std::string& lines) {
    return texts(load_own(head + lines).problems);
  };
  EXPECT_THAT(problems_of("[store]\npath = \"/s\"\n[reports]\nsends = true\n"),
              Contains(HasSubstr(":8: fatal: reports come from nobody")));
  EXPECT_THAT(problems_of("[reports]\nsends = true\nfrom = \"a@b.example\"\n"),
              Contains(HasSubstr(":6: fatal: there is nothing to report")));
  const std::string failures = "[reports.failures]\nprivacy = \"redacted\"\n";
  EXPECT_THAT(problems_of(failures),
              Contains(HasSubstr(":6: warning: no failure report is sent, as reports come from")));
  EXPECT_THAT(problems_of("[reports]\nfrom = \"nobody\"\n" + failures),
              Contains(HasSubstr(":6: fatal: 'nobody' is no address")));
  EXPECT_THAT(problems_of("[reports]\nfrom = \"a@b.example\"\n" + failures),
              Contains(HasSubstr(":6: warning: no key signs for a@b.example")));
  EXPECT_THAT(problems_of(failures + "bcc = [\"x\"]\n"),
              Contains(HasSubstr(":7: fatal: 'x' is no address")));
  EXPECT_THAT(problems_of("[reports]\nfrom = \"nobody\"\n"), IsEmpty()) << "nobody sends any";
}

TEST_F(ReportSettingsTest, BouncesGoToAnAddress) {
  const std::string head =
      "[daemon]\nsockets = [\"inet:1\"]\n[signing]\nmode = \"verify\"\n"
      "[reports.failures]\nprivacy = \"redacted\"\n[reports]\nfrom = \"a@b.example\"\n";
  EXPECT_THAT(texts(load_own(head + "mail_from = \"<>\"\n").problems),
              Contains(HasSubstr(":9: fatal: '<>' is no address that bounces could go to")));
  EXPECT_THAT(texts(load_own(head + "mail_from = \"b@b.example\"\n").problems),
              Not(Contains(HasSubstr("bounces"))));
}

TEST_F(ReportSettingsTest, APasswordIsNotGivenToWhoeverAnswers) {
  const std::string head =
      "[daemon]\nsockets = [\"inet:1\"]\n[signing]\nmode = \"verify\"\n"
      "[reports.failures]\nprivacy = \"redacted\"\n"
      "[reports]\nfrom = \"a@b.example\"\nsmtp_user = \"u\"\n";
  const auto is_warned = [&](const std::string& lines) {
    for (const std::string& line : texts(load_own(head + lines).problems))
      if (line.find(":9: warning: the password for") != std::string::npos) return true;
    return false;
  };
  EXPECT_TRUE(is_warned("smtp_host = \"mta.example\"\n"));
  EXPECT_TRUE(is_warned("smtp_host = \"mta.example\"\nsmtp_tls = \"none\"\n"));
  EXPECT_FALSE(is_warned("smtp_host = \"mta.example\"\nsmtp_tls = \"required\"\n"));
  for (const char* here : {"localhost", "127.0.0.1", "::1"})
    EXPECT_FALSE(is_warned("smtp_host = \"" + std::string(here) + "\"\n")) << here;
}

TEST_F(ReportSettingsTest, FailuresAreToldOnlyWhenReportsComeFromSomebody) {
  const std::string head =
      "[daemon]\nsockets = [\"inet:1\"]\n[signing]\nmode = \"verify\"\n"
      "[reports.failures]\nprivacy = \"full_headers\"\n"
      "never = [\".de\"]\non_none = false\n";
  EXPECT_TRUE(load_own(head).policy->judging.failures.is_off());
  const Snapshot snapshot = load_own(head + "[reports]\nfrom = \"a@b.example\"\n");
  const mailflow::FailurePolicy& failures = snapshot.policy->judging.failures;
  EXPECT_EQ(failures.usual, report::Privacy::full_headers);
  EXPECT_TRUE(failures.never.contains(*DomainName::parse("mail.firma.de")));
  EXPECT_FALSE(failures.on_none);
}

TEST_F(ReportSettingsTest, DomainsThatGetNoReportsAreDomains) {
  files.add("/silent",
            "# those who never read\na.example\n.b.example\n*.c.example\n@d.example\n"
            "dmarc@e.example\n192.0.2.1\n");
  const Snapshot snapshot = load_own(
      "[daemon]\nsockets = [\"inet:1\"]\n[signing]\nmode = \"verify\"\n"
      "[reports]\nopted_out = \"/silent\"\n");
  EXPECT_THAT(texts(snapshot.problems),
              ElementsAre(HasSubstr("/silent:5: warning: '@d.example' is left out: reports are"),
                          HasSubstr("/silent:6: warning: 'dmarc@e.example' is left out"),
                          HasSubstr("/silent:7: warning: '192.0.2.1' is no domain")));
  EXPECT_THAT(texts(load_own("[daemon]\nsockets = [\"inet:1\"]\n[signing]\nmode = \"verify\"\n"
                             "[reports]\nopted_out = \"/gone\"\n")
                        .problems),
              ElementsAre(HasSubstr("fatal: cannot read /gone")));
}

TEST_F(ReportSettingsTest, ASecretOfRedactionIsOne) {
  const std::string text =
      "[daemon]\nsockets = [\"inet:1\"]\n[reports.failures]\nprivacy = \"redacted\"\n"
      "redaction_key_file = \"/secret\"\n";
  const auto problems_of = [&] { return texts(load_own(text).problems); };
  EXPECT_THAT(problems_of(), Contains(HasSubstr(":5: fatal: cannot read /secret")));
  files.add("/secret", "\nx\n");
  EXPECT_THAT(problems_of(), Contains(HasSubstr(":5: fatal: the first line of /secret is empty")));
  files.add("/secret", "x\n").set("/secret", 0644);
  EXPECT_THAT(problems_of(), Contains(HasSubstr("can be read or changed by everybody")));
  files.set("/secret", 0600);
  EXPECT_THAT(problems_of(), Not(Contains(HasSubstr("fatal"))));
}

}  // namespace
}  // namespace countersign::service::config
