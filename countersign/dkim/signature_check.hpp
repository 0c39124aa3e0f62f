// SPDX-License-Identifier: Apache-2.0
//
// The checks of one signature, each by itself: what time, body and key say about it. The verifier
// of DKIM and that of ARC put them in order; neither has rules of its own for them.

#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "countersign/dkim/body_hash.hpp"
#include "countersign/dkim/key_record.hpp"
#include "countersign/dkim/signature.hpp"
#include "countersign/dkim/verdict.hpp"
#include "countersign/limits.hpp"

namespace countersign::dkim {

/// A result with its reason.
struct Verdict {
  Result result = Result::none;
  Reason reason = Reason::valid;
  std::string detail;  ///< what is wrong in words; safe to print

  friend bool operator==(const Verdict&, const Verdict&) = default;
};

/// What is wrong with the algorithm, whatever body and key say, or nothing. RFC 8301 §3.1
[[nodiscard]] std::optional<Verdict> algorithm_fault(Algorithm algorithm);

/// What is wrong with t= and x= at that time, or nothing. RFC 6376 §3.5
[[nodiscard]] std::optional<Verdict> time_fault(const Signature& signature,
                                                std::chrono::sys_seconds now, const Limits& limits);

/// What is wrong with bh= and l=, or nothing. A body of which l= leaves octets unsigned is not
/// wrong here. RFC 6376 §6.1.3
[[nodiscard]] std::optional<Verdict> body_fault(const Signature& signature, const BodyHash& body);

/// What makes the key unfit for a signature of that algorithm, or nothing. RFC 6376 §6.1.2,
/// RFC 8301 §3.2
[[nodiscard]] std::optional<Verdict> key_fault(Algorithm algorithm, const KeyRecord& record,
                                               const Limits& limits);

}  // namespace countersign::dkim
