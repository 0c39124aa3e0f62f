// SPDX-License-Identifier: Apache-2.0
//
// One milter connection as a state machine: octets of the MTA go in, octets for the MTA and events
// for the log come out. It reads no socket and no clock:
//
//   Session session(policies);
//   while (read(chunk)) {
//     Step step = session.receive(chunk, now);
//     for (;; step = session.finish(drive(*std::move(step.judging)), now)) {
//       write(step.send);  log(step.events);
//       if (!step.judging) break;
//     }
//     if (step.close) break;
//   }
//   log(session.end_of_input().events);     // only when the MTA went away by itself
//
// A connection carries many messages, and after "quit, new connection" many SMTP sessions. What
// belongs to a message (envelope, macros from MAIL on, header, body hashes, the policy) goes with
// the message; what belongs to the SMTP session (client, HELO, their macros) stays. Frames may come
// in any chunks, many at a time: an MTA that was told that we do not answer does not wait.
//
// Negotiation takes every step away that the policy does not need and every answer that it can do
// without, so that a signed message usually costs one answer: the one to the end of the body.

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "countersign/dns/asking.hpp"
#include "countersign/mailflow/flow.hpp"
#include "countersign/mailflow/policy.hpp"
#include "countersign/milter/packet.hpp"

namespace countersign::milter {

/// Gives the policy that is in force; asked when a session is made, when it negotiates, and at each
/// new message.
using PolicySource = std::function<std::shared_ptr<const mailflow::Policy>()>;

/// What was agreed with the MTA.
struct Negotiated {
  std::uint32_t version = 0;  ///< 2 to 6
  std::uint32_t actions = 0;  ///< SMFIF_* that we may use
  std::uint32_t steps = 0;    ///< SMFIP_* in force
};

/// A message reached its end, or was decided before it.
struct MessageFinished {
  std::string client;  ///< "host [address]"
  mailflow::Outcome outcome;
  mailflow::Envelope envelope;  ///< as it was at the end; without its macros
};

/// A message that was begun and that the MTA gave up.
struct MessageAborted {
  std::string queue_id;  ///< empty when the MTA gave none
};

/// Why a session ends by our will.
enum class SessionErrorCode : std::uint8_t {
  bad_packet,           ///< a frame that is none; see packet_error
  not_negotiated,       ///< a command before the negotiation, or a second negotiation
  unsupported_version,  ///< the MTA speaks no version from 2 on
  missing_actions,      ///< the MTA does not let us make a change that the policy needs
  out_of_order,         ///< a recipient or a header field after the end of the header
  early_end,            ///< the MTA went away inside a frame or a message
};

/// The session broke; the connection is to be closed.
struct SessionFailed {
  SessionErrorCode code{};
  PacketError packet_error;  ///< with bad_packet: what, and at which octet of the connection
};

/// Something to log.
using Event = std::variant<Negotiated, MessageFinished, MessageAborted, SessionFailed>;

/// Says in a sentence what went wrong.
[[nodiscard]] std::string to_string(const SessionFailed& failure);

/// What a service does next, in this order.
struct Step {
  std::string send;           ///< octets for the MTA, often none
  std::vector<Event> events;  ///< for the log, in order
  bool close = false;         ///< close the connection when all is sent
  /// A message that is being judged: run it to its end with answers of DNS and hand the outcome to
  /// Session::finish(). It views the session, which must outlive it and takes no octets until
  /// then.
  std::optional<dns::Asking<mailflow::Outcome>> judging;
};

/// The filter's side of one milter connection.
class Session {
 public:
  /// policies     must give a policy, never nullptr, each time that it is asked.
  /// count        as mailflow::Flow takes it.
  explicit Session(PolicySource policies, mailflow::CountRecipients count = {});
  ~Session();
  Session(Session&&) noexcept;
  Session& operator=(Session&&) noexcept;

  /// Takes octets of the MTA, in chunks of any size. After a step that says close nothing more is
  /// taken. Not to be called while is_judging().
  [[nodiscard]] Step receive(std::string_view octets, std::chrono::sys_seconds now);

  /// Takes one command, for those who have it without frames.
  [[nodiscard]] Step receive(const Command& command, std::chrono::sys_seconds now);

  /// Answers the message that was judged, and goes on with what came behind it. The Asking that the
  /// outcome comes from must be gone.
  [[nodiscard]] Step finish(mailflow::Outcome outcome, std::chrono::sys_seconds now);
  /// True between a step that has a judging and finish().
  [[nodiscard]] bool is_judging() const;
  /// Address of the client of the message at hand; nothing when it has none that is known.
  [[nodiscard]] const std::optional<IpAddress>& client_ip() const;

  /// The MTA closed the connection.
  [[nodiscard]] Step end_of_input();

  /// True between messages: a service that stops may close the connection now without a loss.
  [[nodiscard]] bool is_idle() const;
  /// True when a packet has begun and is not complete: its rest must come soon.
  [[nodiscard]] bool is_inside_packet() const;
  /// Frames taken so far, for the watchdog of the connection: it moves as long as the MTA does.
  [[nodiscard]] std::uint64_t frames() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace countersign::milter
