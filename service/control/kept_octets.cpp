// SPDX-License-Identifier: Apache-2.0
//
// How much memory a kept message takes: the parts that a stranger can make large are counted one by
// one, what is small and of a fixed number goes with the size of its owner.

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "service/control/kept_messages.hpp"

namespace countersign::service {
namespace {

// Of each block of the heap: what the allocator adds.
constexpr std::size_t block = 16;

// What a value owns on the heap, itself not counted.
std::size_t owned(const std::string& text) {
  const auto* const begin = reinterpret_cast<const char*>(&text);
  const bool is_inside = text.data() >= begin && text.data() < begin + sizeof text;
  return is_inside ? 0 : text.capacity() + 1 + block;
}

std::size_t owned(const DomainName& name) { return owned(name.text()); }

std::size_t owned(const std::pair<std::string, std::string>& pair) {
  return owned(pair.first) + owned(pair.second);
}

std::size_t owned(std::string_view) { return 0; }

template <class T>
std::size_t owned(const std::vector<T>& items);
template <class T>
std::size_t owned(const std::optional<T>& value);

std::size_t owned(const mailflow::SignedAs& signature) {
  return owned(signature.sdid) + owned(signature.selector) + owned(signature.auid);
}

std::size_t owned(const mailflow::Explanation& reason) {
  return owned(reason.detail) + (reason.place ? owned(reason.place->file) : 0);
}

std::size_t owned(const AskedQuestion& asked) { return owned(asked.question.name); }

std::size_t owned(const spf::Lookup& lookup) { return owned(lookup.question.name); }

std::size_t owned(const spf::Evaluation& evaluation);

std::size_t owned(const spf::TriedTerm& term) {
  return owned(term.target) + owned(term.lookups) + owned(term.inner);
}

std::size_t owned(const spf::Evaluation& evaluation) {
  return owned(evaluation.domain) + owned(evaluation.lookups) + owned(evaluation.record) +
         owned(evaluation.terms) + owned(evaluation.detail);
}

std::size_t owned(const spf::Outcome& outcome) {
  return owned(outcome.domain) + owned(outcome.detail) + owned(outcome.explanation) +
         owned(outcome.explanation_lookups) + owned(outcome.evaluation);
}

std::size_t owned(const dkim::Signature& signature) {
  return owned(signature.signature) + owned(signature.body_hash) + owned(signature.sdid) +
         owned(signature.auid) + owned(signature.selector) + owned(signature.signed_fields) +
         owned(signature.copied_fields);
}

std::size_t owned(const dkim::SignatureResult& result) {
  return owned(result.detail) + owned(result.signature) + owned(result.added_fields);
}

std::size_t owned(const arc::SetResult& set) {
  return owned(set.sealer) + owned(set.selector) + owned(set.signer) +
         owned(set.message_signature.detail) + owned(set.seal.detail) + owned(set.payload);
}

std::size_t owned(const arc::Outcome& outcome) {
  return owned(outcome.detail) + owned(outcome.sets);
}

std::size_t owned(const dmarc::RecordProblem& problem) { return owned(problem.tag); }

std::size_t owned(const dmarc::Record& record) {
  return owned(record.rua) + owned(record.ruf) + owned(record.problems);
}

// Shared with the cache of answers, and with all who asked: counted as if it were not.
std::size_t owned(const std::shared_ptr<const dmarc::Record>& record) {
  return record != nullptr ? sizeof *record + block + owned(*record) : 0;
}

std::size_t owned(const dmarc::WalkStep& step) {
  return owned(step.domain) + owned(step.record) + owned(step.text);
}

std::size_t owned(const dmarc::Walk& walk) { return owned(walk.steps) + owned(walk.org_domain); }

std::size_t owned(const dmarc::AlignedIdentifier& one) {
  return owned(one.identifier.domain) + owned(one.walk);
}

std::size_t owned(const dmarc::Outcome& outcome) {
  return owned(outcome.discovery.walk) + owned(outcome.identifiers);
}

std::size_t owned(const mailflow::Ambiguity& ambiguity) { return owned(ambiguity.detail); }

std::size_t owned(const mailflow::IprevOutcome& outcome) { return owned(outcome.name); }

std::size_t owned(const mailflow::Override& one) { return owned(one.comment); }

std::size_t owned(const mailflow::Verdict& verdict) {
  const mailflow::Authorship& authorship = verdict.authorship;
  return owned(authorship.author_domain) + owned(authorship.author) +
         owned(authorship.ambiguities) + owned(verdict.iprev) + owned(verdict.helo) +
         owned(verdict.mail_from) + owned(verdict.signatures) + owned(verdict.arc) +
         owned(verdict.dmarc);
}

std::size_t owned(const mailflow::Judgement& judgement) {
  return owned(judgement.verdict) + owned(judgement.disposition.codes) +
         owned(judgement.disposition.text) + owned(judgement.disposition.overrides) +
         owned(judgement.results_field);
}

std::size_t owned(const mailflow::Outcome& outcome) {
  const std::size_t judgement =
      outcome.judgement ? sizeof *outcome.judgement + block + owned(*outcome.judgement) : 0;
  return owned(outcome.action_codes) + owned(outcome.action_text) + owned(outcome.queue_id) +
         owned(outcome.author) + owned(outcome.signatures) + owned(outcome.reasons) + judgement;
}

std::size_t owned(const mailflow::Envelope& envelope) {
  return owned(envelope.client_host) + owned(envelope.helo) + owned(envelope.mail_from) +
         owned(envelope.rcpt_to);
}

template <class T>
std::size_t owned(const std::vector<T>& items) {
  if (items.capacity() == 0) return 0;
  std::size_t octets = items.capacity() * sizeof(T) + block;
  for (const T& item : items) octets += owned(item);
  return octets;
}

template <class T>
std::size_t owned(const std::optional<T>& value) {
  return value ? owned(*value) : 0;
}

}  // namespace

std::size_t octets_of(const KeptMessage& message) {
  return sizeof message + block + owned(message.client) + owned(message.envelope) +
         owned(message.outcome) + owned(message.asked);
}

}  // namespace countersign::service
