// SPDX-License-Identifier: Apache-2.0
//
// Signs RRsets of one record each with RSASHA256, and writes all as octets (RFC 3597 §5), so that
// what is signed is what is served.

#include "tests/support/signed_zone.hpp"

#include <algorithm>
#include <utility>

#include "countersign/crypto/digest.hpp"

namespace countersign::test {
namespace {

constexpr std::uint32_t ttl = 300;
constexpr std::uint8_t algorithm_rsasha256 = 8;
enum Type : std::uint16_t { ns = 2, soa = 6, txt = 16, rrsig = 46, nsec = 47, dnskey_type = 48 };

std::string u16(unsigned value) {
  return {static_cast<char>(value >> 8U), static_cast<char>(value & 0xFFU)};
}
std::string u32(std::uint32_t value) { return u16(value >> 16U) + u16(value & 0xFFFFU); }

std::vector<std::string> labels_of(const std::string& name) {
  std::vector<std::string> labels;
  for (std::size_t begin = 0; begin < name.size();) {
    const std::size_t end = std::min(name.find('.', begin), name.size());
    labels.push_back(name.substr(begin, end - begin));
    begin = end + 1;
  }
  return labels;
}

std::string wire(const std::string& name) {
  std::string octets;
  for (const std::string& label : labels_of(name))
    octets += static_cast<char>(label.size()) + label;
  return octets + '\0';
}

std::string hex(std::string_view octets) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (const char c : octets) {
    const auto octet = static_cast<unsigned char>(c);
    text += {digits[octet >> 4U], digits[octet & 0xFU]};
  }
  return text;
}

// The types of a name as a bit map of window 0. RFC 4034 §4.1.2
std::string bit_map(const std::vector<std::uint16_t>& types) {
  std::string bits;
  for (unsigned octet = 0; octet < 7; ++octet) {
    unsigned value = 0;
    for (const unsigned type : types)
      if (type / 8 == octet) value |= 0x80U >> type % 8;
    bits += static_cast<char>(value);
  }
  return std::string(1, '\0') + static_cast<char>(bits.size()) + bits;
}

crypto::PrivateKey new_key() {
  return crypto::PrivateKey::generate(crypto::KeyType::rsa, 2'048, Limits{}).value();
}

}  // namespace

SignedZone::SignedZone(std::string origin, std::int64_t now)
    : origin_(std::move(origin)), now_(now), key_(new_key()) {}

void SignedZone::add_txt(const std::string& name, const std::string& text) {
  texts_.emplace_back(name, text);
}

// RFC 3110 §2: the exponent with its length, then the modulus, both taken from the end of the DER.
std::string SignedZone::dnskey() const {
  constexpr std::size_t modulus_octets = 256;
  constexpr std::size_t exponent_octets = 5;  // 02 03 01 00 01
  const std::string der = key_.public_octets();
  const std::string modulus =
      der.substr(der.size() - exponent_octets - modulus_octets, modulus_octets);
  return u16(257) + "\x03" + static_cast<char>(algorithm_rsasha256) + "\x03" +
         std::string("\x01\x00\x01", 3) + modulus;
}

// RFC 4034 §B
std::uint16_t SignedZone::key_tag() const {
  const std::string data = dnskey();
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < data.size(); ++i)
    sum += static_cast<std::uint32_t>(static_cast<unsigned char>(data[i]))
           << (i % 2 == 0 ? 8U : 0U);
  return static_cast<std::uint16_t>(sum + (sum >> 16U));
}

// RFC 4034 §3.1.8.1
std::string SignedZone::signature(const Set& set) const {
  const std::string head = u16(set.type) + static_cast<char>(algorithm_rsasha256) +
                           static_cast<char>(labels_of(set.owner).size()) + u32(ttl) +
                           u32(static_cast<std::uint32_t>(now_ + 3'600)) +
                           u32(static_cast<std::uint32_t>(now_ - 3'600)) + u16(key_tag()) +
                           wire(origin_);
  const std::string record = wire(set.owner) + u16(set.type) + u16(1) + u32(ttl) +
                             u16(static_cast<unsigned>(set.data.size())) + set.data;
  return head + key_.sign(crypto::sha256(head + record));
}

std::vector<SignedZone::Set> SignedZone::sets() const {
  std::vector<Set> sets{
      {origin_, soa,
       wire("ns." + origin_) + wire("root." + origin_) + u32(1) + u32(ttl) + u32(ttl) + u32(ttl) +
           u32(60)},
      {origin_, ns, wire("ns." + origin_)},
      {origin_, dnskey_type, dnskey()},
  };
  const auto next_of = [this](std::size_t index) {
    return wire(index < texts_.size() ? texts_[index].first : origin_);
  };
  sets.push_back({origin_, nsec, next_of(0) + bit_map({ns, soa, rrsig, nsec, dnskey_type})});
  for (std::size_t i = 0; i < texts_.size(); ++i) {
    const auto& [name, text] = texts_[i];
    sets.push_back({name, txt, static_cast<char>(text.size()) + text});
    sets.push_back({name, nsec, next_of(i + 1) + bit_map({txt, rrsig, nsec})});
  }
  return sets;
}

std::string SignedZone::text() const {
  std::string text;
  const auto write = [&text](const std::string& owner, unsigned type, const std::string& data) {
    text += owner + ". " + std::to_string(ttl) + " IN TYPE" + std::to_string(type) + " \\# " +
            std::to_string(data.size()) + ' ' + hex(data) + '\n';
  };
  for (const Set& set : sets()) {
    write(set.owner, set.type, set.data);
    write(set.owner, rrsig, signature(set));
  }
  return text;
}

// RFC 4034 §5.1, RFC 4509 §2.1
std::string SignedZone::trust_anchor() const {
  const crypto::Sha256 digest = crypto::sha256(wire(origin_) + dnskey());
  return origin_ + ". IN DS " + std::to_string(key_tag()) + " 8 2 " +
         hex(crypto::as_octets(digest)) + '\n';
}

}  // namespace countersign::test
