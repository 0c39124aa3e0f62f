// SPDX-License-Identifier: Apache-2.0
//
// Frames and commands. The compiler sees to it that no command is forgotten: both directions
// enumerate them.

#include "countersign/milter/packet.hpp"

#include <algorithm>

#include "countersign/milter/packet_octets.hpp"
#include "countersign/text/abnf.hpp"

namespace countersign::milter {

namespace {

using Code = PacketErrorCode;
using octets::Cursor;
using octets::length_octets;
using octets::read_last_text;
using octets::read_number;
using octets::read_text;
using octets::read_texts;

/// A buffer that is larger than this goes with its frame: idle connections are many.
constexpr std::size_t kept_capacity = 4'096;
constexpr text::CharClass is_family = text::CharClass("UL46");

Negotiate read_negotiate(Cursor& cursor) {
  Negotiate command;
  command.version = read_number(cursor, 4);
  command.actions = read_number(cursor, 4);
  command.steps = read_number(cursor, 4);
  return command;
}

Macros read_macros(Cursor& cursor) {
  if (cursor.at_end()) cursor.fail(Code::data_too_short);
  Macros command;
  command.stage = cursor.take().value_or('\0');
  command.pairs = read_texts(cursor);
  if (std::ranges::count(command.pairs, '\0') % 2 != 0) cursor.fail(Code::data_too_short);
  return command;
}

Connect read_connect(Cursor& cursor) {
  Connect command;
  command.host = read_text(cursor);
  if (cursor.at_end()) cursor.fail(Code::data_too_short);
  if (!cursor.at(is_family)) cursor.fail(Code::bad_family);
  command.family = cursor.take().value_or('U');
  if (command.family == 'U') {
    cursor.take(cursor.rest().size());
    return command;
  }
  command.port = static_cast<std::uint16_t>(read_number(cursor, 2));
  command.address = read_text(cursor);
  cursor.expect_end(Code::unexpected_data);
  return command;
}

Helo read_helo(Cursor& cursor) {
  const Helo command{read_text(cursor)};
  cursor.expect_end(Code::unexpected_data);
  return command;
}

HeaderField read_header_field(Cursor& cursor) {
  const std::string_view name = read_text(cursor);
  return {name, read_last_text(cursor)};
}

template <class Mail>
Mail read_path(Cursor& cursor) {
  const std::string_view path = read_text(cursor);
  return {path, read_texts(cursor)};
}

Command read_command(char code, Cursor& cursor) {
  switch (static_cast<CommandCode>(code)) {
    case CommandCode::abort:
      return Abort{};
    case CommandCode::body_chunk:
      return BodyChunk{cursor.rest()};
    case CommandCode::connect:
      return read_connect(cursor);
    case CommandCode::macros:
      return read_macros(cursor);
    case CommandCode::end_of_body:
      return EndOfBody{cursor.rest()};
    case CommandCode::helo:
      return read_helo(cursor);
    case CommandCode::quit_new:
      return QuitNew{};
    case CommandCode::header_field:
      return read_header_field(cursor);
    case CommandCode::mail_from:
      return read_path<MailFrom>(cursor);
    case CommandCode::end_of_header:
      return EndOfHeader{};
    case CommandCode::negotiate:
      return read_negotiate(cursor);
    case CommandCode::quit:
      return Quit{};
    case CommandCode::rcpt_to:
      return read_path<RcptTo>(cursor);
    case CommandCode::data:
      return Data{};
    case CommandCode::unknown:
      return Unknown{read_last_text(cursor)};
  }
  cursor.fail(Code::unknown_code);
  return Abort{};
}

}  // namespace

std::string_view to_string(PacketErrorCode code) {
  switch (code) {
    case Code::empty_frame:
      return "a frame of length zero";
    case Code::frame_too_long:
      return "a frame that is longer than the limit";
    case Code::unknown_code:
      return "a command that no version of the protocol has";
    case Code::data_too_short:
      return "data that ends too early for its command";
    case Code::missing_nul:
      return "a text without NUL at its end";
    case Code::unexpected_data:
      return "data behind the end of a command";
    case Code::bad_family:
      return "an address family that is not U, L, 4 or 6";
  }
  return "an unknown error";
}

// --- frames --------------------------------------------------------------------------------------

Result<std::size_t, PacketError> FrameReader::announced_size(std::string_view head) {
  const std::size_t length = octets::number(head.substr(0, length_octets));
  if (length >= 1 && length <= frame_bytes_max_) return length_octets + length;
  error_ = PacketError{length == 0 ? Code::empty_frame : Code::frame_too_long, taken_};
  return std::unexpected(*error_);
}

bool FrameReader::gather(std::string_view& octets, std::size_t size) {
  const std::size_t missing = size - std::min(size, pending_.size());
  const std::size_t count = std::min(missing, octets.size());
  pending_.append(octets.substr(0, count));
  octets.remove_prefix(count);
  return count == missing;
}

Frame FrameReader::frame_of(std::string_view whole) const {
  return {whole[length_octets], whole.substr(length_octets + 1), taken_ + length_octets + 1};
}

void FrameReader::forget_delivered() {
  taken_ += delivered_;
  if (pending_.size() == delivered_) {
    if (pending_.capacity() > kept_capacity) std::string().swap(pending_);
    pending_.clear();
  }
  delivered_ = 0;
}

Result<std::optional<Frame>, PacketError> FrameReader::next(std::string_view& octets) {
  if (error_) return std::unexpected(*error_);
  forget_delivered();

  const bool whole_length = pending_.empty() && octets.size() >= length_octets;
  if (!whole_length && !gather(octets, length_octets)) return std::nullopt;
  const Result<std::size_t, PacketError> size = announced_size(whole_length ? octets : pending_);
  if (!size) return std::unexpected(size.error());

  std::string_view whole = pending_;
  if (whole_length && octets.size() >= *size) {
    whole = octets.substr(0, *size);
    octets.remove_prefix(*size);
  } else {
    if (!gather(octets, *size)) return std::nullopt;
    whole = pending_;
  }
  delivered_ = *size;
  return frame_of(whole);
}

// --- commands ------------------------------------------------------------------------------------

bool Macros::next(std::string_view& name, std::string_view& value) {
  const std::size_t name_end = pairs.find('\0');
  if (name_end == std::string_view::npos) return false;
  const std::size_t value_end = pairs.find('\0', name_end + 1);
  if (value_end == std::string_view::npos) return false;
  name = pairs.substr(0, name_end);
  value = pairs.substr(name_end + 1, value_end - name_end - 1);
  pairs.remove_prefix(value_end + 1);
  return true;
}

namespace {

/// Writes each command; the overloads mirror the read functions above.
struct CommandWriter {
  std::string& out;

