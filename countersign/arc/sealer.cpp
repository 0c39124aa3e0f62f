// SPDX-License-Identifier: Apache-2.0
//
// Sealing. Tags are written in alphabetical order, so b= is not last: a field is laid out with a
// signature of the right length in it, hashed without, and written again with the true one. So the
// folds around it are those that were signed.

#include "countersign/arc/sealer.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "countersign/arc/field.hpp"
#include "countersign/arc/seal_scope.hpp"
#include "countersign/arc/set.hpp"
#include "countersign/assert.hpp"
#include "countersign/dkim/body_hash.hpp"
#include "countersign/dkim/signed_header.hpp"
#include "countersign/text/abnf.hpp"

namespace countersign::arc {

namespace {

constexpr std::array<std::string_view, 4> unsignable_fields = {
    "ARC-Authentication-Results", "ARC-Message-Signature", "ARC-Seal", "Authentication-Results"};

dkim::Algorithm algorithm_of(const crypto::PrivateKey& key) {
  return key.type() == crypto::KeyType::ed25519 ? dkim::Algorithm::ed25519_sha256
                                                : dkim::Algorithm::rsa_sha256;
}

// Octets of the length that a signature of the key will have.
std::string placeholder(const crypto::PrivateKey& key) {
  constexpr std::size_t ed25519_octets = 64;
  constexpr std::size_t bits_per_octet = 8;
  const std::size_t octets = key.type() == crypto::KeyType::ed25519
                                 ? ed25519_octets
                                 : (key.bits() + bits_per_octet - 1) / bits_per_octet;
  return std::string(octets, '\0');
}

std::vector<std::string> names_to_sign(const dkim::FieldIndex& index,
                                       const SealingIdentity& identity, const Limits& limits) {
  std::vector<std::string> names = identity.signed_fields;
  if (names.empty()) names = dkim::select_fields(index, identity.fields, limits);
  std::erase_if(names, [](const std::string& name) { return !may_sign(name); });
  names.resize(std::min(names.size(), limits.signed_fields_max));
  return names;
}

std::uint64_t seconds_of(std::chrono::sys_seconds time) {
  return static_cast<std::uint64_t>(time.time_since_epoch().count());
}

}  // namespace

dkim::FieldSelection default_sealed_fields() {
  dkim::FieldSelection selection = dkim::default_field_selection();
  selection.sign.emplace_back("DKIM-Signature");
  return selection;
}

std::string_view to_string(Refusal refusal) {
  switch (refusal) {
    case Refusal::chain_ended:
      return "an earlier host found the chain broken and sealed that (cv=fail), so it takes no "
             "further set (RFC 8617 §5.1)";
    case Refusal::too_many_sets:
      return "the chain has 50 sets already (RFC 8617 §4.2.1)";
  }
  return "unknown refusal";
}

bool may_sign(std::string_view field_name) {
  constexpr text::CharClass is_listed = text::is_ftext - text::CharClass(";");
  if (field_name.empty() || !is_listed.all_of(field_name)) return false;
  for (const std::string_view name : unsignable_fields)
    if (equal_names(field_name, name)) return false;
  return true;
}

// What is known before the header is: the body as it passes.
struct Sealer::State {
  State(SealingIdentity identity_given, const Limits& limits_given)
      : limits(limits_given),
        identity(std::move(identity_given)),
        body_wish(body_hashes.want(identity.body_canonicalization)) {}

  Limits limits;
  SealingIdentity identity;
  dkim::BodyHashes body_hashes;
  std::size_t body_wish;
};

namespace {

// One set in the making.
struct SetMaker {
  SetMaker(const Header& header, const SealingIdentity& identity_given,
           const crypto::Sha256& body_hash_given, const Limits& limits_given)
      : limits(limits_given),
        identity(identity_given),
        body_hash(body_hash_given),
        index(header),
        chain(collect_chain(header, limits_given)) {}

  [[nodiscard]] std::optional<Refusal> refusal() const {
    if (chain.has_ended()) return Refusal::chain_ended;
    if (chain.instance_max >= limits.arc_sets_max) return Refusal::too_many_sets;
    return std::nullopt;
  }

  // What the new seal says of the sets before it.
  [[nodiscard]] ChainStatus status_of_chain(ChainStatus found) const {
    if (chain.fault) return ChainStatus::fail;
    if (chain.sets.empty()) return ChainStatus::none;
    return found == ChainStatus::pass ? ChainStatus::pass : ChainStatus::fail;
  }

