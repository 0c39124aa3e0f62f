// SPDX-License-Identifier: Apache-2.0
//
// Signing: made at the end of the header, fed the body as it passes, finished with one field for
// each identity. All signatures share the body hashes that they have in common.

#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "countersign/crypto/private_key.hpp"
#include "countersign/dkim/field_selection.hpp"
#include "countersign/dkim/signature.hpp"
#include "countersign/domain/name.hpp"
#include "countersign/limits.hpp"
#include "countersign/message/header_field.hpp"

namespace countersign::dkim {

/// One signature to be made.
struct SigningIdentity {
  DomainName sdid;         ///< d=
  DomainName selector;     ///< s=
  crypto::PrivateKey key;  ///< its type decides a=
  std::string auid;        ///< i=, its domain in any form; empty leaves the tag out
  Canonicalization header_canonicalization = Canonicalization::relaxed;
  Canonicalization body_canonicalization = Canonicalization::relaxed;
  FieldSelection fields;
  std::optional<std::chrono::seconds> lifetime;  ///< x= is that much later than t=
  std::optional<std::uint64_t> body_length_max;  ///< l= at most this; none never writes l=
  bool copies_fields = false;                    ///< z=
  bool requests_reports = false;                 ///< r=y
};

/// A signing run over one message.
class Signer {
 public:
  /// header       of the message; it must outlive the signer.
  /// identities   at most limits.signatures_made_max, in the order in which the fields are wanted
  ///              from the top.
  Signer(const Header& header, std::vector<SigningIdentity> identities, const Limits& limits);
  ~Signer();
  Signer(Signer&&) noexcept;
  Signer& operator=(Signer&&) noexcept;

  /// Feeds body octets, line ends as CRLF: any number of times, any chunk sizes, same result.
  void body(std::string_view chunk);

  /// Makes the signatures; each is a whole DKIM-Signature field without its last line end, in the
  /// order of the identities. RFC 6376 §5
  [[nodiscard]] std::vector<HeaderField> finish(std::chrono::sys_seconds now) &&;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace countersign::dkim
