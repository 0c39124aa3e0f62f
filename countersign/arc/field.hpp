// SPDX-License-Identifier: Apache-2.0
//
// The three fields of an ARC Set and their values, both ways.
//
//   ARC-Authentication-Results  AAR  what the host found when it got the message
//   ARC-Message-Signature       AMS  a DKIM signature of the message as the host sent it on
//   ARC-Seal                    AS   a signature over the sets up to and with its own
//
// i= numbers the sets of a message from 1. It is the auid of DKIM no longer, and v= has no meaning
// here. RFC 8617 §4.1

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "countersign/arc/verdict.hpp"
#include "countersign/dkim/signature.hpp"
#include "countersign/domain/name.hpp"
#include "countersign/limits.hpp"
#include "countersign/result.hpp"

namespace countersign::arc {

/// Which field of a set.
enum class FieldKind : std::uint8_t { authentication_results, message_signature, seal };

/// The name of the field.
[[nodiscard]] std::string_view name_of(FieldKind kind);

/// The values of an ARC-Authentication-Results field. RFC 8617 §4.1.1
struct AuthenticationResults {
  unsigned instance = 0;  ///< i=, 1 to Limits::arc_sets_max
  /// All behind "i=1;", still folded: what an Authentication-Results field holds, unread. It may be
  /// malformed, and only a valid chain makes it the word of its sealer.
  std::string payload;
};

/// The values of an ARC-Message-Signature field. RFC 8617 §4.1.2
struct MessageSignature {
  unsigned instance = 0;      ///< i=, 1 to Limits::arc_sets_max
  dkim::Signature signature;  ///< its auid is empty: there is none
};

/// The values of an ARC-Seal field. RFC 8617 §4.1.3
struct Seal {
  unsigned instance = 0;  ///< i=, 1 to Limits::arc_sets_max
  dkim::Algorithm algorithm = dkim::Algorithm::rsa_sha256;
  std::string signature;                         ///< b=, octets
  ChainStatus chain_status = ChainStatus::none;  ///< cv=: what its sealer found
  DomainName sdid;                               ///< d=
  DomainName selector;                           ///< s=
  std::optional<std::uint64_t> time;             ///< t=, seconds since 1970 UTC
};

/// What can be wrong with a field of a set.
enum class FieldErrorCode : std::uint8_t {
  bad_tag_list,              ///< no tag list (RFC 6376 §3.2)
  empty_tag,                 ///< a ";" with no tag before it
  missing_tag,               ///< a tag that the field must have is not there
  bad_instance,              ///< i= is missing or no number from 1 (RFC 8617 §4.2.1)
  instance_too_large,        ///< i= over Limits::arc_sets_max
  missing_payload,           ///< nothing follows i= of an AAR
  bad_chain_status,          ///< cv= is not none, pass or fail
  seal_with_fields,          ///< h= in an AS (RFC 8617 §4.1.3)
  seal_covered,              ///< h= of an AMS names ARC-Seal (RFC 8617 §4.1.2)
  unknown_algorithm,         ///< a=
  unknown_canonicalization,  ///< c= of an AMS
  unknown_query_method,      ///< q= of an AMS
  bad_base64,                ///< b= or bh=
  bad_domain,                ///< d=
  bad_selector,              ///< s=
  bad_number,                ///< l=, t= or x=
  bad_signed_fields,         ///< h= of an AMS holds what is no field name
  too_many_signed_fields,    ///< over Limits::signed_fields_max
  expires_before_signed,     ///< x= of an AMS is not later than t=
};

using FieldError = SyntaxErrorOf<FieldErrorCode>;

/// Says in a sentence what is wrong and which section rules it.
[[nodiscard]] std::string_view to_string(FieldErrorCode code);

/// Parses the value of an ARC-Authentication-Results field: all after the colon, still folded.
///
///   arc-info = instance [CFWS] ";" authres-payload
///   instance = [CFWS] %s"i" [CFWS] "=" [CFWS] 1*2DIGIT
///
/// Errors       bad_instance, instance_too_large, missing_payload.
/// RFC 8617 §4.1.1, §4.2.1
[[nodiscard]] Result<AuthenticationResults, FieldError> parse_authentication_results(
    std::string_view field_value, const Limits& limits);

/// Parses the value of an ARC-Message-Signature field: all after the colon, still folded.
///
///   arc-ams-info = instance [CFWS] ";" tag-list
///
/// Errors       each that is not about AAR or AS, with its offset in octets.
/// Leniency     h= may name other ARC fields, have places without a name and leave From out, as
///              deployed verifiers take it; i= may stand anywhere in the list. v= and other tags
///              that are unknown are ignored. Without c= both parts are relaxed, as the test suite
///              of those who wrote the protocol has it, though DKIM's default is simple.
/// RFC 8617 §4.1.2, §4.2.1
[[nodiscard]] Result<MessageSignature, FieldError> parse_message_signature(
    std::string_view field_value, const Limits& limits);

/// Parses the value of an ARC-Seal field: all after the colon, still folded.
///
///   arc-as-info = instance [CFWS] ";" tag-list
///
/// Errors       each that is not about AAR or AMS, with its offset in octets.
/// Leniency     i= may stand anywhere in the list; unknown tags are ignored; t= may be missing.
/// RFC 8617 §4.1.3, §4.2.1
[[nodiscard]] Result<Seal, FieldError> parse_seal(std::string_view field_value,
                                                  const Limits& limits);

/// The number that i= of a field gives, up to 99, whatever else is wrong with the field; nothing
/// when there is none. RFC 8617 §4.2.1
[[nodiscard]] std::optional<unsigned> read_instance(FieldKind kind, std::string_view field_value,
                                                    const Limits& limits);

/// Writes "ARC-Authentication-Results: i=1; …" folded at 78 columns, without the last line end.
///
/// results      runs of white space in its payload become single spaces or folds; control octets
///              count as white space, so that no payload adds a line of its own.
/// RFC 8617 §4.1.1
[[nodiscard]] std::string format_authentication_results(const AuthenticationResults& results);

/// Writes "ARC-Message-Signature: a=…; b=…; …" folded at 78 columns, without the last line end; the
/// tags are in alphabetical order. There is no white space inside of b= and bh= while they fit on a
/// line: a seal covers the field with the space in its values, so what a relay might fold in
/// another way is best not there.
///
/// signature    its auid is not written; nor are z= and r=, which have no use here.
/// RFC 8617 §4.1.2
[[nodiscard]] std::string format_message_signature(const MessageSignature& signature);

/// Writes "ARC-Seal: a=…; b=…; cv=…; …" as format_message_signature() does. RFC 8617 §4.1.3
[[nodiscard]] std::string format_seal(const Seal& seal);

}  // namespace countersign::arc