  [[nodiscard]] HeaderField make_results(unsigned instance, const SealingRequest& request) const {
    return HeaderField(
        format_authentication_results({.instance = instance, .payload = request.payload}));
  }

  [[nodiscard]] HeaderField make_message_signature(unsigned instance,
                                                   std::chrono::sys_seconds now) const {
    const std::uint64_t time = seconds_of(now);
    MessageSignature made{.instance = instance,
                          .signature = {.algorithm = algorithm_of(identity.key),
                                        .signature = placeholder(identity.key),
                                        .body_hash = std::string(crypto::as_octets(body_hash)),
                                        .header_canonicalization = identity.header_canonicalization,
                                        .body_canonicalization = identity.body_canonicalization,
                                        .sdid = identity.sdid,
                                        .auid = {},
                                        .selector = identity.selector,
                                        .signed_fields = names_to_sign(index, identity, limits),
                                        .body_length = {},
                                        .time = time,
                                        .expires = {},
                                        .copied_fields = {}}};
    if (identity.lifetime)
      made.signature.expires = time + static_cast<std::uint64_t>(identity.lifetime->count());
    const HeaderField unsigned_field =
        dkim::without_signature_value(HeaderField(format_message_signature(made)));
    const crypto::Sha256 hash =
        dkim::hash_signed_header(index, {.names = made.signature.signed_fields,
                                         .canonicalization = identity.header_canonicalization,
                                         .signature_field = unsigned_field});
    made.signature.signature = identity.key.sign(hash);
    return HeaderField(format_message_signature(made));
  }

  // The scope of the new seal up to its own set: all sets before it, or none of a failed chain.
  [[nodiscard]] SealScope scope_before(ChainStatus status) const {
    SealScope scope;
    if (status == ChainStatus::fail) return scope;  // RFC 8617 §5.1.2
    const Header& header = index.header();
    for (const Set& set : chain.sets) {
      scope.add_results(header[set.aar_place], header[set.ams_place]);
      scope.add_seal(header[set.seal_place]);
    }
    return scope;
  }

  [[nodiscard]] HeaderField make_seal(Seal seal, const SealScope& scope) const {
    seal.signature = placeholder(identity.key);
    seal.signature = identity.key.sign(scope.hash(HeaderField(format_seal(seal))));
    return HeaderField(format_seal(seal));
  }

  [[nodiscard]] std::vector<HeaderField> make_set(const SealingRequest& request) const {
    const unsigned instance = chain.instance_max + 1;
    const ChainStatus status = status_of_chain(request.chain_status);
    HeaderField aar = make_results(instance, request);
    HeaderField ams = make_message_signature(instance, request.now);
    SealScope scope = scope_before(status);
    scope.add_results(aar, ams);
    HeaderField seal = make_seal({.instance = instance,
                                  .algorithm = algorithm_of(identity.key),
                                  .chain_status = status,
                                  .sdid = identity.sdid,
                                  .selector = identity.selector,
                                  .time = seconds_of(request.now)},
                                 scope);
    return {std::move(seal), std::move(ams), std::move(aar)};
  }

  const Limits& limits;
  const SealingIdentity& identity;
  const crypto::Sha256& body_hash;
  dkim::FieldIndex index;
  Chain chain;
};

}  // namespace

Sealer::Sealer(SealingIdentity identity, const Limits& limits)
    : state_(std::make_unique<State>(std::move(identity), limits)) {}

Sealer::~Sealer() = default;
Sealer::Sealer(Sealer&&) noexcept = default;
Sealer& Sealer::operator=(Sealer&&) noexcept = default;

void Sealer::body(std::string_view chunk) { state_->body_hashes.update(chunk); }

Result<std::vector<HeaderField>, Refusal> Sealer::finish(const Header& header,
                                                         const SealingRequest& request) && {
  COUNTERSIGN_ASSERT(!request.payload.empty());
  const std::unique_ptr<State> state = std::move(state_);
  state->body_hashes.finish();
  const SetMaker maker(header, state->identity, state->body_hashes.of(state->body_wish).digest,
                       state->limits);
  if (const auto refusal = maker.refusal()) return std::unexpected(*refusal);
  return maker.make_set(request);
}

}  // namespace countersign::arc
