// SPDX-License-Identifier: Apache-2.0

#include "service/milter/event_log.hpp"

#include <fmt/format.h>

#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "service/log/log.hpp"

namespace countersign::service {
namespace {

std::string_view to_word(mailflow::Action action) {
  switch (action) {
    case mailflow::Action::accept:
      return "accept";
    case mailflow::Action::discard:
      return "discard";
    case mailflow::Action::quarantine:
      return "quarantine";
    case mailflow::Action::reject:
      return "reject";
    case mailflow::Action::tempfail:
      return "tempfail";
  }
  return "unknown";
}

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
    if (!trouble && !detail.successes && !detail.explains) return;
    if (!log.is_on(level)) return;
    const bool was_signed = !outcome.signatures.empty();
    std::vector<LogField> fields{{"queue_id", outcome.queue_id},
                                 {"action", std::string(to_word(outcome.action))},
                                 {"client", event.client},
                                 {"author", outcome.author}};
    if (was_signed) fields.emplace_back("signatures", join_signatures(outcome));
    std::string why = join_reasons(outcome, detail.explains);
    if (!why.empty()) fields.emplace_back("why", std::move(why));
    fields.emplace_back("header_octets", std::to_string(outcome.header_octets));
    if (was_signed) fields.emplace_back("body_octets", std::to_string(outcome.body_octets));
    log.write(level, was_signed ? "signed" : "not signed", fields);
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
