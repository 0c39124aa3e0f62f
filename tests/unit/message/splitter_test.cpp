// SPDX-License-Identifier: Apache-2.0
//
// Messages are cut at their first empty line and stay octet for octet, whichever way the chunks
// fall: each case here runs whole, octet by octet, and split in two at every place.

#include "countersign/message/splitter.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "tests/support/exact.hpp"

namespace countersign {
namespace {

using std::string_literals::operator""s;
using enum SplitErrorCode;

struct Pieces {
  std::vector<std::string> fields;
  std::string body;
  bool has_empty_line = false;
  bool has_lf_line_ends = false;
  std::optional<SplitError> stray_line;
  std::optional<SplitError> error;

  friend bool operator==(const Pieces&, const Pieces&) = default;
  friend void PrintTo(const Pieces& pieces, std::ostream* out) {
    *out << testing::PrintToString(pieces.fields) << " + " << testing::PrintToString(pieces.body)
         << " empty line " << pieces.has_empty_line << " LF " << pieces.has_lf_line_ends;
    for (const auto& fault : {pieces.stray_line, pieces.error})
      *out << (fault ? ", " + std::string(to_string(fault->code)) + " at " +
                           std::to_string(fault->offset)
                     : ", well");
  }
};

Pieces split_in_chunks(const std::vector<std::string_view>& chunks, const Limits& limits) {
  Pieces pieces;
  Splitter splitter(limits, [&pieces](std::string_view body) {
    EXPECT_FALSE(body.empty());
    pieces.body += body;
  });
  bool good = true;
  for (const std::string_view chunk : chunks) {
    const auto copy = test::exact(chunk);
    good = splitter.feed(copy.view());
  }
  good = splitter.finish() && good;
  for (const HeaderField& field : splitter.header()) pieces.fields.emplace_back(field.raw());
  pieces.has_empty_line = splitter.header_complete();
  pieces.has_lf_line_ends = splitter.has_lf_line_ends();
  pieces.stray_line = splitter.stray_line();
  if (!good) pieces.error = splitter.error();
  return pieces;
}

// The pieces of a message, after a check that every way to cut it into chunks gives the same.
Pieces split(std::string_view message, const Limits& limits = {}) {
  const Pieces pieces = split_in_chunks({message}, limits);
  std::vector<std::string_view> octets;
  for (std::size_t i = 0; i < message.size(); ++i) octets.push_back(message.substr(i, 1));
  EXPECT_EQ(split_in_chunks(octets, limits), pieces) << "octet by octet";
  for (std::size_t i = 0; i <= message.size(); ++i)
    EXPECT_EQ(split_in_chunks({message.substr(0, i), message.substr(i)}, limits), pieces) << i;
  return pieces;
}

TEST(Splitter, S07CutsHeaderAndBodyAtTheFirstEmptyLine) {
  EXPECT_EQ(
      split("A: 1\r\nB: 2\r\n\r\nbody\r\n\r\nC: 3\r\n"),
      (Pieces{.fields = {"A: 1", "B: 2"}, .body = "body\r\n\r\nC: 3\r\n", .has_empty_line = true}));
}

TEST(Splitter, KeepsFolding) {
  EXPECT_EQ(split("A: 1\r\n\t 2\r\n  \r\n 3\r\nB: 4\r\n\r\n"),
            (Pieces{.fields = {"A: 1\r\n\t 2\r\n  \r\n 3", "B: 4"}, .has_empty_line = true}));
}

TEST(Splitter, KeepsTheNameAsItStands) {
  EXPECT_EQ(split("fRoM \t:x\r\n\r\n").fields, std::vector<std::string>{"fRoM \t:x"});
}

TEST(Splitter, TakesAHeaderWithoutBody) {
  EXPECT_EQ(split("A: 1\r\n"), (Pieces{.fields = {"A: 1"}}));
  EXPECT_EQ(split("A: 1"), (Pieces{.fields = {"A: 1"}}));
  EXPECT_EQ(split("A: 1\r\n 2"), (Pieces{.fields = {"A: 1\r\n 2"}}));
  EXPECT_EQ(split("A: 1\r\n\r\n"), (Pieces{.fields = {"A: 1"}, .has_empty_line = true}));
}

TEST(Splitter, TakesABodyWithoutHeader) {
  EXPECT_EQ(split("\r\nA: 1\r\n"), (Pieces{.body = "A: 1\r\n", .has_empty_line = true}));
  EXPECT_EQ(split("\nA: 1\n"),
            (Pieces{.body = "A: 1\r\n", .has_empty_line = true, .has_lf_line_ends = true}));
  EXPECT_EQ(split("\r\n"), (Pieces{.has_empty_line = true}));
  EXPECT_EQ(split(""), Pieces{});
}

TEST(Splitter, KeepsABodyWithoutLastLineEnd) {
  EXPECT_EQ(split("A: 1\r\n\r\nbody").body, "body");
  EXPECT_EQ(split("A: 1\r\n\r\nbody\r").body, "body\r");
  EXPECT_EQ(split("A: 1\n\nbody").body, "body");
  EXPECT_EQ(split("A: 1\n\nbody\r").body, "body\r");
}

TEST(Splitter, ReadsAFileWithLfLineEnds) {
  EXPECT_EQ(split("A: 1\n 2\nB: 3\n\nb\n\no\n"), (Pieces{.fields = {"A: 1\r\n 2", "B: 3"},
                                                         .body = "b\r\n\r\no\r\n",
                                                         .has_empty_line = true,
                                                         .has_lf_line_ends = true}));
}

TEST(Splitter, TakesCrlfInAnLfFileAsOneLineEnd) {
  EXPECT_EQ(split("A: 1\nB: 2\r\n\r\nb\r\no\n\r\n\rd\r\r\n"),
            (Pieces{.fields = {"A: 1", "B: 2"},
                    .body = "b\r\no\r\n\r\n\rd\r\r\n",
                    .has_empty_line = true,
                    .has_lf_line_ends = true}));
}

TEST(Splitter, S08TakesABareLfInACrlfMessageAsContent) {
  EXPECT_EQ(
      split("A: 1\r\nB: 2\n\nC: 3\r\n\r\nb\n.\n\r\n"),
      (Pieces{.fields = {"A: 1", "B: 2\n\nC: 3"}, .body = "b\n.\n\r\n", .has_empty_line = true}));
  EXPECT_EQ(split("A: 1\r\n\nB: 2\r\n").fields, (std::vector<std::string>{"A: 1", "\nB: 2"}));
}

TEST(Splitter, S08TakesABareCrAsContent) {
  EXPECT_EQ(split("A: 1\rB: 2\r\r\n\r\nb\ro"),
            (Pieces{.fields = {"A: 1\rB: 2\r"}, .body = "b\ro", .has_empty_line = true}));
  EXPECT_EQ(split("A: 1\r\n\r\r\nb").fields, (std::vector<std::string>{"A: 1", "\r", "b"}));
}

TEST(Splitter, KeepsNulAndEightBitOctets) {
  EXPECT_EQ(split("A: \0\xff\r\n\r\n\0\xfe"s),
            (Pieces{.fields = {"A: \0\xff"s}, .body = "\0\xfe"s, .has_empty_line = true}));
}

TEST(Splitter, KeepsALineWithoutColonAsAFieldAndReportsIt) {
  EXPECT_EQ(split("A: 1\r\nstray\r\nB: 2\r\nagain\r\n\r\nbody"),
            (Pieces{.fields = {"A: 1", "stray", "B: 2", "again"},
                    .body = "body",
                    .has_empty_line = true,
                    .stray_line = SplitError{no_colon, 6}}));
}

TEST(Splitter, ReportsABodyThatNoEmptyLinePrecedes) {
  EXPECT_EQ(
      split("A: 1\r\nDear Bob,\r\n hello\r\n"),
      (Pieces{.fields = {"A: 1", "Dear Bob,\r\n hello"}, .stray_line = SplitError{no_colon, 6}}));
}

TEST(Splitter, ReportsWhatIsNoFieldName) {
  for (const char* line : {" From: x", "\tx: y", ": x", "Dear Bob: x", "From\r\n : x", "F\x01: x",
                           "F\x80: x", "a b : x", "F\x7f: x"})
    EXPECT_EQ(split(line), (Pieces{.fields = {line}, .stray_line = SplitError{bad_name, 0}}));
  for (const char* line : {"!: x", "~ : x", "a\t:", "From: x\r\n : y"})
    EXPECT_EQ(split(line), (Pieces{.fields = {line}}));
}

TEST(Splitter, TakesASecondLineThatBeginsWithSpaceAsFoldingOfTheFirst) {
  EXPECT_EQ(split(" a: 1\r\n b: 2\r\n\r\n").fields, std::vector<std::string>{" a: 1\r\n b: 2"});
}

TEST(Splitter, DropsTheFirstLineOfAnMboxFile) {
  EXPECT_EQ(
      split("From a@b.example Thu Jan  1 00:00:00 1970\nA: 1\n\nb\n"),
      (Pieces{
          .fields = {"A: 1"}, .body = "b\r\n", .has_empty_line = true, .has_lf_line_ends = true}));
  EXPECT_EQ(split("From - x\r\nA: 1\r\n\r\n").fields, std::vector<std::string>{"A: 1"});
  EXPECT_EQ(split("From - x").fields, std::vector<std::string>{});
}

TEST(Splitter, DropsNoOtherLineThatBeginsWithFrom) {
  for (const char* line : {"From : x", "From  \t: x", "from - x", "From", "From "})
    EXPECT_EQ(split(line).fields, std::vector<std::string>{line});
  EXPECT_EQ(split("A: 1\r\nFrom - x\r\n").fields, (std::vector<std::string>{"A: 1", "From - x"}));
}

TEST(Splitter, TakesASpacedLineAfterTheMboxLineForNoFolding) {
  EXPECT_EQ(split("From - x\r\n A: 1\r\nB: 2\r\n"),
            (Pieces{.fields = {" A: 1", "B: 2"}, .stray_line = SplitError{bad_name, 10}}));
}

TEST(Splitter, BoundsTheHeader) {
  const Limits limits{.header_bytes_max = 12};
  EXPECT_EQ(split("A: 1\r\nB: 2\r\n\r\nlong enough", limits).error, std::nullopt);
  EXPECT_EQ(split("A: 1\r\nB: 23\r\n\r\n", limits).error, (SplitError{header_too_large, 6}));
  EXPECT_EQ(split("A: 1\r\nB: 23456789", limits).error, (SplitError{header_too_large, 6}));
  EXPECT_EQ(split("A: 1\r\n 23456789", limits).error, (SplitError{header_too_large, 0}));
  EXPECT_EQ(split("A: 1\nB: 2\n\n", limits).error, std::nullopt);
  EXPECT_EQ(split("A: 1\nB: 23\n\n", limits).error, (SplitError{header_too_large, 5}));
}

TEST(Splitter, BoundsEachField) {
  const Limits limits{.field_bytes_max = 10};
  EXPECT_EQ(split("A: 3456789\r\nB:\r\n 67890\r\n\r\n", limits).error, std::nullopt);
  EXPECT_EQ(split("A: 3\r\nA: 34567890\r\n\r\n", limits).error, (SplitError{field_too_long, 6}));
  EXPECT_EQ(split("A: 3\r\n 67890\r\n\r\n", limits).error, (SplitError{field_too_long, 0}));
  EXPECT_EQ(split("A: 3456789\r\n \r\n\r\n", limits).error, (SplitError{field_too_long, 0}));
  EXPECT_EQ(split("A: 3\r\nB: 456789\n\r\n", limits).error, std::nullopt);
  EXPECT_EQ(split("A: 3\r\nB: 4567890\n\r\n", limits).error, (SplitError{field_too_long, 6}));
}

TEST(Splitter, CountsACrThatNoLfFollows) {
  const Limits limits{.field_bytes_max = 5};
  EXPECT_EQ(split("A: 4\r", limits).fields, std::vector<std::string>{"A: 4\r"});
  EXPECT_EQ(split("A: 45\r", limits).error, (SplitError{field_too_long, 0}));
  EXPECT_EQ(split("A: 45\r\r\n\r\n", limits).error, (SplitError{field_too_long, 0}));
}

TEST(Splitter, NamesTheLimitThatIsPassedFirst) {
  const std::string_view message = "A: 34567890\r\n\r\n";
  const auto with = [](std::size_t header, std::size_t field) {
    return Limits{.header_bytes_max = header, .field_bytes_max = field};
  };
  EXPECT_EQ(split(message, with(8, 9)).error, (SplitError{header_too_large, 0}));
  EXPECT_EQ(split(message, with(9, 9)).error, (SplitError{header_too_large, 0}));
  EXPECT_EQ(split(message, with(9, 8)).error, (SplitError{field_too_long, 0}));
  EXPECT_EQ(split(message, with(12, 11)).error, (SplitError{header_too_large, 0}));
  EXPECT_EQ(split(message, with(13, 11)).error, std::nullopt);
}

TEST(Splitter, BoundsTheNumberOfFields) {
  const Limits limits{.header_fields_max = 2};
  EXPECT_EQ(split("A: 1\r\nB: 2\r\n 3\r\n\r\n", limits).error, std::nullopt);
  EXPECT_EQ(split("A: 1\r\nB: 2\r\nC: 3\r\n\r\n", limits).error, (SplitError{too_many_fields, 12}));
  EXPECT_EQ(split("A: 1\r\nB: 2\r\nC", limits).error, (SplitError{too_many_fields, 12}));
}

TEST(Splitter, IgnoresWhatComesAfterAFailure) {
  const Limits limits{.header_fields_max = 1};
  std::size_t body_bytes = 0;
  Splitter splitter(limits, [&](std::string_view chunk) { body_bytes += chunk.size(); });
  EXPECT_FALSE(splitter.feed("A: 1\r\nB: 2\r\n\r\nbody"));
  EXPECT_FALSE(splitter.feed("body"));
  EXPECT_FALSE(splitter.finish());
  EXPECT_EQ(splitter.error(), (SplitError{too_many_fields, 6}));
  EXPECT_EQ(splitter.header().size(), 1U);
  EXPECT_EQ(body_bytes, 0U);
}

TEST(Splitter, HandsOverTheBodyOfACrlfMessageWithoutCopying) {
  const std::string message = "A: 1\r\n\r\none\r\ntwo\r\n";
  std::vector<std::string_view> chunks;
  Splitter splitter({}, [&](std::string_view chunk) { chunks.push_back(chunk); });
  EXPECT_TRUE(splitter.feed(message));
  ASSERT_EQ(chunks.size(), 1U);
  EXPECT_EQ(chunks[0].data(), message.data() + 8);
  EXPECT_EQ(chunks[0].size(), message.size() - 8);
}

TEST(Splitter, DropsTheBodyWhenNobodyWantsIt) {
  Splitter splitter({}, nullptr);
  EXPECT_TRUE(splitter.feed("A: 1\r\n\r\nbody"));
  EXPECT_TRUE(splitter.finish());
  EXPECT_EQ(splitter.take_header().size(), 1U);
}

TEST(SplitMessage, GivesHeaderAndBody) {
  const auto message = split_message("A: 1\nstray\n\nbody\n", {});
  ASSERT_TRUE(message.has_value());
  EXPECT_EQ(message->header, (Header{HeaderField("A: 1"), HeaderField("stray")}));
  EXPECT_EQ(message->body, "body\r\n");
  EXPECT_EQ(message->stray_line, (SplitError{no_colon, 5}));
}

TEST(SplitMessage, GivesTheError) {
  const auto message = split_message("A: 1\r\n\r\n", Limits{.header_bytes_max = 4});
  ASSERT_FALSE(message.has_value());
  EXPECT_EQ(message.error(), (SplitError{header_too_large, 0}));
}

TEST(SplitErrorCode, IsExplained) {
  for (const auto code : {header_too_large, too_many_fields, field_too_long, no_colon, bad_name})
    EXPECT_NE(to_string(code), "unknown");
}

}  // namespace
}  // namespace countersign
