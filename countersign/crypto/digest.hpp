// SPDX-License-Identifier: Apache-2.0
//
// SHA-256 as octets flow by, and SHA-1 for those who have to name what they refuse.

#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace countersign::crypto {

/// The hash algorithms of RFC 6376 §3.3; spelled as in a= and in the h= of a key record.
enum class HashAlgorithm : std::uint8_t { sha256, sha1 };

/// Octets of a SHA-256 digest.
using Sha256 = std::array<std::uint8_t, 32>;

/// A running SHA-256. Chunks may be of any size; the digest depends on their concatenation only.
/// FIPS 180-4
class Digest {
 public:
  Digest();
  ~Digest();
  Digest(Digest&&) noexcept;
  Digest& operator=(Digest&&) noexcept;
  Digest(const Digest&) = delete;
  Digest& operator=(const Digest&) = delete;

  /// Adds octets.
  void update(std::string_view octets);
  /// Ends the run and returns the digest; the object is then as new.
  [[nodiscard]] Sha256 finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// SHA-256 of octets at hand.
[[nodiscard]] Sha256 sha256(std::string_view octets);

/// HMAC with SHA-256: a digest that only those who have the key can make. RFC 2104 §2
[[nodiscard]] Sha256 hmac_sha256(std::string_view key, std::string_view octets);

/// The digest as a view of raw octets.
[[nodiscard]] inline std::string_view as_octets(const Sha256& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

}  // namespace countersign::crypto
