// SPDX-License-Identifier: Apache-2.0
//
// The packets of the milter protocol, both ways: frames, the commands of an MTA, the replies of a
// filter.
//
//   frame = uint32 length (big endian, of what follows) | char code | data
//
// There is no RFC: Sendmail's libmilter is the definition, Postfix the peer that counts. Versions 2
// to 6 differ in what is negotiated, not in the packets. Numbers are big endian, texts end with
// NUL. The trailing comments carry Sendmail's names.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "countersign/limits.hpp"
#include "countersign/result.hpp"

namespace countersign::milter {

/// What an MTA sends.
enum class CommandCode : char {
  abort = 'A',          // SMFIC_ABORT
  body_chunk = 'B',     // SMFIC_BODY
  connect = 'C',        // SMFIC_CONNECT
  macros = 'D',         // SMFIC_MACRO
  end_of_body = 'E',    // SMFIC_BODYEOB
  helo = 'H',           // SMFIC_HELO
  quit_new = 'K',       // SMFIC_QUIT_NC
  header_field = 'L',   // SMFIC_HEADER
  mail_from = 'M',      // SMFIC_MAIL
  end_of_header = 'N',  // SMFIC_EOH
  negotiate = 'O',      // SMFIC_OPTNEG
  quit = 'Q',           // SMFIC_QUIT
  rcpt_to = 'R',        // SMFIC_RCPT
  data = 'T',           // SMFIC_DATA
  unknown = 'U',        // SMFIC_UNKNOWN
};

/// What a filter sends.
enum class ReplyCode : char {
  add_recipient = '+',   // SMFIR_ADDRCPT
  accept = 'a',          // SMFIR_ACCEPT
  replace_body = 'b',    // SMFIR_REPLBODY
  continue_ = 'c',       // SMFIR_CONTINUE
  discard = 'd',         // SMFIR_DISCARD
  add_header = 'h',      // SMFIR_ADDHEADER
  insert_header = 'i',   // SMFIR_INSHEADER
  change_header = 'm',   // SMFIR_CHGHEADER
  negotiate = 'O',       // SMFIC_OPTNEG, both ways
  progress = 'p',        // SMFIR_PROGRESS
  quarantine = 'q',      // SMFIR_QUARANTINE
  reject = 'r',          // SMFIR_REJECT
  skip = 's',            // SMFIR_SKIP
  tempfail = 't',        // SMFIR_TEMPFAIL
  reply_with_text = 'y'  // SMFIR_REPLYCODE
};

/// What a filter may do to a message; bits of Negotiate::actions.
namespace action {
inline constexpr std::uint32_t add_headers = 0x01;      // SMFIF_ADDHDRS
inline constexpr std::uint32_t change_body = 0x02;      // SMFIF_CHGBODY
inline constexpr std::uint32_t add_recipients = 0x04;   // SMFIF_ADDRCPT
inline constexpr std::uint32_t change_headers = 0x10;   // SMFIF_CHGHDRS
inline constexpr std::uint32_t quarantine = 0x20;       // SMFIF_QUARANTINE
inline constexpr std::uint32_t choose_macros = 0x0100;  // SMFIF_SETSYMLIST
}  // namespace action

/// What is not sent, not answered, or sent otherwise; bits of Negotiate::steps.
namespace step {
inline constexpr std::uint32_t no_connect = 0x01;                  // SMFIP_NOCONNECT
inline constexpr std::uint32_t no_helo = 0x02;                     // SMFIP_NOHELO
inline constexpr std::uint32_t no_mail_from = 0x04;                // SMFIP_NOMAIL
inline constexpr std::uint32_t no_rcpt_to = 0x08;                  // SMFIP_NORCPT
inline constexpr std::uint32_t no_body = 0x10;                     // SMFIP_NOBODY
inline constexpr std::uint32_t no_header = 0x20;                   // SMFIP_NOHDRS
inline constexpr std::uint32_t no_end_of_header = 0x40;            // SMFIP_NOEOH
inline constexpr std::uint32_t no_reply_header_field = 0x80;       // SMFIP_NR_HDR
inline constexpr std::uint32_t no_unknown = 0x0100;                // SMFIP_NOUNKNOWN
inline constexpr std::uint32_t no_data = 0x0200;                   // SMFIP_NODATA
inline constexpr std::uint32_t skip = 0x0400;                      // SMFIP_SKIP
inline constexpr std::uint32_t no_reply_connect = 0x1000;          // SMFIP_NR_CONN
inline constexpr std::uint32_t no_reply_helo = 0x2000;             // SMFIP_NR_HELO
inline constexpr std::uint32_t no_reply_mail_from = 0x4000;        // SMFIP_NR_MAIL
inline constexpr std::uint32_t no_reply_rcpt_to = 0x8000;          // SMFIP_NR_RCPT
inline constexpr std::uint32_t no_reply_data = 0x1'0000;           // SMFIP_NR_DATA
inline constexpr std::uint32_t no_reply_unknown = 0x2'0000;        // SMFIP_NR_UNKN
inline constexpr std::uint32_t no_reply_end_of_header = 0x4'0000;  // SMFIP_NR_EOH
inline constexpr std::uint32_t no_reply_body_chunk = 0x8'0000;     // SMFIP_NR_BODY
inline constexpr std::uint32_t header_leading_space = 0x10'0000;   // SMFIP_HDR_LEADSPC
}  // namespace step

/// Stages at which an MTA sends macros, as the negotiation numbers them.
enum class MacroStage : std::uint32_t {
  connect = 0,        // SMFIM_CONNECT
  helo = 1,           // SMFIM_HELO
  mail_from = 2,      // SMFIM_ENVFROM
  rcpt_to = 3,        // SMFIM_ENVRCPT
  data = 4,           // SMFIM_DATA
  end_of_body = 5,    // SMFIM_EOM
  end_of_header = 6,  // SMFIM_EOH
};

/// What can be wrong with a packet.
enum class PacketErrorCode : std::uint8_t {
  empty_frame,      ///< a length of zero: not even a code
  frame_too_long,   ///< over Limits::milter_frame_bytes_max
  unknown_code,     ///< a code that no version has
  data_too_short,   ///< the data ends before all is there that the code asks for
  missing_nul,      ///< a text does not end with NUL
  unexpected_data,  ///< octets behind all that the code has
  bad_family,       ///< an address family that is not one of U L 4 6
};

/// The error and the octet of the connection at which it stands, counted from its first.
using PacketError = SyntaxErrorOf<PacketErrorCode>;

/// Says in a sentence what is wrong.
[[nodiscard]] std::string_view to_string(PacketErrorCode code);

/// One frame: a view of the octets it came in, or of the reader's own.
struct Frame {
  char code = 0;
  std::string_view data;
  std::size_t offset = 0;  ///< of the first octet of the data, in the connection
};

/// Cuts a stream of octets into frames. A frame that lies whole in a chunk is not copied; only one
/// that spans chunks is put together here, and its length is compared with its bound before any
/// memory is taken for it.
class FrameReader {
 public:
  explicit FrameReader(std::size_t frame_bytes_max) : frame_bytes_max_(frame_bytes_max) {}

