// SPDX-License-Identifier: Apache-2.0
//
// The DER reader: one encoding for each value, and a failure that stays.

#include "countersign/crypto/der.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "tests/support/der.hpp"
#include "tests/support/exact.hpp"

namespace countersign::crypto::der {
namespace {

using test::der_element;
using test::der_sequence;
using test::der_unsigned;
using test::exact;
using test::from_hex;

/// The contents of the one element of the text, or "(malformed)".
std::string contents(Tag tag, std::string_view der) {
  const test::Exact copy = exact(der);
  Reader reader{copy.view()};
  const std::string read{reader.read(tag)};
  return reader.complete() ? read : "(malformed)";
}

/// The magnitude of the one INTEGER of the text, or "(malformed)".
std::string number(std::string_view hex) {
  const test::Exact copy = exact(from_hex(hex));
  Reader reader{copy.view()};
  const std::string read{reader.read_unsigned()};
  return reader.complete() ? read : "(malformed)";
}

TEST(DerReader, ReadsLengthsOfEverySize) {
  for (const std::size_t size : {0U, 1U, 127U, 128U, 255U, 256U, 65'535U, 65'536U, 70'000U}) {
    const std::string text(size, 'x');
    EXPECT_EQ(contents(Tag::octet_string, der_element(0x04, text)), text) << size;
  }
}

TEST(DerReader, RefusesOtherSpellingsOfALength) {
  const std::string x128(128, 'x');
  const std::string x200(200, 'x');
  EXPECT_EQ(contents(Tag::octet_string, from_hex("0480") + "x" + from_hex("0000")), "(malformed)");
  EXPECT_EQ(contents(Tag::octet_string, from_hex("048101") + "x"), "(malformed)");
  EXPECT_EQ(contents(Tag::octet_string, from_hex("04817f") + std::string(127, 'x')), "(malformed)");
  EXPECT_EQ(contents(Tag::octet_string, from_hex("048180") + x128), x128);
  EXPECT_EQ(contents(Tag::octet_string, from_hex("04820080") + x128), "(malformed)");
  EXPECT_EQ(contents(Tag::octet_string, from_hex("048300c8") + x200), "(malformed)");
  EXPECT_EQ(contents(Tag::octet_string, from_hex("0484ffffffff") + x200), "(malformed)");
  EXPECT_EQ(contents(Tag::octet_string, from_hex("04850100000001") + x200), "(malformed)");
  EXPECT_EQ(contents(Tag::octet_string, from_hex("04ff") + x200), "(malformed)");
}

TEST(DerReader, RefusesEveryFirstOctetButTheTagAskedFor) {
  for (int first = 0; first < 256; ++first) {
    const std::string text = der_element(static_cast<std::uint8_t>(first), "ab");
    const bool asked = first == static_cast<int>(Tag::octet_string);
    EXPECT_EQ(contents(Tag::octet_string, text), asked ? "ab" : "(malformed)") << first;
  }
}

TEST(DerReader, RefusesATextThatEndsEarlyOrLate) {
  const std::string whole = der_element(0x04, std::string(130, 'x'));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_EQ(contents(Tag::octet_string, whole.substr(0, size)), "(malformed)") << size;
  }
  EXPECT_EQ(contents(Tag::octet_string, whole + "x"), "(malformed)");
}

TEST(DerReader, ReadsNumbersThatAreNotNegative) {
  EXPECT_EQ(number("020100"), "");
  EXPECT_EQ(number("020101"), "\x01");
  EXPECT_EQ(number("02017f"), "\x7F");
  EXPECT_EQ(number("02020080"), "\x80");
  EXPECT_EQ(number("02020100"), std::string("\x01\0", 2));
  EXPECT_EQ(number("0203010001"), std::string("\x01\0\x01", 3));
}

TEST(DerReader, RefusesNumbersThatAreNegativeOrPadded) {
  EXPECT_EQ(number("0200"), "(malformed)");
  EXPECT_EQ(number("020180"), "(malformed)");
  EXPECT_EQ(number("0201ff"), "(malformed)");
  EXPECT_EQ(number("0202ff7f"), "(malformed)");
  EXPECT_EQ(number("02020000"), "(malformed)");
  EXPECT_EQ(number("0202007f"), "(malformed)");
  EXPECT_EQ(number("0203000080"), "(malformed)");
}

TEST(DerReader, ReadsBitStringsOfWholeOctets) {
  const auto bits = [](std::string_view hex) {
    const test::Exact copy = exact(from_hex(hex));
    Reader reader{copy.view()};
    const std::string read{reader.read_octets_of_bit_string()};
    return reader.complete() ? read : "(malformed)";
  };
  EXPECT_EQ(bits("03020061"), "a");
  EXPECT_EQ(bits("030100"), "");
  EXPECT_EQ(bits("0300"), "(malformed)");
  EXPECT_EQ(bits("03020160"), "(malformed)");
  EXPECT_EQ(bits("03020860"), "(malformed)");
}

TEST(DerReader, EntersNestedElements) {
  const test::Exact copy = exact(der_sequence(der_sequence(der_unsigned("\x05")) + "\x05" + '\0'));
  Reader outer{copy.view()};
  Reader middle = outer.enter(Tag::sequence);
  EXPECT_TRUE(outer.complete());
  Reader inner = middle.enter(Tag::sequence);
  EXPECT_EQ(inner.read_unsigned(), "\x05");
  EXPECT_TRUE(inner.complete());
  EXPECT_FALSE(middle.complete());
  EXPECT_EQ(middle.read(Tag::null), "");
  EXPECT_TRUE(middle.complete());
}

TEST(DerReader, StaysFailed) {
  const test::Exact copy = exact(der_unsigned("\x05") + der_unsigned("\x06"));
  Reader reader{copy.view()};
  EXPECT_EQ(reader.read(Tag::sequence), "");
  EXPECT_TRUE(reader.failed());
  EXPECT_EQ(reader.read_unsigned(), "");
  EXPECT_TRUE(reader.enter(Tag::sequence).failed());
  EXPECT_FALSE(reader.complete());
}

TEST(DerReader, SkipsAnElementOnlyIfItIsThere) {
  const test::Exact copy = exact(der_element(0xA0, "xyz") + der_unsigned("\x05"));
  Reader reader{copy.view()};
  reader.skip_optional(Tag::context_1_primitive);
  reader.skip_optional(Tag::context_0);
  reader.skip_optional(Tag::context_0);
  EXPECT_EQ(reader.read_unsigned(), "\x05");
  EXPECT_TRUE(reader.complete());
  reader.skip_optional(Tag::context_0);
  EXPECT_TRUE(reader.complete());

  Reader broken{"\xA0\x05x"};
  broken.skip_optional(Tag::context_0);
  EXPECT_TRUE(broken.failed());
}

}  // namespace
}  // namespace countersign::crypto::der
