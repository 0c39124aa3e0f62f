// SPDX-License-Identifier: Apache-2.0
//
// What the shared reader has of its own: the first error is kept, and empty names are a choice. The
// rules of the tags are tested with the fields that have them.

#include "countersign/dkim/signature_reader.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace countersign::dkim {
namespace {

using enum SignatureErrorCode;
using EmptyNames = SignatureReader::EmptyNames;

// A reader over a text that a literal keeps alive.
struct Reading {
  explicit Reading(std::string_view text)
      : tags(text::parse_tag_list(text, limits).value()), reader(tags, limits) {}
  Reading(const Reading&) = delete;
  Reading& operator=(const Reading&) = delete;

  Limits limits;
  text::TagList tags;
  SignatureReader reader;
};

TEST(SignatureReader, KeepsTheFirstError) {
  Reading reading("a=x; b=!; d=example.com");
  EXPECT_TRUE(reading.reader.sdid().has_value());
  EXPECT_FALSE(reading.reader.failed());
  EXPECT_EQ(reading.reader.base64("b"), "");
  EXPECT_TRUE(reading.reader.failed());
  static_cast<void>(reading.reader.algorithm());
  EXPECT_EQ(reading.reader.error(), (SignatureError{bad_base64, 7}));
}

TEST(SignatureReader, LeavesAbsentTagsToCheckRequired) {
  Reading reading("x=y");
  EXPECT_EQ(reading.reader.base64("b"), "");
  EXPECT_FALSE(reading.reader.sdid().has_value());
  EXPECT_FALSE(reading.reader.selector().has_value());
  EXPECT_TRUE(reading.reader.signed_fields(EmptyNames::refused).empty());
  EXPECT_FALSE(reading.reader.length().has_value());
  reading.reader.check_query_method();
  EXPECT_FALSE(reading.reader.failed());
  reading.reader.check_required({"x"});
  EXPECT_FALSE(reading.reader.failed());
  reading.reader.check_required({"x", "b"});
  EXPECT_EQ(reading.reader.error(), (SignatureError{missing_tag, 0}));
}

TEST(SignatureReader, KeepsEmptyNamesOnlyWhenToldTo) {
  Reading kept("h=a: :b:");
  EXPECT_EQ(kept.reader.signed_fields(EmptyNames::kept),
            (std::vector<std::string>{"a", "", "b", ""}));
  EXPECT_FALSE(kept.reader.failed());
  Reading refused("h=a: :b:");
  static_cast<void>(refused.reader.signed_fields(EmptyNames::refused));
  EXPECT_EQ(refused.reader.error(), (SignatureError{bad_signed_fields, 2}));
}

TEST(SignatureReader, TakesALengthTooLargeForItsType) {
  Reading reading("l=99999999999999999999999");
  EXPECT_EQ(reading.reader.length(), std::numeric_limits<std::uint64_t>::max());
  Reading too_long("t=1234567890123");
  EXPECT_EQ(too_long.reader.timestamp("t"), std::nullopt);
  EXPECT_EQ(too_long.reader.error(), (SignatureError{bad_number, 2}));
}

TEST(ForEachPart, TrimsFoldingSpace) {
  std::vector<std::string> parts;
  for_each_part(" a :\r\n b::c", ':', [&](std::string_view part) { parts.emplace_back(part); });
  EXPECT_EQ(parts, (std::vector<std::string>{"a", "b", "", "c"}));
}

}  // namespace
}  // namespace countersign::dkim
