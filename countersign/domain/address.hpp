// SPDX-License-Identifier: Apache-2.0
//
// IP addresses and networks as values: what SMTP told us about the client, and what operators list
// as trusted.

#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace countersign {

/// An IPv4 or IPv6 address. An IPv4-mapped IPv6 address (::ffff:0:0/96) is held as the IPv4
/// address, so that both spellings compare equal. RFC 4291 §2.5.5.2
class IpAddress {
 public:
  /// Parses the text of an address: dotted quad or RFC 4291 §2.2 forms in any case, either in
  /// square brackets or with Sendmail's "IPv6:" in front. No zone id, no leading zeros in a quad.
  [[nodiscard]] static std::optional<IpAddress> parse(std::string_view text);
  /// An address from its octets in network order; the first four count when it is IPv4.
  [[nodiscard]] static IpAddress from_octets(const std::array<std::uint8_t, 16>& octets,
                                             bool is_v4);

  [[nodiscard]] bool is_v4() const { return bits_ == 32; }
  /// 32 or 128.
  [[nodiscard]] unsigned bits() const { return bits_; }
  /// The octets in network order; the first bits()/8 count.
  [[nodiscard]] const std::array<std::uint8_t, 16>& octets() const { return octets_; }
  /// The address with all bits behind the prefix cleared.
  [[nodiscard]] IpAddress masked(unsigned prefix_bits) const;
  /// The canonical text. RFC 5952 §4
  [[nodiscard]] std::string to_string() const;
  /// The name under which DNS has the names of the address: "1.2.0.192.in-addr.arpa".
  /// RFC 1035 §3.5, RFC 3596 §2.5
  [[nodiscard]] std::string reverse_name() const;

  friend auto operator<=>(const IpAddress&, const IpAddress&) = default;

 private:
  std::array<std::uint8_t, 16> octets_{};
  std::uint8_t bits_ = 32;
};

/// A network: an address and the length of its prefix.
struct IpNetwork {
  IpAddress address;           ///< host bits are zero
  unsigned prefix_bits = 0;    ///< 0..address.bits()
  bool had_host_bits = false;  ///< the text had host bits set, as in 192.168.0.1/24
  bool was_loose = false;      ///< the text had a netmask or was short, as in 10.1/16

  /// Parses ADDRESS, ADDRESS/LENGTH, ADDRESS/NETMASK and the short IPv4 form 10.1/16.
  [[nodiscard]] static std::optional<IpNetwork> parse(std::string_view text);
  /// True when the address is in the network.
  [[nodiscard]] bool contains(const IpAddress& other) const;

  friend bool operator==(const IpNetwork&, const IpNetwork&) = default;
};

}  // namespace countersign
