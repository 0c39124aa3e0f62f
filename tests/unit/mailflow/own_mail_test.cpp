// SPDX-License-Identifier: Apache-2.0
//
// Mail of our own is signed by the keys of its author, and a signature that cannot be made is told.

#include "countersign/mailflow/own_mail.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "countersign/message/splitter.hpp"
#include "tests/support/signing.hpp"

namespace countersign::mailflow {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

constexpr std::string_view mail =
    "From: reports@example.org\r\n"
    "To: a@example.net\r\n"
    "Subject: Report Domain: example.net\r\n"
    "Date: Thu, 26 Nov 2026 00:00:00 +0000\r\n"
    "Message-ID: <1@example.org>\r\n"
    "\r\n"
    "hello\r\n";

TEST(OwnMail, IsSignedAsMailOfUsersIs) {
  const auto made = sign_own_mail(test::policy_for_example_org(), mail, test::signing_time);
  ASSERT_TRUE(made) << made.error();
  EXPECT_THAT(*made, StartsWith("DKIM-Signature: "));
  EXPECT_THAT(*made, EndsWith(std::string(mail)));

  const auto message = split_message(*made, {});
  ASSERT_TRUE(message);
  Outcome outcome;
  outcome.signatures = {{.sdid = test::name("example.org"), .selector = test::name("s1")}};
  const auto results = test::verify(message->header, message->body, outcome);
  ASSERT_EQ(results.size(), 1U);
  EXPECT_EQ(results.front().result, dkim::Result::pass) << results.front().detail;
  EXPECT_EQ(results.front().signature->sdid.text(), "example.org");
}

TEST(OwnMail, SaysWhyItIsNotSigned) {
  const auto other = sign_own_mail(test::policy_for_example_org(),
                                   "From: a@elsewhere.example\r\n\r\nx\r\n", test::signing_time);
  ASSERT_FALSE(other);
  EXPECT_THAT(other.error(), HasSubstr("a@elsewhere.example"));
  const auto nobody =
      sign_own_mail(test::policy_for_example_org(), "Subject: x\r\n\r\nx\r\n", test::signing_time);
  ASSERT_FALSE(nobody);
  EXPECT_THAT(nobody.error(), HasSubstr("From"));
  EXPECT_FALSE(sign_own_mail(Policy(), mail, test::signing_time));
}

}  // namespace
}  // namespace countersign::mailflow
