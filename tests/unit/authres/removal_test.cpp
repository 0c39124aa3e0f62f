// SPDX-License-Identifier: Apache-2.0
//
// Forged results: every disguise of our authserv-id, and the fields of others that stay.

#include "countersign/authres/removal.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/exact.hpp"

namespace countersign::authres {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

bool claims(std::string_view value, std::string_view id = "mx.example.org") {
  return claims_authserv_id(test::exact(value).view(), id, Limits{});
}

TEST(ClaimsAuthservId, S21SeesOurIdInEveryDisguise) {
  for (const std::string_view value : {
           " mx.example.org; dkim=pass",
           "mx.example.org;dkim=pass",
           "MX.Example.ORG; none",
           "mx.example.org.; dkim=pass",
           "mx.example.org..; dkim=pass",
           "mx.example.org 1; dkim=pass",
           "mx.example.org 2; dkim=pass",
           "mx.example.org/1; dkim=pass",
           "\"mx.example.org\"; dkim=pass",
           "\"mx\\.example.org\" 1; dkim=pass",
           "\"mx.example\".org; dkim=pass",
           "(mine) mx.example.org (really) 1 (one); dkim=pass",
           "((nested (deep)) \\) ) mx.example.org; dkim=pass",
           "mx.example.org(adjacent); dkim=pass",
           "mx (a) . example (b) . org; dkim=pass",
           "mx.exam\r\n ple.org; dkim=pass",
           "\r\n\tmx.example.org;\r\n\tdkim=pass",
           "\n mx.example.org; dkim=pass",
           "mx.example.org",
           "mx.example.org dkim=pass",
           "mx.example.org (unclosed",
           "mx.example.org: dkim=pass",
           "mx.example.org, other.example; dkim=pass",
           "mx.example.org|1; dkim=pass",
       })
    EXPECT_TRUE(claims(value)) << value;
}

TEST(ClaimsAuthservId, S21SeesOurIdInWhatCannotBeRead) {
  for (const std::string_view value : {
           "(unclosed mx.example.org; dkim=pass",
           "\"unclosed mx.example.org; dkim=pass",
           "\"mx.example.org; dkim=pass",
           "mx.exam\\ple.org; dkim=pass",
           "mx.exam\xE2\x80\x8Bple.org; dkim=pass",
           "mx\xEF\xBC\x8E"
           "example.org; dkim=pass",
           "=?utf-8?Q?mx.example.org?=; dkim=pass",
           "=?utf-8?q?mx=2Eexample=2Eorg?=; dkim=pass",
           "(x) =?utf-8?b?bXguZXhhbXBsZS5vcmc=?= 1; dkim=pass",
           "\x01mx.example.org; dkim=pass",
           "\rmx.example.org; dkim=pass",
           ") (mx.example.org; dkim=pass",
       })
    EXPECT_TRUE(claims(value)) << value;
  EXPECT_TRUE(claims(std::string_view("mx.example\0.org; dkim=pass", 26)));
  EXPECT_TRUE(claims(std::string(40, '(') + "mx.example.org" + std::string(40, ')') + "; x=y"));
}

TEST(ClaimsAuthservId, S21SeesItInAFieldOfAnySize) {
  const std::string comment = "(" + std::string(100'000, 'x') + ")";
  EXPECT_TRUE(claims(comment + " mx.example.org; dkim=pass"));
  EXPECT_TRUE(claims("mx.example.org; dkim=pass " + comment));
  EXPECT_TRUE(claims(std::string(100'000, '(') + "mx.example.org; dkim=pass"));
}

TEST(ClaimsAuthservId, LeavesTheFieldsOfOthers) {
  for (const std::string_view value : {
           "mx.example.net; dkim=pass header.d=mx.example.org",
           "mx.example.net (mx.example.org); dkim=pass",
           "example.org; dkim=pass",
           "a.mx.example.org; dkim=pass",
           "mx.example.org.evil.example; dkim=pass",
           "mx.example.orgx; dkim=pass",
           "mx.example.org-2; dkim=pass",
           "other.example, mx.example.org; dkim=pass",
           "other.example; dkim=pass reason=\"=?utf-8?q?x?=\"",
           "; mx.example.org",
           "",
           ";",
       })
    EXPECT_FALSE(claims(value)) << value;
}

TEST(ClaimsAuthservId, TakesInternationalizedNamesForEqual) {
  const std::string_view u_label =
      "b\xC3\xBC"
      "cher.example";
  const std::string_view a_label = "xn--bcher-kva.example";
  for (const std::string_view ours : {u_label, a_label}) {
    for (const std::string_view theirs : {u_label, a_label})
      EXPECT_TRUE(claims(std::string(theirs) + "; dkim=pass", ours)) << ours << " " << theirs;
    EXPECT_TRUE(claims("XN--BCHER-KVA.EXAMPLE.; dkim=pass", ours));
    EXPECT_TRUE(
        claims("B\xC3\x9C"
               "CHER.example; dkim=pass",
               ours));
    EXPECT_TRUE(claims("(unclosed " + std::string(u_label), ours));
    EXPECT_TRUE(claims("(unclosed " + std::string(a_label), ours));
    EXPECT_FALSE(claims("bucher.example; dkim=pass", ours));
  }
}

TEST(ClaimsAuthservId, TakesIdsThatAreNoDomains) {
  EXPECT_TRUE(claims("\"mx;1\"; none", "mx;1"));
  EXPECT_TRUE(claims("\"MX;1\"; none", "mx;1"));
  EXPECT_FALSE(claims("\"mx;2\"; none", "mx;1"));
  EXPECT_FALSE(claims("mx.example.org; none", ""));
  EXPECT_FALSE(claims("mx.example.org; none", "."));
  EXPECT_FALSE(claims("(", ""));
  EXPECT_FALSE(claims("(", ";"));
}

Header header_of(const std::vector<std::string>& fields) {
  Header header;
  for (const std::string& raw : fields) header.emplace_back(raw);
  return header;
}

TEST(FieldsToRemove, S21CountsFromTheHighestDown) {
  const Header header = header_of({
      "Received: by mx.example.org",
      "authentication-results: mx.example.org; dkim=pass",
      "Authentication-Results: mx.example.net; dkim=pass",
      "AUTHENTICATION-RESULTS : MX.example.org.; dkim=pass",
      "Subject: mx.example.org; none",
      "Authentication-Results:\r\n mx2.example.org; dkim=pass",
      "Authentication-Results: other.example; none",
      "X-Authentication-Results: mx.example.org; dkim=pass",
      "Authentication-Results: mx.example.org; spf=pass",
  });
  EXPECT_THAT(fields_to_remove(header, {"mx.example.org", "mx2.example.org"}, Limits{}),
              ElementsAre(6, 4, 3, 1));
  EXPECT_THAT(fields_to_remove(header, {"mx.example.org"}, Limits{}), ElementsAre(6, 3, 1));
  EXPECT_THAT(fields_to_remove(header, {}, Limits{}), IsEmpty());
  EXPECT_THAT(fields_to_remove({}, {"mx.example.org"}, Limits{}), IsEmpty());
}

}  // namespace
}  // namespace countersign::authres