  /// Takes the next frame from the front of `octets`, which is moved on; nothing when more octets
  /// are needed, and then all of `octets` was taken. The frame is valid until the next call and as
  /// long as the chunk is.
  /// Errors       empty_frame, frame_too_long; the reader then gives the same error forever.
  [[nodiscard]] Result<std::optional<Frame>, PacketError> next(std::string_view& octets);

  /// True when the last frame ended with the last octet taken.
  [[nodiscard]] bool at_boundary() const {
    return pending_.empty() || pending_.size() == delivered_;
  }

 private:
  void forget_delivered();
  bool gather(std::string_view& octets, std::size_t size);
  Result<std::size_t, PacketError> announced_size(std::string_view head);
  [[nodiscard]] Frame frame_of(std::string_view whole) const;

  std::size_t frame_bytes_max_;
  std::string pending_;        // A frame that spans chunks, its length in front.
  std::size_t taken_ = 0;      // Octets of the connection in front of the frame at hand.
  std::size_t delivered_ = 0;  // Octets of the frame that was given away last.
  std::optional<PacketError> error_;
};

// --- commands; all text is a view of the frame ---------------------------------------------------

/// Macros that one stage may send, or a filter ask for.
struct MacroRequest {
  MacroStage stage{};
  std::string names;  ///< "i {auth_type}"
};

/// Opens the connection, both ways: what is offered, what is taken.
struct Negotiate {
  std::uint32_t version = 0;
  std::uint32_t actions = 0;         ///< bits of namespace action
  std::uint32_t steps = 0;           ///< bits of namespace step
  std::vector<MacroRequest> macros;  ///< only from filter to MTA
};

/// Macros that belong to the command that comes next.
struct Macros {
  char stage = 0;          ///< the code of that command
  std::string_view pairs;  ///< name NUL value NUL name …; well-formed

