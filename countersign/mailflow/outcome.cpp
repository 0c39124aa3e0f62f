// SPDX-License-Identifier: Apache-2.0
//
// The line that the log writes about a message.

#include "countersign/mailflow/outcome.hpp"

#include <algorithm>
#include <string_view>

namespace countersign::mailflow {

namespace {

/// A reason that somebody should do something about.
bool is_problem(Reason reason) {
  switch (reason) {
    case Reason::outside_uses_our_domain:
    case Reason::login_unknown:
    case Reason::login_not_author:
    case Reason::login_not_mail_from:
    case Reason::fallback_near_author:
    case Reason::bad_author:
    case Reason::bad_field_count:
    case Reason::over_limit:
    case Reason::unknown_key:
    case Reason::no_key_for_domain:
    case Reason::bad_signer:
    case Reason::signer_outside:
    case Reason::too_many:
    case Reason::forged_results:
      return true;
    default:
      return false;
  }
}

std::string_view word(Action action) {
  switch (action) {
    case Action::accept:
      return "accepted";
    case Action::discard:
      return "discarded";
    case Action::quarantine:
      return "put aside";
    case Action::reject:
      return "rejected";
    case Action::tempfail:
      return "refused for now";
  }
  return "accepted";
}

std::string signed_as(const std::vector<SignedAs>& signatures) {
  std::string out;
  for (const SignedAs& one : signatures) {
    out += out.empty() ? "signed as " : ", ";
    out += one.selector.text() + "._domainkey." + one.sdid.text();
    out += " (";
    out += dkim::to_string(one.algorithm);
    out += ')';
  }
  return out;
}

std::string sealed_as(const SealedAs& seal) {
  return "sealed as " + seal.selector.text() + "._domainkey." + seal.sdid.text() +
         " (i=" + std::to_string(seal.instance) +
         ", cv=" + std::string(to_string(seal.chain_status)) + ")";
}

}  // namespace

bool has_problem(const Outcome& outcome) {
  return std::ranges::any_of(outcome.reasons, is_problem, &Explanation::reason);
}

std::vector<Explanation> told_reasons(const Outcome& outcome, bool explains) {
  const bool needs_cause = outcome.signatures.empty() && !outcome.judgement;
  const Explanation* cause =
      needs_cause && !outcome.reasons.empty() ? &outcome.reasons.back() : nullptr;
  std::vector<Explanation> told;
  for (const Explanation& one : outcome.reasons)
    if (explains || &one == cause || is_problem(one.reason)) told.push_back(one);
  return told;
}

std::string to_string(const Outcome& outcome, bool explains) {
  std::string out =
      outcome.judgement ? to_string(*outcome.judgement) : signed_as(outcome.signatures);
  if (out.empty()) out = "not signed";
  if (outcome.seal) out += ", " + sealed_as(*outcome.seal);
  if (outcome.action != Action::accept) {
    out += ", ";
    out += word(outcome.action);
  }
  for (const Explanation& reason : told_reasons(outcome, explains)) out += "; " + to_string(reason);
  return out;
}

}  // namespace countersign::mailflow
