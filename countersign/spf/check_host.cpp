// SPDX-License-Identifier: Apache-2.0
//
// check_host() step by step: RFC 7208 §4 with the modifiers of §6.

#include "countersign/spf/check_host.hpp"

#include <algorithm>
#include <utility>
#include <variant>

#include "countersign/assert.hpp"
#include "countersign/spf/evaluator.hpp"
#include "countersign/text/abnf.hpp"

namespace countersign::spf {

namespace {

using dns::Answer;
using dns::AnswerStatus;
using dns::Question;
using dns::RecordType;

constexpr text::CharClass is_printable = text::is_vchar | text::CharClass(" ");

// What a domain publishes, read: its one record, or what the check concludes where there is none.
struct Published {
  AnswerStatus status = AnswerStatus::servfail;
  std::optional<Conclusion> fault;
  std::string text;  // Of the record, be it valid or not.
  Record record;

  [[nodiscard]] std::size_t octets() const {
    return sizeof *this + text.size() + record.directives.size() * sizeof(Directive) +
           record.unknown_modifiers.size() * sizeof(Modifier) + (fault ? fault->detail.size() : 0);
  }
};

// RFC 7208 §4.4, §4.5
countersign::Result<std::string, Conclusion> select_record(const Question& question,
                                                           const Answer& answer) {
  if (answer.is_failure()) return std::unexpected(dns_failure(question, answer.status));
  if (answer.status == AnswerStatus::nxdomain)
    return std::unexpected(Conclusion{Result::none, Reason::domain_not_found, {}});
  std::optional<std::string> selected;
  for (const dns::RecordData& data : answer.records) {
    const auto* strings = std::get_if<dns::Text>(&data);
    if (strings == nullptr || strings->strings.empty()) continue;
    std::string text = strings->joined();
    if (!is_spf_record(text)) continue;
    if (selected)
      return std::unexpected(Conclusion{Result::permerror, Reason::several_records, {}});
    selected = std::move(text);
  }
  if (!selected) return std::unexpected(Conclusion{Result::none, Reason::no_record, {}});
  return *std::move(selected);
}

Conclusion bad_record(const RecordError& error, const std::string& domain) {
  return {Result::permerror, Reason::bad_record,
          std::string(to_string(error)) + ", at octet " + std::to_string(error.offset) +
              " of the record of " + domain};
}

// A fault anywhere in the record counts before any of its terms. RFC 7208 §4.6
Published read_published(const Question& question, const Answer& answer, const Limits& limits) {
  Published published{.status = answer.status};
  auto selected = select_record(question, answer);
  if (!selected) {
    published.fault = std::move(selected.error());
    return published;
  }
  published.text = *std::move(selected);
  auto record = parse_record(published.text, limits);
  if (record)
    published.record = *std::move(record);
  else
    published.fault = bad_record(record.error(), question.name);
  return published;
}

bool asks_dns(Mechanism mechanism) {
  return mechanism != Mechanism::all && mechanism != Mechanism::ip4 && mechanism != Mechanism::ip6;
}

Match match_of(const Matched& matched) {
  if (matched) return *matched ? Match::matched : Match::not_matched;
  return matched.error().result == Result::temperror ? Match::temperror : Match::permerror;
}

// Macros put into texts what a stranger said; nothing of that may end a line or pose as more text.
std::string printable(std::string text) {
  std::ranges::replace_if(text, [](char c) { return !is_printable(c); }, '?');
  return text;
}

// An include or redirect to what is no domain, or to a domain without a record.
Conclusion no_target(Reason reason, const Scope& scope) {
  return {Result::permerror, reason,
          std::string(scope.tried.text.in(scope.record)) + " comes to no name of DNS"};
}

Conclusion no_record_at(Reason reason, const Evaluation& inner) {
  return {Result::permerror, reason, inner.domain + ": " + std::string(to_string(inner.reason))};
}

// The one record of an explanation, or an empty text. RFC 7208 §6.2
std::string explanation_of(const Answer& answer) {
  const auto* text =
      answer.records.size() == 1 ? std::get_if<dns::Text>(&answer.records.front()) : nullptr;
  return text != nullptr ? text->joined() : std::string();
}

}  // namespace

Conclusion dns_failure(const Question& question, AnswerStatus status) {
  const bool is_bogus = status == AnswerStatus::bogus;
  return {Result::temperror, is_bogus ? Reason::dns_not_trusted : Reason::dns_failed,
          std::string(dns::to_string(status)) + " for " + std::string(to_string(question.type)) +
              " of " + question.name};
}

Evaluator::Evaluator(const CheckHost& request, const Sender& sender, const Limits& limits)
    : request_(request), sender_(sender), limits_(limits), helo_(request.helo) {
  // RFC 8616 §4
  if (!std::ranges::any_of(helo_, [](char c) { return text::is_8bit(c); })) return;
  if (const auto name = DomainName::parse(helo_)) helo_ = name->text();
}

dns::Asking<Evaluation> Evaluator::check_host(std::string domain, Explains explains) {
  Evaluation evaluation{.domain = std::move(domain)};
  Conclusion conclusion = co_await conclude(evaluation, explains);
  evaluation.result = conclusion.result;
  evaluation.reason = conclusion.reason;
  evaluation.detail = std::move(conclusion.detail);
  co_return evaluation;
}

dns::Asking<Conclusion> Evaluator::conclude(Evaluation& evaluation, Explains explains) {
  // Initial processing. RFC 7208 §4.3
  const std::string& domain = evaluation.domain;
  if (!domain.contains('.')) co_return Conclusion{Result::none, Reason::no_domain, {}};

  // Record lookup and selection. RFC 7208 §4.4, §4.5
  const Question question{domain, RecordType::txt};
  const auto published = co_await dns::ask_parsed<read_published>(question, limits_);
  evaluation.lookups.push_back({question, published->status});
  evaluation.record = published->text;
  if (published->fault) co_return *published->fault;
  const Record& record = published->record;
  evaluation.terms.reserve(record.directives.size() + 1);

  // The first mechanism that matches decides. RFC 7208 §4.6.2
  for (const Directive& directive : record.directives) {
    TriedTerm& tried = evaluation.terms.emplace_back(TriedTerm{.text = directive.text});
    Matched matched = true;
    if (asks_dns(directive.mechanism))
      matched = co_await match(directive, {evaluation.record, domain, tried});
    else if (directive.mechanism != Mechanism::all)  // RFC 7208 §5.1
      matched = is_in_network(directive);
    tried.match = match_of(matched);
    if (!matched) co_return std::move(matched.error());
    if (!*matched) continue;
    const Result result = result_of(directive.qualifier);
    if (result == Result::fail && explains == Explains::yes && record.explanation)
      explanation_ = co_await explain(record.explanation->value.in(evaluation.record), domain);
    co_return Conclusion{result, Reason::matched, {}};
  }

  // No mechanism matched: another record decides, or nothing does. RFC 7208 §4.7, §6.1
  if (!record.redirect) co_return Conclusion{Result::neutral, Reason::no_match, {}};
  TriedTerm& tried = evaluation.terms.emplace_back(TriedTerm{.text = record.redirect->text});
  co_return co_await redirect(record.redirect->value, {evaluation.record, domain, tried}, explains);
}

// A mechanism that asks DNS: its limit, its <target-name>, and then its own section of §5.
dns::Asking<Matched> Evaluator::match(const Directive& directive, Scope scope) {
  Target target = co_await target_of(directive.domain_spec, scope);
  if (!target) co_return std::unexpected(std::move(target.error()));
  TriedTerm& tried = scope.tried;
  if (!*target) {
    // What is no domain has no address, and no record to be included. RFC 7208 §4.8, §5.2
    if (directive.mechanism != Mechanism::include ||
        is_unmatchable(directive.domain_spec.in(scope.record)))
      co_return false;
    co_return std::unexpected(no_target(Reason::include_without_record, scope));
  }
  tried.target = **target;
  switch (directive.mechanism) {
    case Mechanism::include:
      co_return co_await match_include(**std::move(target), tried);
    case Mechanism::a:
      co_return co_await match_a(**std::move(target), directive, tried);
    case Mechanism::mx:
      co_return co_await match_mx(**std::move(target), directive, tried);
    case Mechanism::ptr:
      co_return co_await match_ptr(**std::move(target), tried);
    case Mechanism::exists:
      co_return co_await match_exists(**std::move(target), tried);
    case Mechanism::all:
    case Mechanism::ip4:
    case Mechanism::ip6:
      break;
  }
  COUNTERSIGN_ASSERT(false && "this mechanism asks nothing");
}

// redirect: the other record's result is the result. RFC 7208 §6.1
dns::Asking<Conclusion> Evaluator::redirect(Part spec, Scope scope, Explains explains) {
  TriedTerm& tried = scope.tried;
  tried.match = Match::permerror;
  Target target = co_await target_of(spec, scope);
  if (!target) co_return std::move(target.error());
  if (!*target) co_return no_target(Reason::redirect_without_record, scope);
  tried.target = **target;
  Evaluation inner = co_await check_host(**std::move(target), explains);
  Conclusion conclusion{inner.result, inner.reason, inner.detail};
  if (inner.result == Result::none)
    conclusion = no_record_at(Reason::redirect_without_record, inner);
  tried.match = conclusion.result == Result::temperror   ? Match::temperror
                : conclusion.result == Result::permerror ? Match::permerror
                                                         : Match::matched;
  tried.inner.push_back(std::move(inner));
  co_return conclusion;
}

// exp: what to tell those whose mail fails. Nothing that goes wrong here changes a result, and no
// limit counts it: the result is known. RFC 7208 §6.2
dns::Asking<std::string> Evaluator::explain(std::string_view spec, std::string_view domain) {
  if (needs_client_names(spec)) client_names_ = co_await ask_client_names(explanation_lookups_);
  const std::optional<std::string> target = target_name(spec, domain);
  if (!target) co_return std::string();
  const Question question{*target, RecordType::txt};
  const Answer answer = co_await dns::ask(question);
  explanation_lookups_.push_back({question, answer.status});
  const std::string text = explanation_of(answer);
  if (text.size() > limits_.spf_record_bytes_max ||
      !check_macro_string(text, MacroPlace::explanation))
    co_return std::string();
  if (needs_client_names(text)) client_names_ = co_await ask_client_names(explanation_lookups_);
  co_return printable(
      expand_macros(text, values_for(domain), limits_.spf_explanation_bytes_max).value_or(""));
}

// Counts the term and expands its domain-spec. RFC 7208 §4.6.4, §4.8
dns::Asking<Target> Evaluator::target_of(Part spec, Scope scope) {
  if (auto conclusion = count_lookup_term()) co_return std::unexpected(*std::move(conclusion));
  const std::string_view text = spec.in(scope.record);
  if (needs_client_names(text)) {
    if (auto conclusion = count_lookup_term()) co_return std::unexpected(*std::move(conclusion));
    client_names_ = co_await ask_client_names(scope.tried.lookups);
  }
  co_return target_name(text, scope.domain);
}

std::optional<Conclusion> Evaluator::count_lookup_term() {
  if (++lookup_terms_ <= limits_.spf_lookup_terms_max) return std::nullopt;
  return Conclusion{Result::permerror, Reason::too_many_lookups, {}};
}

// A term for which DNS has nothing does not match, until there are too many. RFC 7208 §4.6.4
Matched Evaluator::count_void_lookup() {
  if (++void_lookups_ <= limits_.spf_void_lookups_max) return false;
  return std::unexpected(Conclusion{Result::permerror, Reason::too_many_void_lookups, {}});
}

bool Evaluator::needs_client_names(std::string_view text) const {
  return !client_names_ && uses_macro(text, "p");
}

MacroValues Evaluator::values_for(std::string_view domain) const {
  return {.local_part = sender_.local_part,
          .sender_domain = sender_.domain.text(),
          .domain = domain,
          .client_ip = request_.client_ip,
          .client_name = client_name(domain),
          .helo = helo_,
          .receiver = request_.receiver,
          .now = request_.now};
}

// An internationalized local-part is no label, so nothing that asks for it matches. RFC 8616 §4
bool Evaluator::is_unmatchable(std::string_view spec) const {
  return sender_.is_internationalized() && uses_macro(spec, "ls");
}

// RFC 7208 §4.8
std::optional<std::string> Evaluator::target_name(std::string_view spec,
                                                  std::string_view domain) const {
  if (spec.empty()) return std::string(domain);
  if (!spec.contains('%')) return query_name(spec);
  if (is_unmatchable(spec)) return std::nullopt;
  const auto expanded = expand_macros(spec, values_for(domain), limits_.spf_expansion_bytes_max);
  return expanded ? query_name(*expanded) : std::nullopt;
}

void Evaluator::finish(Outcome& outcome) {
  outcome.result = outcome.evaluation.result;
  outcome.reason = outcome.evaluation.reason;
  outcome.detail = outcome.evaluation.detail;
  outcome.explanation = std::move(explanation_);
  outcome.explanation_lookups = std::move(explanation_lookups_);
  outcome.lookup_terms = lookup_terms_;
  outcome.void_lookups = void_lookups_;
}

dns::Asking<Outcome> check_host(CheckHost request, Limits limits) {
  Outcome outcome{.identity = request.identity};
  const auto sender = request.identity == Identity::helo
                          ? helo_sender(request.helo)
                          : mail_from_sender(request.mail_from, request.helo);
  // What is as long as that was cut, and names who knows whom (S-13).
  const bool is_cut = request.identity == Identity::mail_from &&
                      request.mail_from.size() >= limits.envelope_text_bytes_max;
  if (!sender || is_cut) {
    outcome.reason = is_cut ? Reason::bad_mail_from : sender.error();
    if (outcome.reason == Reason::bad_mail_from) outcome.result = Result::permerror;
    co_return outcome;
  }
  outcome.domain = sender->domain;
  Evaluator evaluator(request, *sender, limits);
  outcome.evaluation = co_await evaluator.check_host(sender->domain.text(), Explains::yes);
  evaluator.finish(outcome);
  co_return outcome;
}

}  // namespace countersign::spf
