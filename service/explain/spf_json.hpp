// SPDX-License-Identifier: Apache-2.0
//
// An SPF check as a document: the result, why, and every term that was tried with what DNS said to
// it, as a tree.

#pragma once

#include <boost/json/fwd.hpp>

#include "countersign/limits.hpp"
#include "countersign/spf/check_host.hpp"
#include "countersign/spf/outcome.hpp"

namespace countersign::service {

/// What was asked, and what came of it.
struct SpfCheck {
  spf::CheckHost request;
  spf::Outcome outcome;
  Limits limits;  ///< that it was checked under
};

/// A check as {identity, client_ip, helo_name, mail_from, domain, result, reason, message,
/// explanation, evaluated, record, lookups, terms, explanation_lookups, lookup_terms,
/// lookup_terms_max, void_lookups, void_lookups_max, received_spf}. Every key is there whatever the
/// result; what is not known is null.
///
/// evaluated    the name whose record was asked for
/// terms        the terms that were tried, in their order, each {text, target, match, lookups,
///              inner}; inner is {domain, result, reason, message, record, lookups, terms} for an
///              include or redirect whose record was evaluated, else null.
[[nodiscard]] boost::json::object to_json(const SpfCheck& check);

}  // namespace countersign::service
