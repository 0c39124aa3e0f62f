// SPDX-License-Identifier: Apache-2.0
//
// What a seal covers: its own set and all before it, oldest first, each as AAR, AMS, AS in relaxed
// form, and of its own AS all but the value of b=. Verifier and sealer both hash it here.
// RFC 8617 §5.1.1

#pragma once

#include <string>

#include "countersign/crypto/digest.hpp"
#include "countersign/message/header_field.hpp"

namespace countersign::arc {

/// The octets that seals cover, growing set by set: add_results() of a set, hash() of its seal,
/// add_seal(), and on to the next set.
///
/// Each seal is hashed from the first set on, so the work grows with the square of the number of
/// sets; Limits::arc_sets_max and Limits::header_bytes_max keep it at some three megabytes.
class SealScope {
 public:
  /// Adds the two fields that stand before the seal of the next set.
  void add_results(const HeaderField& aar, const HeaderField& ams);
  /// The hash that the seal signs.
  ///
  /// seal         with or without the value of b=.
  [[nodiscard]] crypto::Sha256 hash(const HeaderField& seal) const;
  /// Adds the seal itself, which those of later sets cover.
  void add_seal(const HeaderField& seal);

 private:
  void add(const HeaderField& field);

  std::string octets_;
};

}  // namespace countersign::arc
