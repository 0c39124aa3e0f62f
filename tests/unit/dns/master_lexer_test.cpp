// SPDX-License-Identifier: Apache-2.0
//
// How a master file is cut into entries and words, and what backslashes stand for.

#include "countersign/dns/master_lexer.hpp"

#include <gtest/gtest.h>

#include <string>

#include "tests/support/exact.hpp"

namespace countersign::dns {
namespace {

// "line[~]:word,'quoted',… | …", "~" for an entry that begins blank; or "line!" for an error.
std::string lex(std::string_view text) {
  const test::Exact copy = test::exact(text);
  MasterLexer lexer(copy.view());
  std::string shown;
  for (;;) {
    const auto entry = lexer.next();
    if (!entry) return shown + std::to_string(entry.error().line) + '!';
    if (!entry->has_value()) return shown;
    shown += std::to_string((*entry)->line) + ((*entry)->begins_blank ? "~:" : ":");
    for (const MasterWord& word : (*entry)->words)
      shown += (word.quoted ? '\'' + std::string(word.raw) + '\'' : std::string(word.raw)) + ',';
    shown += '|';
  }
}

TEST(MasterLexer, CutsLinesIntoWords) {
  EXPECT_EQ(lex(""), "");
  EXPECT_EQ(lex("a b"), "1:a,b,|");
  EXPECT_EQ(lex("a\tb \r\n c\n"), "1:a,b,|2~:c,|");
  EXPECT_EQ(lex("\n\n  \n ; only a comment\n a ; b\n"), "5~:a,|");
  EXPECT_EQ(lex("a\"b\"c"), "1:a,'b',c,|");
}

TEST(MasterLexer, JoinsLinesInParentheses) {
  EXPECT_EQ(lex("a ( b ; c )\n d\n) e\nf"), "1:a,b,d,e,|4:f,|");
  EXPECT_EQ(lex("a((b)\nc)\nd"), "1:a,b,c,|3:d,|");
  EXPECT_EQ(lex("()\nb"), "2:b,|");
  EXPECT_EQ(lex("a\nb (\nc (\n"), "1:a,|2!");
  EXPECT_EQ(lex("a )"), "1!");
}

TEST(MasterLexer, BackslashesHideWhatFollows) {
  EXPECT_EQ(lex("a\\;b\\ c \"d\\\"e\""), "1:a\\;b\\ c,'d\\\"e',|");
  EXPECT_EQ(lex("a\\"), "1:a\\,|");
  EXPECT_EQ(lex("a\\\nb"), "1:a\\,|2:b,|");
  EXPECT_EQ(lex("\"a\\"), "1!");
  EXPECT_EQ(lex("a\n\"b\n\""), "1:a,|2!");
}

TEST(Unescape, ReadsNumbersAndCharacters) {
  EXPECT_EQ(unescape(""), "");
  EXPECT_EQ(unescape("a\\\"b\\\\c\\.d"), "a\"b\\c.d");
  EXPECT_EQ(unescape("\\0480"), "00");
  EXPECT_EQ(unescape("\\000\\255"), std::string("\0\xff", 2));
  for (const char* wrong : {"\\", "a\\", "\\25", "\\2", "\\25x", "\\256", "\\999"})
    EXPECT_EQ(unescape(wrong), std::nullopt) << wrong;
}

}  // namespace
}  // namespace countersign::dns
