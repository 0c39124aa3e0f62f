// SPDX-License-Identifier: Apache-2.0
//
// Domain names: what becomes of them, what is refused and where, and that no code point of Unicode
// moves a label or vanishes.

#include "countersign/domain/name.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "countersign/text/abnf.hpp"
#include "countersign/text/utf8.hpp"
#include "tests/support/exact.hpp"
#include "tests/support/utf8.hpp"

namespace countersign {
namespace {

using Code = DomainNameErrorCode;
using test::utf8;
using namespace std::string_view_literals;

std::string ok(std::string_view octets) {
  const auto text = test::exact(octets);
  const Result<DomainName, DomainNameError> name = DomainName::parse(text.view());
  if (!name) return "failed at " + std::to_string(name.error().offset);
  EXPECT_EQ(DomainName::parse(name->text()), *name) << "a parsed name is its own form";
  return name->text();
}

void bad(std::string_view octets, Code code, std::size_t offset) {
  const auto text = test::exact(octets);
  const Result<DomainName, DomainNameError> name = DomainName::parse(text.view());
  ASSERT_FALSE(name) << octets << " became " << name->text();
  EXPECT_EQ(name.error(), (DomainNameError{code, offset})) << octets;
}

std::string display(std::string_view text) { return DomainName::parse(text).value().display(); }

TEST(DomainNameParse, LowersAndCutsTheDotAtTheEnd) {
  EXPECT_EQ(ok("example.org"), "example.org");
  EXPECT_EQ(ok("Example.ORG."), "example.org");
  EXPECT_EQ(ok("localhost"), "localhost");
  EXPECT_EQ(ok("sel_1._domainkey.A-b.example"), "sel_1._domainkey.a-b.example");
  EXPECT_EQ(ok("1.2.0.192.in-addr.arpa"), "1.2.0.192.in-addr.arpa");
  EXPECT_EQ(ok("r3---sn-a5.example"), "r3---sn-a5.example") << "hyphens of ASCII labels are free";
}

TEST(DomainNameParse, RefusesMissingLabels) {
  bad("", Code::empty, 0);
  bad(".", Code::empty, 0);
  bad("..", Code::empty_label, 0);
  bad(".a", Code::empty_label, 0);
  bad("a..b", Code::empty_label, 2);
  bad("a.b..", Code::empty_label, 4);
}

TEST(DomainNameParse, HoldsTheBoundsOfDns) {
  const std::string label63(63, 'a');
  EXPECT_EQ(ok(label63 + ".org"), label63 + ".org");
  bad("x." + label63 + "a.org", Code::label_too_long, 2);
  const std::string name251 = label63 + "." + label63 + "." + label63 + "." + std::string(59, 'a');
  EXPECT_EQ(ok(name251 + ".b"), name251 + ".b");
  EXPECT_EQ(ok(name251 + ".b."), name251 + ".b") << "253 without the dot at the end";
  bad(name251 + ".bb", Code::name_too_long, 0);
  bad(std::string(100'000, 'a'), Code::name_too_long, 0);
}

TEST(DomainNameParse, KnowsItsOctets) {
  for (int octet = 0; octet < 128; ++octet) {
    const char c = static_cast<char>(octet);
    const std::string text = {'x', '.', 'a', c, 'b', '.', 'y'};
    if (text::is_alnum(c) || c == '-' || c == '_' || c == '.') {
      EXPECT_EQ(ok(text), text::to_lower(text));
    } else {
      bad(text, Code::bad_character, 2);
    }
  }
}

TEST(DomainNameParse, RefusesWhatAttacksPutIntoNames) {
  bad("legit.com(.attack.com", Code::bad_character, 6);
  bad("legit.com'a.attack.com", Code::bad_character, 6);
  bad(std::string_view("legit.com\0.attack.com", 21), Code::bad_character, 6);
  bad("legit.com\r\n", Code::bad_character, 6);
  bad(" legit.com", Code::bad_character, 0);
  bad("[192.0.2.1]", Code::bad_character, 0);
  bad("a@b", Code::bad_character, 0);
}

TEST(DomainNameIdna, MakesALabelsOfULabels) {
  EXPECT_EQ(ok("b\xC3\xBC"
               "cher.example"),
            "xn--bcher-kva.example");
  EXPECT_EQ(ok("B\xC3\x9C"
               "CHER.Example."),
            "xn--bcher-kva.example");
  EXPECT_EQ(ok("bu" + utf8(0x308) + "cher.example"), "xn--bcher-kva.example") << "decomposed";
  EXPECT_EQ(ok("_dmarc.b\xC3\xBC"
               "cher.example"),
            "_dmarc.xn--bcher-kva.example");
  EXPECT_EQ(ok("fa\xC3\x9F.example"), "xn--fa-hia.example") << "non-transitional";
  EXPECT_EQ(ok(utf8(0x65E5) + utf8(0x672C) + utf8(0x8A9E) + ".jp"), "xn--wgv71a119e.jp");
}

TEST(DomainNameIdna, TakesOnlyTrueALabels) {
  EXPECT_EQ(ok("xn--bcher-kva.example"), "xn--bcher-kva.example");
  EXPECT_EQ(ok("XN--BCHER-KVA.example"), "xn--bcher-kva.example");
  bad("a.xn--.example", Code::bad_idna, 2);
  bad("xn--abc-.example", Code::bad_idna, 0);  // decodes to ASCII
  bad("xn--a.example", Code::bad_idna, 0);     // a control character
  bad("xn--99999999999.example", Code::bad_idna, 0);
  bad("xn--ab-5da.example", Code::bad_idna, 0);  // hides U+00AD
  bad("xn--a-0hc.example", Code::bad_idna, 0);   // breaks the rule for right-to-left text
  bad("xn--bcher-kva8445foa.example", Code::bad_idna, 0);
}

TEST(DomainNameIdna, RefusesWhatIsNoULabel) {
  bad("x.\xFC.example", Code::bad_idna, 2);        // ISO 8859-1
  bad("\xC3.example", Code::bad_idna, 0);          // cut off
  bad("\xC0\xAE.example", Code::bad_idna, 0);      // an overlong dot
  bad("ab--\xC3\xBC.example", Code::bad_idna, 0);  // "--" in third and fourth place
  bad("-\xC3\xBC.example", Code::bad_idna, 0);
  bad("\xC3\xBC-.example", Code::bad_idna, 0);
  bad("xn--\xC3\xBC.example", Code::bad_idna, 0);
  bad(utf8(0x300) + "a.example", Code::bad_idna, 0);       // begins with a combining mark
  bad(utf8(0x2603) + ".example", Code::bad_idna, 0);       // a symbol
  bad("1" + utf8(0x5D0) + ".example", Code::bad_idna, 0);  // right to left, but a digit in front
}

TEST(DomainNameIdna, RefusesWhatNobodySees) {
  for (const char32_t point : U"\u00AD\u200B\u200E\u202E\u2060\u2066\uFE0F\uFEFF"sv)
    bad("a" + utf8(point) + "b.example", Code::bad_idna, 0);
  bad("a" + utf8(0x200D) + "b.example", Code::bad_idna, 0);
  EXPECT_EQ(ok(utf8(0x915) + utf8(0x94D) + utf8(0x200D) + utf8(0x937) + ".example"),
            "xn--11b2ezcw70k.example")
      << "a joiner where the script needs it (RFC 5892 §A.2)";
}

TEST(DomainNameIdna, BoundsTheALabel) {
  const std::string fits = "a" + utf8(0xFC);
  EXPECT_EQ(ok(fits + std::string(54, 'a')).size(), 63U);
  bad(fits + std::string(55, 'a'), Code::label_too_long, 0);
  bad(fits + std::string(480, 'a'), Code::label_too_long, 0);
  bad(std::string(600, '\xC3'), Code::label_too_long, 0);
  std::string fullwidth;  // 80 letters that are mapped to ASCII.
  for (int i = 0; i < 80; ++i) fullwidth += utf8(0xFF46);
  bad("a." + fullwidth, Code::label_too_long, 2);
  std::string name = "x";
  for (int i = 0; i < 31; ++i) name += "." + utf8(0xFC);
  EXPECT_EQ(ok(name).size(), 1 + 31 * 8U);
  bad(name + "." + utf8(0xFC), Code::name_too_long, 0);
}

// Every code point that libidn2 may meet: the planes with assigned characters of text.
TEST(DomainNameIdna, NoCodePointMovesALabelOrVanishes) {
  int valid = 0;
  for (char32_t point = 0x80; point <= 0xE0FFF; ++point) {
    if (point == 0xD800) point = 0xE000;
    if (point == 0x32000) point = 0xE0000;
    const Result<DomainName, DomainNameError> name = DomainName::parse("a" + utf8(point) + "b.c");
    if (!name) continue;
    ++valid;
    ASSERT_EQ(name->label_count(), 2U) << std::hex << static_cast<unsigned>(point);
    ASSERT_NE(name->text(), "ab.c") << std::hex << static_cast<unsigned>(point);
    ASSERT_EQ(DomainName::parse(name->display()), *name)
        << std::hex << static_cast<unsigned>(point);
  }
  EXPECT_GT(valid, 100'000);
}

TEST(DomainNameParseHost, TakesLabelsOfDnsThatAreNoALabels) {
  for (const char* text : {"xn--n3h.example", "a.XN--LS8H.example.", "xn--zzzzzz.example"}) {
    EXPECT_FALSE(DomainName::parse(text)) << text;
    const auto host = DomainName::parse_host(text);
    ASSERT_TRUE(host) << text;
    EXPECT_EQ(host->display(), host->text()) << "nothing is shown that could be something else";
  }
  EXPECT_EQ(DomainName::parse_host("B\xC3\xBC"
                                   "cher.example")
                ->text(),
            "xn--bcher-kva.example");
  for (const char* text : {"", "a..b", "a b.example",
                           "ex\xE2\x80\x8B"
                           "ample.org"})
    EXPECT_FALSE(DomainName::parse_host(text)) << text;
}

TEST(DomainNameDisplay, ShowsULabelsToPeople) {
  EXPECT_EQ(display("example.org"), "example.org");
  EXPECT_EQ(display("_dmarc.XN--bcher-kva.example."),
            "_dmarc.b\xC3\xBC"
            "cher.example");
  EXPECT_EQ(display("B\xC3\x9C"
                    "CHER.example"),
            "b\xC3\xBC"
            "cher.example");
}

TEST(DomainNameLabels, AreCountedAndCutFromTheRight) {
  const DomainName name = DomainName::parse("a.mail.example.org").value();
  EXPECT_EQ(name.label_count(), 4U);
  EXPECT_EQ(name.suffix(0), "");
  EXPECT_EQ(name.suffix(1), "org");
  EXPECT_EQ(name.suffix(2), "example.org");
  EXPECT_EQ(name.suffix(4), "a.mail.example.org");
  EXPECT_EQ(name.suffix(9), "a.mail.example.org");
  const DomainName top = DomainName::parse("org").value();
  EXPECT_EQ(top.label_count(), 1U);
  EXPECT_EQ(top.suffix(1), "org");
  EXPECT_EQ(top.suffix(0), "");
}

TEST(DomainNameAncestor, IsTheNameOfTheLastLabels) {
  const DomainName name = DomainName::parse("a.mail.example.org").value();
  EXPECT_EQ(name.ancestor(1), DomainName::parse("org").value());
  EXPECT_EQ(name.ancestor(3), DomainName::parse("mail.example.org").value());
  EXPECT_EQ(name.ancestor(4), name);
  EXPECT_EQ(name.ancestor(9), name);
}

TEST(DomainNameLabels, DecideWhatLiesBelow) {
  const DomainName org = DomainName::parse("example.org").value();
  EXPECT_TRUE(org.is_at_or_below(org));
  EXPECT_TRUE(DomainName::parse("a.b.example.org").value().is_at_or_below(org));
  EXPECT_FALSE(DomainName::parse("badexample.org").value().is_at_or_below(org));
  EXPECT_FALSE(DomainName::parse("org").value().is_at_or_below(org));
  EXPECT_FALSE(DomainName::parse("example.com").value().is_at_or_below(org));
}

TEST(DomainNameOrder, IsThatOfTheOctets) {
  const DomainName a = DomainName::parse("A.example.").value();
  EXPECT_EQ(a, DomainName::parse("a.example"));
  EXPECT_LT(a, DomainName::parse("b.example").value());
}

TEST(DomainNameError, SaysWhatIsWrong) {
  for (const Code code : {Code::empty, Code::empty_label, Code::label_too_long, Code::name_too_long,
                          Code::bad_character, Code::bad_idna})
    EXPECT_THAT(std::string(to_string(code)), testing::HasSubstr("RFC "));
}

}  // namespace
}  // namespace countersign
