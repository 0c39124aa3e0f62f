// SPDX-License-Identifier: Apache-2.0
//
// Verification: made at the end of the header, when the DKIM-Signature fields are known; fed the
// body as it passes; finished by asking DNS for the keys, all at once.

#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "countersign/dkim/signature.hpp"
#include "countersign/dns/asking.hpp"
#include "countersign/limits.hpp"
#include "countersign/message/header_field.hpp"

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
  body_partly_signed,     ///< l= leaves octets of the body unsigned
  limit_exceeded,         ///< more signatures than Limits::signatures_max
};

/// A sentence that an operator can act on, with its section.
[[nodiscard]] std::string_view to_string(Reason reason);

/// What local policy adds to the rules of the RFCs.
struct VerifyPolicy {
  /// Without it, a signature whose l= leaves body octets unsigned is policy, not pass (S-25).
  bool accept_partly_signed_body = false;
};

/// The result for one DKIM-Signature field.
struct SignatureResult {
  Result result = Result::none;
  Reason reason = Reason::valid;
  std::string detail;                    ///< what is wrong in words, with its place; safe to print
  std::optional<Signature> signature;    ///< absent when the field cannot be read
  unsigned key_bits = 0;                 ///< 0 when no key was read
  bool key_testing = false;              ///< t=y in the key record
  bool key_authenticated = false;        ///< DNSSEC validated the key record
  std::uint64_t body_octets_signed = 0;  ///< of the canonical body
  std::uint64_t body_octets_total = 0;   ///< of the canonical body
  std::size_t field_index = 0;  ///< of the DKIM-Signature field in the header, from the top
};

/// A verification run over one message.
class Verifier {
 public:
  /// header       of the message; it must outlive the verifier and its finish().
  Verifier(const Header& header, const Limits& limits, VerifyPolicy policy = {});
  ~Verifier();
  Verifier(Verifier&&) noexcept;
  Verifier& operator=(Verifier&&) noexcept;

  /// Feeds body octets, line ends as CRLF: any number of times, any chunk sizes, same result.
  void body(std::string_view chunk);

  /// Asks for the keys and judges: one result for each DKIM-Signature field, from the top down;
  /// empty when there is none. RFC 6376 §6
  [[nodiscard]] dns::Asking<std::vector<SignatureResult>> finish(std::chrono::sys_seconds now) &&;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// The result of the whole message: pass when any signature passes, else the best of the results,
/// none without signatures.
[[nodiscard]] Result summarize(const std::vector<SignatureResult>& results);

}  // namespace countersign::dkim
