// SPDX-License-Identifier: Apache-2.0
//
// The body hashes of a message: one pass over the body, shared by all signatures. Signatures that
// agree on canonicalization and length share one hash, those that agree on canonicalization share
// the work of it. RFC 6376 §3.7

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "countersign/crypto/digest.hpp"
#include "countersign/dkim/canonicalize.hpp"
#include "countersign/dkim/signature.hpp"

namespace countersign::dkim {

/// A body hash with the extent of what it covers.
struct BodyHash {
  crypto::Sha256 digest{};
  std::uint64_t octets_hashed = 0;  ///< of the canonical body, all of it or the first l= octets
  std::uint64_t octets_total = 0;   ///< of the canonical body
};

/// The hashes wanted of one body. Order of use: want() for each signature, update() with each
/// chunk, finish(), then of().
class BodyHashes {
 public:
  /// Asks for a hash and gives the number under which of() has it; equal wishes share a number.
  ///
  /// length       hashes that many octets of the canonical body at most, as l= says; all if absent.
  /// RFC 6376 §3.5
  std::size_t want(Canonicalization canonicalization,
                   std::optional<std::uint64_t> length = std::nullopt);

  /// Feeds body octets, line ends as CRLF; chunks may be cut anywhere.
  void update(std::string_view chunk);
  /// Ends the body.
  void finish();

  /// The hash of that number, once finished.
  [[nodiscard]] const BodyHash& of(std::size_t wish) const;

 private:
  struct Wish {
    Canonicalization canonicalization;
    std::optional<std::uint64_t> length;
    crypto::Digest digest;
    BodyHash hash;
  };
  class Feeder;

  void take(Canonicalization canonicalization, std::string_view octets);

  std::vector<Wish> wishes_;
  std::vector<BodyCanonicalizer> canonicalizers_;  // One for each that somebody wants.
};

}  // namespace countersign::dkim
