// SPDX-License-Identifier: Apache-2.0
//
// The DKIM-Signature field and its values, both ways.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "countersign/domain/name.hpp"
#include "countersign/limits.hpp"
#include "countersign/result.hpp"
#include "countersign/text/fold.hpp"

namespace countersign::dkim {

/// Signing algorithms of a=; the wire writes "-" where we write "_". rsa-sha1 is known to be
/// refused (RFC 8301 §3.1).
enum class Algorithm : std::uint8_t { rsa_sha256, ed25519_sha256, rsa_sha1 };

/// Canonicalization of header or body. RFC 6376 §3.4
enum class Canonicalization : std::uint8_t { simple, relaxed };

/// The word on the wire.
[[nodiscard]] std::string_view to_string(Algorithm algorithm);
/// The word on the wire.
[[nodiscard]] std::string_view to_string(Canonicalization canonicalization);

/// What can be wrong with a DKIM-Signature field.
enum class SignatureErrorCode : std::uint8_t {
  bad_tag_list,              ///< no tag list (RFC 6376 §3.2)
  missing_tag,               ///< one of v a b bh d h s is not there (RFC 6376 §3.5)
  bad_version,               ///< v= is not 1
  unknown_algorithm,         ///< a= is not one that we know
  unknown_canonicalization,  ///< c= is not made of simple and relaxed
  unknown_query_method,      ///< q= names no method that we know
  bad_base64,                ///< b= or bh=
  bad_domain,                ///< d= is no domain name
  bad_selector,              ///< s= is no sequence of labels
  bad_auid,                  ///< i= has no domain
  auid_outside_sdid,         ///< the domain of i= is not d= or below it (RFC 6376 §3.5)
  bad_number,                ///< l=, t= or x= is no number or too long
  bad_signed_fields,         ///< h= is empty or holds what is no field name
  too_many_signed_fields,    ///< over Limits::signed_fields_max
  from_not_signed,           ///< h= does not name From (RFC 6376 §5.4)
  expires_before_signed,     ///< x= is not later than t= (RFC 6376 §3.5)
};

using SignatureError = SyntaxErrorOf<SignatureErrorCode>;

/// Says in a sentence what is wrong and which section rules it.
[[nodiscard]] std::string_view to_string(SignatureErrorCode code);

/// The values of a DKIM-Signature field.
struct Signature {
  Algorithm algorithm = Algorithm::rsa_sha256;
  std::string signature;  ///< b=, octets; empty in a signature that is about to be made
  std::string body_hash;  ///< bh=, octets
  Canonicalization header_canonicalization = Canonicalization::simple;
  Canonicalization body_canonicalization = Canonicalization::simple;
  DomainName sdid;                           ///< d=
  std::string auid;                          ///< i= decoded; "@" sdid when the field has none
  DomainName selector;                       ///< s=
  std::vector<std::string> signed_fields;    ///< h=, names as written, in order
  std::optional<std::uint64_t> body_length;  ///< l=, octets after canonicalization
  std::optional<std::uint64_t> time;         ///< t=, seconds since 1970 UTC
  std::optional<std::uint64_t> expires;      ///< x=, seconds since 1970 UTC
  /// z=: name and value of the fields as they were when signed, decoded.
  std::vector<std::pair<std::string, std::string>> copied_fields;
  bool requests_reports = false;  ///< r=y (RFC 6651 §3.2)
};

/// Parses the value of a DKIM-Signature field: everything after the colon, still folded.
///
/// field_value  raw octets, at most limits.field_bytes_max; the result keeps no view of them.
/// Errors       each SignatureErrorCode, with the offset in octets.
/// Leniency     unknown tags are ignored, and copies in z= that cannot be read. Words are compared
///              with regard to case, as the RFC has it for all values but names.
/// RFC 6376 §3.5, RFC 8301 §3.1, RFC 8616 §5
[[nodiscard]] countersign::Result<Signature, SignatureError> parse_signature(
    std::string_view field_value, const Limits& limits);

/// Writes the field as "DKIM-Signature: v=1; …", folded at 78 columns, without the last line end;
/// b= comes last.
/// RFC 6376 §3.5
[[nodiscard]] std::string format_signature(const Signature& signature);

/// Writes the field as it is signed: up to "b=" and nothing behind it, so `signature` is not used.
/// The signer then adds the value with run(). RFC 6376 §3.7
[[nodiscard]] text::FoldedField format_unsigned(const Signature& signature);

}  // namespace countersign::dkim
