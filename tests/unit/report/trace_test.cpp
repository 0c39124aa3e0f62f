// SPDX-License-Identifier: Apache-2.0
//
// Received fields of many programs: what is known of them, and that the rest is not there.

#include "countersign/report/trace.hpp"

#include <gtest/gtest.h>

#include <string>

#include "tests/support/exact.hpp"

namespace countersign::report {
namespace {

Trace trace(std::string_view value) { return parse_received(test::exact(value).view(), Limits{}); }

std::string date(std::string_view text) {
  return recognized_date(test::exact(text).view(), Limits{});
}

std::string host(std::string_view text) { return recognized_host(test::exact(text).view()); }

std::string ip(const Trace& trace) { return trace.client_ip ? trace.client_ip->to_string() : ""; }

TEST(Trace, ReadsPostfix) {
  const Trace one = trace(
      " from pc.example (dyn.isp.example [192.0.2.1])\r\n"
      "\t(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits))\r\n"
      "\t(Authenticated sender: joe.smith)\r\n"
      "\tby mx.example.net (Postfix) with ESMTPSA id 4XyZ\r\n"
      "\tfor <bob@example.net>; Tue, 14 Nov 2023 22:13:20 +0000 (UTC)");
  EXPECT_EQ(one.from, "pc.example");
  EXPECT_EQ(one.client_host, "dyn.isp.example");
  EXPECT_EQ(ip(one), "192.0.2.1");
  EXPECT_EQ(one.login, "joe.smith");
  EXPECT_EQ(one.by, "mx.example.net");
  EXPECT_EQ(one.with, "ESMTPSA");
  EXPECT_EQ(one.recipient, "bob@example.net");
  EXPECT_EQ(one.date, "Tue, 14 Nov 2023 22:13:20 +0000");
}

TEST(Trace, ReadsEximAndOthers) {
  const Trace exim = trace(
      "from [192.0.2.1]:4711 (helo=[IPv6:2001:db8::9]) by a.example with esmtps (TLS1.3)\r\n"
      " (Exim 4.96) (envelope-from <joe@b.example>) id 1r for bob@a.example;\r\n"
      " Tue, 14 Nov 2023 22:13:20 +0100");
  EXPECT_EQ(exim.from, "[192.0.2.1]");
  EXPECT_EQ(ip(exim), "192.0.2.1");
  EXPECT_EQ(exim.by, "a.example");
  EXPECT_EQ(exim.with, "ESMTPS");
  EXPECT_EQ(exim.recipient, "bob@a.example");
  const Trace sendmail = trace("from b.example (joe@c.example [192.0.2.1] (may be forged)) by x.y");
  EXPECT_EQ(sendmail.from, "b.example");
  EXPECT_EQ(sendmail.client_host, "");
  EXPECT_EQ(ip(sendmail), "192.0.2.1");
  const Trace exchange = trace(
      "from b.example (2001:db8::1) by c.example (10.0.0.1) with\r\n"
      " Microsoft SMTP Server id 15.1; 14 Nov 2023 22:13 GMT");
  EXPECT_EQ(ip(exchange), "2001:db8::1");
  EXPECT_EQ(exchange.by, "c.example");
  EXPECT_EQ(exchange.with, "");
  EXPECT_EQ(exchange.date, "14 Nov 2023 22:13 GMT");
  EXPECT_EQ(trace("by 10.0.0.1 with SMTP id x").by, "[10.0.0.1]");
}

TEST(Trace, S51AUserIsNoHost) {
  EXPECT_EQ(trace("from joe by a.example with local").from, "");
  EXPECT_EQ(trace("from joe.smith by a.example with local").from, "");
  EXPECT_EQ(trace("from joe ([192.0.2.1]) by a.example").from, "");
  EXPECT_EQ(trace("from a.example (joe.smith) by b.example").client_host, "");
  EXPECT_EQ(trace("from a.example (ident joe.smith [192.0.2.1])").client_host, "");
  EXPECT_EQ(trace("by a.example (joe.smith [192.0.2.1])").client_ip, std::nullopt);
  EXPECT_EQ(trace("by joe with joe; joe").by, "");
  EXPECT_EQ(trace("by joe with joe; joe").with, "");
  EXPECT_EQ(trace("by joe with joe; joe").date, "");
  EXPECT_EQ(trace("(qmail 1 invoked from network by a.example); x").by, "");
}

TEST(Trace, TheFirstOfEachCounts) {
  const Trace one = trace(
      "from [192.0.2.1] by a.example for <x@y> from [192.0.2.2] (b.example [192.0.2.3])"
      " (Authenticated sender: joe) by c.example for <z@y>");
  EXPECT_EQ(one.from, "[192.0.2.1]");
  EXPECT_EQ(ip(one), "192.0.2.1");
  EXPECT_EQ(one.client_host + one.login, "");
  EXPECT_EQ(one.by, "a.example");
  EXPECT_EQ(one.recipient, "x@y");
}

TEST(Trace, S20EndsWhereTheTextIsBroken) {
  EXPECT_EQ(trace("").by, "");
  EXPECT_EQ(trace("by a.example (").by, "a.example");
  EXPECT_EQ(trace("by a.example (by x.example with SMTP").with, "");
  EXPECT_EQ(trace("by a.example \"with SMTP").with, "");
  EXPECT_EQ(trace("by").by, "");
  EXPECT_EQ(trace("for \"joe; smith\"@a.example; 14 Nov 2023 22:13:20 GMT").recipient,
            "\"joe; smith\"@a.example");
  EXPECT_EQ(trace("for <joe smith@a.example> by b.example").recipient, "joe smith@a.example");
  EXPECT_EQ(trace("for <joe by b.example; x").recipient, "<joe by b.example; x");
  EXPECT_EQ(trace(")))\r by ) by a.example").by, "a.example");
  EXPECT_EQ(trace("))) by a.example").by, "a.example");
  EXPECT_EQ(trace("by a.example\r").by, "a.example");
}

TEST(Trace, KnowsHosts) {
  EXPECT_EQ(host("MX.Example."), "mx.example");
  EXPECT_EQ(host("192.0.2.1"), "[192.0.2.1]");
  EXPECT_EQ(host("[IPv6:2001:DB8::1]"), "[IPv6:2001:db8::1]");
  EXPECT_EQ(host("[192.0.2.1]:25"), "[192.0.2.1]");
  for (const char* text : {"", "joe", "Joes-Laptop.local", "joe.LAN", "joe@a.example", "joe a.b",
                           "[joe]", "[192.0.2.1", "a..b"})
    EXPECT_EQ(host(text), "") << text;
}

TEST(Trace, KnowsDates) {
  for (const char* text :
       {"Tue, 14 Nov 2023 22:13:20 +0000", "1 jan 99 22:13 GMT", "14 Nov 2023 22:13:20 -0330"})
    EXPECT_EQ(date(text), text);
  EXPECT_EQ(date("\r\n Tue,\t14 Nov (x) 2023\r\n 22:13:20 +0000 (joe) "),
            "Tue, 14 Nov 2023 22:13:20 +0000");
  for (const char* text :
       {"", "joe", "Joe, 14 Nov 2023 22:13:20 +0000", "14 Joe 2023 22:13:20 +0000",
        "joe Nov 2023 22:13:20 +0000", "14 Nov joe 22:13:20 +0000", "14 Nov 2023 joe:jo +0000",
        "14 Nov 2023 22:13:20 joe", "14 Nov 2023 22:13:20 +joe", "14 Nov 2023 22:13:20 +0000 joe",
        "14 Nov 2023 22:13:20", "Tue,", "Tue, 14 Nov 2023 22:13:20 +0000 x y"})
    EXPECT_EQ(date(text), "") << text;
}

}  // namespace
}  // namespace countersign::report
