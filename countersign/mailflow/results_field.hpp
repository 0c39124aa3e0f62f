// SPDX-License-Identifier: Apache-2.0
//
// A verdict as the results of one Authentication-Results field.

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "countersign/authres/field.hpp"
#include "countersign/mailflow/envelope.hpp"
#include "countersign/mailflow/header_edit.hpp"
#include "countersign/mailflow/policy.hpp"
#include "countersign/mailflow/verdict.hpp"
#include "countersign/message/header_field.hpp"

namespace countersign::mailflow {

/// The id that goes into our field: ResultsPolicy::authserv_id, with the queue id if it is wanted
/// and fits. RFC 8601 §2.5
[[nodiscard]] std::string authserv_id_for(const ResultsPolicy& policy, const Envelope& envelope);

/// The results of every check that was made, in the order auth, iprev, spf, dkim, arc, dmarc.
/// Values of strangers are as they came: the field is written by authres::format_field(), which
/// quotes them or leaves them out. RFC 8601 §2.7, RFC 9989 §9
[[nodiscard]] std::vector<authres::MethodResult> results_of(const Verdict& verdict,
                                                            const Envelope& envelope,
                                                            const ResultsPolicy& policy);

/// The edits that remove what must not reach a reader as if it came from us: fields that claim our
/// authserv-id or one of removed_ids, and BIMI fields that only a receiver may write; each kind
/// from the highest index down. RFC 8601 §5
[[nodiscard]] std::vector<HeaderEdit> forged_fields(const Header& header,
                                                    const ResultsPolicy& policy,
                                                    const Limits& limits);

/// True for the name of fields that forged_fields() may remove: of these none may be overlooked.
[[nodiscard]] bool may_be_forged(std::string_view field_name);

}  // namespace countersign::mailflow
