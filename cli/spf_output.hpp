// SPDX-License-Identifier: Apache-2.0
//
// An SPF check as people and as programs read it: the result, why, and every term that was tried
// with what DNS said to it, as a tree.

#pragma once

#include <boost/json/fwd.hpp>

#include "cli/terminal.hpp"
#include "countersign/spf/check_host.hpp"
#include "countersign/spf/outcome.hpp"

namespace countersign::cli {

/// What was asked, and what came of it.
struct SpfCheck {
  spf::CheckHost request;
  spf::Outcome outcome;
};

/// A check as {identity, domain, result, reason, message, explanation, record, lookups, terms,
/// explanation_lookups, lookup_terms, void_lookups, received_spf}. Every key is there whatever the
/// result; what is not known is null.
///
/// terms        the terms that were tried, in their order, each {text, target, match, lookups,
///              inner}; inner is {domain, result, reason, message, record, lookups, terms} for an
///              include or redirect whose record was evaluated, else null.
[[nodiscard]] boost::json::object to_json(const SpfCheck& check);

/// Prints a check for people on standard output.
void print_check(const Terminal& terminal, const SpfCheck& check, const Limits& limits);

}  // namespace countersign::cli
