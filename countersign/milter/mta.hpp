// SPDX-License-Identifier: Apache-2.0
//
// The MTA's side of a milter connection, as a state machine without sockets: it pushes messages
// through a filter as Postfix does and tells what became of them. The probe, the load generator and
// the tests are MTAs of this kind.
//
//   Mta mta;
//   mta.begin(mail);
//   while (!mta.outcome()) { write(mta.take_output()); if (!mta.receive(read())) break; }

#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "countersign/limits.hpp"
#include "countersign/message/header_field.hpp"
#include "countersign/milter/packet.hpp"
#include "countersign/milter/packet_reply.hpp"
#include "countersign/result.hpp"

namespace countersign::milter {

/// A message as an MTA has it, with its envelope.
struct Mail {
  std::string client_host = "localhost";
  std::string client_address = "127.0.0.1";  ///< IPv4 or IPv6; empty: an unknown client
  std::string helo = "localhost";
  std::string mail_from;             ///< without <>
  std::vector<std::string> rcpt_to;  ///< without <>
  Header header;
  std::string body;  ///< line ends as CRLF
  /// Macros by name without braces, sent with MAIL: "i", "auth_type", "daemon_name", …
  std::map<std::string, std::string> macros;
};

/// What a filter decided about a message.
struct FilterOutcome {
  /// accept, reject, tempfail or discard; continue_ at the end of the body counts as accept.
  ReplyCode verdict = ReplyCode::accept;
  std::string text;                           ///< of a rejection in the filter's own words
  std::string quarantine;                     ///< reason; empty: not quarantined
  std::vector<std::string> added_recipients;  ///< as the filter wrote them
  Header header;                              ///< as the filter left it
  std::size_t changes = 0;                    ///< header fields inserted, added, changed or removed
  std::optional<std::string> body;            ///< only when the filter replaced it
};

/// What the MTA offers in the negotiation; by default what Postfix offers with milter_protocol = 6.
struct MtaOffer {
  std::uint32_t version = 6;
  std::uint32_t actions = 0x1ff;
  std::uint32_t steps = 0x1f'ffff;

  /// What Postfix offers with another milter_protocol, from 2 to 6: the older, the less can be left
  /// out.
  [[nodiscard]] static MtaOffer of_version(std::uint32_t version);
};

/// Why a filter cannot be talked to.
enum class MtaErrorCode : std::uint8_t {
  bad_packet,        ///< octets that are no frame or no reply
  bad_negotiation,   ///< the filter asks for what was not offered, or a version that does not exist
  unexpected_reply,  ///< a reply that was not waited for, or a change that was not agreed on
};

/// The error and the octet of the connection at which it stands.
using MtaError = SyntaxErrorOf<MtaErrorCode>;

/// Says in a sentence what is wrong.
[[nodiscard]] std::string_view to_string(MtaErrorCode code);

/// One connection to a filter.
class Mta {
 public:
  explicit Mta(MtaOffer offer = {}, const Limits& limits = Limits());

  /// Begins the next message: the first of a session also connects and greets. Only before the
  /// first and after an outcome.
  ///
  /// mail         must outlive its outcome.
  void begin(const Mail& mail);

  /// Ends the session but not the connection: the next message comes from another client. Only
  /// after an outcome.
  void quit_new();

  /// Octets for the filter that can be sent without waiting for an answer.
  [[nodiscard]] std::string take_output();

  /// Takes octets of the filter.
  [[nodiscard]] Result<void, MtaError> receive(std::string_view octets);

  /// What became of the message, once the filter has decided.
  [[nodiscard]] const std::optional<FilterOutcome>& outcome() const { return outcome_; }

  /// The frame that ends the connection.
  [[nodiscard]] static std::string quit();

  /// Replies that were waited for so far, the cost of a filter that answers everything.
  [[nodiscard]] std::uint64_t replies() const { return replies_; }

 private:
  enum class Stage : std::uint8_t {
    negotiate,
    connect,
    helo,
    mail_from,
    rcpt_to,
    data,
    header,
    end_of_header,
    body,
    end_of_body,
    done,
  };

  void advance();
  void send_stage();
  void send(const Command& command, std::uint32_t no_step, std::uint32_t no_reply);
  void send_macros(CommandCode stage, const std::map<std::string, std::string>& macros);
  void send_fields();
  void send_body();
  [[nodiscard]] Result<void, MtaError> take(const Frame& frame);
  [[nodiscard]] Result<void, MtaErrorCode> take(const Reply& reply);
  [[nodiscard]] bool negotiate(const Negotiate& answer);
  [[nodiscard]] bool may(std::uint32_t action) const { return (actions_ & action) != 0; }
  [[nodiscard]] bool take_change(const Reply& reply);
  [[nodiscard]] bool take_verdict(ReplyCode code, std::string_view text);
  [[nodiscard]] countersign::HeaderField field_of(std::string_view name,
                                                  std::string_view value) const;
  void insert_field(const InsertHeader& insert);
  void change_field(const ChangeHeader& change);
  void next_stage();

  MtaOffer offer_;
  FrameReader reader_;
  std::string output_;
  const Mail* mail_ = nullptr;
  Stage stage_ = Stage::negotiate;
  std::size_t position_ = 0;  // Recipient, field or body octet that comes next.
  bool waiting_ = false;
  bool skips_body_ = false;
  std::uint32_t actions_ = 0;  // What was agreed.
  std::uint32_t steps_ = 0;
  std::uint64_t replies_ = 0;
  FilterOutcome pending_;  // What the filter has changed so far.
  std::optional<FilterOutcome> outcome_;
};

}  // namespace countersign::milter
