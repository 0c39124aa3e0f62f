// SPDX-License-Identifier: Apache-2.0
//
// Names that lead back to the client, and those that lie.

#include "countersign/mailflow/iprev.hpp"

#include <gtest/gtest.h>

#include <string>

#include "countersign/dns/zone.hpp"

namespace countersign::mailflow {
namespace {

constexpr std::string_view zone_text = R"(
1.2.0.192.in-addr.arpa. 60 IN PTR mail.example.com.
2.2.0.192.in-addr.arpa. 60 IN PTR liar.example.net.
2.2.0.192.in-addr.arpa. 60 IN PTR Mail.Example.Com.
3.2.0.192.in-addr.arpa. 60 IN PTR liar.example.net.
1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa. 60 IN PTR six.example.com.
mail.example.com. 60 IN A 192.0.2.1
mail.example.com. 60 IN A 192.0.2.2
six.example.com. 60 IN AAAA 2001:db8::1
liar.example.net. 60 IN A 203.0.113.1
)";

IprevOutcome check(std::string_view address, std::string_view failing = "") {
  const auto zone = dns::Zone::parse(zone_text, Limits{});
  EXPECT_TRUE(zone) << zone.error().message;
  return dns::run_with(
      check_iprev(*IpAddress::parse(address), Limits{}), [&](const dns::Question& question) {
        return question.name == failing ? dns::Answer{.status = dns::AnswerStatus::timeout}
                                        : zone->answer(question);
      });
}

TEST(Iprev, PassesWhenANameLeadsBack) {
  EXPECT_EQ(check("192.0.2.1").result, IprevResult::pass);
  EXPECT_EQ(check("192.0.2.1").name, "mail.example.com");
  EXPECT_EQ(check("192.0.2.2").name, "mail.example.com");
  EXPECT_EQ(check("2001:db8::1").name, "six.example.com");
}

TEST(Iprev, FailsWhenNoneDoes) {
  EXPECT_EQ(check("192.0.2.3").result, IprevResult::fail);
  EXPECT_EQ(check("192.0.2.3").name, "");
  EXPECT_EQ(check("192.0.2.4").result, IprevResult::permerror);
}

TEST(Iprev, IsUncertainWhenDnsDoesNotAnswer) {
  EXPECT_EQ(check("192.0.2.1", "1.2.0.192.in-addr.arpa").result, IprevResult::temperror);
  EXPECT_EQ(check("192.0.2.1", "mail.example.com").result, IprevResult::temperror);
  EXPECT_EQ(check("192.0.2.2", "liar.example.net").result, IprevResult::pass);
}

}  // namespace
}  // namespace countersign::mailflow
