// SPDX-License-Identifier: Apache-2.0
//
// Signing. All that the identities have in common is done once: the index of the header, and one
// hash for each way in which the body is hashed. RFC 6376 §5

#include "countersign/dkim/signer.hpp"

#include <algorithm>
#include <utility>

#include "countersign/dkim/body_hash.hpp"
#include "countersign/dkim/signed_header.hpp"
#include "countersign/text/base64.hpp"
#include "countersign/text/fold.hpp"

namespace countersign::dkim {

namespace {

Algorithm algorithm_of(crypto::KeyType type) {
  return type == crypto::KeyType::ed25519 ? Algorithm::ed25519_sha256 : Algorithm::rsa_sha256;
}

// i= with its domain as every verifier compares it: in A-labels, without a dot at the end.
std::string written_auid(std::string_view auid) {
  const std::size_t at = auid.rfind('@');
  const auto domain =
      at == auid.npos ? std::unexpected(DomainNameError{}) : DomainName::parse(auid.substr(at + 1));
  return domain ? std::string(auid.substr(0, at + 1)) + domain->text() : std::string(auid);
}

// x=, which has twelve digits at most. RFC 6376 §3.5
std::uint64_t expiry_of(std::uint64_t time, std::chrono::seconds lifetime) {
  constexpr std::uint64_t latest = 999'999'999'999;
  return std::min(time + static_cast<std::uint64_t>(lifetime.count()), latest);
}

// The fields that are signed, with their values: as many as leave the signature field readable for
// those who have our limits, at three octets for one in the worst case.
std::vector<std::pair<std::string, std::string>> copy_fields(const FieldIndex& index,
                                                             const std::vector<std::string>& names,
                                                             const Limits& limits) {
  std::vector<std::pair<std::string, std::string>> copies;
  std::size_t room = limits.field_bytes_max / 8;
  for (std::size_t place = 0; place < index.header().size(); ++place) {
    const std::string_view name = index.name_at(place);
    const std::string_view value = index.header()[place].value();
    const bool is_signed = std::ranges::any_of(
        names, [&](const std::string& signed_name) { return equal_names(signed_name, name); });
    if (!is_signed || name.size() + value.size() > room) continue;
    room -= name.size() + value.size();
    copies.emplace_back(name, value);
  }
  return copies;
}

}  // namespace

struct Signer::State {
  State(const Header& header, std::vector<SigningIdentity> given, const Limits& limits_given)
      : limits(limits_given), index(header), identities(std::move(given)) {
    if (identities.size() > limits.signatures_made_max)
      identities.erase(identities.begin() + static_cast<std::ptrdiff_t>(limits.signatures_made_max),
                       identities.end());
    for (const SigningIdentity& identity : identities)
      wishes.push_back(body_hashes.want(identity.body_canonicalization, identity.body_length_max));
  }

  Limits limits;
  FieldIndex index;
  std::vector<SigningIdentity> identities;
  BodyHashes body_hashes;
  std::vector<std::size_t> wishes;  // Of BodyHashes, one for each identity.

  [[nodiscard]] Signature prepare(const SigningIdentity& identity, const BodyHash& body,
                                  std::chrono::sys_seconds now) const {
    Signature signature{.algorithm = algorithm_of(identity.key.type()),
                        .signature = {},
                        .body_hash = std::string(crypto::as_octets(body.digest)),
                        .header_canonicalization = identity.header_canonicalization,
                        .body_canonicalization = identity.body_canonicalization,
                        .sdid = identity.sdid,
                        .auid = written_auid(identity.auid),
                        .selector = identity.selector,
                        .signed_fields = select_fields(index, identity.fields, limits),
                        .body_length = {},
                        .time = static_cast<std::uint64_t>(now.time_since_epoch().count()),
                        .expires = {},
                        .copied_fields = {},
                        .requests_reports = identity.requests_reports};
    if (identity.body_length_max) signature.body_length = body.octets_hashed;
    if (identity.lifetime && identity.lifetime->count() > 0)
      signature.expires = expiry_of(*signature.time, *identity.lifetime);
    if (identity.copies_fields)
      signature.copied_fields = copy_fields(index, signature.signed_fields, limits);
    return signature;
  }

  [[nodiscard]] HeaderField sign(const SigningIdentity& identity,
                                 const Signature& signature) const {
    text::FoldedField field = format_unsigned(signature);
    const HeaderField unsigned_field(field.text());
    const crypto::Sha256 hash =
        hash_signed_header(index, {.names = signature.signed_fields,
                                   .canonicalization = signature.header_canonicalization,
                                   .signature_field = unsigned_field});
    field.run(text::encode_base64(identity.key.sign(hash)));
    return HeaderField(field.text());
  }
};

Signer::Signer(const Header& header, std::vector<SigningIdentity> identities, const Limits& limits)
    : state_(std::make_unique<State>(header, std::move(identities), limits)) {}

Signer::~Signer() = default;
Signer::Signer(Signer&&) noexcept = default;
Signer& Signer::operator=(Signer&&) noexcept = default;

void Signer::body(std::string_view chunk) { state_->body_hashes.update(chunk); }

std::vector<HeaderField> Signer::finish(std::chrono::sys_seconds now) && {
  const std::unique_ptr<State> state = std::move(state_);
  state->body_hashes.finish();
  std::vector<HeaderField> fields;
  fields.reserve(state->identities.size());
  for (std::size_t i = 0; i < state->identities.size(); ++i) {
    const SigningIdentity& identity = state->identities[i];
    const BodyHash& body = state->body_hashes.of(state->wishes[i]);
    fields.push_back(state->sign(identity, state->prepare(identity, body, now)));
  }
  return fields;
}

}  // namespace countersign::dkim
