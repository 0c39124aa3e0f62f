// SPDX-License-Identifier: Apache-2.0
//
// Settings of [judging] and of our own addresses as the policy of a judge.

#include "service/config/judging.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/memory_files.hpp"

namespace countersign::service::config {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

/// A policy, and what was told as it was made.
struct Made {
  mailflow::JudgingPolicy policy;
  std::vector<std::string> problems;
};

Made make(const Settings& settings) {
  const test::MemoryFiles files;
  Problems problems;
  Made made{make_judging_policy(settings, "mail.example.org", files, problems), {}};
  for (const Problem& problem : problems.all()) made.problems.push_back(to_string(problem));
  return made;
}

Made copied_to(const std::string& address) {
  Settings settings;
  settings.judging.copies_failures_to = address;
  return make(settings);
}

TEST(JudgingSettings, FailingMailIsCopiedToSomebody) {
  EXPECT_EQ(copied_to("").policy.copies_failures_to, "");
  for (const char* path : {"failures@b.example", "postmaster@localhost", "postmaster"}) {
    const Made made = copied_to(path);
    EXPECT_THAT(made.problems, IsEmpty());
    EXPECT_EQ(made.policy.copies_failures_to, path);
  }
  EXPECT_EQ(copied_to("Failures <failures@B\u00fccher.example>").policy.copies_failures_to,
            "failures@xn--bcher-kva.example");
}

// What stands in <> on its way to the MTA must not end them.
TEST(JudgingSettings, CopiesGoToOneAddress) {
  for (const char* bad : {"a b", "<a@b.example", "@b.example", "a@b>", "a>@b.example",
                          "\"a> <c\"@b.example", "a@b.example\r\nX"}) {
    const Made made = copied_to(bad);
    EXPECT_THAT(made.problems, ElementsAre(AllOf(HasSubstr("fatal"), HasSubstr("is no address"))))
        << bad;
    EXPECT_EQ(made.policy.copies_failures_to, "");
  }
}

TEST(JudgingSettings, TheFilterNamesItself) {
  Settings settings;
  EXPECT_EQ(make(settings).policy.results.software_header, "");
  settings.judging.results.software_header = true;
  EXPECT_THAT(make(settings).policy.results.software_header,
              AllOf(StartsWith("countersign v"), EndsWith(" mail.example.org")));
}

TEST(JudgingSettings, MailToOurOwnAddressesIsReportTraffic) {
  Settings settings;
  settings.reports.from = "from@a.example";
  settings.reports.own_addresses = {
      .source = "", .lines = {"Dmarc@b.example", "nobody"}, .place = {"own.toml", 7}};
  const Made made = make(settings);
  EXPECT_THAT(made.problems,
              ElementsAre("own.toml:7: warning: 'nobody' is no address and is left out"));
  const report::LoopGuard& own = made.policy.own_reports;
  EXPECT_TRUE(own.is_report_traffic({"dmarc@b.example"}));
  EXPECT_TRUE(own.is_report_traffic({"from@a.example", "dmarc@b.example"}));
  EXPECT_FALSE(own.is_report_traffic({"dmarc@b.example", "user@b.example"}));
}

}  // namespace
}  // namespace countersign::service::config
