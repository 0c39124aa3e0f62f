// SPDX-License-Identifier: Apache-2.0

#include "service/control/message_json.hpp"

#include <boost/json.hpp>
#include <string>
#include <utility>

#include "service/explain/json_text.hpp"
#include "service/explain/verdict_json.hpp"

namespace countersign::service {
namespace {

namespace json = boost::json;

std::int64_t seconds_of(std::chrono::sys_seconds time) { return time.time_since_epoch().count(); }

json::array texts(const std::vector<std::string>& items) {
  json::array array;
  for (const std::string& item : items) array.emplace_back(json_text(item));
  return array;
}

json::array to_json(const std::vector<mailflow::SignedAs>& signatures) {
  json::array array;
  for (const mailflow::SignedAs& one : signatures) {
    array.emplace_back(json::object{{"sdid", one.sdid.text()},
                                    {"selector", one.selector.text()},
                                    {"auid", text_or_null(one.auid)},
                                    {"algorithm", to_string(one.algorithm)}});
  }
  return array;
}

json::array to_json(const std::vector<mailflow::Explanation>& reasons) {
  json::array array;
  for (const mailflow::Explanation& reason : reasons)
    array.emplace_back(json_text(to_string(reason)));
  return array;
}

template <class Word>
json::value word_or_null(const std::optional<Word>& word) {
  return word ? json::value(to_string(*word)) : json::value(nullptr);
}

/// What an administrator looks for first, whether the message was judged or not.
json::object head_of(const KeptMessage& message) {
  const mailflow::Outcome& outcome = message.outcome;
  json::object object;
  object["queue_id"] = json_text(outcome.queue_id);
  object["finished"] = seconds_of(message.finished);
  object["client"] = json_text(message.client);
  object["mail_from"] = json_text(message.envelope.mail_from);
  object["author"] = text_or_null(outcome.author);
  object["judged"] = outcome.judgement != nullptr;
  object["action"] = to_string(outcome.action);
  return object;
}

}  // namespace

json::object to_json(const KeptMessage& message) {
  const mailflow::Envelope& envelope = message.envelope;
  const mailflow::Outcome& outcome = message.outcome;
  json::object object = head_of(message);
  object["text"] = text_or_null(outcome.action_text);
  object["helo_name"] = json_text(envelope.helo);
  object["rcpt_to"] = texts(envelope.rcpt_to);
  object["rcpt_to_count"] = envelope.rcpt_to.size() + envelope.rcpt_to_dropped;
  object["signatures"] = to_json(outcome.signatures);
  object["reasons"] = to_json(outcome.reasons);
  object["header_octets"] = outcome.header_octets;
  object["body_octets"] = outcome.body_octets;
  if (!outcome.judgement) return object;
  json::object verdict =
      to_json(VerdictReport{*outcome.judgement, envelope, message.limits, message.asked});
  for (json::key_value_pair& member : verdict)
    object.insert_or_assign(member.key(), std::move(member.value()));
  return object;
}

json::object summary_of(const KeptMessage& message) {
  const mailflow::Outcome& outcome = message.outcome;
  json::object object = head_of(message);
  object["signed"] = !outcome.signatures.empty();
  object["shadow"] = false;
  for (const char* key : {"spf", "dkim", "dmarc"}) object[key] = nullptr;
  if (!outcome.judgement) return object;
  const mailflow::Verdict& verdict = outcome.judgement->verdict;
  object["action"] = to_string(outcome.judgement->disposition.action);
  object["shadow"] = outcome.judgement->is_shadow;
  if (verdict.mail_from) object["spf"] = to_string(verdict.mail_from->result);
  if (verdict.checked_dkim) object["dkim"] = to_string(dkim::summarize(verdict.signatures));
  object["dmarc"] = word_or_null(verdict.dmarc_result());
  return object;
}

json::object to_json(const KeptReach& reach) {
  json::object object{{"messages", reach.messages},
                      {"messages_max", reach.bounds.messages},
                      {"octets", reach.octets},
                      {"octets_max", reach.bounds.octets},
                      {"forgotten", reach.forgotten},
                      {"since", seconds_of(reach.since)},
                      {"oldest", nullptr}};
  if (reach.oldest) object["oldest"] = seconds_of(*reach.oldest);
  return object;
}

}  // namespace countersign::service
