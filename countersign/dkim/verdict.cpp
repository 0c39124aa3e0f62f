// SPDX-License-Identifier: Apache-2.0
//
// The words of results, and for each reason a sentence that says what happened and who can act.

#include "countersign/dkim/verdict.hpp"

namespace countersign::dkim {

std::string_view to_string(Result result) {
  switch (result) {
    case Result::none:
      return "none";
    case Result::pass:
      return "pass";
    case Result::fail:
      return "fail";
    case Result::policy:
      return "policy";
    case Result::neutral:
      return "neutral";
    case Result::temperror:
      return "temperror";
    case Result::permerror:
      return "permerror";
  }
  return "permerror";
}

std::string_view to_string(Reason reason) {
  switch (reason) {
    case Reason::valid:
      return "the signature is valid";
    case Reason::bad_signature_field:
      return "the DKIM-Signature field cannot be read (RFC 6376 §6.1.1)";
    case Reason::unsupported_algorithm:
      return "the signing algorithm is unknown (RFC 6376 §3.3)";
    case Reason::rsa_sha1:
      return "rsa-sha1 is too weak to be accepted; the sender must sign with sha256 (RFC 8301 "
             "§3.1)";
    case Reason::expired:
      return "the signature has expired (RFC 6376 §3.5)";
    case Reason::signed_in_future:
      return "the signature was made in the future; compare the clocks (RFC 6376 §3.5)";
    case Reason::key_not_found:
      return "the selector publishes no key (RFC 6376 §6.1.2)";
    case Reason::several_key_records:
      return "the selector publishes more than one key record (RFC 6376 §3.6.2.2)";
    case Reason::key_unavailable:
      return "DNS did not answer when asked for the key (RFC 6376 §6.1.2)";
    case Reason::key_not_trusted:
      return "DNSSEC validation of the key record failed (RFC 4035 §4.3)";
    case Reason::bad_key_record:
      return "the key record cannot be used (RFC 6376 §6.1.2)";
    case Reason::key_revoked:
      return "the key was revoked (RFC 6376 §3.6.1)";
    case Reason::key_type_mismatch:
      return "the key is of another type than the signature (RFC 6376 §6.1.2)";
    case Reason::hash_not_allowed:
      return "h= of the key record does not allow sha256 (RFC 6376 §6.1.2)";
    case Reason::key_too_short:
      return "the RSA key is too short to be accepted (RFC 8301 §3.2)";
    case Reason::auid_not_allowed:
      return "the key forbids signing for a subdomain in i= (RFC 6376 §3.6.1)";
    case Reason::body_hash_mismatch:
      return "the body was changed after it was signed (RFC 6376 §6.1.3)";
    case Reason::signature_mismatch:
      return "a signed header field was changed, or the published key is another one "
             "(RFC 6376 §6.1.3)";
    case Reason::body_length_too_large:
      return "l= claims more octets than the body has (RFC 6376 §3.5)";
    case Reason::body_partly_signed:
      return "l= leaves the end of the body unsigned (RFC 6376 §8.2)";
    case Reason::field_not_signed:
      return "a field is not signed that must be here (RFC 6376 §6.1, local policy)";
    case Reason::third_party:
      return "the signer is neither the author's domain nor trusted here (RFC 6376 §6.3, local "
             "policy)";
    case Reason::limit_exceeded:
      return "the message has more signatures, or a larger header, than are looked at (RFC 6376 "
             "§8.4)";
  }
  return "unknown reason";
}

std::string_view name_of(Reason reason) {
  switch (reason) {
    case Reason::valid:
      return "valid";
    case Reason::bad_signature_field:
      return "bad_signature_field";
    case Reason::unsupported_algorithm:
      return "unsupported_algorithm";
    case Reason::rsa_sha1:
      return "rsa_sha1";
    case Reason::expired:
      return "expired";
    case Reason::signed_in_future:
      return "signed_in_future";
    case Reason::key_not_found:
      return "key_not_found";
    case Reason::several_key_records:
      return "several_key_records";
    case Reason::key_unavailable:
      return "key_unavailable";
    case Reason::key_not_trusted:
      return "key_not_trusted";
    case Reason::bad_key_record:
      return "bad_key_record";
    case Reason::key_revoked:
      return "key_revoked";
    case Reason::key_type_mismatch:
      return "key_type_mismatch";
    case Reason::hash_not_allowed:
      return "hash_not_allowed";
    case Reason::key_too_short:
      return "key_too_short";
    case Reason::auid_not_allowed:
      return "auid_not_allowed";
    case Reason::body_hash_mismatch:
      return "body_hash_mismatch";
    case Reason::signature_mismatch:
      return "signature_mismatch";
    case Reason::body_length_too_large:
      return "body_length_too_large";
    case Reason::body_partly_signed:
      return "body_partly_signed";
    case Reason::field_not_signed:
      return "field_not_signed";
    case Reason::third_party:
      return "third_party";
    case Reason::limit_exceeded:
      return "limit_exceeded";
  }
  return "unknown";
}

}  // namespace countersign::dkim
