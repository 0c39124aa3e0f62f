// SPDX-License-Identifier: Apache-2.0
//
// Lines of refile: tables: stars, expressions, and those that cost too much.

#include "countersign/mailflow/pattern.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <string_view>

#include "tests/support/exact.hpp"

namespace countersign::mailflow {
namespace {

void matches(std::string_view pattern, const std::string& text, bool expected) {
  const test::Exact copy = test::exact(pattern);
  const auto compiled = Pattern::compile(copy.view());
  ASSERT_TRUE(compiled) << pattern;
  EXPECT_EQ(compiled->matches(text), expected) << pattern << " on " << text;
}
void ok(std::string_view pattern, const std::string& text) { matches(pattern, text, true); }
void no(std::string_view pattern, const std::string& text) { matches(pattern, text, false); }

TEST(Pattern, AStarIsAnyTextEvenNone) {
  ok("*", "");
  ok("*", "a@b");
  ok("a*c", "ac");
  ok("a*c", "abbbc");
  ok("a*b*c", "axbxbxc");
  ok("**a", "a");
  no("a*c", "acd");
  no("a*c", "ca");
  no("a*b*c", "acb");
  no("", "a");
  ok("", "");
}

TEST(Pattern, ADotAndAPlusAreThemselves) {
  ok("a.b", "a.b");
  no("a.b", "axb");
  ok("a+b", "a+b");
  no("a+b", "aab");
  ok("a.b[c]", "a.bc");
  no("a.b[c]", "axbc");
  ok("a+b[c]", "a+bc");
  no("a+b[c]", "aabc");
}

TEST(Pattern, CaseOfAsciiDoesNotMatter) {
  ok("INFO-*@example.org", "info-x@example.org");
  ok("info-*@example.org", "INFO-X@EXAMPLE.ORG");
  ok("[a]@EXAMPLE.org", "A@example.ORG");
}

TEST(Pattern, TheWholeTextMustMatch) {
  no("b@c", "ab@c");
  no("b@c", "b@cd");
  no("[b]@c", "ab@c");
  no("[b]@c", "b@cd");
}

TEST(Pattern, ExpressionsStayAlive) {
  ok("*@[xy].example", "a@x.example");
  no("*@[xy].example", "a@z.example");
  ok("*@(a|b).example", "u@b.example");
  ok("a?@b", "@b");
  ok("a{2}@b", "aa@b");
  no("a{2}@b", "a@b");
  ok("a\\.[b]", "a.b");
  no("a\\.[b]", "axb");
  ok("a\\*[b]", "a*b");
  ok("a\\+[b]", "a+b");
  ok("[^x]*@b", "ab@b");
}

TEST(Pattern, AlternativesAreAnchoredTogether) {
  ok("*@a|b@c", "z@a");
  ok("*@a|b@c", "b@c");
  no("*@a|b@c", "z@abc.example");
  no("*@a|b@c", "bb@c");
}

TEST(Pattern, RefusesWhatIsNoExpression) {
  for (const char* pattern :
       {"[", "(", "a)(", "a)(b", "a)|(b", "[a", "a{1", "a\\", "a{9,1}[b]", "[[:nix:]]"})
    EXPECT_FALSE(Pattern::compile(pattern)) << pattern;
  EXPECT_FALSE(Pattern::compile(std::string_view("[a]\0b", 5)));
}

TEST(Pattern, RefusesWhatStrangersCouldMakeSlow) {
  for (const char* pattern : {"(a)\\1", "(*)\\1*", "(a{9}){9}", "a{65}", "a{100}", "a{1,99999}",
                              "a{1,2}b{1,2}", "\\\\(a)\\2"})
    EXPECT_FALSE(Pattern::compile(pattern)) << pattern;
  EXPECT_TRUE(Pattern::compile("a{64}"));
  EXPECT_TRUE(Pattern::compile("a{1,64}[b]"));
  EXPECT_FALSE(Pattern::compile(std::string(1'025, 'a')));
  EXPECT_TRUE(Pattern::compile(std::string(1'024, 'a')));
}

TEST(Pattern, LongTextsAndNulMatchNothing) {
  ok("*", std::string(1'024, 'a'));
  no("*", std::string(1'025, 'a'));
  no("*", std::string("a\0b", 3));
  no("[a]*", std::string("a\0b", 3));
  ok("[a]*", std::string(1'024, 'a'));
}

TEST(Pattern, NoTextIsSlow) {
  const std::string pattern = "*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b";
  const std::string text(1'024, 'a');
  const auto begin = std::chrono::steady_clock::now();
  no(pattern, text);
  no("(a*)*(a*)*(a*)*b", text);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds{5});
}

TEST(HasLiveOctets, AreThoseOfExpressions) {
  EXPECT_FALSE(has_live_octets("*a.b+c@d-e_f"));
  for (const char c : std::string_view("[](){}^$|?\\")) EXPECT_TRUE(has_live_octets({&c, 1})) << c;
}

}  // namespace
}  // namespace countersign::mailflow
