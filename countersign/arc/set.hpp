// SPDX-License-Identifier: Apache-2.0
//
// The sets of a message, collected from its header and checked for the structure that a chain must
// have. No key and no body is needed for that: what is wrong here costs no question and no hash.
// RFC 8617 §4.2, §5.2

#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "countersign/arc/field.hpp"
#include "countersign/arc/verdict.hpp"
#include "countersign/limits.hpp"
#include "countersign/message/header_field.hpp"

namespace countersign::arc {

/// One ARC Set: the values of its fields, and where they stand in the header. RFC 8617 §4.2
struct Set {
  unsigned instance = 0;
  AuthenticationResults aar;
  MessageSignature ams;
  Seal seal;
  std::size_t aar_place = 0;   ///< index in the header, from the top
  std::size_t ams_place = 0;   ///< index in the header
  std::size_t seal_place = 0;  ///< index in the header
};

/// Why the ARC fields of a message make no chain.
struct StructureFault {
  Reason reason = Reason::bad_field;
  std::string detail;  ///< which field or set and what is wrong with it; safe to print
};

/// The ARC fields of a message.
struct Chain {
  /// From i=1 up; complete and in order, or empty when there is a fault.
  std::vector<Set> sets;
  std::optional<StructureFault> fault;
  /// The largest instance of any ARC field, up to 99 and also when there is a fault; 0 without one.
  unsigned instance_max = 0;

  /// True when no further set may be added: the newest seal says cv=fail. RFC 8617 §5.1
  [[nodiscard]] bool has_ended() const { return fault && fault->reason == Reason::ended; }
};

/// Collects the sets of a header and checks their structure: each has its three fields once, they
/// are numbered from 1 without a gap, and the seals say none first and pass from then on.
///
/// Returns      no sets and no fault for a message without ARC fields.
/// RFC 8617 §5.2
[[nodiscard]] Chain collect_chain(const Header& header, const Limits& limits);

}  // namespace countersign::arc
