// SPDX-License-Identifier: Apache-2.0
//
// Validation in the steps of RFC 8617 §5.2. Structure comes first, then time and body of the
// newest message signature; only a chain that is whole up to there asks for keys, each once. Then
// the newest message signature is checked, the older ones as far down as they verify, and every
// seal from the newest down.

#include "countersign/arc/chain.hpp"

#include <algorithm>
#include <utility>

#include "countersign/arc/seal_scope.hpp"
#include "countersign/dkim/body_hash.hpp"
#include "countersign/dkim/key_lookup.hpp"
#include "countersign/dkim/signed_header.hpp"

namespace countersign::arc {

namespace {

using dkim::KeyLookup;
using dkim::Verdict;

// A signature of the chain on its way to its verdict.
struct Candidate {
  std::optional<Verdict> verdict;
  std::size_t key = 0;  // Place among the key names that are asked for.

  [[nodiscard]] bool passes() const { return verdict && verdict->result == dkim::Result::pass; }
};

// Key names, each once, with the answers in the same order.
class KeyRing {
 public:
  std::size_t want(const DomainName& selector, const DomainName& sdid) {
    std::string name = dkim::key_name(selector, sdid);
    const auto known = std::ranges::find(names_, name);
    const auto place = static_cast<std::size_t>(known - names_.begin());
    if (known == names_.end()) names_.push_back(std::move(name));
    return place;
  }

  [[nodiscard]] std::vector<dns::Asking<KeyLookup>> look_up(const Limits& limits) const {
    std::vector<dns::Asking<KeyLookup>> lookups;
    lookups.reserve(names_.size());
    for (const std::string& name : names_) lookups.push_back(dkim::look_up_key(name, limits));
    return lookups;
  }

 private:
  std::vector<std::string> names_;
};

// What a key says about a signature over that hash.
Verdict check_signature(const KeyLookup& key, dkim::Algorithm algorithm, const crypto::Sha256& hash,
                        std::string_view signature, const Limits& limits) {
  if (!key.record) return {key.result, key.reason, key.detail};
  if (auto fault = dkim::key_fault(algorithm, *key.record, limits)) return *std::move(fault);
  if (!key.record->key.verify(hash, signature))
    return {dkim::Result::fail, dkim::Reason::signature_mismatch, {}};
  return {dkim::Result::pass, dkim::Reason::valid, {}};
}

// What l= of a message signature leaves open is a fault here, unlike in DKIM.
std::optional<Verdict> whole_body_fault(const dkim::Signature& signature,
                                        const dkim::BodyHash& body) {
  const bool is_partial = signature.body_length && *signature.body_length < body.octets_total;
  if (!is_partial) return dkim::body_fault(signature, body);
  return Verdict{dkim::Result::policy, dkim::Reason::body_partly_signed,
                 std::to_string(*signature.body_length) + " of " +
                     std::to_string(body.octets_total) + " octets are signed"};
}

std::string explain(const Set& set, FieldKind kind, const Verdict& verdict) {
  return "i=" + std::to_string(set.instance) + ": " + std::string(name_of(kind)) + ": " +
         (verdict.detail.empty() ? std::string(to_string(verdict.reason)) : verdict.detail);
}

}  // namespace

const SetResult* Outcome::newest_set_of(const DomainName& sealer) const {
  if (status != ChainStatus::pass) return nullptr;
  const auto newest = std::ranges::find(sets.rbegin(), sets.rend(), sealer, &SetResult::sealer);
  const bool holds =
      newest != sets.rend() && newest->message_signature.result == dkim::Result::pass;
  return holds ? &*newest : nullptr;
}

struct Verifier::State {
  State(const Header& header, const Limits& limits_given)
      : limits(limits_given),
        index(header),
        chain(collect_chain(header, limits_given)),
        message_signatures(chain.sets.size()),
        seals(chain.sets.size()) {
    // The whole body whatever l= says: two hashes at most, however many sets there are.
    for (const Set& set : chain.sets)
      body_wishes.push_back(body_hashes.want(set.ams.signature.body_canonicalization));
  }

  Limits limits;
  dkim::FieldIndex index;
  Chain chain;
  std::vector<Candidate> message_signatures;  // Of chain.sets, in the same order.
  std::vector<Candidate> seals;               // Likewise.
  dkim::BodyHashes body_hashes;
  std::vector<std::size_t> body_wishes;  // One for each set.
  KeyRing keys;
  Outcome outcome;

  [[nodiscard]] std::size_t newest() const { return chain.sets.size() - 1; }

  // The end of the chain for that reason. True, so that a step can return it.
  bool fail(Reason reason, std::string detail) {
    outcome.status = ChainStatus::fail;
    outcome.reason = reason;
    outcome.detail = std::move(detail);
    return true;
  }

  bool fail(Reason reason, std::size_t place, FieldKind kind, const Verdict& verdict) {
    const bool temporary = verdict.result == dkim::Result::temperror;
    return fail(temporary ? Reason::key_unavailable : reason,
                explain(chain.sets[place], kind, verdict));
  }

  // --- before the keys ---

  // Steps 1 to 3. True when the outcome is settled.
  bool judge_structure() {
    if (chain.fault) return fail(chain.fault->reason, chain.fault->detail);
    return chain.sets.empty();
  }

