// SPDX-License-Identifier: Apache-2.0

#include "countersign/arc/seal_scope.hpp"

#include "countersign/dkim/canonicalize.hpp"
#include "countersign/dkim/signed_header.hpp"

namespace countersign::arc {

void SealScope::add_results(const HeaderField& aar, const HeaderField& ams) {
  add(aar);
  add(ams);
}

crypto::Sha256 SealScope::hash(const HeaderField& seal) const {
  std::string own;
  dkim::append_canonical_field(own, dkim::without_signature_value(seal),
                               dkim::Canonicalization::relaxed);
  crypto::Digest digest;
  digest.update(octets_);
  digest.update(own);
  return digest.finish();
}

void SealScope::add_seal(const HeaderField& seal) { add(seal); }

void SealScope::add(const HeaderField& field) {
  dkim::append_canonical_field(octets_, field, dkim::Canonicalization::relaxed);
  octets_ += "\r\n";
}

}  // namespace countersign::arc
