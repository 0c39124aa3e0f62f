// SPDX-License-Identifier: Apache-2.0
//
// The words for what became of a chain. RFC 8617 knows three states and calls every failure
// permanent, DNS failures too; the reason tells them apart, for those who would rather ask the
// client to come back than break a chain for good. RFC 8617 §5.2.1

#pragma once

#include <cstdint>
#include <string_view>

namespace countersign::arc {

/// The state of a chain, in the words of cv= and of the arc method of Authentication-Results.
/// RFC 8617 §4.4
enum class ChainStatus : std::uint8_t { none, pass, fail };

/// The word on the wire.
[[nodiscard]] std::string_view to_string(ChainStatus status);

/// Why a chain has its status. Always set: `valid` goes with pass alone, `no_sets` with none alone.
enum class Reason : std::uint8_t {
  valid,                     ///< pass
  no_sets,                   ///< none: the message has no ARC field
  bad_field,                 ///< an ARC field cannot be read; the detail says which and why
  too_many_sets,             ///< more sets than Limits::arc_sets_max
  ended,                     ///< the newest seal says cv=fail itself
  duplicate_field,           ///< two fields of one kind in one set
  missing_field,             ///< a set without one of its three fields
  missing_set,               ///< a gap in the instances
  bad_chain_status,          ///< cv= is not none in the first set and pass in all others
  message_signature_failed,  ///< the newest ARC-Message-Signature; the detail says why
  seal_failed,               ///< an ARC-Seal; the detail says which and why
  key_unavailable,           ///< DNS failed when asked for a key that is needed
};

/// A sentence that an operator can act on, with its section.
[[nodiscard]] std::string_view to_string(Reason reason);
/// The enumerator itself, "seal_failed", for programs that read our JSON.
[[nodiscard]] std::string_view name_of(Reason reason);

}  // namespace countersign::arc
