// SPDX-License-Identifier: Apache-2.0
//
// Reads the input as a DNS message. The first octet chooses the type that was asked for; the name
// asked for is the one in the message, so that the reader gets past the question.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "countersign/assert.hpp"
#include "countersign/dns/packet.hpp"

namespace {

using countersign::dns::Answer;
using countersign::dns::AnswerStatus;
using countersign::dns::RecordType;

constexpr std::array types{RecordType::txt, RecordType::a,     RecordType::aaaa, RecordType::mx,
                           RecordType::ptr, RecordType::cname, RecordType::ns,   RecordType::tlsa};
constexpr std::size_t header_octets = 12;

// The name of the question section as far as it is plain labels.
std::string name_asked_for(std::string_view packet) {
  std::string name;
  std::size_t at = header_octets;
  while (at < packet.size()) {
    const std::size_t length = static_cast<std::uint8_t>(packet[at]);
    if (length == 0 || length > 63 || at + 1 + length > packet.size()) break;
    if (!name.empty()) name += '.';
    name += packet.substr(at + 1, length);
    at += 1 + length;
  }
  return name;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view packet(reinterpret_cast<const char*>(data) + 1, size - 1);
  const RecordType type = types.at(data[0] % types.size());
  countersign::Limits limits;
  limits.answer_records_max = 4;
  const Answer answer =
      countersign::dns::read_packet(packet, {name_asked_for(packet), type}, limits);
  COUNTERSIGN_ASSERT((answer.status == AnswerStatus::records) == !answer.records.empty());
  COUNTERSIGN_ASSERT(answer.records.size() <= limits.answer_records_max);
  COUNTERSIGN_ASSERT(answer.ttl >= std::chrono::seconds{0} && !answer.authenticated);
  return 0;
}
