// SPDX-License-Identifier: Apache-2.0
//
// What a judged message adds to the aggregate reports. Nothing is computed unless somebody asks:
// whoever has a judgement that is counted and its envelope, and a place to put the row.

#pragma once

#include <optional>

#include "countersign/mailflow/envelope.hpp"
#include "countersign/mailflow/judgement.hpp"
#include "countersign/report/evaluation.hpp"

namespace countersign::mailflow {

/// True when a policy that somebody published decided on the message, once and for all: the author
/// is certain, a usable record was found, and the message was not put off.
[[nodiscard]] bool has_applied_policy(const Judgement& judgement);

/// The row for a message, or nothing where there is none to count.
///
/// There is none when no policy applied: DMARC was not checked, the author is uncertain, no usable
/// record was found, or DNS did not say; none when the client has no address, which a report has to
/// name (S-57); and none for a message that was put off, which comes again and is counted then.
///
/// Results are the aligned ones, whatever trust or test mode made of them; that stands in the
/// reasons. A judgement that nothing was carried out of (JudgingPolicy::shadow) has the disposition
/// none and says why.
///
/// memory       a row that is done with: the new one has its memory, and nothing else of it.
/// RFC 9990 §3.1.1
[[nodiscard]] std::optional<report::Evaluation> evaluation_of(const Judgement& judgement,
                                                              const Envelope& envelope,
                                                              report::Evaluation memory = {});

/// The row for a message whose author's domain has no DMARC record, with its Organizational Domain
/// and no policy; no report has it. Nothing where DMARC found anything else, and where
/// evaluation_of() has nothing for another reason.
[[nodiscard]] std::optional<report::Evaluation> evaluation_without_policy(
    const Judgement& judgement, const Envelope& envelope);

}  // namespace countersign::mailflow
