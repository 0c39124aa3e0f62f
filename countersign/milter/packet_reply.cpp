// SPDX-License-Identifier: Apache-2.0
//
// Replies, written for MTAs and read again by tests.

#include "countersign/milter/packet_reply.hpp"

#include "countersign/milter/packet_octets.hpp"

namespace countersign::milter {

namespace {

using octets::Cursor;
using octets::read_number;
using octets::read_text;

struct ReplyWriter {
  std::string& out;

  octets::FrameWriter frame(ReplyCode code) const {
    return octets::FrameWriter(out, static_cast<char>(code));
  }
  void operator()(const Negotiate& reply) const { append_negotiate(out, reply); }
  void operator()(const Verdict& reply) const { frame(reply.code); }
  void operator()(const ReplyText& reply) const {
    frame(ReplyCode::reply_with_text).text(reply.text);
  }
  void operator()(const InsertHeader& reply) const {
    frame(ReplyCode::insert_header).number(reply.index).text(reply.name).text(reply.value);
  }
  void operator()(const AddHeader& reply) const {
    frame(ReplyCode::add_header).text(reply.name).text(reply.value);
  }
  void operator()(const ChangeHeader& reply) const {
    frame(ReplyCode::change_header).number(reply.index).text(reply.name).text(reply.value);
  }
  void operator()(const AddRecipient& reply) const {
    frame(ReplyCode::add_recipient).text(reply.path);
  }
  void operator()(const Quarantine& reply) const {
    frame(ReplyCode::quarantine).text(reply.reason);
  }
  void operator()(const ReplaceBody& reply) const {
    frame(ReplyCode::replace_body).raw(reply.octets);
  }
};

Negotiate read_negotiate(Cursor& cursor) {
  Negotiate reply;
  reply.version = read_number(cursor, 4);
  reply.actions = read_number(cursor, 4);
  reply.steps = read_number(cursor, 4);
  while (!cursor.at_end()) {
    const auto stage = static_cast<MacroStage>(read_number(cursor, 4));
    const std::string_view names = read_text(cursor);
    if (!cursor.failed()) reply.macros.push_back({stage, std::string(names)});
  }
  return reply;
}

InsertHeader read_insert_header(Cursor& cursor) {
  const std::uint32_t index = read_number(cursor, 4);
  const std::string_view name = read_text(cursor);
  return {index, name, read_text(cursor)};
}

AddHeader read_add_header(Cursor& cursor) {
  const std::string_view name = read_text(cursor);
  return {name, read_text(cursor)};
}

ChangeHeader read_change_header(Cursor& cursor) {
  const std::uint32_t index = read_number(cursor, 4);
  const std::string_view name = read_text(cursor);
  return {index, name, read_text(cursor)};
}

Reply read_reply(char code, Cursor& cursor) {
  const auto reply_code = static_cast<ReplyCode>(code);
  switch (reply_code) {
    case ReplyCode::negotiate:
      return read_negotiate(cursor);
    case ReplyCode::accept:
    case ReplyCode::continue_:
    case ReplyCode::discard:
    case ReplyCode::progress:
    case ReplyCode::reject:
    case ReplyCode::skip:
    case ReplyCode::tempfail:
      return Verdict{reply_code};
    case ReplyCode::reply_with_text:
      return ReplyText{read_text(cursor)};
    case ReplyCode::insert_header:
      return read_insert_header(cursor);
    case ReplyCode::add_header:
      return read_add_header(cursor);
    case ReplyCode::change_header:
      return read_change_header(cursor);
    case ReplyCode::add_recipient:
      return AddRecipient{read_text(cursor)};
    case ReplyCode::quarantine:
      return Quarantine{read_text(cursor)};
    case ReplyCode::replace_body:
      return ReplaceBody{cursor.take(cursor.rest().size())};
  }
  cursor.fail(PacketErrorCode::unknown_code);
  return Verdict{};
}

}  // namespace

void append_reply(std::string& out, const Reply& reply) { std::visit(ReplyWriter{out}, reply); }

Result<Reply, PacketError> parse_reply(const Frame& frame) {
  Cursor cursor(frame.data);
  Reply reply = read_reply(frame.code, cursor);
  cursor.expect_end(PacketErrorCode::unexpected_data);
  if (!cursor.failed()) return reply;
  PacketError error = cursor.error();
  const bool at_code = error.code == PacketErrorCode::unknown_code;
  error.offset += at_code ? frame.offset - 1 : frame.offset;
  return std::unexpected(error);
}

}  // namespace countersign::milter
