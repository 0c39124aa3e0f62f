// SPDX-License-Identifier: Apache-2.0
//
// Validation of a chain: made at the end of the header, when the sets are known; fed the body as it
// passes; finished by asking DNS for the keys, all at once. RFC 8617 §5.2
//
// A chain that passes proves who sealed the message, in which order, and that it is as the last of
// them sent it. It says nothing about whether any of them tells the truth: whoever seals can write
// what he likes into his AAR. So a pass means something only together with a list of sealers that
// one trusts.

#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "countersign/arc/set.hpp"
#include "countersign/arc/verdict.hpp"
#include "countersign/dkim/signature_check.hpp"
#include "countersign/dns/asking.hpp"
#include "countersign/domain/name.hpp"
#include "countersign/limits.hpp"
#include "countersign/message/header_field.hpp"

namespace countersign::arc {

/// What was found of one set.
struct SetResult {
  unsigned instance = 0;
  DomainName sealer;                  ///< d= of the AS
  DomainName selector;                ///< s= of the AS
  DomainName signer;                  ///< d= of the AMS; usually the sealer
  std::optional<std::uint64_t> time;  ///< t= of the AS, seconds since 1970 UTC
  /// Of the AMS. none: not looked at, as nothing depended on it any more. That of an older set
  /// fails when the message was changed since, which is no fault of the chain.
  dkim::Verdict message_signature;
  /// Of the AS. none: not looked at.
  dkim::Verdict seal;
  /// The AAR behind "i=1;", as it stands there: the value of an Authentication-Results field, to be
  /// read with authres::parse_field(). Hostile text unless the chain passes and the sealer is
  /// trusted.
  std::string payload;
};

/// What was found of a chain.
struct Outcome {
  ChainStatus status = ChainStatus::none;
  Reason reason = Reason::no_sets;
  std::string detail;  ///< what is wrong in words, with its set; safe to print
  /// From i=1 up; empty when the structure has a fault.
  std::vector<SetResult> sets;
  /// With pass: the lowest instance from which on all message signatures verify, or 0 when all do;
  /// header.oldest-pass of Authentication-Results. RFC 8617 §5.2
  unsigned oldest_pass = 0;

  /// True for a failure that may be gone on the next try, as DNS did not answer. The RFC calls it
  /// permanent all the same, so who seals now ends the chain. RFC 8617 §5.2.1
  [[nodiscard]] bool is_temporary() const { return reason == Reason::key_unavailable; }
  /// The newest set that the domain sealed, if what it says is about this message: the chain passes
  /// and the message signature of that set still verifies. Else nullptr.
  ///
  /// A seal alone binds its set to no message. Whoever has once got mail through that sealer can
  /// put his set below other mail and seal the whole himself: the chain passes, and only the
  /// message signature of the old set tells.
  [[nodiscard]] const SetResult* newest_set_of(const DomainName& sealer) const;
};

/// A validation run over one message.
class Verifier {
 public:
  /// header       of the message; it must outlive the verifier and its finish().
  Verifier(const Header& header, const Limits& limits);
  ~Verifier();
  Verifier(Verifier&&) noexcept;
  Verifier& operator=(Verifier&&) noexcept;

  /// Feeds body octets, line ends as CRLF: any number of times, any chunk sizes, same result.
  void body(std::string_view chunk);

  /// Asks for the keys and judges. A chain that is broken without them costs no question.
  ///
  /// Strictness   an AMS whose l= leaves octets of the body unsigned fails: behind them could stand
  ///              what anybody added, under the name of the sealer.
  /// RFC 8617 §5.2
  [[nodiscard]] dns::Asking<Outcome> finish(std::chrono::sys_seconds now) &&;

 private:
  struct State;
  static dns::Asking<Outcome> judge(std::unique_ptr<State> state, std::chrono::sys_seconds now);
  std::unique_ptr<State> state_;
};

}  // namespace countersign::arc
