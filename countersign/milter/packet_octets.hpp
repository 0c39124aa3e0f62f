// SPDX-License-Identifier: Apache-2.0
//
// How values stand in a milter packet: numbers in network order, texts with NUL at their end. For
// the two files that read and write packets; nobody else needs octets.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "countersign/milter/packet.hpp"
#include "countersign/text/cursor.hpp"

namespace countersign::milter::octets {

/// A position in the data of a packet. After a failure all that it gives is empty.
using Cursor = text::Cursor<PacketErrorCode>;

/// Octets of the length in front of each frame.
inline constexpr std::size_t length_octets = 4;

/// The number that the octets make, the first one weighing most.
[[nodiscard]] std::uint32_t number(std::string_view octets);

/// Reads a number of that many octets, at most four, or fails with data_too_short.
[[nodiscard]] std::uint32_t read_number(Cursor& cursor, std::size_t count);
/// Reads a text up to its NUL, or fails with missing_nul.
[[nodiscard]] std::string_view read_text(Cursor& cursor);
/// Reads all that is left, which must be empty or end with NUL; the NUL stays.
[[nodiscard]] std::string_view read_texts(Cursor& cursor);
/// Reads all that is left as one text, which may hold NUL but must end with it.
[[nodiscard]] std::string_view read_last_text(Cursor& cursor);

/// Writes one frame behind what a buffer holds; its length is set when the writer goes.
class FrameWriter {
 public:
  /// Begins a frame of that code.
  FrameWriter(std::string& out, char code);
  ~FrameWriter();
  FrameWriter(const FrameWriter&) = delete;
  FrameWriter& operator=(const FrameWriter&) = delete;

  /// A number of four octets.
  FrameWriter& number(std::uint32_t value);
  /// A number of two octets.
  FrameWriter& short_number(std::uint16_t value);
  /// A text and its NUL; NUL inside cannot be said and is left out.
  FrameWriter& text(std::string_view value);
  /// Octets as they are.
  FrameWriter& raw(std::string_view octets);

 private:
  std::string& out_;
  std::size_t begin_;
};

}  // namespace countersign::milter::octets
