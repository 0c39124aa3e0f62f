// SPDX-License-Identifier: Apache-2.0
//
// What became of a message, as a value: what the MTA is to do, and all that the log may want to
// say.

#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "countersign/arc/verdict.hpp"
#include "countersign/dkim/signature.hpp"
#include "countersign/domain/name.hpp"
#include "countersign/mailflow/explanation.hpp"
#include "countersign/mailflow/failed_message.hpp"
#include "countersign/mailflow/header_edit.hpp"
#include "countersign/mailflow/judgement.hpp"
#include "countersign/mailflow/policy.hpp"

namespace countersign::mailflow {

/// A signature that was made.
struct SignedAs {
  DomainName sdid;
  DomainName selector;
  std::string auid;  ///< i= as asked for; empty when the tag is not written
  dkim::Algorithm algorithm = dkim::Algorithm::rsa_sha256;
};

/// A seal that was made.
struct SealedAs {
  DomainName sdid;
  DomainName selector;
  unsigned instance = 0;                                   ///< i= of the set
  arc::ChainStatus chain_status = arc::ChainStatus::none;  ///< cv=
};

/// What became of a message: what is done to it, and what the log says about it.
struct Outcome {
  Action action = Action::accept;
  /// For reject and tempfail: basic and enhanced status code, as "550 5.7.26"; empty for the usual.
  std::string action_codes;
  /// For reject, tempfail and quarantine: the reason, for the sender or the postmaster.
  std::string action_text;
  /// To be made in this order; empty unless accepted.
  std::vector<HeaderEdit> edits;
  /// Further forward-paths without <>; empty unless accepted or quarantined.
  std::vector<std::string> added_recipients;

  std::string queue_id;              ///< "i"; empty when the MTA gave none
  std::string author;                ///< the address that was looked up; empty when there is none
  std::vector<SignedAs> signatures;  ///< from the top down
  std::optional<SealedAs> seal;      ///< of a message that is handed on
  /// Why, in the order of deciding; the first is the direction when it was decided.
  std::vector<Explanation> reasons;
  std::uint64_t header_octets = 0;
  std::uint64_t body_octets = 0;

  /// What was found out, for mail from outside that was judged; shared, as the log and those who
  /// ask for an explanation keep it.
  std::shared_ptr<const Judgement> judgement;
  /// What the owner of the author's domain is told of this very message; null when nothing is.
  std::shared_ptr<const FailureToReport> failure;
};

/// True when somebody should do something about one of its reasons: a line of a table that names no
/// key, a From that cannot be read.
[[nodiscard]] bool has_problem(const Outcome& outcome);

/// The reasons that are told: all when it `explains`, else why nothing was signed of what was not
/// judged, and what somebody should do something about.
[[nodiscard]] std::vector<Explanation> told_reasons(const Outcome& outcome, bool explains);

/// One line for the log, without the queue id: as whom the message was signed, or why not, or what
/// it was judged to be, and told_reasons().
[[nodiscard]] std::string to_string(const Outcome& outcome, bool explains);

}  // namespace countersign::mailflow
