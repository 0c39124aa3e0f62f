// SPDX-License-Identifier: Apache-2.0
//
// The tricks with From and with line ends, each by its rule.

#include "countersign/mailflow/ambiguity.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/exact.hpp"
#include "tests/support/signing.hpp"

namespace countersign::mailflow {
namespace {

using Code = AmbiguityCode;

Authorship authorship_of(const std::vector<std::string>& fields) {
  return find_authorship(test::header(fields), std::nullopt, Limits{});
}

void certain(const std::vector<std::string>& fields, const std::string& domain) {
  const Authorship found = authorship_of(fields);
  EXPECT_TRUE(found.ambiguities.empty())
      << (found.ambiguities.empty() ? "" : to_string(found.ambiguities.front()));
  ASSERT_TRUE(found.author_domain);
  EXPECT_EQ(found.author_domain->text(), domain);
}

void ambiguous(const std::vector<std::string>& fields, Code code) {
  const Authorship found = authorship_of(fields);
  ASSERT_FALSE(found.ambiguities.empty()) << fields.front();
  EXPECT_EQ(found.ambiguities.front().code, code) << to_string(found.ambiguities.front());
}

TEST(Authorship, IsOneDomain) {
  certain({"From: a@example.org"}, "example.org");
  certain({"Subject: x", "From: A <a@Example.ORG>, b@example.org", "To: x@example.net"},
          "example.org");
  certain({"From: a@b\xC3\xBC"
           "cher.example"},
          "xn--bcher-kva.example");
  certain({"From: a@example.org", "Subject : x", "To \t : b@example.net"}, "example.org");
}

TEST(Authorship, S01TwoFromFieldsAreUncertain) {
  ambiguous({"From: a@example.org", "From: a@example.org"}, Code::unknown_author);
  ambiguous({"from: a@example.org", "FROM: b@example.net"}, Code::unknown_author);
}

TEST(Authorship, S02OddlyWrittenFromIsUncertain) {
  ambiguous({"From : a@example.org"}, Code::unknown_author);
  ambiguous({"From\r\n : a@example.org"}, Code::unknown_author);
  ambiguous({"From: a@example.org", "From : b@example.net"}, Code::unknown_author);
}

TEST(Authorship, S03NobodyStandsInForFrom) {
  ambiguous({"Sender: a@example.org", "Resent-From: a@example.org"}, Code::unknown_author);
}

TEST(Authorship, S04HasOneReadingOrNone) {
  ambiguous({"From: a@example.org, b@example.net"}, Code::several_author_domains);
  ambiguous({"From: <@x.example:a@example.org>"}, Code::unknown_author);
  ambiguous({"From: team:;"}, Code::unknown_author);
  ambiguous({"From: a@example.org <b@example.net>"}, Code::unknown_author);
  ambiguous({"From: a@b.example@example.org"}, Code::unknown_author);
}

TEST(Authorship, S05ControlOctetsAreUncertain) {
  ambiguous({std::string("From: a@example.org\0.example.net", 32)}, Code::unknown_author);
  ambiguous({"From: a@example.org", "Subject: a\rb"}, Code::control_octet);
  ambiguous({"From: a@example.org", std::string("Subject: a\0b", 12)}, Code::control_octet);
}

TEST(Authorship, S06NoDomainIsUncertain) {
  ambiguous({"From: a@xn--zzzzzz.example"}, Code::unknown_author);
  ambiguous({"From: a@[192.0.2.1]"}, Code::unknown_author);
  ambiguous({"From: a@ex\xE2\x80\x8B"
             "ample.org"},
            Code::unknown_author);
}

TEST(Authorship, OtherFieldsMustBeFields) {
  ambiguous({"From: a@example.org", "Sub ject: x"}, Code::odd_field_name);
  ambiguous({"From: a@example.org", " Subject: x"}, Code::odd_field_name);
  ambiguous({"From: a@example.org", ": x"}, Code::odd_field_name);
  ambiguous({"From: a@example.org", " \t: x"}, Code::odd_field_name);
  ambiguous({"From: a@example.org", "no field"}, Code::stray_line);
}

TEST(Authorship, IsUncertainWhereTheHeaderWasCutOff) {
  const Authorship found = find_authorship(test::header({"From: a@example.org"}),
                                           SplitErrorCode::too_many_fields, Limits{});
  ASSERT_EQ(found.ambiguities.size(), 1U);
  EXPECT_EQ(found.ambiguities.front().code, Code::header_over_limit);
}

TEST(Authorship, IsToldInPrintableOctets) {
  const Authorship found =
      authorship_of({"From: a@example.org", "X-\x1B[31m\n: " + std::string(5'000, 'x')});
  ASSERT_EQ(found.ambiguities.size(), 1U);
  const std::string text = to_string(found.ambiguities.front());
  EXPECT_EQ(text.find_first_of("\x1B\n"), std::string::npos);
  EXPECT_LT(text.size(), 200U);
}

/// What the watch says, for every cut of the body into two and for single octets.
void body(std::string_view text, bool has_bare_line_end) {
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    LineEndWatch watch;
    watch.body(test::exact(text.substr(0, cut)).view());
    watch.body(test::exact(text.substr(cut)).view());
    EXPECT_EQ(watch.has_bare_line_end(), has_bare_line_end) << text << " cut at " << cut;
  }
  LineEndWatch watch;
  for (const char c : text) watch.body({&c, 1});
  EXPECT_EQ(watch.has_bare_line_end(), has_bare_line_end) << text;
}

TEST(LineEndWatch, S08SeesWhatEndsNoLine) {
  body("", false);
  body("a", false);
  body("a\r\nb\r\n\r\n", false);
  body("a\nb\r\n", true);
  body("\n", true);
  body("\n.\n", true);
  body("a\r\nb\rc\r\n", true);
  body("a\r\r\nb", true);
  body("a\r", true);
  body(std::string_view("a\0b\r\n", 5), true);
}

}  // namespace
}  // namespace countersign::mailflow
