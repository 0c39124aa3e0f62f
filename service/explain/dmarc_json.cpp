// SPDX-License-Identifier: Apache-2.0

#include "service/explain/dmarc_json.hpp"

#include <boost/json.hpp>

#include "service/explain/json_text.hpp"
#include "service/explain/tag_texts.hpp"

namespace countersign::service {
namespace {

namespace json = boost::json;
using dmarc::AlignedIdentifier;
using dmarc::Result;
using dmarc::WalkStep;

template <class Word>
json::value word_or_null(const std::optional<Word>& word) {
  return word ? json::value(to_string(*word)) : json::value(nullptr);
}

/// Where the record is asked for.
std::string record_name(const WalkStep& step) { return "_dmarc." + step.domain.text(); }

json::array to_json(const dmarc::Walk& walk) {
  json::array steps;
  for (const WalkStep& step : walk.steps) {
    json::object object;
    object["domain"] = step.domain.text();
    object["name"] = record_name(step);
    object["status"] = to_string(step.status);
    object["finding"] = name_of(step.finding);
    object["message"] = to_string(step.finding);
    json::value& record = object["record"];
    if (step.record) record = json_text(step.text);
    steps.emplace_back(std::move(object));
  }
  return steps;
}

/// What was given, each with what the evaluation made of it; nullptr where it made nothing.
std::vector<std::pair<const Authenticated*, const AlignedIdentifier*>> pairs_of(
    const DmarcCheck& check) {
  std::vector<std::pair<const Authenticated*, const AlignedIdentifier*>> pairs;
  auto next = check.outcome.identifiers.begin();
  const auto end = check.outcome.identifiers.end();
  for (const Authenticated& given : check.authenticated) {
    const bool evaluated = given.identifier().has_value() && next != end;
    pairs.emplace_back(&given, evaluated ? &*next++ : nullptr);
  }
  return pairs;
}

/// The organization of an identifier; null when nobody looked for it.
json::value org_domain_of(const dmarc::Outcome& outcome, const AlignedIdentifier& aligned) {
  if (aligned.walk) return json::value(aligned.walk->org_domain.text());
  const dmarc::OrgDomainOf& by_list = outcome.discovery.org_domain_of;
  return by_list ? json::value(by_list(aligned.identifier.domain).text()) : json::value(nullptr);
}

json::array identifiers_of(const DmarcCheck& check) {
  json::array array;
  for (const auto& [given, aligned] : pairs_of(check)) {
    json::object object;
    object["mechanism"] = to_string(given->mechanism);
    object["result"] = given->result;
    object["domain"] = given->domain ? json::value(given->domain->text()) : json::value(nullptr);
    json::value& alignment = object["alignment"];
    if (aligned != nullptr) alignment = to_string(aligned->state);
    json::value& org_domain = object["org_domain"];
    if (aligned != nullptr) org_domain = org_domain_of(check.outcome, *aligned);
    array.emplace_back(std::move(object));
  }
  return array;
}

}  // namespace

std::optional<dmarc::Identifier> Authenticated::identifier() const {
  if (!domain) return std::nullopt;
  if (result == "pass") return dmarc::Identifier{mechanism, *domain, dmarc::Authentication::pass};
  if (result != "temperror") return std::nullopt;
  return dmarc::Identifier{mechanism, *domain, dmarc::Authentication::temperror};
}

dmarc::AssessmentPolicy disposition_of(const dmarc::Outcome& outcome) {
  constexpr auto none = dmarc::AssessmentPolicy::none;
  return outcome.result == Result::fail ? outcome.policy.value_or(none) : none;
}

json::object to_json(const DmarcCheck& check) {
  const dmarc::Outcome& outcome = check.outcome;
  const dmarc::Discovery& discovery = outcome.discovery;
  const WalkStep* const step = discovery.policy();
  json::object object;
  object["result"] = to_string(outcome.result);
  object["reason"] = name_of(outcome.reason);
  object["message"] = to_string(outcome.reason);
  object["policy"] = word_or_null(outcome.published_policy);
  object["effective_policy"] = word_or_null(outcome.policy);
  object["policy_tag"] = word_or_null(outcome.policy_tag);
  object["testing"] = step != nullptr && step->record->testing;
  object["disposition"] = to_string(disposition_of(outcome));
  object["author_domain"] = discovery.author_domain().text();
  json::value& exists = object["author_exists"];
  if (outcome.author_exists) exists = *outcome.author_exists;
  json::value& policy_domain = object["policy_domain"];
  if (step != nullptr) policy_domain = step->domain.text();
  object["policy_source"] = to_string(discovery.source);
  object["org_domain"] = discovery.walk.org_domain.text();
  const bool is_listed = discovery.method() == dmarc::DiscoveryMethod::psl;
  object["org_domain_certain"] = is_listed || discovery.walk.is_certain;
  object["top_level_org"] = !is_listed && has_top_level_org(discovery.walk);
  object["discovery_method"] = to_string(discovery.method());
  object["spf_aligned"] = outcome.is_aligned(dmarc::Mechanism::spf);
  object["dkim_aligned"] = outcome.is_aligned(dmarc::Mechanism::dkim);
  object["identifiers"] = identifiers_of(check);
  object["walk"] = to_json(discovery.walk);
  json::value& published = object["published"];
  if (step != nullptr) published = published_tags(step->text);
  json::value& flawed = object["flawed"];
  if (step != nullptr) flawed = !step->record->problems.empty();
  json::value& tags = object["tags"];
  if (step != nullptr) tags = tags_of(*step->record);
  return object;
}

}  // namespace countersign::service
