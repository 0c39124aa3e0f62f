// SPDX-License-Identifier: Apache-2.0
//
// Authentication-Results read and written. What is written must be read back as what it was, with
// whatever a sender put into it.

#include "countersign/authres/field.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "countersign/text/abnf.hpp"
#include "tests/support/exact.hpp"

namespace countersign::authres {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using enum FieldErrorCode;

Field ok(std::string_view text) {
  auto field = parse_field(test::exact(text).view(), Limits{});
  EXPECT_TRUE(field.has_value()) << text << ": " << to_string(field.error().code);
  return field.value_or(Field{});
}

void bad(std::string_view text, FieldErrorCode code, std::size_t offset) {
  const auto field = parse_field(test::exact(text).view(), Limits{});
  ASSERT_FALSE(field.has_value()) << text;
  EXPECT_EQ(to_string(field.error().code), to_string(code)) << text;
  EXPECT_EQ(field.error().offset, offset) << text;
}

// The value of the one property of the one result.
std::string value(std::string_view text) {
  const Field field = ok("a.example; dkim=pass header.d=" + std::string(text));
  if (field.results.size() != 1 || field.results[0].properties.size() != 1) return "?";
  return field.results[0].properties[0].value;
}

std::string format(const Field& field, const FormatOptions& options = {}) {
  return format_field(field, options, Limits{});
}

// What comes back when a value is written.
Field written_and_read(std::string_view hostile, const FormatOptions& options = {}) {
  const Field field{"a.example",
                    {{.method = "dkim",
                      .result = "pass",
                      .reason = std::string(hostile),
                      .properties = {{"header", "d", std::string(hostile)}},
                      .comment = std::string(hostile)}}};
  constexpr std::string_view name = "Authentication-Results:";
  const std::string text = format(field, options);
  EXPECT_TRUE(text.starts_with(name)) << text;
  return ok(std::string_view(text).substr(name.size()));
}

TEST(ParseField, ReadsAllItsParts) {
  const Field field =
      ok(" mx.example.org 1; SPF=Pass smtp.mailfrom=a@example.net;\r\n"
         "\tdkim/2=fail reason=\"body hash; wrong\" header.D=example.net header.s=june");
  EXPECT_EQ(field.authserv_id, "mx.example.org");
  ASSERT_EQ(field.results.size(), 2u);
  EXPECT_EQ(field.results[0].method, "spf");
  EXPECT_EQ(field.results[0].result, "pass");
  EXPECT_EQ(field.results[0].version, 1u);
  EXPECT_EQ(field.results[0].reason, std::nullopt);
  EXPECT_THAT(field.results[0].properties,
              ElementsAre(Property{"smtp", "mailfrom", "a@example.net"}));
  EXPECT_EQ(field.results[1].version, 2u);
  EXPECT_EQ(field.results[1].reason, "body hash; wrong");
  ASSERT_NE(field.results[1].find("header", "d"), nullptr);
  EXPECT_EQ(*field.results[1].find("header", "s"), "june");
  EXPECT_EQ(field.results[1].find("header", "i"), nullptr);
}

TEST(ParseField, TakesCommentsAndFoldsBetweenAllTokens) {
  const Field field =
      ok("(a)\r\n a.example (b) 1 (c (d) \\)) ;(e) dkim (f) / (g) 1 (h) = (i) pass (j) reason (k) ="
         " (l) r (m) header (n) . (o) d (p) = (q)\r\n\tb.example (r)");
  ASSERT_EQ(field.results.size(), 1u);
  EXPECT_EQ(field.results[0].reason, "r");
  EXPECT_THAT(field.results[0].properties, ElementsAre(Property{"header", "d", "b.example"}));
}

TEST(ParseField, ReadsNone) {
  EXPECT_THAT(ok("a.example; none").results, IsEmpty());
  EXPECT_THAT(ok("a.example;NONE (nothing) ;").results, IsEmpty());
  EXPECT_EQ(ok("a.example; none=pass").results.size(), 1u) << "a method of that name";
  bad("a.example; none; spf=pass", none_with_results, 17);
  bad("a.example; spf=pass; none", none_with_results, 21);
  bad("a.example; none; none", none_with_results, 17);
}

TEST(ParseField, WantsAnIdAndResults) {
  bad("", bad_authserv_id, 0);
  bad(" (c) ", bad_authserv_id, 5);
  bad(";", bad_authserv_id, 0);
  bad("\"\"; none", bad_authserv_id, 2);
  bad("\"a", bad_authserv_id, 2);
  bad("spf=pass smtp.mailfrom=a.example", bad_authserv_id, 3);
  bad("a.example", missing_results, 9);
  bad("a.example;", missing_results, 9);
  bad("a.example; ;", missing_results, 9);
  bad("a.example spf=pass", missing_results, 10);
  bad("a.example 2; none", unknown_version, 10);
  bad("a.example 11; none", unknown_version, 10);
  bad("a.example 1x; none", unknown_version, 10);
}

TEST(ParseField, TellsWhereAResultIsMalformed) {
  bad("a.example; =pass", bad_method, 11);
  bad("a.example; spf", bad_method, 14);
  bad("a.example; spf/x=pass", bad_method, 15);
  bad("a.example; spf/1234567890=pass", bad_method, 25);
  bad("a.example; spf=", bad_result, 15);
  bad("a.example; spf=pass\"x\"", bad_result, 19);
  bad("a.example; spf=pass smtp", bad_property, 24);
  bad("a.example; spf=pass smtp.=x", bad_property, 25);
  bad("a.example; spf=pass .x=y", bad_property, 20);
  bad("a.example; spf=pass reason=a reason=b", bad_property, 29);
  bad("a.example; spf=pass smtp.helo=\"x", bad_value, 32);
  bad("a.example; spf=pass smtp.helo=a\\b", bad_value, 31);
  bad("a.example; spf=pass (x", bad_comment, 22);
  bad(std::string_view("a.example; spf=pass smtp.helo=a\0b", 33), bad_value, 31);
}

TEST(ParseField, ReadsValues) {
  EXPECT_EQ(value("example.net"), "example.net");
  EXPECT_EQ(value("\"a \\\"b\\\" c\""), "a \"b\" c");
  EXPECT_EQ(value("@example.net"), "@example.net");
  EXPECT_EQ(value("\"a b\"@example.net"), "\"a b\"@example.net");
  EXPECT_EQ(value("\"a\\\"b\"@example.net"), "\"a\\\"b\"@example.net");
  EXPECT_EQ(value("AbC/+="), "AbC/+=");
  EXPECT_EQ(value("2001:db8::1"), "2001:db8::1");
  EXPECT_EQ(value("<a@example.net>"), "<a@example.net>");
  EXPECT_EQ(value("b\xC3\xBC.example"), "b\xC3\xBC.example");
  EXPECT_EQ(value("\"\""), "");
  EXPECT_EQ(value(""), "");
  EXPECT_EQ(value(";"), "");
}

TEST(ParseField, TakesAPropertyWithoutItsType) {
  const Field field = ok("a.example; dmarc=pass action=none policy.is_org=yes");
  EXPECT_THAT(field.results[0].properties,
              ElementsAre(Property{"", "action", "none"}, Property{"policy", "is_org", "yes"}));
}

TEST(ParseField, S20DoesNotEndAValueAtAParenthesis) {
  bad("a.example; dkim=pass header.d=legit.com(.attack.com)", bad_value, 39);
  bad("a.example; dkim=pass header.d=legit.com(.attack.com", bad_value, 39);
  bad("a.example; dkim=pass header.d=\"legit.com\"(.attack.com)", bad_value, 41);
  EXPECT_EQ(value("legit.com'a.attack.com"), "legit.com'a.attack.com");
}

TEST(ParseField, IsBounded) {
  const Limits limits;
  std::string results = "a.example";
  for (std::size_t i = 0; i < limits.authres_results_max; ++i) results += ";a=b";
  ok(results);
  bad(results + ";a=b", too_many, results.size() + 1);
  std::string properties = "a.example; a=b";
  for (std::size_t i = 0; i < limits.authres_results_max; ++i) properties += " a.b=c";
  ok(properties);
  bad(properties + " a.b=c", too_many, properties.size() + 1);
  std::string nested(limits.comment_depth_max + 1, '(');
  bad("a.example; " + nested, bad_comment, 11 + limits.comment_depth_max);
}

TEST(FormatField, WritesAFoldedField) {
  const Field field{
      "mx.example.org",
      {{.method = "spf", .result = "pass", .properties = {{"smtp", "mailfrom", "a@example.net"}}},
       {.method = "dkim",
        .result = "fail",
        .reason = "body hash",
        .properties = {{"header", "d", "example.net"}, {"header", "b", "AbC/+="}}}}};
  EXPECT_EQ(format(field),
            "Authentication-Results: mx.example.org; spf=pass smtp.mailfrom=a@example.net;\r\n"
            "\tdkim=fail reason=\"body hash\" header.d=example.net header.b=\"AbC/+=\"");
}

TEST(FormatField, WritesNone) {
  EXPECT_EQ(format({"mx.example.org", {}}), "Authentication-Results: mx.example.org; none");
}

TEST(FormatField, QuotesAnIdThatIsNoToken) {
  EXPECT_EQ(format({"mx;1", {}}), "Authentication-Results: \"mx;1\"; none");
  EXPECT_TRUE(is_authserv_id("mx.example.org"));
  EXPECT_TRUE(is_authserv_id("mx;1"));
  EXPECT_FALSE(is_authserv_id(""));
  EXPECT_FALSE(is_authserv_id(".."));
  EXPECT_FALSE(is_authserv_id("mx\r\nX: y"));
  EXPECT_FALSE(is_authserv_id("b\xC3\xBC.example"));
  EXPECT_FALSE(is_authserv_id(std::string(256, 'a')));
}

TEST(FormatField, WritesVersionsAndOnDemandComments) {
  const Field field{"a.example",
                    {{.method = "dkim", .result = "pass", .version = 2, .comment = "a (b) \\ c"}}};
  EXPECT_EQ(format(field), "Authentication-Results: a.example; dkim/2=pass");
  EXPECT_EQ(format(field, {.comments = true}),
            "Authentication-Results: a.example; dkim/2=pass (a \\(b\\) \\\\ c)");
}

TEST(FormatField, LeavesOutWhatItCannotWrite) {
  const Field field{"a.example",
                    {{.method = "a b", .result = "pass"},
                     {.method = "spf", .result = "pa;ss"},
                     {.method = "spf-", .result = "pass"},
                     {.method = "dkim",
                      .result = "pass",
                      .reason = "a\nb",
                      .properties = {{"", "action", "none"},
                                     {"header", "", "x"},
                                     {"header", "is_org", "x"},
                                     {"header", "d", std::string("a\0b", 3)},
                                     {"header", "i", std::string(451, 'a')},
                                     {"header", "s", std::string(450, 'a')}}}}};
  EXPECT_EQ(format(field),
            "Authentication-Results: a.example; dkim=pass\r\n\theader.s=" + std::string(450, 'a'));
}

TEST(FormatField, KeepsItsLinesWithinTheLimitOfMail) {
  Field field{"a.example", {{.method = "dkim", .result = "pass"}}};
  field.results[0].properties = {{"header", "i", std::string(450, '"')},
                                 {"header", "d", std::string(450, '\\')}};
  std::string text = format(field) + "\r\n";
  std::size_t longest = 0;
  for (std::size_t end = 0; (end = text.find("\r\n")) != text.npos; text.erase(0, end + 2))
    longest = std::max(longest, end);
  EXPECT_LE(longest, 998u);
  EXPECT_GT(longest, 900u);
}

TEST(FormatField, WritesUtf8OnlyWhereItMay) {
  const std::string name = "b\xC3\xBC.example";
  EXPECT_THAT(written_and_read(name).results[0].properties, IsEmpty());
  EXPECT_EQ(*written_and_read(name, {.utf8 = true}).results[0].find("header", "d"), name);
  EXPECT_THAT(written_and_read("b\xFF", {.utf8 = true}).results[0].properties, IsEmpty());
}

// Each is read back whole or was left out; nothing else appears.
TEST(FormatField, S20NeverLetsAValueEndEarly) {
  const std::vector<std::string> hostile = {
      "legit.com'a.attack.com",
      "legit.com(.attack.com",
      "legit.com(.attack.com)",
      "legit.com\" header.d=\"evil.com",
      "legit.com; dmarc=pass header.from=evil.com",
      "legit.com dmarc=pass",
      "legit.com\r\n\tdmarc=pass",
      "legit.com\r\nX-Injected: yes",
      "legit.com\\",
      "legit.com\\\"",
      std::string("legit.com\0.attack.com", 21),
      "legit.com\x7F",
      "legit.com,evil.com",
      "=?utf-8?Q?legit.com?=",
      "a@b@legit.com",
      "@legit.com@",
      ".@legit.com",
      "legit.com/evil",
      " ",
      "\t",
      "",
      "(",
      ")",
      "\"",
  };
  for (const std::string& one : hostile) {
    for (const bool comments : {false, true}) {
      const Field field = written_and_read(one, {.comments = comments});
      ASSERT_EQ(field.results.size(), 1u) << one;
      EXPECT_EQ(field.results[0].method, "dkim") << one;
      EXPECT_EQ(field.results[0].result, "pass") << one;
      if (field.results[0].reason) EXPECT_EQ(*field.results[0].reason, one);
      ASSERT_LE(field.results[0].properties.size(), 1u) << one;
      for (const Property& property : field.results[0].properties)
        EXPECT_EQ(property, (Property{"header", "d", one}));
    }
  }
}

// Outside of quotes stands only what no reader gives a meaning to.
TEST(FormatField, S20WritesPlainlyOnlyWhatIsHarmless) {
  for (int octet = 0; octet < 256; ++octet) {
    const char c = static_cast<char>(octet);
    const std::string value = std::string("a") + c + "b";
    const Field field{
        "a.example",
        {{.method = "dkim", .result = "pass", .properties = {{"header", "d", value}}}}};
    const std::string text = format(field);
    const bool is_plain = text.ends_with("header.d=" + value);
    EXPECT_EQ(is_plain, text::is_alnum(c) || std::string_view("-._+@").contains(c)) << octet;
    EXPECT_EQ(!is_plain && !text.ends_with('"'), text::is_8bit(c) || (text::is_ctl(c) && c != '\t'))
        << octet;
  }
}

TEST(AppendPayload, ContinuesALine) {
  text::FoldedField line("ARC-Authentication-Results:");
  line.word("i=1;");
  append_payload(line, {"a.example", {{.method = "arc", .result = "none"}}}, {}, Limits{});
  EXPECT_EQ(line.text(), "ARC-Authentication-Results: i=1; a.example; arc=none");
}

TEST(FieldErrors, NameTheirSection) {
  for (int i = 0; i <= static_cast<int>(too_many); ++i)
    EXPECT_THAT(to_string(static_cast<FieldErrorCode>(i)), testing::HasSubstr("(RFC ")) << i;
}

}  // namespace
}  // namespace countersign::authres
