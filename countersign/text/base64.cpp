// SPDX-License-Identifier: Apache-2.0
//
// base64 by table. The decoder takes four digits at a time and falls back to single octets only
// around folds, so a folded signature costs hardly more than an unbroken one.

#include "countersign/text/base64.hpp"

#include <array>

#include "countersign/text/abnf.hpp"

namespace countersign::text {

namespace {

constexpr std::string_view alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr std::uint32_t octet(char c) { return static_cast<unsigned char>(c); }

constexpr std::uint8_t no_digit = 0x80;  // A bit above every digit: "or" of four digits shows it.

constexpr std::array<std::uint8_t, 256> digit_values = [] {
  std::array<std::uint8_t, 256> values{};
  values.fill(no_digit);
  for (std::uint8_t i = 0; i < 64; ++i) values[octet(alphabet[i])] = i;
  return values;
}();

constexpr std::uint32_t digit_value(char c) { return digit_values[octet(c)]; }

constexpr char low_octet(std::uint32_t bits) { return static_cast<char>(bits & 0xFF); }

// Appends the first digits of the 24 bits of a quantum.
void append_digits(std::uint32_t bits, std::size_t count, std::string& text) {
  const std::array<char, 4> digits = {alphabet[bits >> 18 & 63], alphabet[bits >> 12 & 63],
                                      alphabet[bits >> 6 & 63], alphabet[bits & 63]};
  text.append(digits.data(), count);
}

class Decoder {
 public:
  explicit Decoder(std::string_view text) : text_(text), octets_(text.size() / 4 * 3 + 3, '\0') {}

  Result<std::string, Base64Error> decode() && {
    take_digits();
    if (digits_ == 1) return fail(Base64ErrorCode::bad_length);
    for (std::size_t due = (4 - digits_) % 4; due > 0 && accept_padding(); --due) {
    }
    skip_space();
    if (offset_ != text_.size()) return fail(Base64ErrorCode::bad_padding);
    write_last_quantum();
    octets_.resize(written_);
    return std::move(octets_);
  }

 private:
  // Takes digits and folding space up to the first other octet.
  void take_digits() {
    for (;;) {
      if (digits_ == 0) take_whole_quanta();
      skip_space();
      const std::uint32_t value = offset_ == text_.size() ? no_digit : digit_value(text_[offset_]);
      if (value == no_digit) return;
      ++offset_;
      add_digit(value);
    }
  }

  void take_whole_quanta() {
    while (text_.size() - offset_ >= 4) {
      const std::string_view four = text_.substr(offset_, 4);
      const std::uint32_t a = digit_value(four[0]);
      const std::uint32_t b = digit_value(four[1]);
      const std::uint32_t c = digit_value(four[2]);
      const std::uint32_t d = digit_value(four[3]);
      if (((a | b | c | d) & no_digit) != 0) return;
      write_quantum(a << 18 | b << 12 | c << 6 | d);
      offset_ += 4;
    }
  }

  void add_digit(std::uint32_t value) {
    bits_ = bits_ << 6 | value;
    if (++digits_ < 4) return;
    write_quantum(bits_);
    bits_ = 0;
    digits_ = 0;
  }

  void write(std::uint32_t bits) { octets_[written_++] = low_octet(bits); }

  void write_quantum(std::uint32_t bits) {
    write(bits >> 16);
    write(bits >> 8);
    write(bits);
  }

  // Two digits are one octet and four bits to ignore; three are two octets and two such bits.
  void write_last_quantum() {
    if (digits_ == 2) write(bits_ >> 4);
    if (digits_ == 3) {
      write(bits_ >> 10);
      write(bits_ >> 2);
    }
  }

  bool accept_padding() {
    skip_space();
    if (offset_ == text_.size() || text_[offset_] != '=') return false;
    ++offset_;
    return true;
  }

  void skip_space() {
    while (offset_ != text_.size() && is_fws(text_[offset_])) ++offset_;
  }

  // An octet that base64 does not know explains a failure better than what it interrupted.
  [[nodiscard]] std::unexpected<Base64Error> fail(Base64ErrorCode code) const {
    const bool foreign =
        offset_ != text_.size() && !is_base64(text_[offset_]) && text_[offset_] != '=';
    return std::unexpected(Base64Error{foreign ? Base64ErrorCode::bad_character : code, offset_});
  }

  std::string_view text_;
  std::size_t offset_ = 0;
  std::string octets_;       // As long as the text could make them,
  std::size_t written_ = 0;  // and how many are there already.
  std::uint32_t bits_ = 0;   // Digits of the quantum that is not complete yet,
  std::size_t digits_ = 0;   // and how many they are: 0..3.
};

}  // namespace

std::string_view to_string(Base64ErrorCode code) {
  switch (code) {
    case Base64ErrorCode::bad_character:
      return "an octet is neither a base64 digit nor white space (RFC 4648 §3.3)";
    case Base64ErrorCode::bad_padding:
      return "the \"=\" at the end of base64 text are too many or misplaced (RFC 4648 §4)";
    case Base64ErrorCode::bad_length:
      return "a base64 digit is missing at the end (RFC 4648 §4)";
  }
  return "unknown error";
}

Result<std::string, Base64Error> decode_base64(std::string_view text) {
  return Decoder(text).decode();
}

std::string encode_base64(std::string_view octets) {
  std::string text;
  text.reserve((octets.size() + 2) / 3 * 4);
  for (; octets.size() >= 3; octets.remove_prefix(3))
    append_digits(octet(octets[0]) << 16 | octet(octets[1]) << 8 | octet(octets[2]), 4, text);
  if (octets.size() == 2) {
    append_digits(octet(octets[0]) << 16 | octet(octets[1]) << 8, 3, text);
    text += "=";
  }
  if (octets.size() == 1) {
    append_digits(octet(octets[0]) << 16, 2, text);
    text += "==";
  }
  return text;
}

}  // namespace countersign::text
