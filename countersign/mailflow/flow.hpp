// SPDX-License-Identifier: Apache-2.0
//
// One message through the whole filter: ours is signed, that of strangers is judged, the rest is
// let through. Whoever feeds messages, a milter session or the command line, knows only this:
//
//   Flow flow(policy, envelope, std::move(header));
//   flow.body(chunk);                                          any chunks: same result
//   Outcome outcome = co_await std::move(flow).finish(now);    asks only for judged mail
//
// Architecture: outbound.hpp signs, inbound.hpp checks, disposition.hpp decides, results_field.hpp
// says it, sealing.hpp vouches for it; here they are put in a row.

#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string_view>

#include "countersign/dns/asking.hpp"
#include "countersign/mailflow/envelope.hpp"
#include "countersign/mailflow/outcome.hpp"
#include "countersign/mailflow/policy.hpp"
#include "countersign/mailflow/replay.hpp"
#include "countersign/message/header_field.hpp"
#include "countersign/message/splitter.hpp"

namespace countersign::mailflow {

/// Where a header was cut off: what is behind it is not known.
struct HeaderCut {
  SplitErrorCode limit{};  ///< that was passed
  /// Of the fields behind it those that may_be_forged() are kept all the same, with the limits once
  /// more; this says that they passed them too.
  bool has_lost_results = false;
};

/// A message on its way through the filter.
class Flow {
 public:
  /// Decides which way the message goes.
  ///
  /// policy       kept until the message is finished.
  /// envelope     must outlive this object and what finish() returns; only its macros may still
  ///              change ("i" is read last).
  /// header       all fields, or those kept when a limit was passed.
  /// cut          that limit.
  /// count        counts to how many recipients a signature comes; empty: nobody counts.
  Flow(std::shared_ptr<const Policy> policy, const Envelope& envelope, Header header,
       std::optional<HeaderCut> cut = std::nullopt, CountRecipients count = {});
  ~Flow();
  Flow(Flow&&) noexcept;
  Flow& operator=(Flow&&) noexcept;

  /// True when the body matters.
  [[nodiscard]] bool wants_body() const;
  /// True when the message is judged, so that finish() may ask DNS.
  [[nodiscard]] bool is_judged() const;

  /// Feeds octets of the body.
  void body(std::string_view chunk);

  /// Signs or judges, and says what to do.
  [[nodiscard]] dns::Asking<Outcome> finish(std::chrono::sys_seconds now) &&;
  /// The same for a message that is not judged: nothing is asked.
  [[nodiscard]] Outcome finish_unjudged(std::chrono::sys_seconds now) &&;

 private:
  struct State;
  static dns::Asking<Outcome> run(std::unique_ptr<State> state, std::chrono::sys_seconds now);
  std::unique_ptr<State> state_;
};

}  // namespace countersign::mailflow
