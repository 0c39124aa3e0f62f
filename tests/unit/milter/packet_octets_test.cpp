// SPDX-License-Identifier: Apache-2.0
//
// Numbers and texts of packets at their edges.

#include "countersign/milter/packet_octets.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace countersign::milter::octets {
namespace {

using namespace std::string_literals;
using namespace std::string_view_literals;

TEST(Octets, NumbersAreBigEndianAndUnsigned) {
  EXPECT_EQ(number(""), 0U);
  EXPECT_EQ(number("\x01\x02\x03\x04"), 0x01020304U);
  EXPECT_EQ(number("\xFF\xFE\xFD\xFC"), 0xFFFEFDFCU);
}

TEST(Octets, ReadsNumbersThatAreWhole) {
  Cursor cursor("\0\x01\x02"sv);
  EXPECT_EQ(read_number(cursor, 2), 1U);
  EXPECT_EQ(read_number(cursor, 2), 0U);
  EXPECT_EQ(cursor.error(), (PacketError{PacketErrorCode::data_too_short, 2}));
}

TEST(Octets, ReadsTextsUpToTheirNul) {
  Cursor cursor("a\0\0bc"sv);
  EXPECT_EQ(read_text(cursor), "a");
  EXPECT_EQ(read_text(cursor), "");
  EXPECT_EQ(read_text(cursor), "");
  EXPECT_EQ(cursor.error(), (PacketError{PacketErrorCode::missing_nul, 5}));
}

TEST(Octets, ReadsWhatIsLeft) {
  Cursor nothing("");
  EXPECT_EQ(read_texts(nothing), "");
  EXPECT_FALSE(nothing.failed());
  EXPECT_EQ(read_last_text(nothing), "");
  EXPECT_TRUE(nothing.failed());

  Cursor texts("a\0b\0"sv);
  EXPECT_EQ(read_texts(texts), "a\0b\0"sv);
  Cursor last("a\0b\0"sv);
  EXPECT_EQ(read_last_text(last), "a\0b"sv);
  Cursor open("a\0b"sv);
  EXPECT_EQ(read_last_text(open), "");
  EXPECT_EQ(open.error(), (PacketError{PacketErrorCode::missing_nul, 3}));
}

TEST(FrameWriter, SetsTheLengthWhenItGoes) {
  std::string out = "x";
  {
    FrameWriter writer(out, 'i');
    writer.number(0x01020304).short_number(0x0506).text("a\0b"sv).raw("\0\0"sv);
  }
  EXPECT_EQ(out,
            "x\0\0\0\x0Ci\x01\x02\x03\x04\x05\x06"
            "ab\0\0\0"s);
}

TEST(FrameWriter, WritesLongFrames) {
  std::string out;
  FrameWriter(out, 'b').raw(std::string(0x0102FF, 'x'));
  EXPECT_EQ(std::string_view(out).substr(0, 5), "\0\x01\x03\0b"sv);
}

}  // namespace
}  // namespace countersign::milter::octets
