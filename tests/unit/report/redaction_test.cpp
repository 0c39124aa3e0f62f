// SPDX-License-Identifier: Apache-2.0
//
// What is left of a message when the people are taken out.

#include "countersign/report/redaction.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/support/dkim.hpp"
#include "tests/support/exact.hpp"

namespace countersign::report {
namespace {

using testing::HasSubstr;
using testing::Not;

const Redactor redactor("secret");

std::string redacted(std::string_view text) { return redactor.text(test::exact(text).view()); }

std::string r(std::string_view local_part) { return redactor.local_part(local_part); }

TEST(Redaction, TheSameNameIsTheSameDigestUnderOneKey) {
  EXPECT_EQ(r("bob"), r("bob"));
  EXPECT_NE(r("bob"), r("alice"));
  EXPECT_NE(r("bob"), Redactor("another secret").local_part("bob"));
  EXPECT_EQ(r("bob").size(), 20U);
  EXPECT_THAT(r("bob"), testing::MatchesRegex("[0-9a-f]+"));
}

TEST(Redaction, S51TakesLocalPartsOut) {
  EXPECT_EQ(redacted("bob@example.com"), r("bob") + "@example.com");
  EXPECT_EQ(redacted("for <bob.b+x@example.com>; a@b"),
            "for <" + r("bob.b+x") + "@example.com>; " + r("a") + "@b");
  EXPECT_EQ(redacted("\"bob b\"@example.com"), r("\"bob b\"") + "@example.com");
  EXPECT_EQ(redacted("x \"a\\\"b\"@c"), "x " + r("\"a\\\"b\"") + "@c");
  EXPECT_EQ(redacted("b\xC3\xB6@c"), r("b\xC3\xB6") + "@c");
  EXPECT_EQ(redacted("SRS0=x=y=c.example=bob@d"), r("SRS0=x=y=c.example=bob") + "@d");
  EXPECT_EQ(redacted("a@b@c"), r("a") + "@" + r("b") + "@c");
  EXPECT_EQ(redacted("\"@c"), r("\"") + "@c");
}

TEST(Redaction, S51ALoginIsANameToo) {
  const auto received = [](const std::string& login) {
    const std::string field = "Received: from [192.0.2.1]\r\n\t(Authenticated sender: " + login;
    return redactor.header({HeaderField(field)}, Limits{});
  };
  const std::string begin = "Received: from [192.0.2.1]\r\n\t(Authenticated sender: ";
  EXPECT_EQ(received("joe) by a.example; x"), begin + r("joe") + ") by a.example; x\r\n");
  EXPECT_EQ(received("joe@a.example) for <bob@b.example>"),
            begin + r("joe@a.example") + ") for <" + r("bob") + "@b.example>\r\n");
  EXPECT_EQ(received("joe"), begin + r("joe") + "\r\n");
}

TEST(Redaction, KeepsWhatIsNoName) {
  EXPECT_EQ(redacted("no address"), "no address");
  EXPECT_EQ(redacted("i=@example.com; d=x"), "i=@example.com; d=x");
  EXPECT_EQ(redacted("i=bob@example.com"), "i=" + r("bob") + "@example.com");
  EXPECT_EQ(redacted("spf=pass smtp.mailfrom=bob@example.com"),
            "spf=pass smtp.mailfrom=" + r("bob") + "@example.com");
  EXPECT_EQ(redacted("@"), "@");
  EXPECT_EQ(redacted(""), "");
}

TEST(Redaction, S51KeepsFieldsThatSayHowTheMessageCame) {
  const Message message = sample::message(
      "Received: from a.example (a.example [192.0.2.1]) by mx.example.net\n"
      "\tfor <bob@example.net>; Tue, 14 Nov 2023 22:13:20 +0000\n"
      "DKIM-Signature: v=1; d=example.com; i=alice@example.com; b=x\n"
      "DKIM-Signature: v=1; d=example.com; z=Subject:secret; b=x\n"
      "DKIM-Signature: no tags, secret\n"
      "From: Alice Secret <alice@example.com>\n"
      "To: Bob Secret <bob@example.net>, carol@example.net\n"
      "Reply-To: secret words\n"
      "Subject: secret\nX-Anything: secret\nstray secret line\n\nsecret body\n");
  const std::string header = redactor.header(message.header, Limits{});
  EXPECT_THAT(header, HasSubstr("from a.example (a.example [192.0.2.1])"));
  EXPECT_THAT(header, HasSubstr("for <" + r("bob") + "@example.net>"));
  EXPECT_THAT(header, HasSubstr("i=" + r("alice") + "@example.com"));
  EXPECT_THAT(header, HasSubstr("From: " + r("alice") + "@example.com\r\n"));
  EXPECT_THAT(header, HasSubstr("To: " + r("bob") + "@example.net,\r\n " + r("carol") +
                                "@example.net\r\n"));
  EXPECT_THAT(header, HasSubstr("Reply-To: (redacted)\r\n"));
  for (const char* word : {"ecret", "alice", "bob", "carol", "Bob", "Alice", "Subject"})
    EXPECT_THAT(header, Not(HasSubstr(word)));
}

}  // namespace
}  // namespace countersign::report
