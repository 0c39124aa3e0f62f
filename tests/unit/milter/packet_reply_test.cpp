// SPDX-License-Identifier: Apache-2.0
//
// Replies as octets: each form once, and back again.

#include "countersign/milter/packet_reply.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "tests/support/exact.hpp"

namespace countersign::milter {
namespace {

using namespace std::string_literals;
using namespace std::string_view_literals;
using Code = PacketErrorCode;

/// The reply is written as `data` behind its length, and what is read from it is written the same.
void is_written(const Reply& reply, std::string_view data) {
  std::string octets = "before";
  append_reply(octets, reply);
  const std::string length = {'\0', '\0', '\0', static_cast<char>(data.size())};
  ASSERT_EQ(octets, "before" + length + std::string(data));

  const test::Exact copy = test::exact(data.substr(1));
  const auto again = parse_reply(Frame{data.front(), copy.view(), 5});
  ASSERT_TRUE(again) << data;
  EXPECT_EQ(again->index(), reply.index());
  std::string written = "before";
  append_reply(written, *again);
  EXPECT_EQ(written, octets);
}

TEST(AppendReply, WritesVerdicts) {
  is_written(Verdict{ReplyCode::accept}, "a");
  is_written(Verdict{ReplyCode::continue_}, "c");
  is_written(Verdict{ReplyCode::discard}, "d");
  is_written(Verdict{ReplyCode::progress}, "p");
  is_written(Verdict{ReplyCode::reject}, "r");
  is_written(Verdict{ReplyCode::skip}, "s");
  is_written(Verdict{ReplyCode::tempfail}, "t");
  is_written(ReplyText{"550 5.7.1 No"}, "y550 5.7.1 No\0"sv);
}

TEST(AppendReply, WritesChanges) {
  is_written(InsertHeader{1, "X-A", " b\n c"}, "i\0\0\0\1X-A\0 b\n c\0"sv);
  is_written(AddHeader{"X-A", " b"}, "hX-A\0 b\0"sv);
  is_written(ChangeHeader{258, "X-A", ""}, "m\0\0\1\2X-A\0\0"sv);
  is_written(AddRecipient{"<a@b.example>"}, "+<a@b.example>\0"sv);
  is_written(Quarantine{"bad"}, "qbad\0"sv);
  is_written(ReplaceBody{"a\0b\r\n"sv}, "ba\0b\r\n"sv);
}

TEST(AppendReply, WritesNegotiations) {
  is_written(Negotiate{6, 0x101, 0x80, {}}, "O\0\0\0\6\0\0\1\1\0\0\0\x80"sv);
  is_written(Negotiate{6, 0x101, 0x80, {{MacroStage::mail_from, "i {auth_type}"}}},
             "O\0\0\0\6\0\0\1\1\0\0\0\x80\0\0\0\2i {auth_type}\0"sv);
}

TEST(AppendReply, CannotBeMadeToSayMoreByNul) {
  std::string octets;
  append_reply(octets, InsertHeader{0, "X\0Y"sv, " v\0\0w"sv});
  EXPECT_EQ(octets,
            "\0\0\0\x0C"
            "i\0\0\0\0XY\0 vw\0"s);
}

void bad(std::string_view octets, Code code, std::size_t offset) {
  const test::Exact copy = test::exact(octets.substr(1));
  const auto reply = parse_reply(Frame{octets.front(), copy.view(), 105});
  ASSERT_FALSE(reply) << octets;
  EXPECT_EQ(reply.error(), (PacketError{code, 105 + offset})) << octets;
}

TEST(ParseReply, RefusesWhatIsNone) {
  bad("ax", Code::unexpected_data, 0);
  bad("y550 no", Code::missing_nul, 6);
  bad("i\0\0"sv, Code::data_too_short, 0);
  bad("i\0\0\0\0X"sv, Code::missing_nul, 5);
  bad("i\0\0\0\0X\0 v"sv, Code::missing_nul, 8);
  bad("hX\0 v\0x"sv, Code::unexpected_data, 5);
  bad("+<a@b>", Code::missing_nul, 5);
  bad("O\0\0\0\6\0\0\1\1\0\0\0\x80\0\0\0\2i"sv, Code::missing_nul, 17);
  bad("O\0\0\0\6\0\0\1\1\0\0\0\x80\0\0"sv, Code::data_too_short, 12);
}

TEST(ParseReply, KnowsFifteenCodes) {
  for (int octet = 0; octet < 256; ++octet) {
    const char code = static_cast<char>(octet);
    const bool is_known = "+abcdhimOpqrsty"sv.find(code) != std::string_view::npos;
    const auto reply = parse_reply(Frame{code, {}, 5});
    EXPECT_EQ(!reply && reply.error() == PacketError(Code::unknown_code, 4), !is_known) << octet;
  }
}

}  // namespace
}  // namespace countersign::milter
