// SPDX-License-Identifier: Apache-2.0
//
// Verification, in three beats. At the end of the header the fields are read, and those that can
// never pass are settled at once. While the body passes, the hashes that the others need are made.
// At its end, what time and body alone can settle is settled, the keys of the rest are asked for
// all at once, and each signature is checked against its key.
//
// So a message whose body was changed costs no question at all, and several signatures with one key
// cost one.

#include "countersign/dkim/verifier.hpp"

#include <algorithm>
#include <span>
#include <utility>

#include "countersign/assert.hpp"
#include "countersign/crypto/public_key.hpp"
#include "countersign/dkim/body_hash.hpp"
#include "countersign/dkim/key_lookup.hpp"
#include "countersign/dkim/signature_check.hpp"
#include "countersign/dkim/signed_header.hpp"
#include "countersign/message/author.hpp"

namespace countersign::dkim {

namespace {

// A signature on its way to its result.
struct Candidate {
  SignatureResult result;
  bool settled = false;
  std::size_t body_hash = 0;  // Number of the wish in BodyHashes.
  std::size_t key = 0;        // Place among the key names that are asked for.

  void settle(Result verdict, Reason reason, std::string detail = {}) {
    result.result = verdict;
    result.reason = reason;
    result.detail = std::move(detail);
    settled = true;
  }
  void settle(Verdict verdict) {
    settle(verdict.result, verdict.reason, std::move(verdict.detail));
  }
};

// The values of a field that could be read.
const Signature& values_of(const SignatureResult& result) {
  COUNTERSIGN_ASSERT(result.signature.has_value());
  return *result.signature;
}

// --- reading the fields ---

Candidate read_candidate(const HeaderField& field, std::size_t field_index, const Limits& limits) {
  Candidate candidate;
  candidate.result.field_index = field_index;
  auto signature = parse_signature(field.value(), limits);
  if (!signature) {
    const SignatureError error = signature.error();
    const Reason reason = error.code == SignatureErrorCode::unknown_algorithm
                              ? Reason::unsupported_algorithm
                              : Reason::bad_signature_field;
    candidate.settle(
        Result::permerror, reason,
        std::string(to_string(error.code)) + ", at octet " + std::to_string(error.offset));
    return candidate;
  }
  candidate.result.signature = *std::move(signature);
  if (auto fault = algorithm_fault(values_of(candidate.result).algorithm))
    candidate.settle(*std::move(fault));
  return candidate;
}

// 0 for a signature of an author's own domain, 1 for one above or below it, 2 for a stranger's.
// Where organizational domains lie is not known here, so a sibling of the author's domain is a 2.
unsigned distance(const DomainName& sdid, std::span<const Mailbox> authors) {
  unsigned nearest = 2;
  for (const Mailbox& author : authors) {
    if (sdid == author.domain) return 0;
    if (sdid.is_at_or_below(author.domain) || author.domain.is_at_or_below(sdid)) nearest = 1;
  }
  return nearest;
}

// Settles all but the nearest signatures when there are more than the limit allows.
void apply_limit(std::vector<Candidate>& candidates, const Header& header, const Limits& limits) {
  const auto is_open = [](const Candidate& candidate) { return !candidate.settled; };
  if (static_cast<std::size_t>(std::ranges::count_if(candidates, is_open)) <= limits.signatures_max)
    return;
  // More authors than that are no help in choosing, only work.
  constexpr std::size_t authors_max = 16;
  const auto found = find_authors(header, limits).value_or(std::vector<Mailbox>{});
  const std::span authors(found.data(), std::min(found.size(), authors_max));

  std::vector<std::pair<unsigned, std::size_t>> order;  // Distance, then from the top down.
  for (std::size_t i = 0; i < candidates.size(); ++i)
    if (is_open(candidates[i]))
      order.emplace_back(distance(values_of(candidates[i].result).sdid, authors), i);
  std::ranges::sort(order);
  for (const auto& [_, i] : std::span(order).subspan(limits.signatures_max))
    candidates[i].settle(Result::policy, Reason::limit_exceeded);
}

// --- what needs no key ---

void check_body(Candidate& candidate, const BodyHash& hash) {
  candidate.result.body_octets_signed = hash.octets_hashed;
  candidate.result.body_octets_total = hash.octets_total;
  if (auto fault = body_fault(values_of(candidate.result), hash))
    candidate.settle(*std::move(fault));
}

// --- keys ---

// t=s wants the domain of i= to be d= itself. RFC 6376 §3.6.1
bool auid_is_strict(const Signature& signature) {
  return std::string_view(signature.auid).substr(signature.auid.rfind('@') + 1) ==
         signature.sdid.text();
}

void check_key(Candidate& candidate, const KeyRecord& record, const Limits& limits) {
  const Signature& signature = values_of(candidate.result);
  candidate.result.key_bits = record.key.bits();
  candidate.result.key_testing = record.testing;
  if (auto fault = key_fault(signature.algorithm, record, limits))
    candidate.settle(*std::move(fault));
  else if (record.strict_auid && !auid_is_strict(signature))
    candidate.settle(Result::permerror, Reason::auid_not_allowed);
}

// --- the signature itself ---

crypto::Sha256 header_hash(const FieldIndex& index, const SignatureResult& result) {
  const Signature& signature = values_of(result);
  return hash_signed_header(
      index, {.names = signature.signed_fields,
              .canonicalization = signature.header_canonicalization,
              .signature_field = without_signature_value(index.header()[result.field_index]),
              .own_place = result.field_index});
}

void check_signature(Candidate& candidate, const crypto::PublicKey& key, const FieldIndex& index,
                     const VerifyPolicy& policy) {
  SignatureResult& result = candidate.result;
  const Signature& signature = values_of(result);
  if (!key.verify(header_hash(index, result), signature.signature))
    return candidate.settle(Result::fail, Reason::signature_mismatch);
  result.added_fields = find_added_fields(index, signature.signed_fields);
  if (result.body_octets_signed == result.body_octets_total)
    return candidate.settle(Result::pass, Reason::valid);
  candidate.settle(policy.accept_partly_signed_body ? Result::pass : Result::policy,
                   Reason::body_partly_signed,
                   std::to_string(result.body_octets_signed) + " of " +
                       std::to_string(result.body_octets_total) + " octets are signed");
}

}  // namespace

struct Verifier::State {
  State(const Header& header, const Limits& limits_given, VerifyPolicy policy_given)
      : limits(limits_given), policy(policy_given), index(header) {}

