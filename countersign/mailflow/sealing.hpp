// SPDX-License-Identifier: Apache-2.0
//
// The seal on a message that is handed on: fed the body as it passes, made when all else is decided
// and all other changes to the header are known. What is sealed is the message with these changes.
//
//   std::optional<Sealing> sealing = Sealing::of_judged(policy, header);    nothing: no seal
//   sealing->body(chunk);                                                   any chunks: same result
//   std::move(*sealing).finish(now, outcome);                               adds to outcome.edits
//
// All that mailflow knows of sealing is here, in the block of flow.cpp that calls it, and in
// SealingPolicy. RFC 8617 §5.1

#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string_view>

#include "countersign/mailflow/envelope.hpp"
#include "countersign/mailflow/outcome.hpp"
#include "countersign/mailflow/policy.hpp"
#include "countersign/message/header_field.hpp"

namespace countersign::mailflow {

/// A message on its way to a seal.
class Sealing {
 public:
  /// For a message that is judged; nothing unless such mail is sealed.
  ///
  /// policy       kept until the message is finished.
  /// header       as it came, whole; must outlive this object.
  [[nodiscard]] static std::optional<Sealing> of_judged(std::shared_ptr<const Policy> policy,
                                                        const Header& header);
  /// For a message of ours; nothing unless it comes back from a client of SealingPolicy::returned
  /// with results that bear our authserv-id.
  [[nodiscard]] static std::optional<Sealing> of_returned(std::shared_ptr<const Policy> policy,
                                                          const Envelope& envelope,
                                                          const Header& header);
  ~Sealing();
  Sealing(Sealing&&) noexcept;
  Sealing& operator=(Sealing&&) noexcept;

  /// Feeds octets of the body.
  void body(std::string_view chunk);

  /// Puts a set on top of all that is done to the message, and says so in the outcome.
  ///
  /// Nothing is added to mail that is refused or thrown away, nor to mail whose header the policy's
  /// checks do not find; mail that is put aside is sealed, as it goes on with all its fields once
  /// somebody lets it. A seal that cannot be made becomes the policy's action on errors. With the
  /// set goes the field that names the program, where the policy asks for it.
  ///
  /// Nor is anything added where a set would do harm: to a chain that has ended or is full, and to
  /// one that may be whole while DNS does not answer, as a seal that says fail ends it for good.
  /// RFC 8617 §5.1, §5.1.2, §5.2.1
  void finish(std::chrono::sys_seconds now, Outcome& outcome) &&;

 private:
  struct State;
  explicit Sealing(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace countersign::mailflow
