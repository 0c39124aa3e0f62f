// SPDX-License-Identifier: Apache-2.0

#include "service/explain/verdict_json.hpp"

#include <boost/json.hpp>
#include <optional>
#include <utility>

#include "service/explain/dkim_json.hpp"
#include "service/explain/dmarc_json.hpp"
#include "service/explain/json_text.hpp"
#include "service/explain/spf_json.hpp"

namespace countersign::service {
namespace {

namespace json = boost::json;
using mailflow::Verdict;

SpfCheck spf_check(const VerdictReport& report, const spf::Outcome& outcome) {
  const mailflow::Envelope& envelope = report.envelope;
  return {.request = {.client_ip = envelope.client_ip.value(),
                      .helo = envelope.helo,
                      .mail_from = envelope.mail_from,
                      .identity = outcome.identity,
                      .receiver = "unknown",
                      .now = {}},
          .outcome = outcome,
          .limits = report.limits};
}

json::value spf_or_null(const VerdictReport& report, const std::optional<spf::Outcome>& outcome) {
  if (!outcome) return nullptr;
  return to_json(spf_check(report, *outcome));
}

json::value arc_or_null(const std::optional<arc::Outcome>& outcome) {
  if (!outcome) return nullptr;
  json::array chain;
  for (const arc::SetResult& set : outcome->sets) {
    chain.emplace_back(json::object{{"instance", set.instance},
                                    {"sealer", set.sealer.text()},
                                    {"selector", set.selector.text()},
                                    {"seal", to_string(set.seal.result)},
                                    {"message_signature", to_string(set.message_signature.result)},
                                    {"results", json_text(set.payload)}});
  }
  return json::object{{"result", to_string(outcome->status)},
                      {"reason", name_of(outcome->reason)},
                      {"message", to_string(outcome->reason)},
                      {"oldest_pass", outcome->oldest_pass},
                      {"chain", std::move(chain)}};
}

/// What DMARC was given, in the form of the dmarc subcommand.
std::vector<Authenticated> authenticated_by(const dmarc::Outcome& outcome) {
  std::vector<Authenticated> all;
  for (const dmarc::AlignedIdentifier& one : outcome.identifiers) {
    all.push_back({one.identifier.mechanism, std::string(to_string(one.identifier.authentication)),
                   one.identifier.domain});
  }
  return all;
}

/// What there is to say where nobody knows whose policy to look for.
json::object dmarc_without_author() {
  return {{"author_domain", nullptr},
          {"org_domain", nullptr},
          {"policy_domain", nullptr},
          {"published", nullptr},
          {"policy", nullptr},
          {"disposition", to_string(dmarc::AssessmentPolicy::none)},
          {"alignment", {{"dkim", false}, {"spf", false}}},
          {"walk", json::array()}};
}

json::value dmarc_or_null(const Verdict& verdict) {
  const std::optional<dmarc::Result> told = verdict.dmarc_result();
  if (!told) return nullptr;
  json::object object = dmarc_without_author();
  if (verdict.dmarc) {
    object = to_json(DmarcCheck{authenticated_by(*verdict.dmarc), *verdict.dmarc});
    object["alignment"] = {{"dkim", verdict.dmarc->is_aligned(dmarc::Mechanism::dkim)},
                           {"spf", verdict.dmarc->is_aligned(dmarc::Mechanism::spf)}};
  }
  object["result"] = to_string(*told);
  if (!verdict.authorship.ambiguities.empty()) {
    object["reason"] = name_of(verdict.authorship.ambiguities.front().code);
    object["message"] = json_text(to_string(verdict.authorship.ambiguities.front()));
    object["disposition"] = to_string(dmarc::AssessmentPolicy::none);
  }
  return object;
}

json::value iprev_or_null(const std::optional<mailflow::IprevOutcome>& outcome) {
  if (!outcome) return nullptr;
  return json::object{{"result", to_string(outcome->result)}, {"name", json_text(outcome->name)}};
}

json::array questions_of(const VerdictReport& report) {
  json::array questions;
  for (const AskedQuestion& one : report.asked) {
    questions.emplace_back(json::object{{"name", one.question.name},
                                        {"type", to_string(one.question.type)},
                                        {"status", to_string(one.status)}});
  }
  return questions;
}

/// What the client of SMTP reads; empty when the message is taken.
std::string reply_of(const mailflow::Disposition& disposition) {
  using mailflow::Action;
  const bool is_refused =
      disposition.action == Action::reject || disposition.action == Action::tempfail;
  return is_refused ? disposition.codes + " " + disposition.text : std::string();
}

}  // namespace

json::object to_json(const VerdictReport& report) {
  const mailflow::Judgement& judgement = report.judgement;
  const Verdict& verdict = judgement.verdict;
  json::object object;
  object["spf"] = spf_or_null(report, verdict.mail_from);
  object["helo"] = spf_or_null(report, verdict.helo);
  json::array signatures;
  for (const dkim::SignatureResult& one : verdict.signatures) signatures.emplace_back(to_json(one));
  object["dkim"] = std::move(signatures);
  object["arc"] = arc_or_null(verdict.arc);
  object["dmarc"] = dmarc_or_null(verdict);
  object["iprev"] = iprev_or_null(verdict.iprev);
  json::array ambiguities;
  for (const mailflow::Ambiguity& one : verdict.authorship.ambiguities) {
    ambiguities.emplace_back(
        json::object{{"code", name_of(one.code)}, {"message", json_text(to_string(one))}});
  }
  object["ambiguities"] = std::move(ambiguities);
  object["authentication_results"] = json_text(judgement.results_field);
  object["removed_fields"] = judgement.removed_fields;
  object["action"] = to_string(judgement.disposition.action);
  object["shadow"] = judgement.is_shadow;
  json::value& rule = object["rule"];
  if (judgement.disposition.rule) rule = name_of(*judgement.disposition.rule);
  object["text"] = text_or_null(judgement.disposition.text);
  const std::string reply = reply_of(judgement.disposition);
  object["reply"] = text_or_null(reply);
  json::array overrides;
  for (const mailflow::Override& one : judgement.disposition.overrides) {
    overrides.emplace_back(
        json::object{{"reason", to_string(one.reason)}, {"comment", json_text(one.comment)}});
  }
  object["overrides"] = std::move(overrides);
  object["questions"] = questions_of(report);
  return object;
}

}  // namespace countersign::service
