// SPDX-License-Identifier: Apache-2.0
//
// Sealing: fed the body as it passes, finished with the header that the message is handed on with
// and what was found of it; gives the three fields of a new set. All other changes to the message
// come before, a DKIM signature of ours too. RFC 8617 §5.1

#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "countersign/arc/verdict.hpp"
#include "countersign/crypto/private_key.hpp"
#include "countersign/dkim/field_selection.hpp"
#include "countersign/dkim/signature.hpp"
#include "countersign/domain/name.hpp"
#include "countersign/limits.hpp"
#include "countersign/message/header_field.hpp"
#include "countersign/result.hpp"

namespace countersign::arc {

/// The fields that a message signature of ours covers unless told otherwise: what we sign with
/// DKIM, and DKIM-Signature.
[[nodiscard]] dkim::FieldSelection default_sealed_fields();

/// In whose name a set is made, and how.
struct SealingIdentity {
  DomainName sdid;         ///< d= of both signatures
  DomainName selector;     ///< s= of both
  crypto::PrivateKey key;  ///< its type decides a=
  /// h= of the message signature, in this order; names that may_sign() refuses are left out. Empty:
  /// what the selection below makes of the message.
  std::vector<std::string> signed_fields;
  /// What h= is made of; names that may_sign() refuses are left out.
  dkim::FieldSelection fields = default_sealed_fields();
  dkim::Canonicalization header_canonicalization = dkim::Canonicalization::relaxed;
  dkim::Canonicalization body_canonicalization = dkim::Canonicalization::relaxed;
  std::optional<std::chrono::seconds> lifetime;  ///< x= of the message signature is that much later
};

/// What is known of the message at its end.
struct SealingRequest {
  /// What validation found: Outcome::status. It becomes cv= unless the header says otherwise: none
  /// without a set, fail with sets that make no chain.
  ChainStatus chain_status = ChainStatus::none;
  /// What our Authentication-Results say, authserv-id first: "mx.example.org; spf=pass …". In any
  /// folding; not empty.
  std::string payload;
  std::chrono::sys_seconds now;  ///< t=
};

/// Why a message gets no set.
enum class Refusal : std::uint8_t {
  chain_ended,    ///< the newest seal says cv=fail, and nothing can mend that
  too_many_sets,  ///< the chain has as many as there may be, or claims to
};

/// Says in a sentence why there is no set and which section rules it.
[[nodiscard]] std::string_view to_string(Refusal refusal);

/// True when a message signature of ours may cover fields of that name: neither those of ARC nor
/// Authentication-Results, which the next host may have to remove; nor what is no name, or cannot
/// stand in h=. RFC 8617 §4.1.2
[[nodiscard]] bool may_sign(std::string_view field_name);

/// A sealing run over one message.
class Sealer {
 public:
  Sealer(SealingIdentity identity, const Limits& limits);
  ~Sealer();
  Sealer(Sealer&&) noexcept;
  Sealer& operator=(Sealer&&) noexcept;

  /// Feeds body octets, line ends as CRLF: any number of times, any chunk sizes, same result.
  void body(std::string_view chunk);

  /// Makes the set: three whole fields without their last line ends, as they are to stand from the
  /// top of the message: ARC-Seal, ARC-Message-Signature, ARC-Authentication-Results. The seal of a
  /// chain that failed covers its own set only.
  ///
  /// header       of the message as it is handed on, with all changes but this set.
  /// Errors       chain_ended, too_many_sets.
  /// RFC 8617 §5.1, §5.1.2
  [[nodiscard]] Result<std::vector<HeaderField>, Refusal> finish(const Header& header,
                                                                 const SealingRequest& request) &&;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace countersign::arc
