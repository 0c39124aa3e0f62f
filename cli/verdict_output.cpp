// SPDX-License-Identifier: Apache-2.0

#include "cli/verdict_output.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <optional>
#include <utility>

#include "cli/dkim_output.hpp"
#include "cli/dmarc_output.hpp"
#include "cli/json_output.hpp"
#include "cli/spf_output.hpp"
#include "countersign/limits.hpp"
#include "service/log/escape.hpp"

namespace countersign::cli {
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
          .outcome = outcome};
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

json::value dmarc_or_null(const Verdict& verdict) {
  const std::optional<dmarc::Result> told = verdict.dmarc_result();
  if (!told) return nullptr;
  json::object object;
  if (verdict.dmarc) {
    object = to_json(DmarcCheck{authenticated_by(*verdict.dmarc), *verdict.dmarc});
    object["alignment"] = {{"dkim", verdict.dmarc->is_aligned(dmarc::Mechanism::dkim)},
                           {"spf", verdict.dmarc->is_aligned(dmarc::Mechanism::spf)}};
  }
  object["result"] = to_string(*told);
  if (!verdict.authorship.ambiguities.empty()) {
    object["reason"] = name_of(verdict.authorship.ambiguities.front().code);
    object["message"] = json_text(to_string(verdict.authorship.ambiguities.front()));
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

/// A field on one line.
std::string unfolded(std::string_view field) {
  std::string text;
  for (const char c : field) {
    if (c != '\r' && c != '\n') text += c == '\t' ? ' ' : c;
  }
  return text;
}

void print_arc(const std::optional<arc::Outcome>& outcome) {
  if (!outcome || outcome->status == arc::ChainStatus::none) return;
  fmt::print("arc={}  {}\n", to_string(outcome->status), to_string(outcome->reason));
  for (const arc::SetResult& set : outcome->sets) {
    fmt::print("  {}: sealed by {}, selector {}\n", set.instance, set.sealer.display(),
               set.selector.text());
  }
}

void print_disposition(const Terminal& terminal, const mailflow::Judgement& judgement) {
  const mailflow::Disposition& disposition = judgement.disposition;
  const bool is_accepted = disposition.action == mailflow::Action::accept;
  fmt::print("{}\n", terminal.paint(is_accepted ? Colour::green : Colour::red,
                                    fmt::format("action: {}", to_string(disposition.action))));
  if (!disposition.text.empty()) fmt::print("  {}\n", service::printable(disposition.text));
  for (const mailflow::Override& one : disposition.overrides) {
    fmt::print("  policy overridden: {} ({})\n", to_string(one.reason), one.comment);
  }
  if (judgement.removed_fields > 0) {
    fmt::print("  {} forged or foreign fields are removed\n", judgement.removed_fields);
  }
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
  json::value& rule = object["rule"];
  if (judgement.disposition.rule) rule = name_of(*judgement.disposition.rule);
  const std::string reply = reply_of(judgement.disposition);
  object["reply"] = reply.empty() ? json::value(nullptr) : json::value(json_text(reply));
  json::array overrides;
  for (const mailflow::Override& one : judgement.disposition.overrides) {
    overrides.emplace_back(
        json::object{{"reason", to_string(one.reason)}, {"comment", json_text(one.comment)}});
  }
  object["overrides"] = std::move(overrides);
  object["questions"] = questions_of(report);
  return object;
}

void print_report(const Terminal& terminal, const VerdictReport& report) {
  const Verdict& verdict = report.judgement.verdict;
  for (const mailflow::Ambiguity& one : verdict.authorship.ambiguities) {
    fmt::print("{}\n", terminal.paint(Colour::red, service::printable(to_string(one))));
  }
  for (const auto* outcome : {&verdict.helo, &verdict.mail_from}) {
    if (*outcome) print_check(terminal, spf_check(report, **outcome), Limits());
  }
  if (verdict.signatures.empty()) {
    fmt::print("dkim=none  the message has no DKIM-Signature field\n");
  }
  for (const dkim::SignatureResult& one : verdict.signatures) print_result(terminal, one);
  print_arc(verdict.arc);
  if (verdict.dmarc) {
    print_check(terminal, DmarcCheck{authenticated_by(*verdict.dmarc), *verdict.dmarc});
  }
  print_disposition(terminal, report.judgement);
  fmt::print("DNS: {} questions\n", report.asked.size());
  for (const AskedQuestion& one : report.asked) {
    fmt::print("  {} {}: {}\n", one.question.name, to_string(one.question.type),
               to_string(one.status));
  }
  fmt::print("{}\n", service::printable(unfolded(report.judgement.results_field)));
}

}  // namespace countersign::cli
