// SPDX-License-Identifier: Apache-2.0
//
// Octets for the tests of keys: from hexadecimal, and DER put together element by element.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace countersign::test {

/// The octets that pairs of hexadecimal digits stand for; the text holds nothing else.
[[nodiscard]] inline std::string from_hex(std::string_view text) {
  std::string octets;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    octets += static_cast<char>(std::stoi(std::string(text.substr(i, 2)), nullptr, 16));
  }
  return octets;
}

/// One DER element: the tag, the length in its shortest form, the contents.
[[nodiscard]] inline std::string der_element(std::uint8_t tag, std::string_view contents) {
  std::string length;
  for (std::size_t rest = contents.size(); rest != 0; rest >>= 8) {
    length.insert(length.begin(), static_cast<char>(rest & 0xFF));
  }
  const bool is_short = contents.size() < 0x80;
  std::string element(1, static_cast<char>(tag));
  element += static_cast<char>(is_short ? contents.size() : 0x80 | length.size());
  if (!is_short) element += length;
  return element.append(contents);
}

/// A SEQUENCE of elements already encoded.
[[nodiscard]] inline std::string der_sequence(std::string_view contents) {
  return der_element(0x30, contents);
}

/// An INTEGER of a big-endian magnitude without leading zeros.
[[nodiscard]] inline std::string der_unsigned(std::string_view magnitude) {
  const bool needs_zero = magnitude.empty() || (magnitude[0] & 0x80) != 0;
  return der_element(0x02, std::string(needs_zero ? 1 : 0, '\0').append(magnitude));
}

/// An RSAPublicKey. RFC 8017 §A.1.1
[[nodiscard]] inline std::string der_rsa_key(std::string_view modulus, std::string_view exponent) {
  return der_sequence(der_unsigned(modulus) + der_unsigned(exponent));
}

/// The AlgorithmIdentifier of rsaEncryption. RFC 8017 §A.1
[[nodiscard]] inline std::string der_rsa_algorithm() {
  return from_hex("300d06092a864886f70d0101010500");
}

/// A SubjectPublicKeyInfo. RFC 5280 §4.1
[[nodiscard]] inline std::string der_public_key_info(std::string_view algorithm,
                                                     std::string_view key) {
  const std::string bits = std::string(1, '\0').append(key);
  return der_sequence(std::string(algorithm) + der_element(0x03, bits));
}

/// An odd number of so many bits, the highest set.
[[nodiscard]] inline std::string odd_number(unsigned bits) {
  std::string number((bits + 7) / 8, '\x5A');
  const unsigned top_bit = (bits - 1) % 8;
  number.front() = static_cast<char>((1U << top_bit) | ((1U << top_bit) - 1U));
  number.back() = static_cast<char>(number.back() | 1);
  return number;
}

}  // namespace countersign::test
