// SPDX-License-Identifier: Apache-2.0
//
// Log lines: what is quoted and escaped of strangers' text, what is cut, what is dropped, and that
// lines of many threads do not mix.

#include "service/log/log.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "service/log/escape.hpp"
#include "tests/support/utf8.hpp"

namespace countersign::service {
namespace {

using test::utf8;
using namespace std::string_literals;
using testing::EndsWith;

std::string logfmt(std::string_view message, const std::vector<LogField>& fields) {
  return format_event(LogFormat::logfmt, LogLevel::info, message, fields);
}

std::string json(std::string_view message, const std::vector<LogField>& fields) {
  return format_event(LogFormat::json, LogLevel::info, message, fields);
}

TEST(LogLine, WritesPairsAndQuotesOnlyWhereNeeded) {
  EXPECT_EQ(logfmt("signed", {{"queue_id", "4Xy"}, {"sdid", "a.example"}}),
            "level=info msg=signed queue_id=4Xy sdid=a.example");
  EXPECT_EQ(logfmt("not signed", {{"why", ""}}), "level=info msg=\"not signed\" why=\"\"");
}

TEST(LogLine, QuotesWhateverCouldEndAValue) {
  for (int octet = 0; octet < 256; ++octet) {
    const std::string value = logfmt("x", {{"v", std::string("a") + static_cast<char>(octet)}});
    const std::string written = value.substr(value.find(" v=") + 3);
    const bool plain =
        octet > 0x20 && octet < 0x7f && octet != '"' && octet != '=' && octet != '\\';
    EXPECT_EQ(!written.starts_with('"'), plain) << octet << ": " << written;
    EXPECT_TRUE(std::ranges::all_of(written, [](char c) { return c >= 0x20 && c < 0x7f; }))
        << octet << ": " << written;
  }
}

TEST(LogLine, NoValueCanForgeAPairOrALine) {
  const std::string line =
      logfmt("x", {{"from", "a\" action=signed \"\r\nmsg=fake\x1b[31m\x00z"s}});
  EXPECT_EQ(line,
            "level=info msg=x from=\"a\\\" action=signed \\\"\\r\\nmsg=fake\\x1b[31m\\x00z\"");
}

TEST(LogLine, JsonIsOneObjectWhateverTheOctets) {
  EXPECT_EQ(json("x", {{"from", "q\"b\\c\n\xff é"}}),
            R"({"level":"info","msg":"x","from":"q\"b\\c\u000a)"
            "\xef\xbf\xbd é\"}");
}

TEST(LogLine, JsonEscapesCharactersBeyondTheFirstPlaneAsSurrogates) {
  EXPECT_EQ(json("x", {{"v", utf8(0xe0041)}}), R"({"level":"info","msg":"x","v":"\udb40\udc41"})");
  EXPECT_EQ(json("x", {{"v", utf8(0x1f600)}}),
            R"({"level":"info","msg":"x","v":")" + utf8(0x1f600) + "\"}");
}

TEST(LogLine, CutsLongValues) {
  const std::string line = logfmt("x", {{"v", std::string(5'000, 'a')}});
  EXPECT_EQ(line, "level=info msg=x v=\"" + std::string(1'024, 'a') + "…\"");
  const std::string fits(1'024, 'a');
  EXPECT_EQ(logfmt("x", {{"v", fits}}), "level=info msg=x v=" + fits);
}

TEST(LogLine, CutsBetweenCharacters) {
  for (const std::size_t before : {1'021U, 1'022U, 1'023U}) {
    const std::string value = std::string(before, 'a') + utf8(0x1f600) + "b";
    EXPECT_EQ(json("x", {{"v", value}}),
              "{\"level\":\"info\",\"msg\":\"x\",\"v\":\"" + std::string(before, 'a') + "…\"}");
  }
  const std::string no_utf8 = json("x", {{"v", std::string(2'000, '\x80')}});
  EXPECT_THAT(no_utf8, EndsWith("\xef\xbf\xbd…\"}"));
}

TEST(LogLine, NamesItsLevel) {
  const std::vector<std::pair<LogLevel, std::string>> levels{{LogLevel::error, "error"},
                                                             {LogLevel::warning, "warning"},
                                                             {LogLevel::notice, "notice"},
                                                             {LogLevel::info, "info"},
                                                             {LogLevel::debug, "debug"}};
  for (const auto& [level, word] : levels) {
    EXPECT_EQ(format_event(LogFormat::logfmt, level, "x", {}), "level=" + word + " msg=x");
  }
}

TEST(Escape, ShowsWhatHidesOrReorders) {
  EXPECT_EQ(printable("a" + utf8(0x202e) + "b"), "a\\u{202e}b");  // right-to-left override
  EXPECT_EQ(printable("z" + utf8(0x200b) + "w"), "z\\u{200b}w");  // zero-width space
  EXPECT_EQ(printable("s" + utf8(0xad) + "y"), "s\\u{00ad}y");    // soft hyphen
  EXPECT_EQ(printable(utf8(0xe0041)), "\\u{e0041}");              // a letter written as a tag
  EXPECT_EQ(printable(utf8(0x9b) + "31m"), "\\x9b31m");           // C1 control sequence introducer
  EXPECT_EQ(printable("m" + utf8(0xfc) + "ller " + utf8(0x1f600)),
            "m" + utf8(0xfc) + "ller " + utf8(0x1f600));
}

TEST(Escape, BrokenUtf8BecomesHex) {
  EXPECT_EQ(printable("\xc0\xaf"), "\\xc0\\xaf");           // overlong
  EXPECT_EQ(printable("\xed\xa0\x80"), "\\xed\\xa0\\x80");  // surrogate
  EXPECT_EQ(printable("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80");
  EXPECT_EQ(printable("\xe2\x82"), "\\xe2\\x82");  // cut short
  EXPECT_EQ(valid_utf8("a\xff" + utf8(0xe9)), "a\xef\xbf\xbd" + utf8(0xe9));
}

TEST(Log, DropsWhatMattersLess) {
  testing::internal::CaptureStderr();
  Log log(LogOptions{.level = LogLevel::warning});
  EXPECT_TRUE(log.is_on(LogLevel::error));
  EXPECT_FALSE(log.is_on(LogLevel::info));
  log.write(LogLevel::info, "dropped");
  log.adjust(LogOptions{.format = LogFormat::json, .level = LogLevel::debug});
  EXPECT_TRUE(log.is_on(LogLevel::debug));
  log.write(LogLevel::debug, "kept");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "{\"level\":\"debug\",\"msg\":\"kept\"}\n");
}

TEST(Log, LeavesTheQueueIdOutInEitherFormat) {
  testing::internal::CaptureStderr();
  Log log(LogOptions{.queue_id = false});
  const std::vector<LogField> fields{{"a", "1"}, {"queue_id", "4Xy"}, {"why", "queue_id=4Xy"}};
  log.write(LogLevel::info, "signed", fields);
  log.adjust(LogOptions{.format = LogFormat::json, .queue_id = false});
  log.write(LogLevel::info, "signed", fields);
  log.adjust(LogOptions{});
  log.write(LogLevel::info, "signed", fields);
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "level=info msg=signed a=1 why=\"queue_id=4Xy\"\n"
            "{\"level\":\"info\",\"msg\":\"signed\",\"a\":\"1\",\"why\":\"queue_id=4Xy\"}\n"
            "level=info msg=signed a=1 queue_id=4Xy why=\"queue_id=4Xy\"\n");
}

TEST(Log, SaysThatAFacilityIsUnknown) {
  testing::internal::CaptureStderr();
  const Log known(LogOptions{.syslog_facility = "LOCAL3"});
  const Log unknown(LogOptions{.syslog_facility = "post"});
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "level=warning msg=\"unknown syslog facility; mail is used\" facility=post\n");
}

TEST(Log, LinesOfManyThreadsDoNotMix) {
  constexpr int lines_a_thread = 500;
  testing::internal::CaptureStderr();
  {
    Log log(LogOptions{});
    std::vector<std::jthread> threads;
    for (const char letter : {'a', 'b', 'c', 'd'}) {
      threads.emplace_back([&log, letter] {
        for (int i = 0; i < lines_a_thread; ++i) {
          log.write(LogLevel::info, "x", {{"v", std::string(200, letter)}});
        }
      });
    }
  }
  std::istringstream written(testing::internal::GetCapturedStderr());
  int lines = 0;
  for (std::string line; std::getline(written, line); ++lines) {
    EXPECT_EQ(line, "level=info msg=x v=" + std::string(200, line.back()));
  }
  EXPECT_EQ(lines, 4 * lines_a_thread);
}

}  // namespace
}  // namespace countersign::service
