// SPDX-License-Identifier: Apache-2.0
//
// The words of a row.

#include "countersign/report/evaluation.hpp"

#include <gtest/gtest.h>

#include "tests/support/reports.hpp"

namespace countersign::report {
namespace {

TEST(Evaluation, WordsAreThoseOfTheSchema) {
  EXPECT_EQ(to_string(ActionDisposition::none), "none");
  EXPECT_EQ(to_string(ActionDisposition::pass), "pass");
  EXPECT_EQ(to_string(ActionDisposition::quarantine), "quarantine");
  EXPECT_EQ(to_string(ActionDisposition::reject), "reject");
  EXPECT_EQ(to_string(DiscoveryMethod::psl), "psl");
  EXPECT_EQ(to_string(DiscoveryMethod::treewalk), "treewalk");
  EXPECT_EQ(to_string(OverrideReason::local_policy), "local_policy");
  EXPECT_EQ(to_string(OverrideReason::mailing_list), "mailing_list");
  EXPECT_EQ(to_string(OverrideReason::other), "other");
  EXPECT_EQ(to_string(OverrideReason::policy_test_mode), "policy_test_mode");
  EXPECT_EQ(to_string(OverrideReason::trusted_forwarder), "trusted_forwarder");
}

TEST(Evaluation, RowsAreOrderedByTheirPolicyFirst) {
  Evaluation a = sample::passed_row("198.51.100.1");
  Evaluation b = sample::passed_row("192.0.2.1");
  EXPECT_GT(a, b);
  b.published.domain = "example.net";
  EXPECT_LT(a, b);
}

}  // namespace
}  // namespace countersign::report
