// SPDX-License-Identifier: Apache-2.0
//
// How much of a message is told: the domain of the policy and the recipients have a say each, and
// the most reserved answer counts.

#include "countersign/mailflow/failure_policy.hpp"

#include <gtest/gtest.h>

#include "tests/support/signing.hpp"

namespace countersign::mailflow {
namespace {

using report::Privacy;
using test::name;

DomainSet set_of(std::initializer_list<const char*> entries) {
  DomainSet set;
  for (const char* entry : entries) set.entries.add(entry, {});
  return set;
}

FailurePolicy mixed() {
  return {.usual = Privacy::redacted,
          .never = set_of({"secret.example", ".de"}),
          .redacted = set_of({"shy.example"}),
          .full_headers = set_of({"open.example", "shy.example", "secret.example"})};
}

Privacy mixed_for(const char* domain, const std::vector<std::string>& recipients = {}) {
  return mixed().privacy_for(name(domain), recipients);
}

TEST(FailurePolicy, IsOffByItself) {
  EXPECT_TRUE(FailurePolicy().is_off());
  EXPECT_EQ(FailurePolicy().privacy_for(name("a.example"), {"b@c.example"}), Privacy::never);
  EXPECT_TRUE(FailurePolicy{.never = set_of({"a.example"})}.is_off());
  EXPECT_FALSE(mixed().is_off());
  EXPECT_FALSE(FailurePolicy{.redacted = set_of({"a.example"})}.is_off());
  EXPECT_FALSE(FailurePolicy{.full_headers = set_of({"a.example"})}.is_off());
}

TEST(FailurePolicy, S51TheMostReservedAnswerCounts) {
  EXPECT_EQ(mixed_for("any.example"), Privacy::redacted);
  EXPECT_EQ(mixed_for("open.example"), Privacy::full_headers);
  EXPECT_EQ(mixed_for("shy.example"), Privacy::redacted);
  EXPECT_EQ(mixed_for("secret.example"), Privacy::never);
}

TEST(FailurePolicy, S51RecipientsOnlyNarrowWhatIsTold) {
  EXPECT_EQ(mixed_for("open.example", {"a@any.example"}), Privacy::full_headers);
  EXPECT_EQ(mixed_for("open.example", {"a@any.example", "b@SHY.example"}), Privacy::redacted);
  EXPECT_EQ(mixed_for("open.example", {"a@mail.firma.de"}), Privacy::never);
  EXPECT_EQ(mixed_for("any.example", {"a@open.example"}), Privacy::redacted);
  const FailurePolicy listed{.redacted = set_of({"ours.example"})};
  EXPECT_EQ(listed.privacy_for(name("any.example"), {"a@ours.example"}), Privacy::redacted);
  EXPECT_EQ(listed.privacy_for(name("any.example"), {"a@theirs.example"}), Privacy::never);
}

TEST(FailurePolicy, S51EachRecipientAnswersForItself) {
  const FailurePolicy listed{.redacted = set_of({"ours.example"})};
  EXPECT_EQ(listed.privacy_for(name("any.example"), {"a@ours.example", "b@theirs.example"}),
            Privacy::never);
  EXPECT_EQ(listed.privacy_for(name("any.example"), {"b@theirs.example", "a@ours.example"}),
            Privacy::never);
  EXPECT_EQ(listed.privacy_for(name("any.example"), {"a@ours.example", "c@ours.example"}),
            Privacy::redacted);
  EXPECT_EQ(listed.privacy_for(name("any.example"), {"a@ours.example", "postmaster"}),
            Privacy::redacted);
  EXPECT_EQ(listed.privacy_for(name("any.example"), {}), Privacy::never);
  EXPECT_EQ(mixed_for("any.example", {"a@shy.example", "b@secret.example"}), Privacy::never);
}

TEST(FailurePolicy, AListedPolicyDomainStandsInForWhatIsUsual) {
  const FailurePolicy listed{.redacted = set_of({"bank.example"}),
                             .full_headers = set_of({"open.example"})};
  EXPECT_EQ(listed.privacy_for(name("bank.example"), {"a@any.example"}), Privacy::redacted);
  EXPECT_EQ(listed.privacy_for(name("open.example"), {"a@any.example"}), Privacy::full_headers);
  EXPECT_EQ(listed.privacy_for(name("open.example"), {"a@any.example", "b@bank.example"}),
            Privacy::redacted);
}

TEST(FailurePolicy, RecipientsWithoutADomainHaveNoSay) {
  EXPECT_EQ(mixed_for("open.example", {"postmaster", "", "a@", "b@-"}), Privacy::full_headers);
}

TEST(FailurePolicy, AllButSome) {
  FailurePolicy policy{.usual = Privacy::redacted};
  policy.never.all = true;
  policy.never.entries.add("!good.example", {});
  EXPECT_EQ(policy.privacy_for(name("good.example"), {}), Privacy::redacted);
  EXPECT_EQ(policy.privacy_for(name("bad.example"), {}), Privacy::never);
}

}  // namespace
}  // namespace countersign::mailflow
