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

std::string shown(const std::string& field) {
  return redactor.header({HeaderField(field)}, Limits{});
}

TEST(Redaction, S51AllBeforeTheLastAtIsThePerson) {
  EXPECT_EQ(redactor.address("bob@Example.COM"), r("bob") + "@example.com");
  EXPECT_EQ(redactor.address("alice smith@example.com"), r("alice smith") + "@example.com");
  EXPECT_EQ(redactor.address("@relay.example:a@b@example.com"),
            r("@relay.example:a@b") + "@example.com");
  EXPECT_EQ(redactor.address("bob@[192.0.2.1]"), r("bob") + "@[192.0.2.1]");
  EXPECT_EQ(redactor.address("joe"), r("joe"));
  EXPECT_EQ(redactor.address("bob@alice smith"), r("bob@alice smith"));
  EXPECT_EQ(redactor.address("bob@"), r("bob@"));
  EXPECT_EQ(redactor.address("@example.com"), "@example.com");
  EXPECT_EQ(redactor.address(""), "");
}

TEST(Redaction, S51QuotesBelongToThePerson) {
  EXPECT_EQ(redacted("dkim=fail header.i=\"alice smith@example.com\" header.s=x"),
            "dkim=fail header.i=\"" + r("alice smith") + "@example.com\" header.s=x");
  EXPECT_EQ(redacted("\"a \\\"b c@d\" e@f"), "\"" + r("a \\\"b c") + "@d\" " + r("e") + "@f");
}

TEST(Redaction, S51TheIdentityOfASignatureIsDecodedFirst) {
  const std::string expected = "DKIM-Signature: v=1; i=" + r("alice") + "@example.com; b=x;\r\n";
  const std::string begin = "DKIM-Signature: v=1; ";
  EXPECT_EQ(shown(begin + "i=alice@example.com; b=x"), expected);
  EXPECT_EQ(shown(begin + "i=alice\r\n @example.com; b=x"), expected);
  EXPECT_EQ(shown(begin + "i=al\r\n\tice=40example.com; b=x"), expected);
  EXPECT_EQ(shown("DKIM-Signature: i=alice=20smith@example.com"),
            "DKIM-Signature: i=" + r("alice smith") + "@example.com;\r\n");
  EXPECT_EQ(shown("DKIM-Signature: i=alice"), "DKIM-Signature: i=" + r("alice") + ";\r\n");
}

TEST(Redaction, S51SignaturesKeepWhatCanHoldNoName) {
  EXPECT_EQ(shown("DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/simple; d=Example.com; s=s_1;\r\n"
                  "\tq=dns/txt; t=17; x=18; l=3; h=from : to; bh=aa/+=;\r\n\tb=bb\r\n\tcc"),
            "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/simple; d=example.com; s=s_1;\r\n"
            "\tq=dns/txt; t=17; x=18; l=3; h=from:to; bh=aa/+=; b=bbcc;\r\n");
  EXPECT_EQ(shown("ARC-Seal: i=1; cv=none; d=a.example; s=s; b=x"),
            "ARC-Seal: i=1; cv=none; d=a.example; s=s; b=x;\r\n");
  EXPECT_EQ(shown("ARC-Message-Signature: i=alice; d=a.example"),
            "ARC-Message-Signature: d=a.example;\r\n");
  for (const char* tag : {"x-who=alice", "z=To:alice", "h=from:alice@b.example", "n=alice",
                          "i= ", "d=alice@b.example", "s=alice smith@b.example", "t=alice",
                          "b=alice.smith", "a=alice@b.example"})
    EXPECT_THAT(shown("DKIM-Signature: v=1; " + std::string(tag)), Not(HasSubstr("alice"))) << tag;
  EXPECT_EQ(shown("DKIM-Signature: x-who=alice"), "");
}

TEST(Redaction, LongTagsBreakWhereTheyMay) {
  const std::string base64(2'000, 'A');
  std::string names = "from";
  for (int i = 0; i < 300; ++i) names += ":x-field";
  std::string seen = shown("DKIM-Signature: h=" + names + "; bh=" + base64 + "; b=" + base64);
  EXPECT_THAT(seen, HasSubstr("x-field:\r\n\tx-field:"));
  for (std::size_t end = seen.find("\r\n"); end != seen.npos; end = seen.find("\r\n")) {
    EXPECT_LE(end, 78U);
    seen.erase(0, end + 2);
  }
  EXPECT_EQ(seen, "");
}

TEST(Redaction, S51ALoginIsANameToo) {
  const std::string begin = "Received: from [192.0.2.1]\r\n\t(Authenticated sender: ";
  const std::string expected = "Received: from [192.0.2.1] (Authenticated sender: ";
  EXPECT_EQ(shown(begin + "joe) by a.example; x"), expected + r("joe") + ")\r\n\tby a.example\r\n");
  EXPECT_EQ(shown(begin + "joe@a.example) for <bob@b.example>"),
            expected + r("joe@a.example") + ")\r\n\tfor <" + r("bob") + "@b.example>\r\n");
  EXPECT_EQ(shown(begin + "joe"), "Received: from [192.0.2.1]\r\n");
}

TEST(Redaction, S51ReceivedHasNothingThatIsNotRecognized) {
  const std::string date = "Tue, 14 Nov 2023 22:13:20 +0000";
  EXPECT_EQ(shown("Received: from joe by web1.example with local (Exim 4.96)\r\n"
                  "\t(envelope-from <joe@web1.example>) id 1r-joe; " +
                  date),
            "Received: by web1.example with local; " + date + "\r\n");
  EXPECT_EQ(
      shown("Received: from [192.0.2.1] (helo=pc ident=joe) by a.example for joe; " + date),
      "Received: from [192.0.2.1] by a.example for <" + r("joe") + ">;\r\n\t" + date + "\r\n");
  EXPECT_EQ(shown("Received: from pc ([192.0.2.1]:4711 helo=pc) by a.example"),
            "Received: from [192.0.2.1] by a.example\r\n");
  EXPECT_EQ(shown("Received: from b.example (c.example [IPv6:2001:DB8::1]) by a.example"),
            "Received: from b.example (c.example [IPv6:2001:db8::1]) by a.example\r\n");
  EXPECT_EQ(shown("Received: (qmail 12 invoked by uid 1000)"), "Received: (redacted)\r\n");
}

TEST(Redaction, S51OtherFieldsKeepTheirIdentifiersAlone) {
  EXPECT_EQ(shown("List-Id: \"Friends of Alice Secret\" <x.example>"), "List-Id: <x.example>\r\n");
  EXPECT_EQ(shown("List-Id: Friends of Alice"), "");
  EXPECT_EQ(shown("List-Id: <alice@x.example>"), "");
  EXPECT_EQ(shown("Return-Path: <joe>"), "Return-Path: <" + r("joe") + ">\r\n");
  EXPECT_EQ(shown("Return-Path: <>"), "Return-Path: <>\r\n");
  EXPECT_EQ(shown("Message-ID: \r\n <joe smith@x.example> (joe)"),
            "Message-ID: <" + r("joe smith") + "@x.example>\r\n");
  EXPECT_EQ(shown("Message-ID: joe"), "Message-ID: <" + r("joe") + ">\r\n");
  EXPECT_EQ(shown("Date: 14 Nov 2023 22:13:20 GMT (joe)"), "Date: 14 Nov 2023 22:13:20 GMT\r\n");
  EXPECT_EQ(shown("Date: Alice was here"), "");
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
