// SPDX-License-Identifier: Apache-2.0
//
// Hands each canonical octet to every hash that covers it.

#include "countersign/dkim/body_hash.hpp"

#include <algorithm>

#include "countersign/assert.hpp"

namespace countersign::dkim {

// Leads the octets of one canonicalizer to the wishes for it.
class BodyHashes::Feeder final : public OctetSink {
 public:
  Feeder(BodyHashes& hashes, Canonicalization canonicalization)
      : hashes_(hashes), canonicalization_(canonicalization) {}
  void take(std::string_view octets) override { hashes_.take(canonicalization_, octets); }

 private:
  BodyHashes& hashes_;
  Canonicalization canonicalization_;
};

std::size_t BodyHashes::want(Canonicalization canonicalization,
                             std::optional<std::uint64_t> length) {
  const auto same = std::ranges::find_if(wishes_, [&](const Wish& wish) {
    return wish.canonicalization == canonicalization && wish.length == length;
  });
  if (same != wishes_.end()) return static_cast<std::size_t>(same - wishes_.begin());
  if (std::ranges::find(canonicalizers_, canonicalization, &BodyCanonicalizer::canonicalization) ==
      canonicalizers_.end())
    canonicalizers_.emplace_back(canonicalization);
  wishes_.push_back({canonicalization, length, {}, {}});
  return wishes_.size() - 1;
}

void BodyHashes::update(std::string_view chunk) {
  for (BodyCanonicalizer& canonicalizer : canonicalizers_) {
    Feeder feeder(*this, canonicalizer.canonicalization());
    canonicalizer.update(chunk, feeder);
  }
}

void BodyHashes::finish() {
  for (BodyCanonicalizer& canonicalizer : canonicalizers_) {
    Feeder feeder(*this, canonicalizer.canonicalization());
    canonicalizer.finish(feeder);
  }
  for (Wish& wish : wishes_) wish.hash.digest = wish.digest.finish();
}

const BodyHash& BodyHashes::of(std::size_t wish) const {
  COUNTERSIGN_ASSERT(wish < wishes_.size());
  return wishes_[wish].hash;
}

void BodyHashes::take(Canonicalization canonicalization, std::string_view octets) {
  for (Wish& wish : wishes_) {
    if (wish.canonicalization != canonicalization) continue;
    wish.hash.octets_total += octets.size();
    std::string_view covered = octets;
    if (wish.length) {
      const std::uint64_t open = *wish.length - wish.hash.octets_hashed;
      covered =
          octets.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(open, octets.size())));
    }
    wish.digest.update(covered);
    wish.hash.octets_hashed += covered.size();
  }
}

}  // namespace countersign::dkim