  /// Takes the next pair off the front of `pairs`; false when there is none left.
  bool next(std::string_view& name, std::string_view& value);
};

/// An SMTP client connected. RFC 5321 §3.1
struct Connect {
  std::string_view host;     ///< looked-up name, "[address]" or "unknown"
  char family = 'U';         ///< 4, 6, L for a local socket, U unknown
  std::uint16_t port = 0;    ///< 0 when unknown
  std::string_view address;  ///< text of the address, or path of the socket; empty when unknown
};

/// HELO or EHLO.
struct Helo {
  std::string_view name;
};

/// MAIL, as the client wrote it.
struct MailFrom {
  std::string_view path;        ///< "<user@example.org>"
  std::string_view parameters;  ///< of ESMTP, each with its NUL
};

/// RCPT, as the client wrote it.
struct RcptTo {
  std::string_view path;        ///< "<user@example.org>"
  std::string_view parameters;  ///< of ESMTP, each with its NUL
};

/// DATA.
struct Data {};

/// One header field.
struct HeaderField {
  std::string_view name;
  std::string_view value;  ///< line ends inside as LF or CRLF; leading space as negotiated
};

/// All fields were sent.
struct EndOfHeader {};

/// Octets of the body, line ends as CRLF.
struct BodyChunk {
  std::string_view octets;
};

/// All of the message was sent; the last octets of the body may come with it.
struct EndOfBody {
  std::string_view octets;
};

/// The message at hand is given up; the SMTP session goes on.
struct Abort {};

/// The connection ends.
struct Quit {};

/// The SMTP session ends; the next one comes over the same connection.
struct QuitNew {};

/// An SMTP command that the MTA does not know.
struct Unknown {
  std::string_view line;
};

/// Any command.
using Command = std::variant<Negotiate, Macros, Connect, Helo, MailFrom, RcptTo, Data, HeaderField,
                             EndOfHeader, BodyChunk, EndOfBody, Abort, Quit, QuitNew, Unknown>;

/// Reads a frame of an MTA. The command views the frame.
/// Errors       each PacketErrorCode but the first two.
/// Leniency     octets behind the values of a negotiation are ignored: later versions add some;
///              a header value may hold NUL, which strangers write.
[[nodiscard]] Result<Command, PacketError> parse_command(const Frame& frame);

/// Writes a command as an MTA does, for tests and tools. NUL inside a text is left out, but in a
/// header value and a command line it stays.
void append_command(std::string& out, const Command& command);

/// Writes a negotiation, either way.
void append_negotiate(std::string& out, const Negotiate& negotiate);

}  // namespace countersign::milter
