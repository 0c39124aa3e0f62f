// SPDX-License-Identifier: Apache-2.0
//
// Sets of domains: exact names, suffixes, all, and all but some.

#include "countersign/mailflow/domain_set.hpp"

#include <gtest/gtest.h>

#include "tests/support/signing.hpp"

namespace countersign::mailflow {
namespace {

using test::name;

TEST(DomainSet, HoldsNamesAndSuffixes) {
  DomainSet set;
  set.entries.add("example.org", {});
  set.entries.add(".example.net", {});
  set.entries.add("!no.example.net", {});
  EXPECT_TRUE(set.contains(name("EXAMPLE.org")));
  EXPECT_FALSE(set.contains(name("mail.example.org")));
  EXPECT_TRUE(set.contains(name("mail.example.net")));
  EXPECT_FALSE(set.contains(name("example.net")));
  EXPECT_FALSE(set.contains(name("no.example.net")));
  EXPECT_FALSE(DomainSet().contains(name("example.org")));
}

TEST(DomainSet, AllHasItsExceptions) {
  DomainSet set;
  set.all = true;
  set.entries.add("!.example.org", {});
  EXPECT_TRUE(set.contains(name("example.org")));
  EXPECT_FALSE(set.contains(name("mail.example.org")));
}

TEST(Policy, SignsNothingAndTouchesNothingByItself) {
  const Policy policy;
  EXPECT_FALSE(policy.signing_table);
  EXPECT_FALSE(policy.single_key);
  EXPECT_TRUE(policy.internal_hosts.empty());
  EXPECT_FALSE(policy.signed_octets_max) << "l= is never written unless asked for";
  EXPECT_EQ(policy.on_bad_author, Action::accept);
  EXPECT_EQ(policy.on_signing_error, Action::tempfail);
}

}  // namespace
}  // namespace countersign::mailflow
