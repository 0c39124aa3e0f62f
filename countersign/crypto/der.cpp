// SPDX-License-Identifier: Apache-2.0
//
// Tags, lengths and integers of DER.

#include "countersign/crypto/der.hpp"

namespace countersign::crypto::der {
namespace {

std::uint8_t octet(char c) { return static_cast<std::uint8_t>(c); }

}  // namespace

std::string_view Reader::fail() {
  failed_ = true;
  rest_ = {};
  return {};
}

std::string_view Reader::take(std::size_t octets) {
  if (octets > rest_.size()) return fail();
  const std::string_view taken = rest_.substr(0, octets);
  rest_.remove_prefix(octets);
  return taken;
}

std::optional<std::size_t> Reader::take_length() {
  const std::string_view first = take(1);
  if (first.empty()) return std::nullopt;
  if (octet(first[0]) < 0x80) return octet(first[0]);

  // 0x80, the indefinite length, is BER only; four octets of length are far beyond any key.
  const std::size_t count = octet(first[0]) & 0x7Fu;
  if (count == 0 || count > 4) return std::nullopt;
  const std::string_view digits = take(count);
  if (digits.empty() || octet(digits[0]) == 0) return std::nullopt;
  std::size_t length = 0;
  for (const char digit : digits) length = length << 8 | octet(digit);
  // DER has one way to write a length: the shortest.
  if (length < 0x80) return std::nullopt;
  return length;
}

std::string_view Reader::read(Tag tag) {
  const std::string_view identifier = take(1);
  if (identifier.empty() || octet(identifier[0]) != static_cast<std::uint8_t>(tag)) return fail();
  const std::optional<std::size_t> length = take_length();
  return length ? take(*length) : fail();
}

Reader Reader::enter(Tag tag) {
  Reader inside{read(tag)};
  inside.failed_ = failed_;
  return inside;
}

std::string_view Reader::read_unsigned() {
  std::string_view number = read(Tag::integer);
  if (number.empty() || octet(number[0]) >= 0x80) return fail();
  if (octet(number[0]) != 0) return number;
  number.remove_prefix(1);
  // The zero is there for zero itself, or to keep the next octet's high bit from being a sign.
  if (!number.empty() && octet(number[0]) < 0x80) return fail();
  return number;
}

std::string_view Reader::read_octets_of_bit_string() {
  std::string_view bits = read(Tag::bit_string);
  const bool whole_octets = !bits.empty() && octet(bits[0]) == 0;
  if (!whole_octets) return fail();
  bits.remove_prefix(1);
  return bits;
}

void Reader::skip_optional(Tag tag) {
  if (!rest_.empty() && octet(rest_[0]) == static_cast<std::uint8_t>(tag)) {
    static_cast<void>(read(tag));
  }
}

}  // namespace countersign::crypto::der
