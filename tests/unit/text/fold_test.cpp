// SPDX-License-Identifier: Apache-2.0
//
// Folded fields: where lines break, how long they get, and that unfolding gives back the tokens.

#include "countersign/text/fold.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "countersign/text/abnf.hpp"

namespace countersign::text {
namespace {

std::vector<std::string> lines_of(std::string_view field) {
  std::vector<std::string> lines;
  for (std::size_t end = 0; end != std::string_view::npos; field.remove_prefix(end + 2)) {
    end = field.find("\r\n");
    lines.emplace_back(field.substr(0, end));
    if (end == std::string_view::npos) break;
  }
  return lines;
}

std::string without_space(std::string_view text) {
  std::string result;
  for (const char c : text)
    if (!is_fws(c)) result += c;
  return result;
}

TEST(FoldedField, SeparatesWordsAndJoinsParts) {
  FoldedField field("DKIM-Signature:");
  field.word("v=1;").word("").word("h=from:").part("to:").part("").part("subject;").run("");
  EXPECT_EQ(field.text(), "DKIM-Signature: v=1; h=from:to:subject;");
}

TEST(FoldedField, FillsALineToItsLastColumn) {
  const std::string fits(FoldedField::columns_max - 3, 'x');
  EXPECT_EQ(FoldedField("A:").word(fits).text(), "A: " + fits);
  EXPECT_EQ(FoldedField("A:").word(fits + "x").text(), "A:\r\n\t" + fits + "x");
  EXPECT_EQ(FoldedField("A:").part(fits + "x").text(), "A:" + fits + "x");
  EXPECT_EQ(FoldedField("A:").part(fits + "xx").text(), "A:\r\n\t" + fits + "xx");
}

TEST(FoldedField, DropsTheSpaceThatAFoldReplaces) {
  const std::string word(40, 'x');
  EXPECT_EQ(FoldedField("A:").word(word).word(word).text(), "A: " + word + "\r\n\t" + word);
}

TEST(FoldedField, GoesOnWithASpaceWhenAsked) {
  const std::string word(78, 'x');
  EXPECT_EQ(FoldedField("A:", Continuation::space).word(word).text(), "A:\r\n " + word);
}

TEST(FoldedField, LeavesATokenWholeThatIsLongerThanALine) {
  const std::string token(100, 'x');
  FoldedField field("A:");
  field.word("a").word(token).word("b");
  EXPECT_EQ(field.text(), "A: a\r\n\t" + token + "\r\n\tb");
}

TEST(FoldedField, BreaksARunAnywhereAndNeverLeavesAnEmptyLine) {
  for (std::size_t before = 0; before < 80; ++before)
    for (const std::size_t size : {1U, 76U, 77U, 78U, 344U, 684U}) {
      FoldedField field("A:" + std::string(before, 'y'));
      field.run(std::string(size, 'x'));
      for (const std::string& line : lines_of(field.text())) {
        EXPECT_LE(line.size(), std::max<std::size_t>(FoldedField::columns_max, before + 2));
        EXPECT_NE(trim(line, is_wsp), "");
      }
      EXPECT_EQ(without_space(field.text()),
                "A:" + std::string(before, 'y') + std::string(size, 'x'));
    }
}

TEST(FoldedField, WritesASignatureAsItIsSigned) {
  FoldedField field("DKIM-Signature:");
  field.word("v=1;").word("a=rsa-sha256;").word("c=relaxed/simple;").word("d=example.org;");
  field.word("s=sel2026;").word("t=1795000000;").word("h=from:").part("to:").part("subject:");
  field.part("date:").part("message-id;");
  field.word("bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=;").word("b=");
  const std::string unsigned_form = field.text();
  field.run(std::string(344, 'x'));
  EXPECT_TRUE(field.text().starts_with(unsigned_form)) << "what was signed must stay";
  const std::vector<std::string> expected = {
      "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/simple; d=example.org; s=sel2026;",
      "\tt=1795000000; h=from:to:subject:date:message-id;",
      "\tbh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=" + std::string(26, 'x'),
      "\t" + std::string(77, 'x'),
      "\t" + std::string(77, 'x'),
      "\t" + std::string(77, 'x'),
      "\t" + std::string(77, 'x'),
      "\t" + std::string(10, 'x')};
  EXPECT_EQ(lines_of(field.text()), expected);
}

}  // namespace
}  // namespace countersign::text
