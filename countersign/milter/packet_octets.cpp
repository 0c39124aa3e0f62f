// SPDX-License-Identifier: Apache-2.0
//
// Numbers and texts of packets, octet by octet.

#include "countersign/milter/packet_octets.hpp"

namespace countersign::milter::octets {

std::uint32_t number(std::string_view octets) {
  std::uint32_t value = 0;
  for (const char octet : octets) value = (value << 8) | static_cast<unsigned char>(octet);
  return value;
}

std::uint32_t read_number(Cursor& cursor, std::size_t count) {
  if (cursor.rest().size() < count) cursor.fail(PacketErrorCode::data_too_short);
  return number(cursor.take(count));
}

std::string_view read_text(Cursor& cursor) {
  const std::string_view rest = cursor.rest();
  const std::size_t end = rest.find('\0');
  if (end == std::string_view::npos) {
    cursor.fail(PacketErrorCode::missing_nul, cursor.offset() + rest.size());
    return {};
  }
  cursor.take(end + 1);
  return rest.substr(0, end);
}

std::string_view read_texts(Cursor& cursor) {
  const std::string_view rest = cursor.rest();
  if (!rest.empty() && rest.back() != '\0')
    cursor.fail(PacketErrorCode::missing_nul, cursor.offset() + rest.size());
  return cursor.take(rest.size());
}

std::string_view read_last_text(Cursor& cursor) {
  if (cursor.at_end()) cursor.fail(PacketErrorCode::missing_nul);
  const std::string_view texts = read_texts(cursor);
  return texts.substr(0, texts.empty() ? 0 : texts.size() - 1);
}

FrameWriter::FrameWriter(std::string& out, char code) : out_(out), begin_(out.size()) {
  out_.append(length_octets, '\0');
  out_ += code;
}

FrameWriter::~FrameWriter() {
  std::size_t length = out_.size() - begin_ - length_octets;
  for (std::size_t i = length_octets; i-- > 0; length >>= 8)
    out_[begin_ + i] = static_cast<char>(length & 0xFF);
}

FrameWriter& FrameWriter::number(std::uint32_t value) {
  short_number(static_cast<std::uint16_t>(value >> 16));
  return short_number(static_cast<std::uint16_t>(value & 0xFFFF));
}

FrameWriter& FrameWriter::short_number(std::uint16_t value) {
  out_ += static_cast<char>(value >> 8);
  out_ += static_cast<char>(value & 0xFF);
  return *this;
}

FrameWriter& FrameWriter::text(std::string_view value) {
  for (std::size_t nul; (nul = value.find('\0')) != std::string_view::npos;) {
    out_ += value.substr(0, nul);
    value.remove_prefix(nul + 1);
  }
  out_ += value;
  out_ += '\0';
  return *this;
}

FrameWriter& FrameWriter::raw(std::string_view octets) {
  out_ += octets;
  return *this;
}

}  // namespace countersign::milter::octets
