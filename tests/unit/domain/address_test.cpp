// SPDX-License-Identifier: Apache-2.0
//
// Addresses and networks: every form that mail and operators write, and those that look like one.

#include "countersign/domain/address.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <string_view>

#include "tests/support/exact.hpp"

namespace countersign {
namespace {

std::optional<IpAddress> parse_address(std::string_view text) {
  const test::Exact copy = test::exact(text);
  return IpAddress::parse(copy.view());
}

std::optional<IpNetwork> parse_network(std::string_view text) {
  const test::Exact copy = test::exact(text);
  return IpNetwork::parse(copy.view());
}

void ok(std::string_view text, std::string_view canonical) {
  const auto address = parse_address(text);
  ASSERT_TRUE(address) << text;
  EXPECT_EQ(address->to_string(), canonical) << text;
  EXPECT_EQ(parse_address(address->to_string()), address) << text;
}

void bad(std::string_view text) { EXPECT_FALSE(parse_address(text)) << text; }

TEST(IpAddress, ReadsDottedQuads) {
  ok("192.0.2.1", "192.0.2.1");
  ok("0.0.0.0", "0.0.0.0");
  ok("255.255.255.255", "255.255.255.255");
  EXPECT_TRUE(parse_address("192.0.2.1")->is_v4());
  EXPECT_EQ(parse_address("192.0.2.1")->bits(), 32U);
}

TEST(IpAddress, RefusesWhatOnlyLooksLikeAQuad) {
  bad("");
  bad("192.0.2");
  bad("192.0.2.");
  bad(".192.0.2.1");
  bad("192.0.2.1.");
  bad("192.0.2.1.2");
  bad("192.0.2.256");
  bad("192.0.2.1000");
  bad("192.0.2.01");  // Octal to some readers.
  bad("192.0.2.00");
  bad("192.0.2.-1");
  bad("192.0.2.1 ");
  bad(" 192.0.2.1");
  bad("192.0.2.0x1");
  bad("192.0..1");
  bad("3221225985");
  bad("localhost");
  bad(std::string_view("192.0.2.1\0", 10));
}

TEST(IpAddress, ReadsTheFormsOfRfc4291) {
  ok("2001:DB8:0:0:8:800:200C:417A", "2001:db8::8:800:200c:417a");
  ok("2001:DB8::8:800:200C:417A", "2001:db8::8:800:200c:417a");
  ok("FF01::101", "ff01::101");
  ok("::1", "::1");
  ok("::", "::");
  ok("1::", "1::");
  ok("::13.1.68.3", "::d01:4403");
  ok("1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304");
  ok("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0");
  ok("::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8");
  ok("0001:0002:0003:0004:0005:0006:0007:0008", "1:2:3:4:5:6:7:8");
  EXPECT_EQ(parse_address("::1")->bits(), 128U);
}

TEST(IpAddress, S18RefusesWhatOnlyLooksLikeIpv6) {
  bad(":");
  bad(":::");
  bad("1:2:3:4:5:6:7");
  bad("1:2:3:4:5:6:7:8:9");
  bad("1:2:3:4:5:6:7:8::");
  bad("1:2:3:4:5:6:7::8");  // "::" stands for one group at least, and there is room for none.
  bad("1::2::3");
  bad("1:::2");
  bad(":1:2:3:4:5:6:7");
  bad("1:2:3:4:5:6:7:");
  bad("12345::");
  bad("g::");
  bad("fe80::1%eth0");
  bad("::1.2.3");
  bad("::1.2.3.4.5");
  bad("::1.2.3.256");
  bad("1.2.3.4::");
  bad("::1.2.3.4:5");
  bad("1:2:3:4:5:6:7:1.2.3.4");
  bad("1:2:3:4:5:6:7:8:1.2.3.4");
  bad("::1/128");
}

TEST(IpAddress, WritesTheCanonicalForm) {  // RFC 5952 §4
  ok("2001:0db8::0001", "2001:db8::1");
  ok("2001:db8:0:0:0:0:2:1", "2001:db8::2:1");
  ok("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1");  // One group is not shortened.
  ok("2001:0:0:1:0:0:0:1", "2001:0:0:1::1");           // The longest run is.
  ok("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1");     // The first of two equal runs is.
  ok("2001:DB8::A", "2001:db8::a");
  ok("0:0:1:0:0:0:0:0", "0:0:1::");
}

TEST(IpAddress, S18HoldsAMappedAddressAsIpv4) {
  ok("::ffff:192.0.2.1", "192.0.2.1");
  ok("::FFFF:C000:0201", "192.0.2.1");
  ok("0:0:0:0:0:ffff:192.0.2.1", "192.0.2.1");
  ok("::fffe:192.0.2.1", "::fffe:c000:201");
  EXPECT_EQ(parse_address("::ffff:192.0.2.1"), parse_address("192.0.2.1"));
}

TEST(IpAddress, ReadsWhatMailPutsAroundIt) {
  ok("[192.0.2.1]", "192.0.2.1");
  ok("[::1]", "::1");
  ok("IPv6:2001:db8::1", "2001:db8::1");
  ok("ipv6:::1", "::1");
  ok("[IPv6:::1]", "::1");
  ok("IPv6:::ffff:192.0.2.1", "192.0.2.1");
  bad("[192.0.2.1");
  bad("192.0.2.1]");
  bad("[[192.0.2.1]]");
  bad("[]");
  bad("[");
  bad("IPv6:");
  bad("IPv6:IPv6:::1");
}

TEST(IpAddress, ComparesByValue) {
  std::set<IpAddress> addresses;
  for (const char* text : {"10.0.0.1", "::1", "10.0.0.1", "::ffff:10.0.0.1", "a00:1::"})
    addresses.insert(*parse_address(text));
  EXPECT_EQ(addresses.size(), 3U) << "a00:1:: has the octets of 10.0.0.1, but is another address";
}

TEST(IpAddress, AnyOctetsCanBeWrittenAndRead) {
  std::array<std::uint8_t, 16> octets{};
  for (unsigned i = 0; i < 256; ++i) {
    for (unsigned k = 0; k < 16; ++k)
      octets[k] = static_cast<std::uint8_t>(((i >> (k % 8)) & 1) != 0 ? i + k : 0);
    for (const bool is_v4 : {false, true}) {
      const IpAddress address = IpAddress::from_octets(octets, is_v4);
      const auto again = parse_address(address.to_string());
      ASSERT_TRUE(again) << address.to_string();
      EXPECT_EQ(again->to_string(), address.to_string());
    }
  }
}

TEST(IpAddress, IsMaskedBitByBit) {
  EXPECT_EQ(parse_address("255.255.255.255")->masked(13).to_string(), "255.248.0.0");
  EXPECT_EQ(parse_address("255.255.255.255")->masked(0).to_string(), "0.0.0.0");
  EXPECT_EQ(parse_address("255.255.255.255")->masked(32).to_string(), "255.255.255.255");
  EXPECT_EQ(parse_address("ffff::ffff")->masked(127).to_string(), "ffff::fffe");
}

// --- networks ------------------------------------------------------------------------------------

void network_is(std::string_view text, std::string_view address, unsigned prefix_bits) {
  const auto network = parse_network(text);
  ASSERT_TRUE(network) << text;
  EXPECT_EQ(network->address.to_string(), address) << text;
  EXPECT_EQ(network->prefix_bits, prefix_bits) << text;
}

TEST(IpNetwork, ReadsAddressesAndPrefixes) {
  network_is("192.0.2.1", "192.0.2.1", 32);
  network_is("[192.0.2.1]", "192.0.2.1", 32);
  network_is("192.0.2.0/24", "192.0.2.0", 24);
  network_is("0.0.0.0/0", "0.0.0.0", 0);
  network_is("2001:db8::/32", "2001:db8::", 32);
  network_is("[2001:db8::]/32", "2001:db8::", 32);
  network_is("::/0", "::", 0);
  network_is("::1", "::1", 128);
  EXPECT_FALSE(parse_network("192.0.2.0/24")->was_loose);
  EXPECT_FALSE(parse_network("192.0.2.0/24")->had_host_bits);
}

TEST(IpNetwork, ClearsHostBitsAndSaysSo) {
  network_is("192.168.0.1/24", "192.168.0.0", 24);
  network_is("2001:db8::1/64", "2001:db8::", 64);
  EXPECT_TRUE(parse_network("192.168.0.1/24")->had_host_bits);
  EXPECT_TRUE(parse_network("2001:db8::1/64")->had_host_bits);
  EXPECT_TRUE(parse_network("10.0.0.1/31")->had_host_bits);
  EXPECT_FALSE(parse_network("10.0.0.2/31")->had_host_bits);
}

TEST(IpNetwork, ReadsTheLooseForms) {
  network_is("10.1/16", "10.1.0.0", 16);
  network_is("10/8", "10.0.0.0", 8);
  network_is("10.1.2/16", "10.1.0.0", 16);
  network_is("192.168.0.0/255.255.255.0", "192.168.0.0", 24);
  network_is("192.168.0.0/255.255.255.255", "192.168.0.0", 32);
  network_is("192.168.0.0/0.0.0.0", "0.0.0.0", 0);
  EXPECT_TRUE(parse_network("10.1/16")->was_loose);
  EXPECT_TRUE(parse_network("192.168.0.0/255.255.255.0")->was_loose);
}

TEST(IpNetwork, HoldsAMappedNetworkAsIpv4) {
  network_is("::ffff:10.0.0.0/104", "10.0.0.0", 8);
  network_is("::ffff:10.0.0.1", "10.0.0.1", 32);
  network_is("::ffff:0:0/96", "0.0.0.0", 0);
  network_is("::ffff:10.0.0.0/80", "::", 80);
  EXPECT_TRUE(parse_network("::ffff:10.0.0.0/104")->contains(*parse_address("10.9.8.7")));
}

TEST(IpNetwork, RefusesWhatIsNone) {
  for (const char* text : {"",
                           "/",
                           "/24",
                           "10.0.0.0/",
                           "10.0.0.0/33",
                           "10.0.0.0/033",
                           "10.0.0.0/-1",
                           "10.0.0.0/24/",
                           "10.0.0.0/24 ",
                           "::/129",
                           "::/255.0.0.0",
                           "10",
                           "10.1",
                           "10./8",
                           "a/8",
                           "10.0.0.0/255.0",
                           "10.0.0.0/255.0.255.0",
                           "10.0.0.0/0.0.0.255",
                           "localhost",
                           "10.0.0.0/4294967320",
                           "10.0.0.0/1e1",
                           "256/8"})
    EXPECT_FALSE(parse_network(text)) << text;
}

TEST(IpNetwork, ContainsItsAddressesOnly) {
  const IpNetwork network = *parse_network("192.0.2.64/26");
  EXPECT_TRUE(network.contains(*parse_address("192.0.2.64")));
  EXPECT_TRUE(network.contains(*parse_address("192.0.2.127")));
  EXPECT_FALSE(network.contains(*parse_address("192.0.2.63")));
  EXPECT_FALSE(network.contains(*parse_address("192.0.2.128")));
  EXPECT_FALSE(network.contains(*parse_address("::c000:240")));
  EXPECT_TRUE(parse_network("0.0.0.0/0")->contains(*parse_address("203.0.113.1")));
  EXPECT_FALSE(parse_network("0.0.0.0/0")->contains(*parse_address("2001:db8::1")));
  EXPECT_FALSE(parse_network("::/0")->contains(*parse_address("203.0.113.1")));
}

}  // namespace
}  // namespace countersign
