// SPDX-License-Identifier: Apache-2.0
//
// Verification: made at the end of the header, when the DKIM-Signature fields are known; fed the
// body as it passes; finished by asking DNS for the keys, all at once.

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "countersign/dkim/signature.hpp"
#include "countersign/dkim/verdict.hpp"
#include "countersign/dns/asking.hpp"
#include "countersign/limits.hpp"
#include "countersign/message/header_field.hpp"

namespace countersign::dkim {

/// What local policy adds to the rules of the RFCs.
struct VerifyPolicy {
  /// With it, a signature whose l= leaves body octets unsigned passes, as RFC 6376 has it; without
  /// it the result is policy. Either way the reason is body_partly_signed and covers_body() false.
  bool accept_partly_signed_body = true;
  /// The header has more fields than are given. Which field a name of h= means is counted from the
  /// bottom, so nothing can be verified: policy, limit_exceeded.
  bool header_is_cut = false;
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
  /// Of a signature that passed: fields that stand more often in the message than they were signed,
  /// though a message has one at most; sign of an attack that oversigning would have stopped. The
  /// names are constants.
  std::vector<std::string_view> added_fields;
  std::size_t field_index = 0;  ///< of the DKIM-Signature field in the header, from the top

  /// True when the signature passed and vouches for all that a reader gets to see of the body. Only
  /// then may DMARC or anything else rely on it: behind a signed length stands what anybody added.
  /// RFC 6376 §8.2
  [[nodiscard]] bool covers_body() const {
    return result == Result::pass && reason == Reason::valid;
  }
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
  static dns::Asking<std::vector<SignatureResult>> judge(std::unique_ptr<State> state,
                                                         std::chrono::sys_seconds now);
  std::unique_ptr<State> state_;
};

/// The result of the whole message: pass when any signature passes, else the best of the results,
/// none without signatures.
[[nodiscard]] Result summarize(const std::vector<SignatureResult>& results);

}  // namespace countersign::dkim
