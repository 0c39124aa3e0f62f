// SPDX-License-Identifier: Apache-2.0
//
// Whose policy answers for a recipient.

#include "countersign/mailflow/access_policy.hpp"

#include <gtest/gtest.h>

#include <memory>

namespace countersign::mailflow {
namespace {

TEST(SpfAccessPolicies, KnowRecipientsAndTheirDomains) {
  SpfAccessPolicies policies;
  const auto own = std::make_shared<const SpfAccessPolicy>();
  const auto domains = std::make_shared<const SpfAccessPolicy>();
  policies.of_recipients = {{"dave@example.net", own}, {"@example.net", domains}};
  EXPECT_EQ(&policies.choose("Dave@Example.NET").policy, own.get());
  EXPECT_EQ(policies.choose("Dave@Example.NET").whose, "dave@example.net");
  EXPECT_EQ(&policies.choose("eve@example.net").policy, domains.get());
  EXPECT_EQ(policies.choose("eve@example.net").whose, "@example.net");
  for (const char* const other : {"dave@example.com", "dave", "", "@", "dave@sub.example.net"}) {
    EXPECT_EQ(&policies.choose(other).policy, &policies.usual) << other;
    EXPECT_EQ(policies.choose(other).whose, "") << other;
  }
}

}  // namespace
}  // namespace countersign::mailflow
