// SPDX-License-Identifier: Apache-2.0
//
// The first octet says how large the chunks are, the rest is the stream. However it is cut, the
// frames are the same, and what can be read of a command or reply is written and read back equal.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "countersign/assert.hpp"
#include "countersign/milter/packet.hpp"
#include "countersign/milter/packet_reply.hpp"

namespace {

using namespace countersign;
using namespace countersign::milter;

constexpr std::size_t frame_bytes_max = 4'096;

struct Seen {
  std::vector<std::string> frames;  // Code and data.
  std::optional<PacketError> error;
  friend bool operator==(const Seen&, const Seen&) = default;
};

Seen cut(std::string_view stream, std::size_t chunk_octets) {
  Seen seen;
  FrameReader reader(frame_bytes_max);
  while (!stream.empty() && !seen.error) {
    const std::vector<char> chunk(
        stream.begin(),
        stream.begin() + static_cast<std::ptrdiff_t>(std::min(chunk_octets, stream.size())));
    stream.remove_prefix(chunk.size());
    std::string_view rest(chunk.data(), chunk.size());
    for (;;) {
      const auto frame = reader.next(rest);
      if (!frame) seen.error = frame.error();
      if (!frame || !*frame) break;
      COUNTERSIGN_ASSERT((*frame)->data.size() < frame_bytes_max);
      seen.frames.push_back((*frame)->code + std::string((*frame)->data));
    }
  }
  return seen;
}

Frame frame_of(const std::vector<char>& packet) {
  return {packet.front(), {packet.data() + 1, packet.size() - 1}, 5};
}

// The only frame of the octets as a packet.
std::vector<char> packet_of(std::string_view octets) {
  FrameReader reader(2 * frame_bytes_max);
  const auto frame = reader.next(octets);
  COUNTERSIGN_ASSERT(frame && *frame && octets.empty());
  std::vector<char> packet = {(*frame)->code};
  packet.insert(packet.end(), (*frame)->data.begin(), (*frame)->data.end());
  return packet;
}

void check_command(const std::vector<char>& packet) {
  const auto command = parse_command(frame_of(packet));
  if (!command) {
    COUNTERSIGN_ASSERT(command.error().offset <= packet.size() + 5);
    return;
  }
  std::string written;
  append_command(written, *command);
  const std::vector<char> again = packet_of(written);
  const auto reread = parse_command(frame_of(again));
  COUNTERSIGN_ASSERT(reread && reread->index() == command->index());
  std::string rewritten;
  append_command(rewritten, *reread);
  COUNTERSIGN_ASSERT(rewritten == written);
}

void check_reply(const std::vector<char>& packet) {
  const auto reply = parse_reply(frame_of(packet));
  if (!reply) return;
  std::string written;
  append_reply(written, *reply);
  COUNTERSIGN_ASSERT(packet_of(written) == packet);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string stream(data + 1, data + size);
  const Seen seen = cut(stream, stream.size());
  COUNTERSIGN_ASSERT(cut(stream, 1U + data[0]) == seen);
  for (const std::string& packet : seen.frames) {
    check_command({packet.begin(), packet.end()});
    check_reply({packet.begin(), packet.end()});
  }
  return 0;
}
