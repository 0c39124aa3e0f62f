// SPDX-License-Identifier: Apache-2.0
//
// Log lines: what is quoted and escaped of strangers' text, what is cut, what is dropped.

#include "service/log/log.hpp"

#include <gtest/gtest.h>

#include "service/log/escape.hpp"

namespace countersign::service {
namespace {

TEST(LogLine, WritesPairsAndQuotesOnlyWhereNeeded) {
  EXPECT_EQ(format_event(LogFormat::logfmt, "signed", {{"queue_id", "4Xy"}, {"sdid", "a.example"}}),
            "msg=signed queue_id=4Xy sdid=a.example");
  EXPECT_EQ(format_event(LogFormat::logfmt, "not signed", {{"why", ""}}),
            "msg=\"not signed\" why=\"\"");
}

TEST(LogLine, NoValueCanForgeAPairOrALine) {
  const std::string line = format_event(
      LogFormat::logfmt, "x", {{"from", "a\" action=signed \"\r\nmsg=fake\x1b[31m\x00z"}});
  EXPECT_EQ(line, "msg=x from=\"a\\\" action=signed \\\"\\r\\nmsg=fake\\x1b[31m\"");
  EXPECT_EQ(line.find('\n'), std::string::npos);
}

TEST(LogLine, JsonIsOneObjectWhateverTheOctets) {
  EXPECT_EQ(format_event(LogFormat::json, "x", {{"from", "q\"b\\c\n\xff é"}}),
            "{\"msg\":\"x\",\"from\":\"q\\\"b\\\\c\\u000a\xef\xbf\xbd é\"}");
}

TEST(LogLine, CutsLongValues) {
  const std::string line = format_event(LogFormat::logfmt, "x", {{"v", std::string(5000, 'a')}});
  EXPECT_LT(line.size(), 1'100u);
  EXPECT_TRUE(line.ends_with("…\""));
}

TEST(Escape, ShowsWhatHidesOrReorders) {
  EXPECT_EQ(printable("a\xe2\x80\xae"
                      "b"),
            "a\\u{202e}b");                               // right-to-left override
  EXPECT_EQ(printable("z\xe2\x80\x8bw"), "z\\u{200b}w");  // zero-width space
  EXPECT_EQ(printable("\xc2\x9b"
                      "31m"),
            "\\x9b31m");  // C1 control sequence introducer
  EXPECT_EQ(printable("m\xc3\xbcller"), "m\xc3\xbcller");
}

TEST(Escape, BrokenUtf8BecomesHex) {
  EXPECT_EQ(printable("\xc0\xaf"), "\\xc0\\xaf");           // overlong
  EXPECT_EQ(printable("\xed\xa0\x80"), "\\xed\\xa0\\x80");  // surrogate
  EXPECT_EQ(printable("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80");
  EXPECT_EQ(printable("\xe2\x82"), "\\xe2\\x82");  // cut short
}

TEST(Log, DropsWhatMattersLess) {
  Log log(LogOptions{.to_stderr = false, .level = LogLevel::warning});
  EXPECT_TRUE(log.is_on(LogLevel::error));
  EXPECT_FALSE(log.is_on(LogLevel::info));
  log.adjust(LogOptions{.to_stderr = false, .level = LogLevel::debug});
  EXPECT_TRUE(log.is_on(LogLevel::debug));
}

}  // namespace
}  // namespace countersign::service
