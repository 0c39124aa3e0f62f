// SPDX-License-Identifier: Apache-2.0
//
// Macro-strings: what is refused and where, and what they expand to.

#include "countersign/spf/macro.hpp"

#include <gtest/gtest.h>

#include <string>

#include "countersign/text/abnf.hpp"
#include "tests/support/exact.hpp"

namespace countersign::spf {
namespace {

using Code = MacroErrorCode;
using test::exact;

// The examples of RFC 7208 §7.4.
MacroValues values_of_the_examples() {
  return {.local_part = "strong-bad",
          .sender_domain = "email.example.com",
          .domain = "email.example.com",
          .client_ip = IpAddress::parse("192.0.2.3").value_or(IpAddress{}),
          .client_name = "mx.example.org",
          .helo = "mail.example.org",
          .receiver = "mx.example.net",
          .now = std::chrono::sys_seconds(std::chrono::seconds(1'234'567'890))};
}

std::string expand(std::string_view text, const MacroValues& values = values_of_the_examples()) {
  const auto copy = exact(text);
  EXPECT_TRUE(check_macro_string(copy.view(), MacroPlace::explanation)) << text;
  return expand_macros(copy.view(), values, 4'096).value_or("(too long)");
}

std::string expand_v6(std::string_view text) {
  MacroValues values = values_of_the_examples();
  values.client_ip = IpAddress::parse("2001:db8::cb01").value_or(IpAddress{});
  return expand(text, values);
}

void bad(std::string_view text, Code code, std::size_t offset,
         MacroPlace place = MacroPlace::domain_spec) {
  const auto copy = exact(text);
  const auto checked = check_macro_string(copy.view(), place);
  ASSERT_FALSE(checked) << text;
  EXPECT_EQ(checked.error().code, code) << text << ": " << to_string(checked.error().code);
  EXPECT_EQ(checked.error().offset, offset) << text;
}

void bad_domain(std::string_view text, Code code) {
  const auto copy = exact(text);
  const auto checked = check_domain_spec(copy.view());
  ASSERT_FALSE(checked) << text;
  EXPECT_EQ(checked.error().code, code) << text << ": " << to_string(checked.error().code);
  EXPECT_LE(checked.error().offset, text.size());
}

void ok_domain(std::string_view text) {
  EXPECT_TRUE(check_domain_spec(exact(text).view())) << text;
}

TEST(ExpandMacros, GivesTheExamplesOfTheRfc) {
  EXPECT_EQ(expand("%{s}"), "strong-bad@email.example.com");
  EXPECT_EQ(expand("%{o}"), "email.example.com");
  EXPECT_EQ(expand("%{d}"), "email.example.com");
  EXPECT_EQ(expand("%{d4}"), "email.example.com");
  EXPECT_EQ(expand("%{d3}"), "email.example.com");
  EXPECT_EQ(expand("%{d2}"), "example.com");
  EXPECT_EQ(expand("%{d1}"), "com");
  EXPECT_EQ(expand("%{dr}"), "com.example.email");
  EXPECT_EQ(expand("%{d2r}"), "example.email");
  EXPECT_EQ(expand("%{l}"), "strong-bad");
  EXPECT_EQ(expand("%{l-}"), "strong.bad");
  EXPECT_EQ(expand("%{lr}"), "strong-bad");
  EXPECT_EQ(expand("%{lr-}"), "bad.strong");
  EXPECT_EQ(expand("%{l1r-}"), "strong");
}

TEST(ExpandMacros, GivesTheLongerExamplesOfTheRfc) {
  EXPECT_EQ(expand("%{ir}.%{v}._spf.%{d2}"), "3.2.0.192.in-addr._spf.example.com");
  EXPECT_EQ(expand("%{lr-}.lp._spf.%{d2}"), "bad.strong.lp._spf.example.com");
  EXPECT_EQ(expand("%{lr-}.lp.%{ir}.%{v}._spf.%{d2}"),
            "bad.strong.lp.3.2.0.192.in-addr._spf.example.com");
  EXPECT_EQ(expand("%{ir}.%{v}.%{l1r-}.lp._spf.%{d2}"),
            "3.2.0.192.in-addr.strong.lp._spf.example.com");
  EXPECT_EQ(expand("%{d2}.trusted-domains.example.net"), "example.com.trusted-domains.example.net");
  EXPECT_EQ(expand_v6("%{ir}.%{v}._spf.%{d2}"),
            "1.0.b.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6._spf.example.com");
}

TEST(ExpandMacros, KnowsTheMacrosOfExplanations) {
  EXPECT_EQ(expand("%{c}"), "192.0.2.3");
  EXPECT_EQ(expand_v6("%{c}"), "2001:db8::cb01");
  EXPECT_EQ(expand("%{r}"), "mx.example.net");
  EXPECT_EQ(expand("%{t}"), "1234567890");
  EXPECT_EQ(expand("%{p}"), "mx.example.org");
  EXPECT_EQ(expand("%{h}"), "mail.example.org");
}

TEST(ExpandMacros, KnowsTheEscapes) {
  EXPECT_EQ(expand("a%%b%_c%-d"), "a%b c%20d");
  EXPECT_EQ(expand("%%{d}"), "%{d}");
  EXPECT_EQ(expand(""), "");
}

TEST(ExpandMacros, EscapesForUrlsWhereTheLetterIsUpperCase) {
  MacroValues values = values_of_the_examples();
  values.local_part = "a b/~\xFF-_.%";
  EXPECT_EQ(expand("%{L}", values), "a%20b%2F~%FF-_.%25");
  EXPECT_EQ(expand("%{LR/}", values), "~%FF-_.%25.a%20b");
  EXPECT_EQ(expand("%{S}"), "strong-bad%40email.example.com");
  EXPECT_EQ(expand("%{IR}"), "3.2.0.192");
}

TEST(ExpandMacros, SplitsAtEachDelimiterAndKeepsEmptyParts) {
  MacroValues values = values_of_the_examples();
  values.local_part = "a+b-c+";
  EXPECT_EQ(expand("%{l+}", values), "a.b-c.");
  EXPECT_EQ(expand("%{l+-}", values), "a.b.c.");
  EXPECT_EQ(expand("%{l2+-}", values), "c.");
  EXPECT_EQ(expand("%{lr+}", values), ".b-c.a");
  EXPECT_EQ(expand("%{l127}", values), "a+b-c+");
  EXPECT_EQ(expand("%{l99999999999999999999999999999r+}", values), ".b-c.a");
  values.local_part = "";
  EXPECT_EQ(expand("%{lr}", values), "");
}

TEST(ExpandMacros, GivesUpWhenTheTextGetsTooLong) {
  const MacroValues values = values_of_the_examples();
  EXPECT_EQ(expand_macros("%{d}", values, 17), "email.example.com");
  EXPECT_EQ(expand_macros("%{d}", values, 16), std::nullopt);
  std::string many;
  for (int i = 0; i < 1'000; ++i) many += "%{s}";
  EXPECT_EQ(expand_macros(many, values, 8'192), std::nullopt);
}

TEST(CheckMacroString, SaysWhatIsWrongAndWhere) {
  bad("a%", Code::bad_percent, 1);
  bad("a%b", Code::bad_percent, 1);
  bad("a%(ir)", Code::bad_percent, 1);
  bad("%{", Code::bad_letter, 2);
  bad("%{}", Code::bad_letter, 2);
  bad("%{x}", Code::bad_letter, 2);
  bad("%{1}", Code::bad_letter, 2);
  bad("%{d", Code::unfinished, 3);
  bad("%{dx}", Code::unfinished, 3);
  bad("%{drr}", Code::unfinished, 4);
  bad("%{d.r}", Code::unfinished, 4);
  bad("%{d-1}", Code::unfinished, 4);
  bad("%{d0}", Code::zero_parts, 3);
  bad("%{d00r}", Code::zero_parts, 3);
  bad("a b", Code::bad_octet, 1);
  bad("a\tb", Code::bad_octet, 1, MacroPlace::explanation);
}

TEST(CheckMacroString, KeepsMacrosOfExplanationsInExplanations) {
  for (const char* text : {"%{c}", "%{R}", "%{t}"}) {
    bad(text, Code::explanation_only, 0);
    EXPECT_TRUE(check_macro_string(text, MacroPlace::unknown_modifier));
    EXPECT_TRUE(check_macro_string(text, MacroPlace::explanation));
  }
}

TEST(CheckMacroString, KnowsEveryOctet) {
  for (int octet = 0; octet < 256; ++octet) {
    const std::string text(1, static_cast<char>(octet));
    const bool is_visible = octet > 0x20 && octet < 0x7F && octet != '%';
    EXPECT_EQ(check_macro_string(text, MacroPlace::domain_spec).has_value(), is_visible) << octet;
    EXPECT_EQ(check_macro_string(text, MacroPlace::unknown_modifier).has_value(), is_visible);
    EXPECT_EQ(check_macro_string(text, MacroPlace::explanation).has_value(),
              is_visible || octet == ' ');
    const std::string macro = "%{" + text + "}";
    const bool is_letter =
        std::string_view("slodiphcrtvSLODIPHCRTV").contains(static_cast<char>(octet));
    EXPECT_EQ(check_macro_string(macro, MacroPlace::explanation).has_value(), is_letter) << octet;
  }
}

TEST(CheckDomainSpec, TakesDomainsAndMacrosAtTheEnd) {
  for (const char* text : {"example.com", "example.com.", ".com", "a.b-c", "a.1-2", "a.x1", "a.1x",
                           "%{d}", "x%{d}", "x.%%", "x%_", "x%-", "foo:bar/baz.example.com",
                           "a..com", "%{l}=.example.com", "foo.example.xn--zckzah"})
    ok_domain(text);
}

TEST(CheckDomainSpec, RefusesOthers) {
  bad_domain("", Code::no_domain);
  for (const char* text : {"museum", "museum.", "a.123", "a.-com", "a.com-", "a.b_c", "a.com..",
                           "%{d}.", "%{d}/24", "%{d}x", "a.com/24", "a.", ".", "a.b:80"})
    bad_domain(text, Code::bad_end_of_domain);
  bad_domain("%{c}.example.com", Code::explanation_only);
  bad_domain("a b.example.com", Code::bad_octet);
}

TEST(UsesMacro, LooksAtMacrosOnly) {
  EXPECT_TRUE(uses_macro("x.%{P2r}.y", "p"));
  EXPECT_TRUE(uses_macro("%{d}.%{l}", "sl"));
  EXPECT_FALSE(uses_macro("%%{p}.p", "p"));
  EXPECT_FALSE(uses_macro("", "p"));
}

TEST(QueryName, MakesTheNameThatDnsIsAskedFor) {
  EXPECT_EQ(query_name("Example.COM."), "example.com");
  EXPECT_EQ(query_name("a+b=c~d.example.com"), "a+b=c~d.example.com");
  EXPECT_EQ(query_name("oemcomputer"), "oemcomputer");
  EXPECT_EQ(query_name("a b.example.com"), "a b.example.com");
}

TEST(QueryName, TakesLabelsOffTheLeft) {
  const std::string label(63, 'a');
  const std::string kept = label + "." + label + "." + label + ".b23456789.example.com";
  EXPECT_EQ(query_name("x." + label + "." + kept), kept);
  EXPECT_EQ(query_name("x." + label + "." + kept + "."), kept);
  const std::string longest = label + "." + label + "." + label + "." + std::string(61, 'b');
  ASSERT_EQ(longest.size(), 253u);
  EXPECT_EQ(query_name(longest), longest);
  EXPECT_EQ(query_name("a." + longest), longest);
  EXPECT_EQ(query_name("a" + longest), longest.substr(64)) << "a label of 64 octets, cut off";
}

TEST(QueryName, S16RefusesWhatIsNoName) {
  EXPECT_EQ(query_name(""), std::nullopt);
  EXPECT_EQ(query_name("."), std::nullopt);
  EXPECT_EQ(query_name(".example.com"), std::nullopt);
  EXPECT_EQ(query_name("a..example.com"), std::nullopt);
  EXPECT_EQ(query_name("example.com.."), std::nullopt);
  EXPECT_EQ(query_name(std::string(64, 'a') + ".example.com"), std::nullopt);
  EXPECT_EQ(query_name(std::string(300, 'a')), std::nullopt);
}

TEST(QueryName, KnowsEveryOctet) {
  for (int octet = 0; octet < 256; ++octet) {
    if (octet == '.') continue;
    const std::string name = std::string(1, static_cast<char>(octet)) + "x.example.com";
    const bool is_printable = octet >= 0x20 && octet < 0x7F;
    EXPECT_EQ(query_name(name).has_value(), is_printable) << octet;
  }
}

TEST(MacroErrors, SayTheSection) {
  for (const Code code :
       {Code::bad_percent, Code::bad_letter, Code::explanation_only, Code::zero_parts,
        Code::unfinished, Code::bad_octet, Code::no_domain, Code::bad_end_of_domain})
    EXPECT_TRUE(to_string(code).contains("RFC 7208 §7")) << to_string(code);
}

}  // namespace
}  // namespace countersign::spf
