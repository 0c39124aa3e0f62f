// SPDX-License-Identifier: Apache-2.0
//
// The scanner stays inside its text, and the cursor keeps the first failure only.

#include "countersign/text/cursor.hpp"

#include <gtest/gtest.h>

#include "tests/support/exact.hpp"

namespace countersign::text {
namespace {

enum class Code { none, first, second };

TEST(TextScanner, NeverLeavesAnEmptyText) {
  Scanner scanner("");
  EXPECT_TRUE(scanner.at_end());
  EXPECT_FALSE(scanner.at('\0'));
  EXPECT_FALSE(scanner.at(is_ctl));
  EXPECT_FALSE(scanner.peek());
  EXPECT_FALSE(scanner.take());
  EXPECT_EQ(scanner.take(3), "");
  EXPECT_EQ(scanner.take_while(is_vchar), "");
  EXPECT_EQ(scanner.take_until(is_vchar), "");
  EXPECT_FALSE(scanner.accept('a'));
  EXPECT_FALSE(scanner.skip_wsp());
  EXPECT_FALSE(scanner.skip_fws());
  EXPECT_EQ(scanner.offset(), 0U);
}

TEST(TextScanner, MovesOverWhatItTakes) {
  const auto text = test::exact("abc 12;rest");
  Scanner scanner(text.view());
  EXPECT_EQ(scanner.peek(), 'a');
  EXPECT_EQ(scanner.take(), 'a');
  EXPECT_EQ(scanner.take_while(is_alpha), "bc");
  EXPECT_FALSE(scanner.accept(';'));
  EXPECT_TRUE(scanner.skip_wsp());
  EXPECT_TRUE(scanner.at(is_digit));
  EXPECT_EQ(scanner.take_until(CharClass(";")), "12");
  EXPECT_EQ(scanner.offset(), 6U);
  EXPECT_TRUE(scanner.accept(';'));
  EXPECT_EQ(scanner.rest(), "rest");
  EXPECT_EQ(scanner.since(4), "12;");
  EXPECT_EQ(scanner.take(99), "rest");
  EXPECT_TRUE(scanner.at_end());
}

TEST(TextScanner, TakesANulLikeAnyOctet) {
  const auto text = test::exact(std::string_view("\0x", 2));
  Scanner scanner(text.view());
  EXPECT_EQ(scanner.peek(), '\0');
  EXPECT_TRUE(scanner.accept('\0'));
  EXPECT_EQ(scanner.take(), 'x');
}

TEST(TextScanner, AcceptsWordsInAnyCaseAsAWhole) {
  const auto text = test::exact("DKIM1");
  Scanner scanner(text.view());
  EXPECT_FALSE(scanner.accept_ignoring_case("dkim12"));
  EXPECT_EQ(scanner.offset(), 0U);
  EXPECT_TRUE(scanner.accept_ignoring_case("dkim"));
  EXPECT_EQ(scanner.rest(), "1");
}

// How many octets of a text are folding white space.
std::size_t fws_length(std::string_view octets) {
  const auto text = test::exact(octets);
  Scanner scanner(text.view());
  const bool skipped = scanner.skip_fws();
  EXPECT_EQ(skipped, scanner.offset() > 0);
  return scanner.offset();
}

TEST(TextScanner, SkipsFoldsAsMilterAndMessageHaveThem) {
  EXPECT_EQ(fws_length("a"), 0U);
  EXPECT_EQ(fws_length(" \ta"), 2U);
  EXPECT_EQ(fws_length("\r\n a"), 3U);
  EXPECT_EQ(fws_length(" \r\n\ta"), 4U);
  EXPECT_EQ(fws_length("\r\n \r\n\t a"), 7U) << "obs-FWS";
  EXPECT_EQ(fws_length("\n a"), 2U) << "milters fold with LF";
}

TEST(TextScanner, StopsBeforeALineEndThatIsNoFold) {
  EXPECT_EQ(fws_length(" \r\na"), 1U);
  EXPECT_EQ(fws_length("\r\n"), 0U);
  EXPECT_EQ(fws_length(" \r\n"), 1U);
  EXPECT_EQ(fws_length("\n"), 0U);
  EXPECT_EQ(fws_length("\r\n\r\n a"), 0U);
  EXPECT_EQ(fws_length("\n\n a"), 0U);
}

TEST(TextScanner, TakesNoOtherOctetForFoldingSpace) {
  EXPECT_EQ(fws_length("\r a"), 0U);
  EXPECT_EQ(fws_length(" \r"), 1U);
  EXPECT_EQ(fws_length("\r\r\n a"), 0U);
  EXPECT_EQ(fws_length("\v "), 0U);
  EXPECT_EQ(fws_length("\xA0"), 0U);
}

TEST(TextCursor, KeepsTheFirstFailureAndHasNothingLeft) {
  const auto text = test::exact("abc");
  Cursor<Code> cursor(text.view());
  cursor.expect('a', Code::first);
  EXPECT_FALSE(cursor.failed());
  cursor.expect('x', Code::first);
  EXPECT_TRUE(cursor.failed());
  EXPECT_TRUE(cursor.at_end());
  EXPECT_FALSE(cursor.take());
  cursor.expect('b', Code::second);
  EXPECT_EQ(cursor.error(), (SyntaxErrorOf<Code>{Code::first, 1}));
}

TEST(TextCursor, FailsAtAnOffsetThatWasPassed) {
  Cursor<Code> cursor("abc");
  cursor.take(2);
  cursor.fail(Code::second, 1);
  cursor.fail(Code::first, 0);
  EXPECT_EQ(cursor.error(), (SyntaxErrorOf<Code>{Code::second, 1}));
}

TEST(TextCursor, ExpectsRunsAndTheEnd) {
  Cursor<Code> good("12");
  EXPECT_EQ(good.expect_while(is_digit, Code::first), "12");
  good.expect_end(Code::second);
  EXPECT_FALSE(good.failed());

  Cursor<Code> bad("12x");
  bad.expect_while(is_digit, Code::first);
  bad.expect_end(Code::second);
  EXPECT_EQ(bad.error(), (SyntaxErrorOf<Code>{Code::second, 2}));

  Cursor<Code> missing("x");
  EXPECT_EQ(missing.expect_while(is_digit, Code::first), "");
  EXPECT_EQ(missing.error(), (SyntaxErrorOf<Code>{Code::first, 0}));
}

}  // namespace
}  // namespace countersign::text
