// SPDX-License-Identifier: Apache-2.0

#include "countersign/dkim/signature_check.hpp"

#include <algorithm>
#include <cstdint>

namespace countersign::dkim {

namespace {

crypto::KeyType key_type_of(Algorithm algorithm) {
  return algorithm == Algorithm::ed25519_sha256 ? crypto::KeyType::ed25519 : crypto::KeyType::rsa;
}

}  // namespace

std::optional<Verdict> algorithm_fault(Algorithm algorithm) {
  if (algorithm == Algorithm::rsa_sha1) return Verdict{Result::policy, Reason::rsa_sha1, {}};
  return std::nullopt;
}

std::optional<Verdict> time_fault(const Signature& signature, std::chrono::sys_seconds now,
                                  const Limits& limits) {
  const auto seconds =
      static_cast<std::uint64_t>(std::max<std::int64_t>(now.time_since_epoch().count(), 0));
  if (signature.time && *signature.time > seconds + limits.clock_drift_seconds)
    return Verdict{Result::permerror, Reason::signed_in_future, {}};
  if (signature.expires && *signature.expires + limits.clock_drift_seconds < seconds)
    return Verdict{Result::permerror, Reason::expired, {}};
  return std::nullopt;
}

std::optional<Verdict> body_fault(const Signature& signature, const BodyHash& body) {
  if (signature.body_length && *signature.body_length > body.octets_total)
    return Verdict{Result::permerror, Reason::body_length_too_large, {}};
  if (signature.body_hash != crypto::as_octets(body.digest))
    return Verdict{Result::fail, Reason::body_hash_mismatch, {}};
  return std::nullopt;
}

std::optional<Verdict> key_fault(Algorithm algorithm, const KeyRecord& record,
                                 const Limits& limits) {
  if (!record.allows_sha256()) return Verdict{Result::permerror, Reason::hash_not_allowed, {}};
  if (record.key.type() != key_type_of(algorithm))
    return Verdict{Result::permerror, Reason::key_type_mismatch, {}};
  if (record.key.type() == crypto::KeyType::rsa && record.key.bits() < limits.rsa_verify_bits_min)
    return Verdict{Result::policy, Reason::key_too_short, {}};
  return std::nullopt;
}

}  // namespace countersign::dkim
