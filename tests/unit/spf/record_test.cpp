// SPDX-License-Identifier: Apache-2.0
//
// The grammar of records: what each term is read as, and every fault with its place.

#include "countersign/spf/record.hpp"

#include <gtest/gtest.h>

#include <string>

#include "tests/support/exact.hpp"

namespace countersign::spf {
namespace {

using Code = RecordErrorCode;
using test::exact;

// A record and the text that its parts view.
struct Parsed {
  std::string text;
  Record record;
};

Parsed ok(std::string_view text) {
  const auto record = parse_record(exact(text).view(), Limits{});
  EXPECT_TRUE(record) << text << ": " << to_string(record.error());
  EXPECT_TRUE(record_errors(text, Limits{}).empty());
  return {std::string(text), record.value_or(Record{})};
}

void bad(std::string_view text, Code code, std::size_t offset) {
  const auto record = parse_record(exact(text).view(), Limits{});
  ASSERT_FALSE(record) << text;
  EXPECT_EQ(record.error().code, code) << text << ": " << to_string(record.error());
  EXPECT_EQ(record.error().offset, offset) << text;
  EXPECT_EQ(record_errors(text, Limits{}).front(), record.error());
}

// A record of one term; the offset is the term's own.
void bad_term(std::string_view term, Code code, std::size_t offset) {
  bad("v=spf1 " + std::string(term), code, 7 + offset);
}

Directive only_directive(std::string_view term) {
  const Parsed parsed = ok("v=spf1 " + std::string(term));
  EXPECT_EQ(parsed.record.directives.size(), 1u) << term;
  return parsed.record.directives.empty() ? Directive{} : parsed.record.directives.front();
}

TEST(IsSpfRecord, WantsTheVersionAlone) {
  for (const char* text : {"v=spf1", "v=spf1 ", "V=SpF1 -all"}) EXPECT_TRUE(is_spf_record(text));
  for (const char* text : {"", "v=spf", "v=spf10", "v=spf1-all", " v=spf1", "v=spf1\t-all",
                           "v=spf2 -all", "spf2.0/pra -all", "v=spf1\n"})
    EXPECT_FALSE(is_spf_record(text)) << text;
}

TEST(ParseRecord, TakesTermsInTheirOrder) {
  const Parsed parsed =
      ok("v=spf1  ip4:192.0.2.0/24 ?A:a.example.com  redirect=b.example.com x=y ~ALL ");
  ASSERT_EQ(parsed.record.directives.size(), 3u);
  const auto& [ip4, a, all] = std::tie(parsed.record.directives[0], parsed.record.directives[1],
                                       parsed.record.directives[2]);
  EXPECT_EQ(ip4.text.in(parsed.text), "ip4:192.0.2.0/24");
  EXPECT_EQ(ip4.qualifier, Qualifier::pass);
  EXPECT_EQ(a.mechanism, Mechanism::a);
  EXPECT_EQ(a.qualifier, Qualifier::neutral);
  EXPECT_EQ(a.text.in(parsed.text), "?A:a.example.com");
  EXPECT_EQ(a.domain_spec.in(parsed.text), "a.example.com");
  EXPECT_EQ(all.mechanism, Mechanism::all);
  EXPECT_EQ(all.qualifier, Qualifier::softfail);
  ASSERT_TRUE(parsed.record.redirect);
  EXPECT_EQ(parsed.record.redirect->text.in(parsed.text), "redirect=b.example.com");
  EXPECT_EQ(parsed.record.redirect->value.in(parsed.text), "b.example.com");
  EXPECT_FALSE(parsed.record.explanation);
  ASSERT_EQ(parsed.record.unknown_modifiers.size(), 1u);
  EXPECT_EQ(parsed.record.unknown_modifiers.front().value.in(parsed.text), "y");
}

TEST(ParseRecord, TakesARecordWithoutTerms) {
  EXPECT_TRUE(ok("v=spf1").record.directives.empty());
  EXPECT_TRUE(ok("v=spf1   ").record.directives.empty());
}

TEST(ParseRecord, ReadsQualifiers) {
  EXPECT_EQ(only_directive("all").qualifier, Qualifier::pass);
  EXPECT_EQ(only_directive("+all").qualifier, Qualifier::pass);
  EXPECT_EQ(only_directive("-all").qualifier, Qualifier::fail);
  EXPECT_EQ(only_directive("~all").qualifier, Qualifier::softfail);
  EXPECT_EQ(only_directive("?all").qualifier, Qualifier::neutral);
  bad_term("--all", Code::unknown_mechanism, 1);
  bad_term("-", Code::unknown_mechanism, 1);
}

TEST(ParseRecord, ReadsAll) {
  EXPECT_EQ(only_directive("ALL").mechanism, Mechanism::all);
  bad_term("all:example.com", Code::unexpected_argument, 3);
  bad_term("all/8", Code::unexpected_argument, 3);
  bad_term("all.", Code::unknown_mechanism, 0);
}

TEST(ParseRecord, ReadsInclude) {
  EXPECT_EQ(only_directive("include:a.example.com").domain_spec.size, 13u);
  bad_term("include", Code::missing_argument, 7);
  bad_term("include:", Code::bad_domain, 8);
  bad_term("include:example.com/24", Code::bad_domain, 8);
  bad_term("include/24", Code::unexpected_argument, 7);
}

TEST(ParseRecord, ReadsPrefixLengthsOfAAndMx) {
  for (const char* name : {"a", "mx"}) {
    const std::string term(name);
    EXPECT_EQ(only_directive(term).prefix4, 32u);
    EXPECT_EQ(only_directive(term).prefix6, 128u);
    EXPECT_EQ(only_directive(term + "/0").prefix4, 0u);
    EXPECT_EQ(only_directive(term + "/24//64").prefix4, 24u);
    EXPECT_EQ(only_directive(term + "/24//64").prefix6, 64u);
    EXPECT_EQ(only_directive(term + "//0").prefix6, 0u);
    EXPECT_EQ(only_directive(term + "//0").prefix4, 32u);
    EXPECT_EQ(only_directive(term + ":x.example.com/8//128").domain_spec.size, 13u);
    EXPECT_EQ(only_directive(term + ":%{d}/8").domain_spec.size, 4u);
    EXPECT_EQ(only_directive(term + ":foo:bar/baz.example.com").prefix4, 32u);
    const std::size_t size = term.size();
    bad_term(term + "/33", Code::bad_prefix_length, size + 1);
    bad_term(term + "/032", Code::bad_prefix_length, size + 1);
    bad_term(term + "/00", Code::bad_prefix_length, size + 1);
    bad_term(term + "/", Code::bad_prefix_length, size + 1);
    bad_term(term + "//", Code::bad_prefix_length, size + 2);
    bad_term(term + "//129", Code::bad_prefix_length, size + 2);
    bad_term(term + "/24/64", Code::bad_prefix_length, size + 4);
    bad_term(term + "/99999999999999999999", Code::bad_prefix_length, size + 1);
    bad_term(term + ":", Code::bad_domain, size + 1);
    bad_term(term + ":/24", Code::bad_domain, size + 1);
    bad_term(term + "//64/24", Code::unexpected_argument, size);
  }
}

TEST(ParseRecord, ReadsDomainsOfAAndMx) {
  bad_term("a:museum", Code::bad_domain, 2);
  bad_term("a:111.222.33.44", Code::bad_domain, 2);
  bad_term("a:example.com:8080", Code::bad_domain, 2);
  bad_term("mx:%{x}.example.com", Code::bad_domain, 5);
  bad_term("a:%{c}.example.com", Code::bad_domain, 2);
  bad_term(std::string("a:foo.example.com\0", 18), Code::bad_domain, 17);
  bad_term("a:example.com\r\n", Code::bad_domain, 13);
  bad_term(
      "\xC2\xA0"
      "a:example.com",
      Code::unknown_mechanism, 0);
}

TEST(ParseRecord, ReadsPtrAndExists) {
  EXPECT_EQ(only_directive("ptr").domain_spec.size, 0u);
  EXPECT_EQ(only_directive("ptr:example.com").domain_spec.size, 11u);
  bad_term("ptr:", Code::bad_domain, 4);
  bad_term("ptr/0", Code::unexpected_argument, 3);
  EXPECT_EQ(only_directive("exists:%{i}._spf.example.com").mechanism, Mechanism::exists);
  bad_term("exists", Code::missing_argument, 6);
  bad_term("exists:example.com/24", Code::bad_domain, 7);
}

TEST(ParseRecord, ReadsIp4) {
  EXPECT_EQ(only_directive("ip4:192.0.2.1").network, IpAddress::parse("192.0.2.1"));
  EXPECT_EQ(only_directive("ip4:192.0.2.1").prefix4, 32u);
  EXPECT_EQ(only_directive("ip4:192.0.2.1/0").prefix4, 0u);
  bad_term("ip4", Code::missing_argument, 3);
  bad_term("ip4/8", Code::missing_argument, 3);
  for (const char* address :
       {"", "1.2.3", "1.2.3.4.5", "1.2.3.256", "1.2.3.04", "1.2.3.4:8080", "[1.2.3.4]", "::1",
        "::ffff:1.2.3.4", "IPv6:::1", "1.2.3.4\n", "1.2.3.4,"})
    bad_term("ip4:" + std::string(address), Code::bad_network, 4);
  for (const char* length : {"33", "032", "", "/32", "255.255.255.0", "-1", "1x"})
    bad_term("ip4:1.2.3.4/" + std::string(length), Code::bad_prefix_length, 12);
}

TEST(ParseRecord, ReadsIp6) {
  EXPECT_EQ(only_directive("ip6:2001:DB8::1").network, IpAddress::parse("2001:db8::1"));
  EXPECT_EQ(only_directive("ip6:2001:db8::/32").prefix6, 32u);
  EXPECT_EQ(only_directive("ip6:::1.1.1.1/0").prefix6, 0u);
  EXPECT_EQ(only_directive("ip6:::FFFF:1.2.3.4/96").prefix6, 96u);
  bad_term("ip6", Code::missing_argument, 3);
  for (const char* address : {"", "1.2.3.4", ":CAFE::BABE", "fe80::1%eth0", "[::1]", "1::2::3"})
    bad_term("ip6:" + std::string(address), Code::bad_network, 4);
  for (const char* length : {"129", "/64", "", "064"})
    bad_term("ip6:::1/" + std::string(length), Code::bad_prefix_length, 8);
}

TEST(ParseRecord, ReadsModifiers) {
  const Parsed parsed =
      ok("v=spf1 EXP=%{ir}.example.com Redirect=example.com. "
         "moo.cow-far_out=man:dog/cat a=b x= ra=postmaster");
  EXPECT_TRUE(parsed.record.explanation);
  EXPECT_TRUE(parsed.record.redirect);
  EXPECT_EQ(parsed.record.unknown_modifiers.size(), 4u);
  bad_term("=all", Code::bad_modifier_name, 0);
  bad_term("1up=foo", Code::bad_modifier_name, 0);
  bad_term("-exp=example.com", Code::bad_modifier_name, 0);
  bad_term("moo_\xFF=x", Code::bad_modifier_name, 0);
  bad_term("moo.cow/far_out=man", Code::unknown_mechanism, 0);
  bad_term("redirect:example.com", Code::unknown_mechanism, 0);
  bad_term("redirect=", Code::bad_domain, 9);
  bad_term("exp=-all", Code::bad_domain, 4);
  bad_term("exp=%{r}.example.com", Code::bad_domain, 4);
  bad_term("foo=%abc", Code::bad_modifier_value, 4);
  EXPECT_EQ(ok("v=spf1 foo=%{r}").record.unknown_modifiers.size(), 1u);
}

TEST(ParseRecord, RefusesAModifierTwice) {
  bad("v=spf1 redirect=a.example.com redirect=a.example.com", Code::duplicate_modifier, 30);
  bad("v=spf1 exp=a.example.com -all EXP=b.example.com", Code::duplicate_modifier, 30);
  EXPECT_EQ(ok("v=spf1 x=1 x=1").record.unknown_modifiers.size(), 2u);
}

TEST(ParseRecord, RefusesOtherTextAndTooLongText) {
  bad("", Code::not_spf, 0);
  bad("v=spf10 -all", Code::not_spf, 0);
  std::string text = "v=spf1";
  while (text.size() < 8'192) text += ' ';
  ok(text);
  bad(text + ' ', Code::too_long, 8'192);
}

TEST(ParseRecord, FindsAFaultAnywhere) {
  bad("v=spf1 ip4:1.2.3.4 -all moo", Code::unknown_mechanism, 24);
  bad("v=spf1 a\tmx -all", Code::unknown_mechanism, 7);
}

TEST(RecordErrors, FindsTheFaultOfEachTerm) {
  const auto errors = record_errors("v=spf1 ipv4:1.2.3.4 a:%{x}.y mx exp= all:", Limits{});
  ASSERT_EQ(errors.size(), 4u);
  EXPECT_EQ(errors[0], (RecordError{Code::unknown_mechanism, 7, {}}));
  EXPECT_EQ(errors[1], (RecordError{Code::bad_domain, 24, MacroErrorCode::bad_letter}));
  EXPECT_EQ(errors[2], (RecordError{Code::bad_domain, 36, MacroErrorCode::no_domain}));
  EXPECT_EQ(errors[3], (RecordError{Code::unexpected_argument, 40, {}}));
}

TEST(RecordErrors, SayTheSection) {
  for (int code = 0; code <= static_cast<int>(Code::duplicate_modifier); ++code)
    EXPECT_TRUE(to_string(RecordError{static_cast<Code>(code), 0, {}}).contains("(RFC 7208 §"))
        << code;
  EXPECT_EQ(to_string(RecordError{Code::bad_domain, 0, MacroErrorCode::bad_letter}),
            to_string(MacroErrorCode::bad_letter));
}

}  // namespace
}  // namespace countersign::spf
