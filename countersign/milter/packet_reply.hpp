// SPDX-License-Identifier: Apache-2.0
//
// The replies of a filter, both ways. After the end of the body come any number of changes to the
// message and then one verdict; everywhere else one verdict alone.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "countersign/milter/packet.hpp"
#include "countersign/result.hpp"

namespace countersign::milter {

/// A reply without data: accept, continue_, discard, progress, reject, skip or tempfail.
struct Verdict {
  ReplyCode code = ReplyCode::continue_;
};

/// A rejection in our own words. RFC 5321 §4.2, RFC 3463 §2
struct ReplyText {
  std::string_view text;  ///< "550 5.7.1 …" or "451 4.7.1 …"
};

/// Puts a field before others.
struct InsertHeader {
  std::uint32_t index = 0;  ///< fields above it; 0 is the top, above the MTA's own Received
  std::string_view name;
  std::string_view value;  ///< line ends inside as LF; leading space as negotiated
};

/// Puts a field below all others.
struct AddHeader {
  std::string_view name;
  std::string_view value;  ///< as InsertHeader's
};

/// Changes a field, or removes it.
struct ChangeHeader {
  std::uint32_t index = 1;  ///< which field of that name, the topmost being 1
  std::string_view name;
  std::string_view value;  ///< empty removes the field
};

/// Sends the message to one more recipient.
struct AddRecipient {
  std::string_view path;  ///< a forward-path in <>
};

/// Puts the message aside for the postmaster.
struct Quarantine {
  std::string_view reason;
};

/// A piece of a new body; the pieces together replace the old one.
struct ReplaceBody {
  std::string_view octets;  ///< at most 65,535
};

/// Any reply.
using Reply = std::variant<Negotiate, Verdict, ReplyText, InsertHeader, AddHeader, ChangeHeader,
                           AddRecipient, Quarantine, ReplaceBody>;

/// Writes a reply. NUL inside a text cannot be said and is left out.
void append_reply(std::string& out, const Reply& reply);

/// Reads a reply as an MTA does, for tests and tools. The reply views the frame.
/// Errors       each PacketErrorCode but those of frames.
[[nodiscard]] Result<Reply, PacketError> parse_reply(const Frame& frame);

}  // namespace countersign::milter
