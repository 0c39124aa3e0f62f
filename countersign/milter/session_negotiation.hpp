// SPDX-License-Identifier: Apache-2.0
//
// What a filter agrees on with an MTA, once for each connection: which steps of SMTP it wants to
// hear of, which of them it answers, what it may change, and which macros it is told.
//
// Each answer is a round trip for which the MTA waits, and each costs more than the hash of a
// usual message. So everything is left out that the policy does not need. An MTA that cannot leave
// something out (old versions) is served all the same.

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "countersign/mailflow/policy.hpp"
#include "countersign/milter/packet.hpp"
#include "countersign/result.hpp"

namespace countersign::milter {

/// Why there is no agreement.
enum class NegotiationError : std::uint8_t {
  unsupported_version,  ///< the MTA speaks no version from 2 on
  missing_actions,      ///< the MTA does not let us make a change that the policy needs
};

/// What a policy needs of an MTA.
struct Needs {
  std::uint32_t actions = 0;         ///< SMFIF_* without which it cannot work
  std::uint32_t unwanted_steps = 0;  ///< SMFIP_NO*: what it need not hear of
  std::uint32_t answers = 0;  ///< SMFIP_NR_*: where it says more than to go on, if the MTA waits
  std::vector<std::string> macros;  ///< macros that decide whose mail it is, without braces

  /// True when a connection that was negotiated for these needs serves the others too.
  [[nodiscard]] bool cover(const Needs& others) const;
};

/// The needs of a policy.
[[nodiscard]] Needs needs_of(const mailflow::Policy& policy);

/// The filter's answer to an MTA's offer.
[[nodiscard]] Result<Negotiate, NegotiationError> agree(const Negotiate& offer, const Needs& needs);

}  // namespace countersign::milter