  octets::FrameWriter frame(CommandCode code) const {
    return octets::FrameWriter(out, static_cast<char>(code));
  }
  void operator()(const Negotiate& command) const { append_negotiate(out, command); }
  void operator()(const Macros& command) const {
    frame(CommandCode::macros).raw({&command.stage, 1}).raw(command.pairs);
  }
  void operator()(const Connect& command) const {
    octets::FrameWriter writer = frame(CommandCode::connect);
    writer.text(command.host).raw({&command.family, 1});
    if (command.family != 'U') writer.short_number(command.port).text(command.address);
  }
  void operator()(const Helo& command) const { frame(CommandCode::helo).text(command.name); }
  void operator()(const MailFrom& command) const {
    frame(CommandCode::mail_from).text(command.path).raw(command.parameters);
  }
  void operator()(const RcptTo& command) const {
    frame(CommandCode::rcpt_to).text(command.path).raw(command.parameters);
  }
  void operator()(const Data&) const { frame(CommandCode::data); }
  void operator()(const HeaderField& command) const {
    frame(CommandCode::header_field).text(command.name).raw(command.value).text({});
  }
  void operator()(const EndOfHeader&) const { frame(CommandCode::end_of_header); }
  void operator()(const BodyChunk& command) const {
    frame(CommandCode::body_chunk).raw(command.octets);
  }
  void operator()(const EndOfBody& command) const {
    frame(CommandCode::end_of_body).raw(command.octets);
  }
  void operator()(const Abort&) const { frame(CommandCode::abort); }
  void operator()(const Quit&) const { frame(CommandCode::quit); }
  void operator()(const QuitNew&) const { frame(CommandCode::quit_new); }
  void operator()(const Unknown& command) const {
    frame(CommandCode::unknown).raw(command.line).text({});
  }
};

}  // namespace

void append_command(std::string& out, const Command& command) {
  std::visit(CommandWriter{out}, command);
}

void append_negotiate(std::string& out, const Negotiate& negotiate) {
  octets::FrameWriter writer(out, static_cast<char>(CommandCode::negotiate));
  writer.number(negotiate.version).number(negotiate.actions).number(negotiate.steps);
  for (const MacroRequest& request : negotiate.macros)
    writer.number(static_cast<std::uint32_t>(request.stage)).text(request.names);
}

Result<Command, PacketError> parse_command(const Frame& frame) {
  Cursor cursor(frame.data);
  Command command = read_command(frame.code, cursor);
  if (!cursor.failed()) return command;
  PacketError error = cursor.error();
  const bool at_code = error.code == Code::unknown_code;
  error.offset += at_code ? frame.offset - 1 : frame.offset;
  return std::unexpected(error);
}

}  // namespace countersign::milter
