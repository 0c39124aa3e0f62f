// SPDX-License-Identifier: Apache-2.0
//
// The needs of a policy in the bits of the protocol.

#include "countersign/milter/session_negotiation.hpp"

#include <algorithm>

namespace countersign::milter {

namespace {

using mailflow::Action;
using mailflow::Policy;

constexpr std::uint32_t version_min = 2;
constexpr std::uint32_t version_max = 6;

constexpr std::uint32_t all_steps = step::no_connect | step::no_helo | step::no_mail_from |
                                    step::no_rcpt_to | step::no_body | step::no_header |
                                    step::no_end_of_header | step::no_unknown | step::no_data;

constexpr std::uint32_t all_silences =
    step::no_reply_header_field | step::no_reply_connect | step::no_reply_helo |
    step::no_reply_mail_from | step::no_reply_rcpt_to | step::no_reply_data |
    step::no_reply_unknown | step::no_reply_end_of_header | step::no_reply_body_chunk;

bool may_quarantine(const mailflow::Actions& actions) {
  using mailflow::RejectPolicy;
  return actions.dmarc_reject != RejectPolicy::reject ||
         std::ranges::any_of(actions.all(),
                             [](Action action) { return action == Action::quarantine; });
}

bool may_quarantine(const Policy& policy) {
  return policy.on_bad_author == Action::quarantine ||
         policy.on_signing_error == Action::quarantine || policy.on_limit == Action::quarantine ||
         policy.on_peer == Action::quarantine ||
         (policy.sealing && policy.sealing->on_error == Action::quarantine) ||
         (policy.judges && may_quarantine(policy.judging.actions));
}

std::uint32_t wanted_steps(const Policy& policy) {
  if (!policy.signs && !policy.judges) return 0;
  std::uint32_t wanted = step::no_connect | step::no_mail_from | step::no_header |
                         step::no_end_of_header | step::no_body;
  if (policy.judges) wanted |= step::no_helo | step::no_rcpt_to;
  if (!policy.unsigned_recipients.empty()) wanted |= step::no_rcpt_to;
  return wanted;
}

/// A macro as MTAs spell it: "i", "{auth_type}".
std::string spelled(const std::string& name) { return name.size() == 1 ? name : "{" + name + "}"; }

MacroRequest request(MacroStage stage, std::string names, const std::vector<std::string>& more) {
  for (const std::string& name : more) names += " " + spelled(name);
  return {stage, std::move(names)};
}

}  // namespace

bool Needs::cover(const Needs& others) const {
  const bool has_macros = std::ranges::all_of(others.macros, [this](const std::string& name) {
    return std::ranges::find(macros, name) != macros.end();
  });
  const bool has_actions = (others.actions & ~actions) == 0;
  const bool has_steps = (unwanted_steps & ~others.unwanted_steps) == 0;
  return has_macros && has_actions && has_steps;
}

Needs needs_of(const Policy& policy) {
  Needs needs;
  if (policy.signs || policy.judges) needs.actions |= action::add_headers;
  const bool removes = policy.judges || (policy.signs && policy.removes_old_signatures);
  if (removes) needs.actions |= action::change_headers;
  if (may_quarantine(policy)) needs.actions |= action::quarantine;
  if (policy.judges && !policy.judging.copies_failures_to.empty())
    needs.actions |= action::add_recipients;
  needs.unwanted_steps = all_steps & ~wanted_steps(policy);
  if (policy.refuses_peers()) needs.answers |= step::no_reply_mail_from;
  for (const mailflow::MacroRule& rule : policy.macros) needs.macros.push_back(rule.name);
  for (const mailflow::MacroRule& rule : policy.strangers) needs.macros.push_back(rule.name);
  return needs;
}

Result<Negotiate, NegotiationError> agree(const Negotiate& offer, const Needs& needs) {
  if (offer.version < version_min) return std::unexpected(NegotiationError::unsupported_version);
  if ((needs.actions & ~offer.actions) != 0)
    return std::unexpected(NegotiationError::missing_actions);

  Negotiate reply;
  reply.version = std::min(offer.version, version_max);
  reply.actions = needs.actions | (offer.actions & action::choose_macros);
  const std::uint32_t silences = all_silences & ~needs.answers;
  reply.steps =
      offer.steps & (needs.unwanted_steps | silences | step::skip | step::header_leading_space);
  if ((reply.actions & action::choose_macros) == 0) return reply;

  // Postfix knows the queue id from DATA on, and the login and a macro of its own at any stage.
  reply.macros = {
      request(MacroStage::connect, "j {daemon_name} {client_addr}", needs.macros),
      request(MacroStage::mail_from, "i {auth_type} {auth_authen}", needs.macros),
      request(MacroStage::end_of_body, "i", {}),
      request(MacroStage::end_of_header, "i", needs.macros),
  };
  return reply;
}

}  // namespace countersign::milter
