// SPDX-License-Identifier: Apache-2.0
//
// The question for a key and the judgement of its answer. Whatever DNS fails to say is temperror;
// only a definite absence is permerror. RFC 6376 §6.1.2

#include "countersign/dkim/key_lookup.hpp"

#include <utility>
#include <variant>
#include <vector>

namespace countersign::dkim {

namespace {

using dns::AnswerStatus;

KeyLookup no_key(Result result, Reason reason, std::string detail) {
  KeyLookup lookup;
  lookup.result = result;
  lookup.reason = reason;
  lookup.detail = std::move(detail);
  return lookup;
}

KeyLookup read_key(std::string_view text, const std::string& name, const Limits& limits) {
  auto record = parse_key_record(text, limits);
  if (!record) {
    const KeyRecordError error = record.error();
    const bool revoked = error.code == KeyRecordErrorCode::revoked;
    KeyLookup lookup =
        no_key(Result::permerror, revoked ? Reason::key_revoked : Reason::bad_key_record,
               std::string(to_string(error.code)) + ", at octet " + std::to_string(error.offset) +
                   " of the record at " + name);
    lookup.record_error = error.code;
    return lookup;
  }
  KeyLookup lookup;
  lookup.record = *std::move(record);
  return lookup;
}

// A record with another v= belongs to another protocol; one without any may be a key record.
bool may_be_key_record(std::string_view text) {
  return text.starts_with("v=DKIM1") || (!text.starts_with("v=") && text.contains("p="));
}

KeyLookup choose_key(const std::vector<dns::RecordData>& records, const std::string& name,
                     const Limits& limits) {
  std::vector<std::string> texts;
  for (const dns::RecordData& data : records) {
    if (texts.size() == limits.answer_records_max) break;
    if (const auto* text = std::get_if<dns::Text>(&data)) texts.push_back(text->joined());
  }
  if (texts.size() > 1)
    std::erase_if(texts, [](const std::string& text) { return !may_be_key_record(text); });
  if (texts.empty())
    return no_key(Result::permerror, Reason::key_not_found, "no TXT record of a key at " + name);
  if (texts.size() > 1)
    return no_key(Result::permerror, Reason::several_key_records,
                  std::to_string(texts.size()) + " key records at " + name);
  return read_key(texts.front(), name, limits);
}

KeyLookup judge(const dns::Answer& answer, const std::string& name, const Limits& limits) {
  if (answer.status == AnswerStatus::records) return choose_key(answer.records, name, limits);
  const std::string said = std::string(dns::to_string(answer.status)) + " for " + name;
  if (answer.status == AnswerStatus::bogus)
    return no_key(Result::temperror, Reason::key_not_trusted, said);
  if (answer.is_failure()) return no_key(Result::temperror, Reason::key_unavailable, said);
  return no_key(Result::permerror, Reason::key_not_found, said);
}

KeyLookup read_answer(const dns::Question& question, const dns::Answer& answer,
                      const Limits& limits) {
  KeyLookup lookup = judge(answer, question.name, limits);
  lookup.authenticated = answer.authenticated;
  return lookup;
}

}  // namespace

std::size_t KeyLookup::octets() const {
  std::size_t octets = sizeof *this + detail.size();
  if (!record) return octets;
  for (const std::string& algorithm : record->hash_algorithms) octets += sizeof algorithm;
  return octets + record->notes.size() + record->key.octets();
}

std::string key_name(const DomainName& selector, const DomainName& sdid) {
  return selector.text() + "._domainkey." + sdid.text();
}

dns::Asking<KeyLookup> look_up_key(std::string name, Limits limits) {
  constexpr std::size_t name_octets_max = 253;
  if (name.size() > name_octets_max)
    co_return no_key(Result::permerror, Reason::key_not_found,
                     "selector and domain make a name longer than DNS takes");
  co_return *co_await dns::ask_parsed<read_answer>({std::move(name), dns::RecordType::txt}, limits);
}

}  // namespace countersign::dkim
