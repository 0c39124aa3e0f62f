// SPDX-License-Identifier: Apache-2.0
//
// The words for what became of a signature: the result that goes into Authentication-Results, and
// the reason that tells an operator what to do about it.

#pragma once

#include <cstdint>
#include <string_view>

namespace countersign::dkim {

/// The outcome for one signature, in the words of RFC 8601 §2.7.1.
enum class Result : std::uint8_t { none, pass, fail, policy, neutral, temperror, permerror };

/// The word on the wire.
[[nodiscard]] std::string_view to_string(Result result);

/// Why a signature has its result. Always set; `valid` goes with pass alone.
enum class Reason : std::uint8_t {
  valid,                  ///< pass
  bad_signature_field,    ///< the field cannot be read; SignatureResult::detail says why
  unsupported_algorithm,  ///< a= unknown
  rsa_sha1,               ///< RFC 8301 §3.1
  expired,                ///< x= has passed
  signed_in_future,       ///< t= is later than now and the allowed drift
  key_not_found,          ///< NXDOMAIN, NODATA or no TXT that is a key record
  several_key_records,    ///< more than one TXT record at the selector
  key_unavailable,        ///< DNS failed: temperror
  key_not_trusted,        ///< DNSSEC says bogus
  bad_key_record,         ///< the record cannot be used; SignatureResult::detail says why
  key_revoked,            ///< p= is empty
  key_type_mismatch,      ///< k= does not fit a=
  hash_not_allowed,       ///< h= of the key leaves sha256 out
  key_too_short,          ///< RSA below Limits::rsa_verify_bits_min (RFC 8301 §3.2)
  auid_not_allowed,       ///< t=s and the domain of i= is a subdomain
  body_hash_mismatch,     ///< the body was changed
  signature_mismatch,     ///< the header was changed, or the key is another
  body_length_too_large,  ///< l= is more than the body has
  body_partly_signed,     ///< l= leaves octets of the body unsigned: pass or policy, as set
  field_not_signed,       ///< a field is unsigned that local policy wants signed
  third_party,            ///< not of the author's domain, and local policy does not trust it
  limit_exceeded,         ///< more signatures, or a larger header, than Limits allow
};

/// A sentence that an operator can act on, with its section.
[[nodiscard]] std::string_view to_string(Reason reason);
/// The enumerator itself, "body_hash_mismatch", for programs that read our JSON.
[[nodiscard]] std::string_view name_of(Reason reason);

}  // namespace countersign::dkim
