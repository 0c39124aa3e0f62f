// SPDX-License-Identifier: Apache-2.0
//
// Lists of recipients: addresses, domains, what is below a domain, and patterns.

#include "countersign/mailflow/recipient_list.hpp"

#include <gtest/gtest.h>

#include <string>

#include "countersign/limits.hpp"

namespace countersign::mailflow {
namespace {

TEST(RecipientList, ListsNobodyAtFirst) {
  const RecipientList list;
  EXPECT_TRUE(list.empty());
  EXPECT_FALSE(list.contains("a@example.org"));
  EXPECT_FALSE(list.contains(""));
}

TEST(RecipientList, FindsAddressesWithoutRegardToCase) {
  const RecipientList list = {"Ann@Example.org"};
  EXPECT_FALSE(list.empty());
  EXPECT_TRUE(list.contains("ann@example.org"));
  EXPECT_TRUE(list.contains("ANN@EXAMPLE.ORG"));
  EXPECT_FALSE(list.contains("bob@example.org"));
  EXPECT_FALSE(list.contains("ann"));
}

TEST(RecipientList, ADomainIsAllOfItButNotWhatIsBelow) {
  for (const char* entry : {"example.org", "*@example.org"}) {
    const RecipientList list = {entry};
    EXPECT_TRUE(list.contains("a@example.org")) << entry;
    EXPECT_TRUE(list.contains("b@Example.Org")) << entry;
    EXPECT_FALSE(list.contains("a@lists.example.org")) << entry;
    EXPECT_FALSE(list.contains("a@myexample.org")) << entry;
  }
}

TEST(RecipientList, ADotIsWhatIsBelowADomain) {
  for (const char* entry : {".example.org", "*.example.org", "*@*.example.org"}) {
    const RecipientList list = {entry};
    EXPECT_TRUE(list.contains("a@lists.example.org")) << entry;
    EXPECT_TRUE(list.contains("a@b.lists.example.org")) << entry;
    EXPECT_FALSE(list.contains("a@example.org")) << entry;
  }
}

TEST(RecipientList, PatternsMatchTheAddress) {
  const RecipientList list = {"*-request@*", "(ann|bob)@example.org"};
  EXPECT_FALSE(list.empty());
  EXPECT_TRUE(list.contains("dev-request@lists.example"));
  EXPECT_TRUE(list.contains("DEV-REQUEST@lists.example"));
  EXPECT_TRUE(list.contains("bob@example.org"));
  EXPECT_FALSE(list.contains("sue@example.org"));
}

TEST(RecipientList, RefusesWhatIsNoPattern) {
  RecipientList list;
  EXPECT_FALSE(list.add("(a@example.org"));
  EXPECT_FALSE(list.add("*" + std::string(Limits{}.signing_pattern_bytes_max, 'a') + "*"));
  EXPECT_TRUE(list.empty());
}

}  // namespace
}  // namespace countersign::mailflow
