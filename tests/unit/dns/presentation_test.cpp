// SPDX-License-Identifier: Apache-2.0
//
// Names, types and addresses in text.

#include "countersign/dns/presentation.hpp"

#include <gtest/gtest.h>

#include "tests/support/exact.hpp"

namespace countersign::dns {
namespace {

TEST(Presentation, PlainNamesAreLowerCaseWithoutTheLastDot) {
  EXPECT_EQ(plain_name("Www.Example.COM."), "www.example.com");
  EXPECT_EQ(plain_name("example.com"), "example.com");
  EXPECT_EQ(plain_name("."), ".");
  EXPECT_EQ(plain_name(""), "");
}

TEST(Presentation, EscapesWhatIsNoOrdinaryOctetOfALabel) {
  EXPECT_EQ(escape_label("Mail_1-x"), "mail_1-x");
  EXPECT_EQ(escape_label(std::string_view("a.b\\ \0\xff", 7)), "a\\.b\\\\\\032\\000\\255");
  EXPECT_EQ(escape_name("A b.C\\d.example"), "a\\032b.c\\\\d.example");
  EXPECT_EQ(escape_name(""), ".");
  EXPECT_EQ(escape_name("."), ".");
}

TEST(Presentation, KnowsTypesByNameAndNumber) {
  EXPECT_EQ(parse_type("txt"), RecordType::txt);
  EXPECT_EQ(parse_type("AAAA"), RecordType::aaaa);
  EXPECT_EQ(parse_type("type15"), RecordType::mx);
  EXPECT_EQ(parse_type("TYPE99"), std::nullopt);
  EXPECT_EQ(parse_type("SPF"), std::nullopt);
  EXPECT_EQ(parse_type(""), std::nullopt);
  for (const char* type : {"TXT", "srv", "Spf", "A6", "ZONEVERSION", "TYPE0", "type65535"})
    EXPECT_TRUE(is_type_mnemonic(type)) << type;
  for (const char* word : {"", "TYPE", "TYPE65536", "TYPE1x", "TYPE-1", "TXTT", "IN", "ANY"})
    EXPECT_FALSE(is_type_mnemonic(word)) << word;
}

std::optional<Address> address(RecordType type, std::string_view text) {
  const test::Exact copy = test::exact(text);
  return parse_address(type, copy.view());
}

TEST(Presentation, ReadsAddressesOfTheRightFamilyOnly) {
  const auto v4 = address(RecordType::a, "192.0.2.255");
  ASSERT_TRUE(v4.has_value());
  EXPECT_EQ(*v4, (Address{{192, 0, 2, 255}, 4}));
  const auto v6 = address(RecordType::aaaa, "2001:DB8::9");
  ASSERT_TRUE(v6.has_value());
  EXPECT_EQ(*v6, (Address{{0x20, 0x01, 0x0D, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9}, 16}));
  const auto mapped = address(RecordType::aaaa, "::ffff:192.0.2.1");
  ASSERT_TRUE(mapped.has_value());
  EXPECT_EQ(*mapped, (Address{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 192, 0, 2, 1}, 16}));
  for (const char* wrong : {"", "192.0.2", "192.0.2.256", "2001:db8::1", "[192.0.2.1]", "a"})
    EXPECT_FALSE(address(RecordType::a, wrong)) << wrong;
  for (const char* wrong : {"", "192.0.2.1", "[::1]", "IPv6:::1", "::1%lo", ":", "1::2::3"})
    EXPECT_FALSE(address(RecordType::aaaa, wrong)) << wrong;
}

}  // namespace
}  // namespace countersign::dns
