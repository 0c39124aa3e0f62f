// SPDX-License-Identifier: Apache-2.0
//
// The tree is as deep as an evaluation may be, which its limit on terms bounds.

#include "service/explain/spf_json.hpp"

#include <boost/json.hpp>

#include "countersign/spf/received_spf.hpp"
#include "service/explain/json_text.hpp"

namespace countersign::service {
namespace {

namespace json = boost::json;

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

}  // namespace

json::object to_json(const SpfCheck& check) {
  const spf::Outcome& outcome = check.outcome;
  json::object object;
  object["identity"] = to_string(outcome.identity);
  object["client_ip"] = check.request.client_ip.to_string();
  object["helo_name"] = json_text(check.request.helo);
  object["mail_from"] = json_text(check.request.mail_from);
  object["domain"] = outcome.domain ? json::value(outcome.domain->text()) : json::value(nullptr);
  object["result"] = to_string(outcome.result);
  object["reason"] = name_of(outcome.reason);
  object["message"] = json_text(message_of(outcome));
  object["explanation"] = text_or_null(outcome.explanation);
  object["evaluated"] = text_or_null(outcome.evaluation.domain);
  object["record"] = text_or_null(outcome.evaluation.record);
  object["lookups"] = to_json(outcome.evaluation.lookups);
  object["terms"] = terms_of(outcome.evaluation);
  object["explanation_lookups"] = to_json(outcome.explanation_lookups);
  object["lookup_terms"] = outcome.lookup_terms;
  object["lookup_terms_max"] = check.limits.spf_lookup_terms_max;
  object["void_lookups"] = outcome.void_lookups;
  object["void_lookups_max"] = check.limits.spf_void_lookups_max;
  object["received_spf"] = json_text(format_received_spf(check.request, outcome));
  return object;
}

}  // namespace countersign::service