  Limits limits;
  VerifyPolicy policy;
  FieldIndex index;
  std::vector<Candidate> candidates;
  BodyHashes body_hashes;

  void read_fields() {
    const Header& header = index.header();
    for (std::size_t i = 0; i < header.size(); ++i)
      if (header[i].is("DKIM-Signature"))
        candidates.push_back(read_candidate(header[i], i, limits));
    if (policy.header_is_cut)
      for (Candidate& candidate : candidates)
        if (!candidate.settled) candidate.settle(Result::policy, Reason::limit_exceeded);
    apply_limit(candidates, header, limits);
    for (Candidate& candidate : candidates) {
      if (candidate.settled) continue;
      const Signature& signature = values_of(candidate.result);
      candidate.body_hash =
          body_hashes.want(signature.body_canonicalization, signature.body_length);
    }
  }

  void judge_without_keys(std::chrono::sys_seconds now) {
    body_hashes.finish();
    for (Candidate& candidate : candidates) {
      if (candidate.settled) continue;
      if (auto fault = time_fault(values_of(candidate.result), now, limits))
        candidate.settle(*std::move(fault));
      else
        check_body(candidate, body_hashes.of(candidate.body_hash));
    }
  }

  // The names of the keys that are still needed, each once.
  std::vector<std::string> key_names() {
    std::vector<std::string> names;
    for (Candidate& candidate : candidates) {
      if (candidate.settled) continue;
      const Signature& signature = values_of(candidate.result);
      std::string name = key_name(signature.selector, signature.sdid);
      const auto known = std::ranges::find(names, name);
      candidate.key = static_cast<std::size_t>(known - names.begin());
      if (known == names.end()) names.push_back(std::move(name));
    }
    return names;
  }

  void judge_with_keys(const std::vector<KeyLookup>& keys) {
    for (Candidate& candidate : candidates) {
      if (candidate.settled) continue;
      const KeyLookup& key = keys[candidate.key];
      candidate.result.key_authenticated = key.authenticated;
      if (!key.record) {
        candidate.settle(key.result, key.reason, key.detail);
        continue;
      }
      check_key(candidate, *key.record, limits);
      if (!candidate.settled) check_signature(candidate, key.record->key, index, policy);
    }
  }

  std::vector<SignatureResult> take_results() {
    std::vector<SignatureResult> results;
    results.reserve(candidates.size());
    for (Candidate& candidate : candidates) results.push_back(std::move(candidate.result));
    return results;
  }
};

Verifier::Verifier(const Header& header, const Limits& limits, VerifyPolicy policy)
    : state_(std::make_unique<State>(header, limits, policy)) {
  state_->read_fields();
}

Verifier::~Verifier() = default;
Verifier::Verifier(Verifier&&) noexcept = default;
Verifier& Verifier::operator=(Verifier&&) noexcept = default;

void Verifier::body(std::string_view chunk) { state_->body_hashes.update(chunk); }

dns::Asking<std::vector<SignatureResult>> Verifier::finish(std::chrono::sys_seconds now) && {
  return judge(std::move(state_), now);
}

dns::Asking<std::vector<SignatureResult>> Verifier::judge(std::unique_ptr<State> state,
                                                          std::chrono::sys_seconds now) {
  state->judge_without_keys(now);
  std::vector<dns::Asking<KeyLookup>> lookups;
  for (std::string& name : state->key_names())
    lookups.push_back(look_up_key(std::move(name), state->limits));
  state->judge_with_keys(co_await dns::all(std::move(lookups)));
  co_return state->take_results();
}

Result summarize(const std::vector<SignatureResult>& results) {
  // A failure that may pass on the next try is better than any that will not; among those the
  // nearest to a valid signature is.
  for (const Result best : {Result::pass, Result::temperror, Result::policy, Result::fail,
                            Result::neutral, Result::permerror})
    if (std::ranges::find(results, best, &SignatureResult::result) != results.end()) return best;
  return Result::none;
}

}  // namespace countersign::dkim
