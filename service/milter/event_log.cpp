// SPDX-License-Identifier: Apache-2.0

#include "service/milter/event_log.hpp"

#include <fmt/format.h>

#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "service/log/log.hpp"

namespace countersign::service {
namespace {

std::string join_reasons(const mailflow::Outcome& outcome, bool explains) {
  std::string text;
  for (const mailflow::Explanation& reason : told_reasons(outcome, explains)) {
    if (!text.empty()) text += "; ";
    text += to_string(reason);
  }
  return text;
}

/// "s=mail d=a.example a=rsa-sha256, s=…": one entry a signature, from the top down.
std::string join_signatures(const mailflow::Outcome& outcome) {
  std::string text;
  for (const mailflow::SignedAs& signature : outcome.signatures) {
    if (!text.empty()) text += ", ";
    text += fmt::format("s={} d={} a={}", signature.selector.text(), signature.sdid.text(),
                        to_string(signature.algorithm));
  }
  return text;
}

/// "i=1 cv=none d=a.example s=mail".
std::string seal_text(const mailflow::SealedAs& seal) {
  return fmt::format("i={} cv={} d={} s={}", seal.instance, to_string(seal.chain_status),
                     seal.sdid.text(), seal.selector.text());
}

/// "pass d=a.example s=mail, fail d=…": one entry a signature, from the top down.
std::string join_signatures(const mailflow::Verdict& verdict) {
  std::string text;
  for (const dkim::SignatureResult& one : verdict.signatures) {
    if (!text.empty()) text += ", ";
    text += to_string(one.result);
    if (one.signature) {
      text += fmt::format(" d={} s={}", one.signature->sdid.text(), one.signature->selector.text());
    }
    if (one.result != dkim::Result::pass) text += fmt::format(" ({})", name_of(one.reason));
  }
  return text;
}

std::string join_overrides(const mailflow::Disposition& disposition) {
  std::string text;
  for (const mailflow::Override& one : disposition.overrides) {
    if (!text.empty()) text += "; ";
    text += fmt::format("{} ({})", to_string(one.reason), one.comment);
  }
  return text;
}

/// The result of an identity and the domain that it speaks about, under these keys.
void add_spf(const std::optional<spf::Outcome>& spf, std::string_view key,
             std::string_view domain_key, std::vector<LogField>& fields) {
  if (!spf) return;
  fields.emplace_back(key, std::string(to_string(spf->result)));
  if (spf->domain) fields.emplace_back(domain_key, spf->domain->text());
}

/// What was found out and what follows, a field for each.
void add_judgement(const mailflow::Judgement& judgement, std::vector<LogField>& fields) {
  const mailflow::Verdict& verdict = judgement.verdict;
  add_spf(verdict.helo, "helo", "helo_domain", fields);
  add_spf(verdict.mail_from, "spf", "spf_domain", fields);
  if (verdict.checked_dkim) {
    fields.emplace_back("dkim", std::string(to_string(dkim::summarize(verdict.signatures))));
    if (!verdict.signatures.empty()) fields.emplace_back("signatures", join_signatures(verdict));
  }
  if (verdict.arc && verdict.arc->status != arc::ChainStatus::none) {
    fields.emplace_back("arc", std::string(to_string(verdict.arc->status)));
  }
  if (const auto dmarc = verdict.dmarc_result()) {
    fields.emplace_back("dmarc", std::string(to_string(*dmarc)));
  }
  if (verdict.dmarc && verdict.dmarc->policy) {
    fields.emplace_back("policy", std::string(to_string(*verdict.dmarc->policy)));
  }
  for (const mailflow::Ambiguity& one : verdict.authorship.ambiguities) {
    fields.emplace_back("ambiguity", to_string(one));
  }
  if (verdict.replay.is_replay) {
    fields.emplace_back("replay", std::to_string(verdict.replay.recipients));
  }
  const mailflow::Disposition& disposition = judgement.disposition;
  if (disposition.rule) fields.emplace_back("rule", std::string(name_of(*disposition.rule)));
  if (!disposition.overrides.empty()) fields.emplace_back("override", join_overrides(disposition));
  if (!disposition.text.empty()) fields.emplace_back("text", disposition.text);
  if (judgement.removed_fields > 0) {
    fields.emplace_back("removed_fields", std::to_string(judgement.removed_fields));
  }
  if (judgement.is_shadow) {
    fields.emplace_back("shadow", std::string(to_string(disposition.action)));
  }
}

struct EventWriter {
  Log& log;
  EventDetail detail;

  void operator()(const milter::Negotiated& event) const {
    if (!log.is_on(LogLevel::debug)) return;
    log.write(LogLevel::debug, "negotiated",
              {{"version", std::to_string(event.version)},
               {"actions", fmt::format("{:#x}", event.actions)},
               {"steps", fmt::format("{:#x}", event.steps)}});
  }

  void operator()(const milter::MessageFinished& event) const {
    const mailflow::Outcome& outcome = event.outcome;
    const bool trouble =
        outcome.action != mailflow::Action::accept || mailflow::has_problem(outcome);
    const LogLevel level = trouble ? LogLevel::warning : LogLevel::info;
    const bool was_judged = outcome.judgement != nullptr;
    if (!trouble && !was_judged && !detail.successes && !detail.explains) return;
    if (!log.is_on(level)) return;
    const bool was_signed = !outcome.signatures.empty();
    std::vector<LogField> fields{{"queue_id", outcome.queue_id},
                                 {"action", std::string(to_string(outcome.action))},
                                 {"client", event.client},
                                 {"author", outcome.author}};
    if (was_signed) fields.emplace_back("signatures", join_signatures(outcome));
    if (was_judged) add_judgement(*outcome.judgement, fields);
    if (outcome.seal) fields.emplace_back("seal", seal_text(*outcome.seal));
    std::string why = join_reasons(outcome, detail.explains);
    if (!why.empty()) fields.emplace_back("why", std::move(why));
    fields.emplace_back("header_octets", std::to_string(outcome.header_octets));
    if (was_signed) fields.emplace_back("body_octets", std::to_string(outcome.body_octets));
    const std::string_view message = was_signed ? "signed" : was_judged ? "judged" : "not signed";
    log.write(level, message, fields);
  }

  void operator()(const milter::MessageAborted& event) const {
    log.write(LogLevel::debug, "the MTA gave up a message", {{"queue_id", event.queue_id}});
  }

  void operator()(const milter::SessionFailed& event) const {
    log.write(LogLevel::warning, "milter session failed", {{"why", to_string(event)}});
  }
};

}  // namespace

void log_event(Log& log, const milter::Event& event, EventDetail detail) {
  std::visit(EventWriter{log, detail}, event);
}

}  // namespace countersign::service
