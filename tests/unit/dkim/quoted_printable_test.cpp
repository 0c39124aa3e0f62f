// SPDX-License-Identifier: Apache-2.0
//
// DKIM's quoted-printable over all octets, and what is no hex octet.

#include "countersign/dkim/quoted_printable.hpp"

#include <gtest/gtest.h>

#include <string>

#include "tests/support/exact.hpp"

namespace countersign::dkim {
namespace {

std::string decoded(std::string_view text) {
  return decode_quoted_printable(test::exact(text).view());
}

TEST(QuotedPrintable, Decodes) {
  EXPECT_EQ(decoded(""), "");
  EXPECT_EQ(decoded("joe@example.com"), "joe@example.com");
  EXPECT_EQ(decoded("a=3Bb"), "a;b");
  EXPECT_EQ(decoded("=c3=A9"), "\xC3\xA9");
}

TEST(QuotedPrintable, DropsFoldingSpace) { EXPECT_EQ(decoded("a b\r\n\tc=20d"), "abc d"); }

TEST(QuotedPrintable, TakesWhatIsNoHexOctetForItself) {
  EXPECT_EQ(decoded("="), "=");
  EXPECT_EQ(decoded("a=4"), "a=4");
  EXPECT_EQ(decoded("=G0=0G"), "=G0=0G");
  EXPECT_EQ(decoded("==41"), "=A");
}

TEST(QuotedPrintable, EncodesAllButSafeOctets) {
  EXPECT_EQ(encode_quoted_printable("From: A|B;C=D"), "From:=20A=7CB=3BC=3DD");
  EXPECT_EQ(encode_quoted_printable("\r\n\t\xFF"), "=0D=0A=09=FF");
  for (int octet = 0; octet < 256; ++octet) {
    const std::string one(1, static_cast<char>(octet));
    const bool safe = octet > 32 && octet < 127 && octet != ';' && octet != '=' && octet != '|';
    EXPECT_EQ(encode_quoted_printable(one).size(), safe ? 1u : 3u) << octet;
    EXPECT_EQ(decoded(encode_quoted_printable(one)), one) << octet;
  }
}

}  // namespace
}  // namespace countersign::dkim