  // What needs no key of steps 4 to 6. True when the outcome is settled.
  bool judge_without_keys(std::chrono::sys_seconds now) {
    body_hashes.finish();
    for (std::size_t i = 0; i < chain.sets.size(); ++i) {
      const dkim::Signature& ams = chain.sets[i].ams.signature;
      message_signatures[i].verdict = dkim::algorithm_fault(ams.algorithm);
      if (!message_signatures[i].verdict)
        message_signatures[i].verdict = dkim::time_fault(ams, now, limits);
      if (!message_signatures[i].verdict)
        message_signatures[i].verdict = whole_body_fault(ams, body_hashes.of(body_wishes[i]));
      seals[i].verdict = dkim::algorithm_fault(chain.sets[i].seal.algorithm);
    }
    const Candidate& candidate = message_signatures[newest()];
    return candidate.verdict && fail(Reason::message_signature_failed, newest(),
                                     FieldKind::message_signature, *candidate.verdict);
  }

  // The keys of all seals, and of the message signatures down to the first that cannot pass.
  void want_keys() {
    for (std::size_t i = 0; i < chain.sets.size(); ++i)
      seals[i].key = keys.want(chain.sets[i].seal.selector, chain.sets[i].seal.sdid);
    for (std::size_t i = chain.sets.size(); i-- > 0 && !message_signatures[i].verdict;) {
      const dkim::Signature& ams = chain.sets[i].ams.signature;
      message_signatures[i].key = keys.want(ams.selector, ams.sdid);
    }
  }

  // --- with the keys ---

  void check_message_signature(std::size_t place, const std::vector<KeyLookup>& answers) {
    Candidate& candidate = message_signatures[place];
    if (candidate.verdict) return;
    const Set& set = chain.sets[place];
    const dkim::Signature& ams = set.ams.signature;
    const crypto::Sha256 hash = dkim::hash_signed_header(
        index, {.names = ams.signed_fields,
                .canonicalization = ams.header_canonicalization,
                .signature_field = dkim::without_signature_value(index.header()[set.ams_place]),
                .own_place = set.ams_place});
    candidate.verdict =
        check_signature(answers[candidate.key], ams.algorithm, hash, ams.signature, limits);
  }

  // Step 4. True when the outcome is settled.
  bool judge_newest(const std::vector<KeyLookup>& answers) {
    check_message_signature(newest(), answers);
    const Candidate& candidate = message_signatures[newest()];
    return !candidate.passes() && fail(Reason::message_signature_failed, newest(),
                                       FieldKind::message_signature, *candidate.verdict);
  }

  // Step 5.
  void find_oldest_pass(const std::vector<KeyLookup>& answers) {
    for (std::size_t i = newest(); i-- > 0;) {
      check_message_signature(i, answers);
      if (message_signatures[i].passes()) continue;
      outcome.oldest_pass = chain.sets[i].instance + 1;
      return;
    }
  }

  // The hash that each seal signs.
  std::vector<crypto::Sha256> seal_hashes() {
    const Header& header = index.header();
    std::vector<crypto::Sha256> hashes;
    SealScope scope;
    for (const Set& set : chain.sets) {
      scope.add_results(header[set.aar_place], header[set.ams_place]);
      hashes.push_back(scope.hash(header[set.seal_place]));
      scope.add_seal(header[set.seal_place]);
    }
    return hashes;
  }

  // Step 6. True when the outcome is settled.
  bool judge_seals(const std::vector<KeyLookup>& answers) {
    const std::vector<crypto::Sha256> hashes = seal_hashes();
    for (std::size_t i = chain.sets.size(); i-- > 0;) {
      const Seal& seal = chain.sets[i].seal;
      if (!seals[i].verdict)
        seals[i].verdict = check_signature(answers[seals[i].key], seal.algorithm, hashes[i],
                                           seal.signature, limits);
      if (!seals[i].passes())
        return fail(Reason::seal_failed, i, FieldKind::seal, *seals[i].verdict);
    }
    return false;
  }

  void judge_with_keys(const std::vector<KeyLookup>& answers) {
    if (judge_newest(answers)) return;
    find_oldest_pass(answers);
    if (judge_seals(answers)) {
      outcome.oldest_pass = 0;
      return;
    }
    outcome.status = ChainStatus::pass;
    outcome.reason = Reason::valid;
  }

  Outcome take_outcome() {
    outcome.sets.reserve(chain.sets.size());
    for (std::size_t i = 0; i < chain.sets.size(); ++i) {
      Set& set = chain.sets[i];
      outcome.sets.push_back(
          {.instance = set.instance,
           .sealer = set.seal.sdid,
           .selector = set.seal.selector,
           .signer = set.ams.signature.sdid,
           .time = set.seal.time,
           .message_signature = message_signatures[i].verdict.value_or(Verdict{}),
           .seal = seals[i].verdict.value_or(Verdict{}),
           .payload = std::move(set.aar.payload)});
    }
    return std::move(outcome);
  }
};

Verifier::Verifier(const Header& header, const Limits& limits)
    : state_(std::make_unique<State>(header, limits)) {}

Verifier::~Verifier() = default;
Verifier::Verifier(Verifier&&) noexcept = default;
Verifier& Verifier::operator=(Verifier&&) noexcept = default;

void Verifier::body(std::string_view chunk) { state_->body_hashes.update(chunk); }

dns::Asking<Outcome> Verifier::finish(std::chrono::sys_seconds now) && {
  return judge(std::move(state_), now);
}

dns::Asking<Outcome> Verifier::judge(std::unique_ptr<State> state, std::chrono::sys_seconds now) {
  if (!state->judge_structure() && !state->judge_without_keys(now)) {
    state->want_keys();
    state->judge_with_keys(co_await dns::all(state->keys.look_up(state->limits)));
  }
  co_return state->take_outcome();
}

}  // namespace countersign::arc
