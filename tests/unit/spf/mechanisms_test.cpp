// SPDX-License-Identifier: Apache-2.0
//
// Each mechanism that asks DNS: what it asks, what it takes for a match, and what becomes of
// answers that fall short.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "countersign/spf/evaluator.hpp"
#include "tests/support/spf.hpp"

namespace countersign::spf {
namespace {

using dns::AnswerStatus;
using dns::RecordType;
using sample::check_record;
using sample::request;
using sample::said;

void expect(const Outcome& outcome, Result result, Reason reason = Reason::matched) {
  EXPECT_EQ(outcome.result, result) << said(outcome);
  EXPECT_EQ(outcome.reason, reason) << said(outcome);
}

// The outcome when one question fails.
Outcome check_failing(std::string_view record, std::string_view lines, std::string_view name,
                      RecordType type) {
  auto zone =
      sample::zone("example.com TXT \"" + std::string(record) + "\"\n" + std::string(lines));
  zone.fail(name, type, AnswerStatus::servfail);
  return zone.run(check_host(request(), Limits{}));
}

std::string lines_of(int count, std::string_view before, std::string_view after) {
  std::string lines;
  for (int i = 1; i <= count; ++i)
    lines += std::string(before) + std::to_string(i) + std::string(after) + "\n";
  return lines;
}

TEST(NetworkMechanisms, CompareUpToThePrefix) {
  expect(check_record(request(), "v=spf1 ip4:192.0.2.128/24 -all"), Result::pass);
  expect(check_record(request(), "v=spf1 ip4:192.0.2.0/32 -all"), Result::fail);
  expect(check_record(request(), "v=spf1 ip4:10.0.0.0/0 -all"), Result::pass);
  expect(check_record(request("2001:db8::1"), "v=spf1 ip6:2001:db8:ffff::/33 -all"), Result::fail);
  expect(check_record(request("2001:db8::1"), "v=spf1 ip6:2001:db8:ffff::/32 -all"), Result::pass);
  expect(check_record(request("2001:db8::1"), "v=spf1 ip4:0.0.0.0/0 -all"), Result::fail);
}

// RFC 7208 §5: a client at an IPv4-mapped address is an IPv4 client. RFC 7208 §5.6: a prefix that
// is shorter than that of the mapping is one of IPv6.
TEST(NetworkMechanisms, TakeAMappedAddressForIpv6UpToThePrefix) {
  for (const char* client : {"::ffff:192.0.2.1", "192.0.2.1"})
    for (const char* prefix : {"/128", "/96", "/95", "/0"})
      expect(check_record(request(client),
                          "v=spf1 ip6:::ffff:192.0.2.1" + std::string(prefix) + " -all"),
             Result::fail);
  const auto check_v6 = [](std::string_view client, std::string_view prefix) {
    return check_record(request(client),
                        "v=spf1 ip6:::ffff:192.0.2.1" + std::string(prefix) + " -all");
  };
  expect(check_v6("2001:db8::1", "/0"), Result::pass);
  expect(check_v6("::1", "/80"), Result::pass);
  expect(check_v6("::1", "/88"), Result::fail);
  expect(check_v6("::fffe:0:1", "/95"), Result::pass);
  expect(check_v6("::fffe:0:1", "/96"), Result::fail);
}

// RFC 7208 §5.2: the table.
TEST(Include, MapsTheOtherResult) {
  const auto include = [](std::string_view lines) {
    return check_record(request(), "v=spf1 include:b.example.com ?all", lines);
  };
  expect(include("b.example.com TXT \"v=spf1 +all\"\n"), Result::pass);
  for (const char* all : {"-all", "~all", "?all", ""})
    expect(include("b.example.com TXT \"v=spf1 " + std::string(all) + "\"\n"), Result::neutral);
  expect(include("b.example.com TXT \"v=spf1 moo\"\n"), Result::permerror, Reason::bad_record);
  expect(include(""), Result::permerror, Reason::include_without_record);
  expect(include("b.example.com A 192.0.2.1\n"), Result::permerror, Reason::include_without_record);
  expect(check_failing("v=spf1 include:b.example.com +all", "", "b.example.com", RecordType::txt),
         Result::temperror, Reason::dns_failed);
}

TEST(Include, IsAPermerrorForWhatIsNoDomain) {
  expect(check_record(request(), "v=spf1 include:b..example.com +all"), Result::permerror,
         Reason::include_without_record);
  expect(check_record(request(), "v=spf1 include:%{d1} +all"), Result::permerror,
         Reason::include_without_record);
}

TEST(Include, MakesItsDomainTheCurrentOne) {
  expect(check_record(request(), "v=spf1 include:b.example.com -all",
                      "b.example.com TXT \"v=spf1 exists:%{d}.%{o}.x.example.com -all\"\n"
                      "b.example.com.example.com.x.example.com A 127.0.0.2\n"),
         Result::pass);
  expect(check_record(request(), "v=spf1 include:b.example.com -all",
                      "b.example.com TXT \"v=spf1 a -all\"\nb.example.com A 192.0.2.1\n"),
         Result::pass);
}

TEST(A, ComparesAddressesOfTheClientsKind) {
  constexpr const char* hosts = "example.com A 192.0.2.9\nexample.com AAAA 2001:db8::9\n";
  expect(check_record(request(), "v=spf1 a -all", hosts), Result::fail);
  expect(check_record(request(), "v=spf1 a/28 -all", hosts), Result::pass);
  expect(check_record(request(), "v=spf1 a//0 -all", hosts), Result::fail);
  expect(check_record(request("2001:db8::1"), "v=spf1 a/0 -all", hosts), Result::fail);
  expect(check_record(request("2001:db8::1"), "v=spf1 a/32//64 -all", hosts), Result::pass);
}

TEST(A, IsATemperrorWhenDnsFails) {
  const Outcome outcome =
      check_failing("v=spf1 a:h.example.com +all", "", "h.example.com", RecordType::a);
  expect(outcome, Result::temperror, Reason::dns_failed);
  EXPECT_EQ(outcome.detail, "SERVFAIL for A of h.example.com");
  EXPECT_EQ(outcome.evaluation.terms.front().match, Match::temperror);
}

TEST(A, AsksForNamesThatNoHostHas) {
  CheckHost odd = request();
  odd.mail_from = "a+b=c~d@example.com";
  auto zone = sample::zone("example.com TXT \"v=spf1 a:%{l}._spf.%{d} -all\"\n");
  zone.add("a+b=c~d._spf.example.com", RecordType::a, dns::Address{{192, 0, 2, 1}, 4});
  expect(zone.run(check_host(odd, Limits{})), Result::pass);
}

TEST(Mx, AsksForHostsInTheOrderOfPreference) {
  const Outcome outcome = check_record(
      request(), "v=spf1 mx -all",
      "example.com MX 20 b.example.com\nexample.com MX 10 c.example.com\n"
      "example.com MX 30 c.example.com\nb.example.com A 192.0.2.1\nc.example.com A 192.0.2.2\n");
  expect(outcome, Result::pass);
  EXPECT_EQ(outcome.evaluation.terms.front().lookups,
            (std::vector<Lookup>{{{"example.com", RecordType::mx}, AnswerStatus::records},
                                 {{"c.example.com", RecordType::a}, AnswerStatus::records},
                                 {{"b.example.com", RecordType::a}, AnswerStatus::records}}));
}

TEST(Mx, NeverFallsBackToTheDomainItself) {
  const Outcome outcome = check_record(request(), "v=spf1 mx -all", "example.com A 192.0.2.1\n");
  expect(outcome, Result::fail);
  EXPECT_EQ(outcome.void_lookups, 1u);
}

TEST(Mx, TakesTheNullMxForNoHost) {
  const Outcome outcome = check_record(request(), "v=spf1 mx -all", "example.com MX 0 .\n");
  expect(outcome, Result::fail);
  EXPECT_EQ(outcome.void_lookups, 0u);
  EXPECT_EQ(outcome.evaluation.terms.front().lookups.size(), 1u);
}

TEST(Mx, S14IsAPermerrorWithMoreThanTenHosts) {
  const std::string ten = lines_of(10, "example.com MX 1 h", ".example.com") +
                          lines_of(9, "h", ".example.com A 198.51.100.1") +
                          "h10.example.com A 192.0.2.1\n";
  expect(check_record(request(), "v=spf1 mx -all", ten), Result::pass);
  expect(check_record(request(), "v=spf1 mx -all", ten + "example.com MX 9 h11.example.com\n"),
         Result::permerror, Reason::too_many_mail_exchanges);
}

TEST(Mx, CountsAsVoidOnceAndOnlyWhenNoHostHasAnAddress) {
  const std::string hosts = lines_of(5, "example.com MX 1 h", ".example.com");
  const Outcome none = check_record(request(), "v=spf1 mx -all", hosts);
  expect(none, Result::fail);
  EXPECT_EQ(none.void_lookups, 1u);
  const Outcome one =
      check_record(request(), "v=spf1 mx -all", hosts + "h3.example.com A 198.51.100.1\n");
  EXPECT_EQ(one.void_lookups, 0u);
}

TEST(Mx, IsATemperrorUnlessAHostBeforeTheFailureMatches) {
  constexpr const char* hosts =
      "example.com MX 10 b.example.com\nexample.com MX 20 c.example.com\n"
      "b.example.com A 192.0.2.1\n";
  expect(check_failing("v=spf1 mx -all", hosts, "c.example.com", RecordType::a), Result::pass);
  expect(check_failing("v=spf1 mx -all", hosts, "b.example.com", RecordType::a), Result::temperror,
         Reason::dns_failed);
  expect(check_failing("v=spf1 mx -all", "", "example.com", RecordType::mx), Result::temperror,
         Reason::dns_failed);
}

constexpr const char* reverse = "1.2.0.192.in-addr.arpa PTR h.example.com\n";

TEST(Ptr, MatchesValidatedNamesAtOrBelowTheTarget) {
  const std::string good = std::string(reverse) + "h.example.com A 192.0.2.1\n";
  expect(check_record(request(), "v=spf1 ptr -all", good), Result::pass);
  expect(check_record(request(), "v=spf1 ptr:H.Example.com -all", good), Result::pass);
  expect(check_record(request(), "v=spf1 ptr:x.h.example.com -all", good), Result::fail);
  expect(check_record(request(), "v=spf1 ptr:ample.com -all", good), Result::fail);
  expect(check_record(request(), "v=spf1 ptr -all",
                      std::string(reverse) + "h.example.com A 192.0.2.2\n"),
         Result::fail);
}

TEST(Ptr, DoesNotMatchWhenDnsFails) {
  const std::string good = std::string(reverse) + "h.example.com A 192.0.2.1\n";
  expect(check_failing("v=spf1 ptr -all", good, "1.2.0.192.in-addr.arpa", RecordType::ptr),
         Result::fail);
  expect(check_failing("v=spf1 ptr -all", good, "h.example.com", RecordType::a), Result::fail);
  expect(check_failing("v=spf1 ptr -all", good + "1.2.0.192.in-addr.arpa PTR i.example.com\n",
                       "i.example.com", RecordType::a),
         Result::pass);
}

TEST(Ptr, S14LooksAtTenNamesOnly) {
  const auto names = [](int count) {
    return lines_of(count, "1.2.0.192.in-addr.arpa PTR n", ".example.org") +
           "1.2.0.192.in-addr.arpa PTR h.example.com\nh.example.com A 192.0.2.1\n";
  };
  expect(check_record(request(), "v=spf1 ptr -all", names(9)), Result::pass);
  const Outcome outcome = check_record(request(), "v=spf1 ptr -all", names(10));
  expect(outcome, Result::fail);
  EXPECT_EQ(outcome.evaluation.terms.front().lookups.size(), 11u);
}

TEST(Ptr, AsksForTheNamesOnce) {
  const Outcome outcome = check_record(
      request(), "v=spf1 ptr:a.example.org ptr:b.example.org exists:%{p}.x.example.com -all",
      std::string(reverse) + "h.example.com A 192.0.2.1\n");
  expect(outcome, Result::fail);
  EXPECT_EQ(outcome.evaluation.terms[0].lookups.size(), 2u);
  EXPECT_EQ(outcome.evaluation.terms[1].lookups.size(), 0u);
  EXPECT_EQ(outcome.evaluation.terms[2].target, "h.example.com.x.example.com");
  EXPECT_EQ(outcome.lookup_terms, 3u);
}

// RFC 7208 §4.6.4 counts terms.
TEST(Ptr, CountsAsVoidInEachTermThoughTheNamesAreAskedForOnce) {
  const Outcome two = check_record(request(), "v=spf1 ptr ptr:a.example.org -all");
  expect(two, Result::fail);
  EXPECT_EQ(two.void_lookups, 2u);
  EXPECT_EQ(two.evaluation.terms[1].lookups.size(), 0u);
  expect(check_record(request(), "v=spf1 ptr ptr:a.example.org ptr:b.example.org -all"),
         Result::permerror, Reason::too_many_void_lookups);
  expect(check_record(request(), "v=spf1 ptr ptr:a.example.org ptr:b.example.org -all", reverse),
         Result::fail);
}

TEST(Ptr, AsksForTheNibblesOfIpv6) {
  const Outcome outcome = check_record(request("2001:db8::cb01"), "v=spf1 ptr -all");
  EXPECT_EQ(outcome.evaluation.terms.front().lookups.front().question.name,
            "1.0.b.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa");
  EXPECT_EQ(outcome.void_lookups, 1u);
}

std::string name_of_client(std::string_view lines) {
  const Outcome outcome = check_record(request(), "v=spf1 exists:%{p}.x.example.com ?all", lines);
  EXPECT_EQ(outcome.lookup_terms, 2u) << "the question for names counts, too";
  const std::string& target = outcome.evaluation.terms.front().target;
  return target.substr(0, target.size() - std::string_view(".x.example.com").size());
}

// RFC 7208 §7.3
TEST(ClientName, IsTheDomainOrElseOneBelowItOrElseAny) {
  const auto names = [](std::string_view first, std::string_view second, std::string_view third) {
    std::string lines;
    for (const std::string_view name : {first, second, third})
      lines += "1.2.0.192.in-addr.arpa PTR " + std::string(name) + "\n" + std::string(name) +
               " A 192.0.2.1\n";
    return lines;
  };
  EXPECT_EQ(name_of_client(names("a.org", "h.example.com", "example.com")), "example.com");
  EXPECT_EQ(name_of_client(names("a.org", "h.example.com", "b.org")), "h.example.com");
  EXPECT_EQ(name_of_client(names("a.org", "b.org", "c.org")), "a.org");
  EXPECT_EQ(name_of_client(""), "unknown");
  EXPECT_EQ(name_of_client(reverse), "unknown");
}

TEST(Exists, AsksForIpv4Always) {
  const auto exists = [](std::string_view client, std::string_view lines) {
    return check_record(request(client), "v=spf1 exists:%{ir}.x.example.com -all", lines);
  };
  expect(exists("192.0.2.1", "1.2.0.192.x.example.com A 127.0.0.2\n"), Result::pass);
  expect(exists("192.0.2.1", "1.2.0.192.x.example.com AAAA ::1\n"), Result::fail);
  expect(check_record(request("2001:db8::1"), "v=spf1 exists:x.example.com -all",
                      "x.example.com A 127.0.0.2\n"),
         Result::pass);
  expect(check_failing("v=spf1 exists:x.example.com +all", "", "x.example.com", RecordType::a),
         Result::temperror, Reason::dns_failed);
}

}  // namespace
}  // namespace countersign::spf
