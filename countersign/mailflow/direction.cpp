// SPDX-License-Identifier: Apache-2.0
//
// The marks of our own mail, each a question of its own, tried in the order of the header.

#include "countersign/mailflow/direction.hpp"

#include <algorithm>
#include <utility>

namespace countersign::mailflow {

namespace {

using Mark = std::optional<Explanation>;

Mark by_mta_name(const Policy& policy, const Envelope& envelope) {
  const std::string_view name = envelope.macro("daemon_name");
  if (name.empty() || std::ranges::find(policy.mta_names, name) == policy.mta_names.end())
    return std::nullopt;
  return Explanation{Reason::mta_name, std::string(name), {}};
}

bool holds(const MacroRule& rule, const std::string& value) {
  return rule.values.empty() || std::ranges::find(rule.values, value) != rule.values.end();
}

/// The first rule that holds, as "name=value".
std::optional<std::string> find_macro(const std::vector<MacroRule>& rules,
                                      const Envelope& envelope) {
  for (const MacroRule& rule : rules) {
    const std::string* value = envelope.find_macro(rule.name);
    if (value != nullptr && holds(rule, *value)) return rule.name + "=" + *value;
  }
  return std::nullopt;
}

Mark by_macro(const Policy& policy, const Envelope& envelope) {
  std::optional<std::string> found = find_macro(policy.macros, envelope);
  if (!found) return std::nullopt;
  return Explanation{Reason::macro, *std::move(found), {}};
}

Mark by_login(const Policy& policy, const Envelope& envelope) {
  const std::string_view mechanism = envelope.macro("auth_type");
  if (!policy.authenticated_is_ours || mechanism.empty()) return std::nullopt;
  const std::string_view login = envelope.macro("auth_authen");
  return Explanation{Reason::authenticated, std::string(login.empty() ? mechanism : login), {}};
}

Mark by_client(const Policy& policy, const Envelope& envelope) {
  std::optional<Place> place =
      policy.internal_hosts.match(envelope.client_host, envelope.client_ip);
  if (!place) return std::nullopt;
  return Explanation{Reason::internal_host, client_text(envelope), std::move(place)};
}

}  // namespace

Directed find_direction(const Policy& policy, const Envelope& envelope) {
  if (auto place = policy.peers.match(envelope.client_host, envelope.client_ip))
    return {Direction::untouched, {Reason::peer, client_text(envelope), std::move(place)}};
  if (auto found = find_macro(policy.strangers, envelope))
    return {Direction::incoming, {Reason::stranger_macro, *std::move(found), {}}};
  for (const auto& mark : {by_mta_name, by_macro, by_login, by_client})
    if (Mark why = mark(policy, envelope)) return {Direction::outgoing, *std::move(why)};
  return {Direction::incoming, {Reason::outside, client_text(envelope), {}}};
}

std::optional<Explanation> find_exemption(const Policy& policy, const DomainName& author_domain) {
  if (!policy.exempt_domains.contains(author_domain)) return std::nullopt;
  return Explanation{Reason::exempt_domain, author_domain.text(), {}};
}

std::string client_text(const Envelope& envelope) {
  const bool has_name = !envelope.client_host.empty() && !envelope.client_host.starts_with('[');
  std::string text = has_name ? envelope.client_host : "";
  if (envelope.client_ip) {
    if (has_name) text += ' ';
    text += '[' + envelope.client_ip->to_string() + ']';
  }
  return text.empty() ? "unknown" : text;
}

}  // namespace countersign::mailflow
