// SPDX-License-Identifier: Apache-2.0
//
// Paths and HELO names: whose mail each claims to be, or why nobody can tell.

#include "countersign/spf/sender.hpp"

#include <gtest/gtest.h>

#include <string>

#include "tests/support/exact.hpp"

namespace countersign::spf {
namespace {

using test::exact;

void ok(std::string_view path, std::string_view local_part, std::string_view domain) {
  const auto sender = mail_from_sender(exact(path).view(), "mail.example.net");
  ASSERT_TRUE(sender) << path << ": " << to_string(sender.error());
  EXPECT_EQ(sender->local_part, local_part) << path;
  EXPECT_EQ(sender->domain.text(), domain) << path;
}

void bad(std::string_view path, Reason reason) {
  const auto sender = mail_from_sender(exact(path).view(), "mail.example.net");
  ASSERT_FALSE(sender) << path << " is taken for " << sender->domain.text();
  EXPECT_EQ(sender.error(), reason) << path << ": " << to_string(sender.error());
}

TEST(MailFromSender, TakesMailboxes) {
  ok("bob@example.com", "bob", "example.com");
  ok("~jack&jill=up-a_b3.c@Example.COM", "~jack&jill=up-a_b3.c", "example.com");
  ok("bob@example.com.", "bob", "example.com");
  ok("Macro Error@example.com", "Macro Error", "example.com");
}

TEST(MailFromSender, TakesThePostmasterWhereNobodyIsNamed) {
  ok("", "postmaster", "mail.example.net");
  ok("@example.com", "postmaster", "example.com");
  ok("\"\"@example.com", "postmaster", "example.com");
}

TEST(MailFromSender, ReadsQuotedLocalParts) {
  ok(R"("Macro Error"@example.com)", "Macro Error", "example.com");
  ok(R"("a@b.example"@example.com)", "a@b.example", "example.com");
  ok(R"("a\"b"@example.com)", "a\"b", "example.com");
}

TEST(MailFromSender, IgnoresSourceRoutes) {
  ok("@a.example,@b.example:bob@example.com", "bob", "example.com");
}

// S-13
TEST(MailFromSender, RefusesPathsThatShowSomeReaderAnotherDomain) {
  for (const char* path :
       {"(any@example.com", "any@victim.example@example.com", "any(@victim.example)@example.com",
        "<any@example.com", "any\"@example.com", "\"any@example.com", "\"a\"b@example.com",
        "any,b@example.com", "a:b@example.com", "a\\@example.com", "a\r\n@example.com",
        "any@victim.example,@example.com:x@y"})
    bad(path,
        std::string_view(path).starts_with("any@") ? Reason::no_domain : Reason::bad_mail_from);
  for (const char* path : {"any@example.com(.victim.example", "any@(x)example.com",
                           "any@example.com>", "any@example.com ", "any@\"example.com\""})
    bad(path, Reason::no_domain);
}

TEST(MailFromSender, RefusesDomainsThatAreNone) {
  for (const char* path : {"bob", "bob@", "bob@localhost", "bob@[192.0.2.1]", "bob@a..example.com",
                           "bob@.example.com", "bob@example.com.."})
    bad(path, Reason::no_domain);
  bad("bob@" + std::string(64, 'a') + ".example.com", Reason::no_domain);
}

TEST(MailFromSender, ConvertsInternationalizedDomains) {
  ok("bob@b\xC3\xBC"
     "cher.example",
     "bob", "xn--bcher-kva.example");
  const auto sender = mail_from_sender(
      "b\xC3\xB6"
      "b@example.com",
      "");
  ASSERT_TRUE(sender);
  EXPECT_TRUE(sender->is_internationalized());
  EXPECT_FALSE(mail_from_sender("bob@example.com", "")->is_internationalized());
}

TEST(HeloSender, TakesNamesOfSeveralLabels) {
  const auto sender = helo_sender("Mail.Example.NET");
  ASSERT_TRUE(sender);
  EXPECT_EQ(sender->local_part, "postmaster");
  EXPECT_EQ(sender->domain.text(), "mail.example.net");
  for (const char* helo : {"", "OEMCOMPUTER", "[192.0.2.1]", "[IPv6:2001:db8::1]", "a b.example"}) {
    const auto refused = helo_sender(exact(helo).view());
    ASSERT_FALSE(refused) << helo;
    EXPECT_EQ(refused.error(), Reason::bad_helo);
  }
}

}  // namespace
}  // namespace countersign::spf
