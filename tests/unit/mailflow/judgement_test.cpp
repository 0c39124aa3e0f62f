// SPDX-License-Identifier: Apache-2.0
//
// The line of a log.

#include "countersign/mailflow/judgement.hpp"

#include <gtest/gtest.h>

#include "tests/support/judging.hpp"

namespace countersign::mailflow {
namespace {

TEST(Judgement, IsOneLineOfWords) {
  const test::Arrived passed =
      test::arrive(test::by("a@example.com"), test::judging_policy(), test::judging_zone);
  EXPECT_EQ(to_string(passed.judgement()), "spf=pass dkim=none arc=none dmarc=pass policy=reject");

  test::Arrival forged = test::by("a@example.com");
  forged.client_ip = "203.0.113.66";
  forged.mail_from = "a@nothing.example";
  const test::Arrived failed = test::arrive(forged, test::judging_policy(), test::judging_zone);
  EXPECT_EQ(to_string(failed.judgement()),
            "spf=none dkim=none arc=none dmarc=fail policy=reject; local_policy: not rejected for "
            "a policy alone; the message fails DMARC, and the policy of example.com is reject");
}

}  // namespace
}  // namespace countersign::mailflow
