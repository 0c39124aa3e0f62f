// SPDX-License-Identifier: Apache-2.0
//
// Frames in every cut, commands in every form, and what is neither (S-56).

#include "countersign/milter/packet.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "tests/support/exact.hpp"

namespace countersign::milter {
namespace {

using namespace std::string_literals;
using namespace std::string_view_literals;
using Code = PacketErrorCode;

std::string framed(std::string_view data) {
  std::string octets;
  for (int shift = 24; shift >= 0; shift -= 8)
    octets += static_cast<char>((data.size() >> shift) & 0xFF);
  return octets + std::string(data);
}

// --- frames --------------------------------------------------------------------------------------

struct Cut {
  std::vector<std::string> frames;  ///< code and data
  std::vector<std::size_t> offsets;
  std::optional<PacketError> error;
  bool at_boundary = true;
};

/// Reads a stream in chunks of that size.
Cut cut(std::string_view stream, std::size_t chunk_octets, std::size_t frame_bytes_max = 1'000) {
  Cut result;
  FrameReader reader(frame_bytes_max);
  while (!stream.empty() && !result.error) {
    const test::Exact chunk = test::exact(stream.substr(0, chunk_octets));
    stream.remove_prefix(chunk.view().size());
    std::string_view rest = chunk.view();
    for (;;) {
      const auto frame = reader.next(rest);
      if (!frame) result.error = frame.error();
      if (!frame || !*frame) break;
      result.frames.push_back((*frame)->code + std::string((*frame)->data));
      result.offsets.push_back((*frame)->offset);
    }
  }
  result.at_boundary = reader.at_boundary();
  return result;
}

TEST(FrameReader, GivesTheSameFramesForEveryCut) {
  const std::string stream =
      framed("Hmx.example\0"sv) + framed("N") + framed("B" + std::string(900, 'x')) + framed("Q");
  const std::vector<std::string> frames = {"Hmx.example\0"s, "N", "B" + std::string(900, 'x'), "Q"};
  const std::vector<std::size_t> offsets = {5, 21, 26, 931};
  for (std::size_t chunk = 1; chunk <= stream.size(); ++chunk) {
    const Cut result = cut(stream, chunk);
    EXPECT_EQ(result.frames, frames) << chunk;
    EXPECT_EQ(result.offsets, offsets) << chunk;
    EXPECT_FALSE(result.error) << chunk;
    EXPECT_TRUE(result.at_boundary) << chunk;
  }
}

TEST(FrameReader, KnowsThatAFrameIsUnfinished) {
  const std::string stream = framed("Hmx\0"sv);
  for (std::size_t size = 1; size < stream.size(); ++size) {
    const Cut result = cut(stream.substr(0, size), size);
    EXPECT_TRUE(result.frames.empty()) << size;
    EXPECT_FALSE(result.at_boundary) << size;
  }
}

TEST(FrameReader, S56RefusesALengthOfZero) {
  for (std::size_t chunk : {1U, 4U, 100U}) {
    const Cut result = cut(framed("N") + "\0\0\0\0"s, chunk);
    EXPECT_EQ(result.frames.size(), 1U);
    EXPECT_EQ(result.error, (PacketError{Code::empty_frame, 5}));
  }
}

TEST(FrameReader, S56RefusesALengthOverItsBoundBeforeTheDataCome) {
  EXPECT_EQ(cut("\0\0\x03\xE9"s, 1).error, (PacketError{Code::frame_too_long, 0}));
  EXPECT_EQ(cut("\xFF\xFF\xFF\xFF"s, 4).error, (PacketError{Code::frame_too_long, 0}));
  EXPECT_EQ(cut("\x80\0\0\0"s, 2).error, (PacketError{Code::frame_too_long, 0}));
  EXPECT_FALSE(cut("\0\0\x03\xE8"s, 1).error) << "just within the bound";
}

TEST(FrameReader, StaysBroken) {
  FrameReader reader(10);
  std::string_view zero = "\0\0\0\0"sv;
  EXPECT_FALSE(reader.next(zero));
  std::string good = framed("N");
  std::string_view rest = good;
  EXPECT_EQ(reader.next(rest).error(), (PacketError{Code::empty_frame, 0}));
}

TEST(FrameReader, DoesNotCopyAFrameThatIsWholeInItsChunk) {
  const std::string stream = framed("N") + framed("B12345");
  FrameReader reader(100);
  std::string_view rest = stream;
  ASSERT_TRUE(reader.next(rest).value());
  const auto frame = reader.next(rest).value();
  ASSERT_TRUE(frame);
  EXPECT_EQ(frame->data.data(), stream.data() + 10);
}

// --- commands ------------------------------------------------------------------------------------

Result<Command, PacketError> parse(std::string_view octets) {
  const test::Exact copy = test::exact(octets.substr(1));
  return parse_command(Frame{octets.front(), copy.view(), 105});
}

template <class Wanted>
Wanted ok(std::string_view octets, auto check) {
  const test::Exact copy = test::exact(octets.substr(1));
  const auto command = parse_command(Frame{octets.front(), copy.view(), 5});
  EXPECT_TRUE(command) << octets;
  if (!command || !std::holds_alternative<Wanted>(*command)) {
    ADD_FAILURE() << "not the command that was wanted: " << octets;
    return {};
  }
  check(std::get<Wanted>(*command));

  std::string written;
  append_command(written, *command);
  EXPECT_EQ(written, framed(octets)) << "what was read is written back";
  return std::get<Wanted>(*command);
}

/// offset       of the error, 0 being the first octet behind the code.
void bad(std::string_view octets, Code code, std::size_t offset) {
  const auto command = parse(octets);
  ASSERT_FALSE(command) << octets;
  EXPECT_EQ(command.error().code, code) << octets;
  EXPECT_EQ(command.error().offset, 105 + offset) << octets;
}

TEST(ParseCommand, ReadsNegotiate) {
  ok<Negotiate>("O\0\0\0\x06\0\0\x01\xFF\0\x1F\xFF\xFF"sv, [](const Negotiate& offer) {
    EXPECT_EQ(offer.version, 6U);
    EXPECT_EQ(offer.actions, 0x1FFU);
    EXPECT_EQ(offer.steps, 0x1F'FFFFU);
  });
  bad("O\0\0\0\x06\0\0\x01\xFF\0\x1F\xFF"sv, Code::data_too_short, 8);
  bad("O", Code::data_too_short, 0);
  EXPECT_TRUE(parse("O\0\0\0\x06\0\0\x01\xFF\0\x1F\xFF\xFF\0\0"sv)) << "later versions add to it";
}

TEST(ParseCommand, ReadsMacros) {
  ok<Macros>("DCj\0mx.example\0{daemon_name}\0submission\0"sv, [](Macros macros) {
    std::string_view name;
    std::string_view value;
    EXPECT_EQ(macros.stage, 'C');
    ASSERT_TRUE(macros.next(name, value));
    EXPECT_EQ(name, "j");
    EXPECT_EQ(value, "mx.example");
    ASSERT_TRUE(macros.next(name, value));
    EXPECT_EQ(name, "{daemon_name}");
    EXPECT_EQ(value, "submission");
    EXPECT_FALSE(macros.next(name, value));
  });
  ok<Macros>("DM", [](const Macros& macros) { EXPECT_TRUE(macros.pairs.empty()); });
  ok<Macros>("DMi\0\0"sv, [](Macros macros) {
    std::string_view name;
    std::string_view value = "?";
    EXPECT_TRUE(macros.next(name, value));
    EXPECT_TRUE(value.empty());
  });
  bad("D", Code::data_too_short, 0);
  bad("DMi\0abc"sv, Code::missing_nul, 6);
  bad("DMi\0"sv, Code::data_too_short, 3);
}

TEST(ParseCommand, ReadsConnect) {
  ok<Connect>("Cmx.example\0004\0\031192.0.2.1\0"sv, [](const Connect& connect) {
    EXPECT_EQ(connect.host, "mx.example");
    EXPECT_EQ(connect.family, '4');
    EXPECT_EQ(connect.port, 25);
    EXPECT_EQ(connect.address, "192.0.2.1");
  });
  ok<Connect>("C[::1]\0006\xFF\xFFIPv6:::1\0"sv, [](const Connect& connect) {
    EXPECT_EQ(connect.family, '6');
    EXPECT_EQ(connect.port, 65'535);
    EXPECT_EQ(connect.address, "IPv6:::1");
  });
  ok<Connect>("Clocalhost\0L\0\0/run/x\0"sv,
              [](const Connect& connect) { EXPECT_EQ(connect.address, "/run/x"); });
  ok<Connect>("Cunknown\0U"sv, [](const Connect& connect) {
    EXPECT_EQ(connect.family, 'U');
    EXPECT_TRUE(connect.address.empty());
  });
  EXPECT_TRUE(parse("Cunknown\0U\0\0"sv)) << "some MTAs put a port behind an unknown family";

  bad("Cmx.example", Code::missing_nul, 10);
  bad("Cmx\0"sv, Code::data_too_short, 3);
  bad("Cmx\0005\0\031::1\0"sv, Code::bad_family, 3);
  bad("Cmx\0004\0"sv, Code::data_too_short, 4);
  bad("Cmx\0004\0\031"sv, Code::missing_nul, 6);
  bad("Cmx\0004\0\031192.0.2.1"sv, Code::missing_nul, 15);
  bad("Cmx\0004\0\031192.0.2.1\0x"sv, Code::unexpected_data, 16);
}

TEST(ParseCommand, AnAddressFamilyIsOneOfFour) {
  for (int octet = 0; octet < 256; ++octet) {
    const char family = static_cast<char>(octet);
    const bool is_known = "UL46"sv.find(family) != std::string_view::npos;
    EXPECT_EQ(parse("Ch\0"s + family + "\0\0a\0"s).has_value(), is_known) << octet;
  }
}

TEST(ParseCommand, ReadsTheEnvelope) {
  ok<Helo>("Hmx.example\0"sv, [](const Helo& helo) { EXPECT_EQ(helo.name, "mx.example"); });
  ok<MailFrom>("M<a@b>\0SIZE=9\0BODY=8BITMIME\0"sv, [](const MailFrom& mail) {
    EXPECT_EQ(mail.path, "<a@b>");
    EXPECT_EQ(mail.parameters, "SIZE=9\0BODY=8BITMIME\0"sv);
  });
  ok<MailFrom>("M<>\0"sv, [](const MailFrom& mail) { EXPECT_TRUE(mail.parameters.empty()); });
  ok<RcptTo>("R<a@b>\0"sv, [](const RcptTo& rcpt) { EXPECT_EQ(rcpt.path, "<a@b>"); });
  bad("H", Code::missing_nul, 0);
  bad("Hmx", Code::missing_nul, 2);
  bad("Hmx\0x"sv, Code::unexpected_data, 3);
  bad("M", Code::missing_nul, 0);
  bad("M<a@b>\0SIZE=9"sv, Code::missing_nul, 12);
  bad("R<a@b>", Code::missing_nul, 5);
}

TEST(ParseCommand, ReadsTheMessage) {
  ok<HeaderField>("LSubject\0 a\n b\0"sv, [](const HeaderField& field) {
    EXPECT_EQ(field.name, "Subject");
    EXPECT_EQ(field.value, " a\n b");
  });
  ok<HeaderField>("LSubject\0\0"sv,
                  [](const HeaderField& field) { EXPECT_TRUE(field.value.empty()); });
  ok<HeaderField>("LSubject\0 a\0b\0"sv, [](const HeaderField& field) {
    EXPECT_EQ(field.value, " a\0b"sv) << "strangers write NUL";
  });
  ok<EndOfHeader>("N", [](const EndOfHeader&) {});
  ok<BodyChunk>("Ba\0b"sv, [](const BodyChunk& body) { EXPECT_EQ(body.octets, "a\0b"sv); });
  ok<BodyChunk>("B", [](const BodyChunk& body) { EXPECT_TRUE(body.octets.empty()); });
  ok<EndOfBody>("E", [](const EndOfBody& end) { EXPECT_TRUE(end.octets.empty()); });
  ok<EndOfBody>("Erest", [](const EndOfBody& end) { EXPECT_EQ(end.octets, "rest"); });
  bad("L", Code::missing_nul, 0);
  bad("LSubject", Code::missing_nul, 7);
  bad("LSubject\0"sv, Code::missing_nul, 8);
  bad("LSubject\0 a"sv, Code::missing_nul, 10);
}

TEST(ParseCommand, ReadsTheRest) {
  ok<Abort>("A", [](const Abort&) {});
  ok<Data>("T", [](const Data&) {});
  ok<Quit>("Q", [](const Quit&) {});
  ok<QuitNew>("K", [](const QuitNew&) {});
  ok<Unknown>("UXYZ 1\0"sv, [](const Unknown& command) { EXPECT_EQ(command.line, "XYZ 1"); });
  EXPECT_TRUE(parse("Ajunk")) << "data that a command does not have is passed over";
  bad("U", Code::missing_nul, 0);
}

TEST(ParseCommand, KnowsFifteenCodes) {
  for (int octet = 0; octet < 256; ++octet) {
    const char code = static_cast<char>(octet);
    const bool is_known = "ABCDEHKLMNOQRTU"sv.find(code) != std::string_view::npos;
    const auto command = parse(std::string(1, code));
    const bool is_unknown = !command && command.error().code == Code::unknown_code;
    EXPECT_EQ(is_unknown, !is_known) << octet;
    if (is_unknown) EXPECT_EQ(command.error().offset, 104U) << "the octet of the code itself";
  }
}

TEST(AppendCommand, LeavesOutNulWhereItWouldEndTheText) {
  std::string written;
  append_command(written, Helo{"a\0b"sv});
  EXPECT_EQ(written, framed("Hab\0"sv));
}

TEST(PacketErrorCode, HasASentenceForEach) {
  for (const Code code :
       {Code::empty_frame, Code::frame_too_long, Code::unknown_code, Code::data_too_short,
        Code::missing_nul, Code::unexpected_data, Code::bad_family})
    EXPECT_NE(to_string(code), "an unknown error");
}

}  // namespace
}  // namespace countersign::milter
