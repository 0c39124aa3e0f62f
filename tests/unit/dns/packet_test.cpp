// SPDX-License-Identifier: Apache-2.0
//
// DNS messages, good and hostile, octet by octet.

#include "countersign/dns/packet.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "tests/support/exact.hpp"

namespace countersign::dns {
namespace {

using std::chrono::seconds;

constexpr std::uint16_t response = 0x8180;  // QR, RD, RA
constexpr std::string_view at_question{"\xc0\x0c", 2};

std::string u16(unsigned value) {
  return {static_cast<char>(value >> 8U), static_cast<char>(value & 0xFFU)};
}
std::string u32(std::uint32_t value) { return u16(value >> 16U) + u16(value & 0xFFFFU); }

// "a.example" → 1 a 7 example 0.
std::string wire(std::string_view name) {
  std::string octets;
  while (!name.empty()) {
    const std::string_view label = name.substr(0, name.find('.'));
    octets += static_cast<char>(label.size());
    octets += label;
    name.remove_prefix(std::min(name.size(), label.size() + 1));
  }
  return octets + '\0';
}

struct Message {
  std::uint16_t flags = response;
  std::string question = wire("a.example");
  RecordType type = RecordType::txt;
  std::string answers;
  std::string authorities;
  unsigned answer_count = 0;
  unsigned authority_count = 0;

