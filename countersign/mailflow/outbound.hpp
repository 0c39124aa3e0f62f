// SPDX-License-Identifier: Apache-2.0
//
// One message on its way out: who wrote it, which keys sign for that author, and what is added to
// its header. Three beats: made at the end of the header, fed the body as it passes, finished at
// the end of the body.
//
//   Outbound outbound(policy, envelope, header);
//   outbound.body(chunk);                                     any chunks: same result
//   Outcome outcome = std::move(outbound).finish(now);
//
// Every message goes through here, ours or not: the decision not to sign is an outcome too, and
// has its explanation. Nothing is signed whose From is missing, repeated or unreadable, nothing
// that comes from outside, and nothing for whose author the tables have no line (S-11). What
// somebody who logged in sends is signed only if he may use its addresses (S-10).

#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string_view>

#include "countersign/mailflow/envelope.hpp"
#include "countersign/mailflow/outcome.hpp"
#include "countersign/mailflow/policy.hpp"
#include "countersign/message/header_field.hpp"
#include "countersign/message/splitter.hpp"

namespace countersign::mailflow {

/// What becomes of a message of which the envelope says enough: that of a peer, where the policy
/// refuses_peers(). Nothing for all others. Whoever asks may leave it to the end of the message,
/// which then comes to the same.
///
/// envelope     as it is from MAIL on.
[[nodiscard]] std::optional<Outcome> refuse_peer(const Policy& policy, const Envelope& envelope);

/// A message on its way through the signing policy.
class Outbound {
 public:
  /// Decides who signs.
  ///
  /// policy       kept until the message is finished.
  /// envelope     must outlive this object; only its macros may still change ("i" is read last).
  /// header       must outlive this object; all fields, or those kept until a limit was passed.
  /// over_limit   that limit; the message is then not signed and policy.on_limit decides.
  Outbound(std::shared_ptr<const Policy> policy, const Envelope& envelope, const Header& header,
           std::optional<SplitErrorCode> over_limit = std::nullopt);
  Outbound(std::shared_ptr<const Policy>, const Envelope&, Header&&,
           std::optional<SplitErrorCode> = std::nullopt) = delete;
  ~Outbound();
  Outbound(Outbound&&) noexcept;
  Outbound& operator=(Outbound&&) noexcept;

  /// True when the message comes from outside and passes so far, be it into quarantine: it is for
  /// judging.
  [[nodiscard]] bool is_incoming() const;
  /// True when the message comes from outside, whatever becomes of it.
  [[nodiscard]] bool is_from_outside() const;
  /// True when the message is one of ours and nothing has ended it yet.
  [[nodiscard]] bool is_outgoing() const;
  /// True when at least one key will sign, so that the body matters.
  [[nodiscard]] bool wants_body() const;

  /// Feeds octets of the body.
  void body(std::string_view chunk);

  /// Signs, and says what to do.
  [[nodiscard]] Outcome finish(std::chrono::sys_seconds now) &&;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace countersign::mailflow
