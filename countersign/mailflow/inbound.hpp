// SPDX-License-Identifier: Apache-2.0
//
// One message from outside: every check, as named steps. Three beats as outbound.hpp has them, but
// the last one asks DNS:
//
//   Inbound inbound(policy, envelope, std::move(header));
//   inbound.body(chunk);                                        any chunks: same result
//   Verdict verdict = co_await std::move(inbound).finish(now);
//
// The questions of all checks that do not wait for one another are open at the same time: SPF of
// both identities, the keys of all signatures, the author's tree walk, the client's name. So a
// message takes as long as the longest chain of questions, and not as their sum.

#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string_view>

#include "countersign/dns/asking.hpp"
#include "countersign/mailflow/envelope.hpp"
#include "countersign/mailflow/policy.hpp"
#include "countersign/mailflow/verdict.hpp"
#include "countersign/message/header_field.hpp"
#include "countersign/message/splitter.hpp"

namespace countersign::mailflow {

/// A message on its way through the checks.
class Inbound {
 public:
  /// Reads the header.
  ///
  /// policy       kept until the message is finished.
  /// envelope     must outlive this object and what finish() returns.
  /// header       the same; all fields, or those kept until a limit was passed.
  /// over_limit   that limit: the author is uncertain then.
  Inbound(std::shared_ptr<const Policy> policy, const Envelope& envelope, const Header& header,
          std::optional<SplitErrorCode> over_limit = std::nullopt);
  Inbound(std::shared_ptr<const Policy>, const Envelope&, Header&&,
          std::optional<SplitErrorCode> = std::nullopt) = delete;
  ~Inbound();
  Inbound(Inbound&&) noexcept;
  Inbound& operator=(Inbound&&) noexcept;

  /// Feeds octets of the body.
  void body(std::string_view chunk);

  /// Runs the checks to their end.
  [[nodiscard]] dns::Asking<Verdict> finish(std::chrono::sys_seconds now) &&;

 private:
  struct State;
  static dns::Asking<Verdict> judge(std::unique_ptr<State> state, std::chrono::sys_seconds now);
  std::unique_ptr<State> state_;
};

}  // namespace countersign::mailflow