  Message& answer(std::string_view owner, RecordType record_type, std::string_view data,
                  std::uint32_t ttl = 300) {
    ++answer_count;
    answers += std::string(owner) + u16(static_cast<unsigned>(record_type)) + u16(1) + u32(ttl) +
               u16(static_cast<unsigned>(data.size())) + std::string(data);
    return *this;
  }
  Message& soa(std::uint32_t ttl, std::uint32_t minimum) {
    ++authority_count;
    const std::string data = wire("ns") + wire("root") + std::string(16, '\x01') + u32(minimum);
    authorities += wire("example") + u16(6) + u16(1) + u32(ttl) +
                   u16(static_cast<unsigned>(data.size())) + data;
    return *this;
  }
  [[nodiscard]] std::string octets() const {
    return u16(0x1234) + u16(flags) + u16(1) + u16(answer_count) + u16(authority_count) + u16(0) +
           question + u16(static_cast<unsigned>(type)) + u16(1) + answers + authorities;
  }
};

Answer read(const std::string& octets, RecordType type = RecordType::txt,
            std::string name = "a.example", const Limits& limits = {}) {
  const test::Exact copy = test::exact(octets);
  return read_packet(copy.view(), {std::move(name), type}, limits);
}
Answer read(const Message& message, std::string name = "a.example") {
  return read(message.octets(), message.type, std::move(name));
}

template <class Data>
Data only(const Answer& answer) {
  EXPECT_EQ(answer.status, AnswerStatus::records) << to_string(answer.status);
  if (answer.records.size() == 1)
    if (const Data* data = std::get_if<Data>(answer.records.data())) return *data;
  ADD_FAILURE() << answer.records.size() << " records, or of another kind";
  return {};
}

TEST(Packet, ReadsText) {
  Message message;
  message.answer(at_question, RecordType::txt, std::string("\3abc\0\2de", 8), 77);
  const Answer answer = read(message);
  EXPECT_EQ(only<Text>(answer).strings, (std::vector<std::string>{"abc", "", "de"}));
  EXPECT_EQ(answer.ttl, seconds{77});
  EXPECT_FALSE(answer.authenticated);
}

TEST(Packet, ReadsEveryType) {
  const auto data_of = [](RecordType type, std::string_view data) {
    Message message{.type = type};
    return read(message.answer(at_question, type, data));
  };
  EXPECT_EQ(only<Address>(data_of(RecordType::a, "\xc0\x01\x02\x03")),
            (Address{{0xC0, 1, 2, 3}, 4}));
  EXPECT_EQ(only<Address>(data_of(RecordType::aaaa, std::string(16, '\x20'))).octets[15], 0x20);
  EXPECT_EQ(only<MailExchange>(data_of(RecordType::mx, u16(5) + "\2MX" + std::string(at_question))),
            (MailExchange{5, "mx.a.example"}));
  EXPECT_EQ(only<MailExchange>(data_of(RecordType::mx, std::string(3, '\0'))),
            (MailExchange{0, "."}));
  for (const RecordType type : {RecordType::ptr, RecordType::ns, RecordType::cname})
    EXPECT_EQ(only<NameData>(data_of(type, wire("Host.EXAMPLE"))).name, "host.example");
  EXPECT_EQ(only<RawData>(data_of(RecordType::tlsa, "\3\1\1x")).octets, "\3\1\1x");
}

TEST(Packet, ComparesNamesWithoutCase) {
  Message message{.question = wire("A.Example")};
  message.answer(wire("a.EXAMPLE"), RecordType::txt, "\1x");
  EXPECT_EQ(read(message).status, AnswerStatus::records);
  EXPECT_EQ(read(message, "a.example.").status, AnswerStatus::records);
}

TEST(Packet, FollowsAliasesWithTheLeastTtl) {
  Message message;
  message.answer(wire("c.example"), RecordType::txt, "\1x", 40)
      .answer(at_question, RecordType::cname, wire("b.example"), 30)
      .answer(wire("b.example"), RecordType::cname, wire("c.example"), 50)
      .answer(wire("b.example"), RecordType::txt, "\5other");
  // A name with an alias has no other data; what stands there all the same comes first.
  EXPECT_EQ(only<Text>(read(message)).joined(), "other");

  Message chain;
  chain.answer(at_question, RecordType::cname, wire("b.example"), 30)
      .answer(wire("b.example"), RecordType::cname, wire("c.example"), 50)
      .answer(wire("c.example"), RecordType::txt, "\1x", 40)
      .answer(wire("elsewhere.example"), RecordType::txt, "\1y", 1);
  const Answer answer = read(chain);
  EXPECT_EQ(only<Text>(answer).joined(), "x");
  EXPECT_EQ(answer.ttl, seconds{30});
}

TEST(Packet, AliasesThatEndNowhereOrNeverAreToldApart) {
  Message dangling{.flags = response | 3};
  dangling.answer(at_question, RecordType::cname, wire("gone.example"), 20).soa(300, 300);
  EXPECT_EQ(read(dangling).status, AnswerStatus::nxdomain);
  EXPECT_EQ(read(dangling).ttl, seconds{20});
  Message loop;
  loop.answer(at_question, RecordType::cname, wire("b.example"))
      .answer(wire("b.example"), RecordType::cname, wire("a.example"));
  EXPECT_EQ(read(loop).status, AnswerStatus::malformed);
}

TEST(Packet, TellsAbsenceFromFailure) {
  const auto status = [](unsigned rcode) {
    return read(Message{.flags = static_cast<std::uint16_t>(response | rcode)}).status;
  };
  EXPECT_EQ(status(0), AnswerStatus::nodata);
  EXPECT_EQ(status(3), AnswerStatus::nxdomain);
  EXPECT_EQ(status(5), AnswerStatus::refused);
  for (unsigned rcode : {1U, 2U, 4U, 6U, 9U, 10U, 15U})
    EXPECT_EQ(status(rcode), AnswerStatus::servfail) << rcode;
}

// RFC 2308 §5.
TEST(Packet, AnAbsenceHoldsAsLongAsItsSoaSays) {
  EXPECT_EQ(read(Message{}.soa(900, 60)).ttl, seconds{60});
  EXPECT_EQ(read(Message{}.soa(30, 60)).ttl, seconds{30});
  EXPECT_EQ(read(Message{}).ttl, seconds{0});
}

TEST(Packet, ATtlWithItsHighestBitIsZero) {
  Message message;
  message.answer(at_question, RecordType::txt, "\1x", 0x8000'0000U);
  EXPECT_EQ(read(message).ttl, seconds{0});
}

TEST(Packet, RefusesWhatIsNoAnswerToTheQuestion) {
  const auto refuses = [](const Message& message, std::string name = "a.example") {
    EXPECT_EQ(read(message, std::move(name)).status, AnswerStatus::malformed);
  };
  refuses(Message{.flags = 0x0180});    // A query.
  refuses(Message{.flags = 0x8380});    // Truncated.
  refuses(Message{.flags = 0xA180});    // Another opcode.
  refuses(Message{}, "b.example");      // Another name.
  refuses(Message{}, "a.example.com");  // A longer one.
  EXPECT_EQ(read(Message{}.octets(), RecordType::a).status, AnswerStatus::malformed);
  std::string no_question = Message{}.octets();
  no_question[5] = 0;
  EXPECT_EQ(read(no_question).status, AnswerStatus::malformed);
  std::string other_class = Message{}.octets();
  other_class.back() = 3;
  EXPECT_EQ(read(other_class).status, AnswerStatus::malformed);
}

TEST(Packet, RefusesDataOfTheWrongShape) {
  const auto refuses = [](RecordType type, std::string_view data) {
    Message message{.type = type};
    EXPECT_EQ(read(message.answer(at_question, type, data)).status, AnswerStatus::malformed)
        << to_string(type);
  };
  refuses(RecordType::a, "\1\2\3");
  refuses(RecordType::a, "\1\2\3\4\5");
  refuses(RecordType::aaaa, "\1\2\3\4");
  refuses(RecordType::txt, "");
  refuses(RecordType::txt, "\4abc");
  refuses(RecordType::mx, "");
  refuses(RecordType::mx, u16(5));
  refuses(RecordType::mx, u16(5) + wire("a") + "x");
  refuses(RecordType::ptr, "");
  refuses(RecordType::ptr, wire("a") + "x");
  refuses(RecordType::ptr, "\3ab");
  refuses(RecordType::ptr, "\x40" + std::string(64, 'a') + '\0');  // Label types 01 and 10.
  refuses(RecordType::ptr, "\x80" + std::string(128, 'a') + '\0');
}

TEST(Packet, PointersLeadBackwardsOnly) {
  Message message{.type = RecordType::ptr};
  const std::size_t data_offset = message.octets().size() + 2 + 10;
  const auto pointer = [](std::size_t target) {
    return u16(0xC000U | static_cast<unsigned>(target));
  };
  for (const std::size_t target : {data_offset, data_offset + 1, data_offset + 2}) {
    Message copy = message;
    EXPECT_EQ(read(copy.answer(at_question, RecordType::ptr, pointer(target))).status,
              AnswerStatus::malformed);
  }
  // A label, then a pointer to that label: a loop that grows, were names not bounded.
  Message loop = message;
  loop.answer(at_question, RecordType::ptr, "\1a" + pointer(data_offset));
  EXPECT_EQ(read(loop).status, AnswerStatus::malformed);
  Message own_owner = message;
  own_owner.answer(pointer(message.octets().size()), RecordType::ptr, wire("x"));
  EXPECT_EQ(read(own_owner).status, AnswerStatus::malformed);
}

TEST(Packet, BoundsTheJumpsOfAName) {
  const auto chain = [](unsigned length) {  // Pointer n leads to pointer n - 1, the first to "a.…".
    Message message{.type = RecordType::tlsa};
    std::string data = std::string(at_question);
    const std::size_t offset = message.octets().size() + 2 + 10;
    for (unsigned i = 1; i < length; ++i)
      data += u16(0xC000U | static_cast<unsigned>(offset + 2 * i - 2));
    message.answer(at_question, RecordType::tlsa, data);
    message.answer(u16(0xC000U | static_cast<unsigned>(offset + 2 * length - 2)), RecordType::tlsa,
                   "x");
    return message;
  };
  EXPECT_EQ(read(chain(126)).records.size(), 2u);  // And one jump to the chain.
  EXPECT_EQ(read(chain(127)).status, AnswerStatus::malformed);
}

TEST(Packet, TakesTheLongestNameAndNoLonger) {
  const std::string label(63, 'a');
  const std::string longest = label + '.' + label + '.' + label + '.' + std::string(61, 'a');
  const auto with = [](const std::string& name) {
    Message message{.type = RecordType::ptr};
    return read(message.answer(at_question, RecordType::ptr, wire(name)));
  };
  EXPECT_EQ(only<NameData>(with(longest)).name, longest);
  EXPECT_EQ(with(longest + 'a').status, AnswerStatus::malformed);
}

TEST(Packet, DotsInLabelsCannotBeTakenForTheirEnds) {
  Message message{.type = RecordType::ptr};
  message.answer(at_question, RecordType::ptr, std::string("\5a.b\\\0\7Example", 14) + '\0');
  EXPECT_EQ(only<NameData>(read(message)).name, "a\\.b\\\\\\000.example");
}

TEST(Packet, AsksForOddNamesAndTheRoot) {
  Message odd{.question = wire("a b\\/%.example")};
  odd.answer(at_question, RecordType::txt, "\1x");
  EXPECT_EQ(read(odd, "A b\\/%.example").status, AnswerStatus::records);
  Message root{.question = std::string(1, '\0')};
  root.answer(at_question, RecordType::txt, "\1x");
  EXPECT_EQ(read(root, "").status, AnswerStatus::records);
  EXPECT_EQ(read(root, ".").status, AnswerStatus::records);
}

TEST(Packet, ReadsOverOtherTypesAndClasses) {
  Message message;
  message.answer(at_question, static_cast<RecordType>(46), "not a signature");
  message.answer(at_question, RecordType::a, "not an address");
  message.answer(at_question, RecordType::txt, "\1x");
  message.answer(at_question, RecordType::txt, "\1y");
  const std::size_t rclass = message.answers.size() - 2 - 2 - 4 - 1;  // Of the last one.
  message.answers[rclass] = 3;
  EXPECT_EQ(only<Text>(read(message)).joined(), "x");
}

TEST(Packet, LooksAtABoundedNumberOfRecords) {
  Message message;
  for (int i = 0; i < 5; ++i) message.answer(at_question, RecordType::txt, "\1x");
  Limits limits;
  limits.answer_records_max = 3;
  EXPECT_EQ(read(message.octets(), RecordType::txt, "a.example", limits).records.size(), 3u);
}

TEST(Packet, EveryTruncationIsSeen) {
  Message message{.type = RecordType::mx};
  message.answer(at_question, RecordType::cname, wire("b.example"))
      .answer(wire("b.example"), RecordType::mx, u16(1) + wire("mx.example"));
  const std::string whole = message.octets();
  for (std::size_t length = 0; length < whole.size(); ++length)
    EXPECT_EQ(read(whole.substr(0, length), RecordType::mx).status, AnswerStatus::malformed)
        << length;
  EXPECT_EQ(read(whole, RecordType::mx).status, AnswerStatus::records);
}

TEST(Packet, NoOctetAloneMakesItCrashOrLie) {
  Message message;
  message.answer(at_question, RecordType::txt, "\1x").soa(1, 1);
  const std::string whole = message.octets();
  for (std::size_t i = 0; i < whole.size(); ++i) {
    for (int octet = 0; octet < 256; ++octet) {
      std::string changed = whole;
      changed[i] = static_cast<char>(octet);
      const Answer answer = read(changed);
      ASSERT_EQ(answer.status == AnswerStatus::records, !answer.records.empty());
    }
  }
}

}  // namespace
}  // namespace countersign::dns
