// SPDX-License-Identifier: Apache-2.0

#include "cli/dmarc_output.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>

#include "cli/json_output.hpp"
#include "cli/tag_texts.hpp"
#include "service/log/escape.hpp"

namespace countersign::cli {
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
    if (aligned != nullptr && aligned->walk) org_domain = aligned->walk->org_domain.text();
    array.emplace_back(std::move(object));
  }
  return array;
}

Colour colour_of(Result result) {
  switch (result) {
    case Result::pass:
      return Colour::green;
    case Result::fail:
    case Result::permerror:
      return Colour::red;
    default:
      return Colour::yellow;
  }
}

void print_policy(const dmarc::Outcome& outcome) {
  if (!outcome.policy_tag) return;
  const dmarc::Record& record = *outcome.record();
  fmt::print("  policy of {} by {}=: {}", outcome.policy_domain()->display(),
             to_string(*outcome.policy_tag), to_string(*outcome.published_policy));
  if (outcome.is_test_mode())
    fmt::print(", while it is testing (t=y): {}", to_string(*outcome.policy));
  fmt::print("\n");
  if (!record.problems.empty())
    fmt::print("  the record is not as it should be; see countersign lint dmarc\n");
}

void print_walk(const dmarc::Walk& walk) {
  for (const WalkStep& step : walk.steps) {
    fmt::print("  {}: ", record_name(step));
    if (step.record) {
      fmt::print("{}\n", service::printable(step.text));
    } else if (step.finding == dmarc::Finding::no_record) {
      fmt::print("{}\n", step.status == dns::AnswerStatus::records ? "no DMARC record"
                                                                   : to_string(step.status));
    } else {
      fmt::print("{}: {}\n", to_string(step.status), to_string(step.finding));
    }
  }
}

void print_identifiers(const DmarcCheck& check) {
  for (const auto& [given, aligned] : pairs_of(check)) {
    fmt::print("  {}={} {}: ", to_string(given->mechanism), given->result,
               given->domain ? given->domain->display() : "no domain");
    if (!given->identifier()) {
      fmt::print("authenticates nothing\n");
    } else if (aligned == nullptr) {
      fmt::print("not looked at\n");
    } else {
      fmt::print("{}", to_string(aligned->state));
      if (aligned->walk) fmt::print(", organization {}", aligned->walk->org_domain.display());
      fmt::print("\n");
    }
  }
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
  object["spf_aligned"] = outcome.is_aligned(dmarc::Mechanism::spf);
  object["dkim_aligned"] = outcome.is_aligned(dmarc::Mechanism::dkim);
  object["identifiers"] = identifiers_of(check);
  object["walk"] = to_json(discovery.walk);
  json::value& published = object["published"];
  if (step != nullptr) published = published_tags(step->text);
  json::value& tags = object["tags"];
  if (step != nullptr) tags = tags_of(*step->record);
  return object;
}

void print_check(const Terminal& terminal, const DmarcCheck& check) {
  const dmarc::Outcome& outcome = check.outcome;
  const std::string verdict = fmt::format("dmarc={}", to_string(outcome.result));
  fmt::print("{}  From {}\n", terminal.paint(colour_of(outcome.result), verdict),
             outcome.discovery.author_domain().display());
  fmt::print("  {}\n", to_string(outcome.reason));
  fmt::print("  organization {}{}\n", outcome.discovery.walk.org_domain.display(),
             outcome.discovery.walk.is_certain ? "" : ", as far as DNS tells");
  print_policy(outcome);
  fmt::print("  asked of receivers: {}\n", to_string(disposition_of(outcome)));
  print_walk(outcome.discovery.walk);
  print_identifiers(check);
}

}  // namespace countersign::cli
