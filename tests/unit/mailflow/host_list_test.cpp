// SPDX-License-Identifier: Apache-2.0
//
// Who is trusted: the order in which OpenDKIM asks its lists, negation, and the entries that it
// takes and never matches.

#include "countersign/mailflow/host_list.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "tests/support/exact.hpp"

namespace countersign::mailflow {
namespace {

using Added = HostList::Added;

/// A list of the entries; each has the line of its place in the list, from 1.
HostList list_of(const std::vector<std::string>& entries) {
  HostList list;
  for (std::size_t i = 0; i < entries.size(); ++i)
    EXPECT_NE(list.add(entries[i], {"hosts", i + 1}), Added::not_an_entry) << entries[i];
  return list;
}

/// The line that lets a host in, 0 for none.
std::size_t line_for(const HostList& list, std::string_view host, std::string_view address = "") {
  const test::Exact copy = test::exact(host);
  const auto place = list.match(copy.view(), IpAddress::parse(address));
  return place ? place->line : 0;
}

TEST(Place, NamesFileAndLine) {
  EXPECT_EQ((Place{"/etc/hosts", 3}.to_string()), "/etc/hosts:3");
  EXPECT_EQ((Place{"InternalHosts", 0}.to_string()), "InternalHosts");
}

TEST(HostList, MatchesNamesInAnyCase) {
  const HostList list = list_of({"mx.example.org", "localhost"});
  EXPECT_EQ(line_for(list, "mx.example.org"), 1U);
  EXPECT_EQ(line_for(list, "MX.Example.ORG."), 1U);
  EXPECT_EQ(line_for(list, "localhost"), 2U);
  EXPECT_EQ(line_for(list, "a.mx.example.org"), 0U);
  EXPECT_EQ(line_for(list, "example.org"), 0U);
  EXPECT_EQ(line_for(list, ""), 0U);
}

TEST(HostList, LocalhostIsANameAndNoAddress) {
  const HostList list = list_of({"localhost"});
  EXPECT_EQ(line_for(list, "unknown", "127.0.0.1"), 0U);
  EXPECT_EQ(line_for(list, "localhost", "203.0.113.1"), 1U);
}

TEST(HostList, MatchesSuffixesBelowTheirDomainOnly) {
  const HostList list = list_of({".example.org"});
  EXPECT_EQ(line_for(list, "mx.example.org"), 1U);
  EXPECT_EQ(line_for(list, "a.b.example.org"), 1U);
  EXPECT_EQ(line_for(list, "example.org"), 0U);
  EXPECT_EQ(line_for(list, "badexample.org"), 0U);
  EXPECT_EQ(line_for(list, ".example.org"), 0U) << "no host has that name";
}

TEST(HostList, MatchesAddressesHoweverTheyAreWritten) {
  const HostList list = list_of({"192.0.2.1", "[192.0.2.2]", "2001:DB8::1", "IPv6:2001:db8::2"});
  EXPECT_EQ(line_for(list, "", "192.0.2.1"), 1U);
  EXPECT_EQ(line_for(list, "", "192.0.2.2"), 2U);
  EXPECT_EQ(line_for(list, "", "2001:db8:0::1"), 3U);
  EXPECT_EQ(line_for(list, "", "2001:db8::2"), 4U);
  EXPECT_EQ(line_for(list, "", "::ffff:192.0.2.1"), 1U);
  EXPECT_EQ(line_for(list, "", "192.0.2.3"), 0U);
  EXPECT_EQ(line_for(list, "192.0.2.1"), 0U) << "a name that looks like an address proves nothing";
}

TEST(HostList, MatchesNetworksFromTheLongestPrefix) {
  const HostList list = list_of({"10.0.0.0/8", "!10.1.0.0/16", "10.1.2.0/24", "!10.1.2.3"});
  EXPECT_EQ(line_for(list, "", "10.9.9.9"), 1U);
  EXPECT_EQ(line_for(list, "", "10.1.9.9"), 0U);
  EXPECT_EQ(line_for(list, "", "10.1.2.9"), 3U);
  EXPECT_EQ(line_for(list, "", "10.1.2.3"), 0U);
  EXPECT_EQ(line_for(list, "", "11.0.0.1"), 0U);
}

TEST(HostList, KeepsTheFamiliesApart) {
  const HostList list = list_of({"0.0.0.0/0", "2001:db8::/32"});
  EXPECT_EQ(line_for(list, "", "203.0.113.1"), 1U);
  EXPECT_EQ(line_for(list, "", "2001:db8::1"), 2U);
  EXPECT_EQ(line_for(list, "", "2001:db9::1"), 0U);
  EXPECT_EQ(line_for(list_of({"::/0"}), "", "203.0.113.1"), 0U);
}

TEST(HostList, ANegatedEntryGoesFirstWhereBothAreListed) {
  EXPECT_EQ(line_for(list_of({"mx.example.org", "!mx.example.org"}), "mx.example.org"), 0U);
  EXPECT_EQ(line_for(list_of({"192.0.2.1", "!192.0.2.1"}), "", "192.0.2.1"), 0U);
}

TEST(HostList, TheMostSpecificNameWins) {
  const HostList list = list_of({".example.org", "!.b.example.org", "c.b.example.org"});
  EXPECT_EQ(line_for(list, "a.example.org"), 1U);
  EXPECT_EQ(line_for(list, "a.b.example.org"), 0U);
  EXPECT_EQ(line_for(list, "c.b.example.org"), 3U);
}

TEST(HostList, ANegatedNameDoesNotEndTheAddresses) {
  const HostList list = list_of({"!mx.example.org", "192.0.2.0/24"});
  EXPECT_EQ(line_for(list, "mx.example.org", "192.0.2.1"), 2U);
  EXPECT_EQ(line_for(list, "mx.example.org", "203.0.113.1"), 0U);
}

TEST(HostList, AsksTheNameBeforeTheAddress) {
  const HostList list = list_of({"mx.example.org", "!192.0.2.0/24"});
  EXPECT_EQ(line_for(list, "mx.example.org", "192.0.2.1"), 1U);
  EXPECT_EQ(line_for(list, "[192.0.2.1]", "192.0.2.1"), 0U);
}

TEST(HostList, TakesWhatOpendkimNeverMatchesForWhatItMeans) {
  HostList list;
  EXPECT_EQ(list.add("192.168.0.1/24", {"h", 1}), Added::with_host_bits);
  EXPECT_EQ(list.add("10.1/16", {"h", 2}), Added::with_host_bits);
  EXPECT_EQ(list.add("172.16.0.0/255.240.0.0", {"h", 3}), Added::with_host_bits);
  EXPECT_EQ(list.add("*.example.org", {"h", 4}), Added::as_wildcard);
  EXPECT_EQ(list.add("100.64.*", {"h", 5}), Added::as_wildcard);
  EXPECT_EQ(list.add("11.*.*.*", {"h", 6}), Added::as_wildcard);

  EXPECT_EQ(line_for(list, "", "192.168.0.77"), 1U);
  EXPECT_EQ(line_for(list, "", "10.1.255.255"), 2U);
  EXPECT_EQ(line_for(list, "", "172.31.0.1"), 3U);
  EXPECT_EQ(line_for(list, "mx.example.org"), 4U);
  EXPECT_EQ(line_for(list, "example.org"), 0U);
  EXPECT_EQ(line_for(list, "", "100.64.255.1"), 5U);
  EXPECT_EQ(line_for(list, "", "100.65.0.1"), 0U);
  EXPECT_EQ(line_for(list, "", "11.1.2.3"), 6U);
  EXPECT_EQ(line_for(list, "elsewhere.example", "203.0.113.1"), 0U)
      << "\"*.domain\" neither trusts everyone nor distrusts anyone";
}

TEST(HostList, ANegatedWildcardStaysNegated) {
  const HostList list = list_of({".org", "!*.example.org"});
  EXPECT_EQ(line_for(list, "mx.example.org"), 0U);
  EXPECT_EQ(line_for(list, "mx.example.net.org"), 1U);
}

TEST(HostList, SaysWhatBecameOfEachEntry) {
  HostList list;
  EXPECT_EQ(list.add("mx.example.org", {}), Added::as_name);
  EXPECT_EQ(list.add(".example.org", {}), Added::as_name);
  EXPECT_EQ(list.add("  ! 192.0.2.0/24\t", {}), Added::as_network);
  EXPECT_EQ(list.add("::1", {}), Added::as_network);
  EXPECT_EQ(list.size(), 4U);
  for (const char* entry : {"", " ", "!", "!!a", "*", "*.*", "*.*.example.org", ".", "..a", "a..b",
                            "a b", "10.0.0.0/33", "1.2.3.4.*", "*.1.2.3.4/8", "10.*.1", "a@b"})
    EXPECT_EQ(list.add(entry, {}), Added::not_an_entry) << entry;
  EXPECT_EQ(list.size(), 4U);
}

TEST(HostList, ARepeatedEntryKeepsItsFirstPlace) {
  EXPECT_EQ(line_for(list_of({"MX.example.org.", "mx.example.org"}), "mx.example.org"), 1U);
  EXPECT_EQ(line_for(list_of({"10.0.0.0/8", "10.0.0.0/8"}), "", "10.0.0.1"), 1U);
}

TEST(HostList, ComparesInternationalNamesAsALabels) {
  const HostList list = list_of({"bücher.example", ".xn--bcher-kva.example"});
  EXPECT_EQ(line_for(list, "xn--bcher-kva.example"), 1U);
  EXPECT_EQ(line_for(list, "BÜCHER.example"), 1U);
  EXPECT_EQ(line_for(list, "mx.bücher.example"), 2U);
}

TEST(HostList, NoNameOrAddressLetsNobodyIn) {
  const HostList list = list_of({"0.0.0.0/0", "::/0", ".org"});
  EXPECT_EQ(line_for(list, "", ""), 0U);
  EXPECT_EQ(line_for(list, "org", ""), 0U);
  EXPECT_EQ(line_for(list, std::string(70'000, 'a') + ".org", ""), 0U);
  EXPECT_EQ(line_for(HostList(), "a.org", "10.0.0.1"), 0U);
}

TEST(HostList, KnowsWhatItDenies) {
  const HostList list = list_of({"!a.example", "!.b.example", "c.b.example"});
  EXPECT_TRUE(list.denies("a.example"));
  EXPECT_TRUE(list.denies("x.b.example"));
  EXPECT_FALSE(list.denies("c.b.example"));
  EXPECT_FALSE(list.denies("d.example"));
}

}  // namespace
}  // namespace countersign::mailflow
