// SPDX-License-Identifier: Apache-2.0
//
// Both forms walk the same tree. It is as deep as an evaluation may be, which its limit on terms
// bounds.

#include "cli/spf_output.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>

#include "cli/json_output.hpp"
#include "countersign/spf/received_spf.hpp"
#include "service/log/escape.hpp"

namespace countersign::cli {
namespace {

namespace json = boost::json;

json::value text_or_null(std::string_view text) {
  return text.empty() ? json::value(nullptr) : json::value(json_text(text));
}

/// The sentence of the reason, with what is known besides.
template <class Conclusion>
std::string message_of(const Conclusion& conclusion) {
  std::string message(to_string(conclusion.reason));
  if (!conclusion.detail.empty()) message += ": " + conclusion.detail;
  return message;
}

std::string_view match_word(spf::Match match) {
  return match == spf::Match::not_matched ? "not_matched" : to_string(match);
}

json::array to_json(const std::vector<spf::Lookup>& lookups) {
  json::array array;
  for (const spf::Lookup& lookup : lookups) {
    array.emplace_back(json::object{{"name", json_text(lookup.question.name)},
                                    {"type", to_string(lookup.question.type)},
                                    {"status", to_string(lookup.status)}});
  }
  return array;
}

json::array terms_of(const spf::Evaluation& evaluation);

json::value inner_of(const spf::TriedTerm& term) {
  if (term.inner.empty()) return nullptr;
  const spf::Evaluation& inner = term.inner.front();
  return json::object{{"domain", json_text(inner.domain)},
                      {"result", to_string(inner.result)},
                      {"reason", name_of(inner.reason)},
                      {"message", json_text(message_of(inner))},
                      {"record", text_or_null(inner.record)},
                      {"lookups", to_json(inner.lookups)},
                      {"terms", terms_of(inner)}};
}

json::array terms_of(const spf::Evaluation& evaluation) {
  json::array array;
  for (const spf::TriedTerm& term : evaluation.terms) {
    array.emplace_back(json::object{{"text", json_text(evaluation.text_of(term))},
                                    {"target", text_or_null(term.target)},
                                    {"match", match_word(term.match)},
                                    {"lookups", to_json(term.lookups)},
                                    {"inner", inner_of(term)}});
  }
  return array;
}

void print_lookups(const std::vector<spf::Lookup>& lookups, std::size_t indent) {
  for (const spf::Lookup& lookup : lookups) {
    const bool found = lookup.status == dns::AnswerStatus::records;
    fmt::print("{:{}}{} {}: {}\n", "", indent, to_string(lookup.question.type),
               service::printable(lookup.question.name),
               found ? "found" : to_string(lookup.status));
  }
}

void print_evaluation(const spf::Evaluation& evaluation, std::size_t indent) {
  if (evaluation.domain.empty()) return;
  fmt::print("{:{}}{}: {}\n", "", indent, service::printable(evaluation.domain),
             to_string(evaluation.result));
  const std::size_t deeper = indent + 2;
  print_lookups(evaluation.lookups, deeper);
  if (!evaluation.record.empty())
    fmt::print("{:{}}{}\n", "", deeper, service::printable(evaluation.record));
  for (const spf::TriedTerm& term : evaluation.terms) {
    fmt::print("{:{}}- {}: {}\n", "", deeper, service::printable(evaluation.text_of(term)),
               to_string(term.match));
    print_lookups(term.lookups, deeper + 4);
    for (const spf::Evaluation& inner : term.inner) print_evaluation(inner, deeper + 4);
  }
}

Colour colour_of(spf::Result result) {
  switch (result) {
    case spf::Result::pass:
      return Colour::green;
    case spf::Result::fail:
    case spf::Result::permerror:
      return Colour::red;
    default:
      return Colour::yellow;
  }
}

std::string identity_of(const spf::CheckHost& request) {
  const std::string helo = "HELO " + service::printable(request.helo);
  if (request.identity == spf::Identity::helo) return helo;
  if (request.mail_from.empty()) return fmt::format("MAIL FROM <>, which means {},", helo);
  return fmt::format("MAIL FROM <{}>", service::printable(request.mail_from));
}

}  // namespace

json::object to_json(const SpfCheck& check) {
  const spf::Outcome& outcome = check.outcome;
  json::object object;
  object["identity"] = to_string(outcome.identity);
  object["domain"] = outcome.domain ? json::value(outcome.domain->text()) : json::value(nullptr);
  object["result"] = to_string(outcome.result);
  object["reason"] = name_of(outcome.reason);
  object["message"] = json_text(message_of(outcome));
  object["explanation"] = text_or_null(outcome.explanation);
  object["record"] = text_or_null(outcome.evaluation.record);
  object["lookups"] = to_json(outcome.evaluation.lookups);
  object["terms"] = terms_of(outcome.evaluation);
  object["explanation_lookups"] = to_json(outcome.explanation_lookups);
  object["lookup_terms"] = outcome.lookup_terms;
  object["void_lookups"] = outcome.void_lookups;
  object["received_spf"] = json_text(format_received_spf(check.request, outcome));
  return object;
}

void print_check(const Terminal& terminal, const SpfCheck& check, const Limits& limits) {
  const spf::Outcome& outcome = check.outcome;
  const std::string verdict = fmt::format("spf={}", to_string(outcome.result));
  fmt::print("{}  {} from {}\n", terminal.paint(colour_of(outcome.result), verdict),
             identity_of(check.request), check.request.client_ip.to_string());
  fmt::print("  {}\n", service::printable(message_of(outcome)));
  print_evaluation(outcome.evaluation, 2);
  if (outcome.evaluation.lookups.empty()) return;
  fmt::print("  {} of {} terms that ask DNS, {} of {} that found nothing\n", outcome.lookup_terms,
             limits.spf_lookup_terms_max, outcome.void_lookups, limits.spf_void_lookups_max);
  if (outcome.explanation.empty()) return;
  print_lookups(outcome.explanation_lookups, 2);
  fmt::print("  the domain explains: {}\n", service::printable(outcome.explanation));
}

}  // namespace countersign::cli
