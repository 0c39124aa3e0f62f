// SPDX-License-Identifier: Apache-2.0
//
// A zone with DNSSEC, signed on the spot: the only honest way to test what a validating resolver
// says, as signatures run out.

#pragma once

#include <cstdint>
#include <ctime>
#include <map>
#include <string>
#include <vector>

#include "countersign/crypto/private_key.hpp"

namespace countersign::test {

/// Builds a zone of TXT records with SOA, NS, DNSKEY, NSEC and RRSIG records. RFC 4034, RFC 5702
class SignedZone {
 public:
  /// An empty zone with a new key.
  ///
  /// origin       lower case, without a dot at the end.
  /// now          in seconds since 1970; signatures hold from an hour before to an hour after.
  SignedZone(std::string origin, std::int64_t now);

  /// Adds a TXT record of one string; names in canonical order (RFC 4034 §6.1), each below the
  /// origin and once.
  void add_txt(const std::string& name, const std::string& text);

  /// The zone as a master file.
  [[nodiscard]] std::string text() const;
  /// The zone's DS record, for a file of trust anchors.
  [[nodiscard]] std::string trust_anchor() const;

 private:
  struct Set {
    std::string owner;
    std::uint16_t type = 0;
    std::string data;  ///< of its only record, as on the wire
  };

  [[nodiscard]] std::string dnskey() const;
  [[nodiscard]] std::uint16_t key_tag() const;
  [[nodiscard]] std::string signature(const Set& set) const;
  [[nodiscard]] std::vector<Set> sets() const;

  std::string origin_;
  std::int64_t now_;
  crypto::PrivateKey key_;
  std::vector<std::pair<std::string, std::string>> texts_;
};

}  // namespace countersign::test
