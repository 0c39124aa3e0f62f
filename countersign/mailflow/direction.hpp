// SPDX-License-Identifier: Apache-2.0
//
// Is this message ours to sign, ours to judge, or none of our business?
//
// Mail is ours when it comes from where our users are: a listener of ours ({daemon_name}), a macro
// that the operator named, a login ({auth_type}), or a client in InternalHosts. The first that
// holds decides and is the explanation. What the message says about itself never makes it ours:
// signing what strangers bring would wash their mail (S-11).

#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "countersign/domain/name.hpp"
#include "countersign/mailflow/envelope.hpp"
#include "countersign/mailflow/explanation.hpp"
#include "countersign/mailflow/policy.hpp"

namespace countersign::mailflow {

/// Which way a message goes.
enum class Direction : std::uint8_t {
  outgoing,   ///< ours: signed if there is a key for its author
  incoming,   ///< a stranger's: judged, never signed
  untouched,  ///< a peer's: neither; policy.on_peer decides
};

/// The direction, and the rule that decided.
struct Directed {
  Direction direction = Direction::incoming;
  Explanation why;
};

/// Decides from the envelope alone: peers are not touched, what a macro marks as a stranger's is
/// incoming, then the four marks of our own mail are tried in the order above.
[[nodiscard]] Directed find_direction(const Policy& policy, const Envelope& envelope);

/// The reason not to touch mail of that author, or nothing: ExemptDomains, which go before every
/// direction but a peer's.
[[nodiscard]] std::optional<Explanation> find_exemption(const Policy& policy,
                                                        const DomainName& author_domain);

/// The client as people know it: "host [address]", "[address]", or "unknown".
[[nodiscard]] std::string client_text(const Envelope& envelope);

}  // namespace countersign::mailflow
