// SPDX-License-Identifier: Apache-2.0
//
// Where reports go: URIs good and bad, who has to agree, and what DNS may break.

#include "countersign/report/destination.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/dkim.hpp"
#include "tests/support/exact.hpp"
#include "tests/support/spf.hpp"

namespace countersign::report {
namespace {

using A = Authorization;
using testing::HasSubstr;

constexpr std::string_view zone = R"(
_dmarc.example.com TXT "v=DMARC1; p=none"
_dmarc.other.example TXT "v=DMARC1; p=none"
example.com._report._dmarc.good.example TXT "v=DMARC1"
example.com._report._dmarc.moved.example TXT (
  "v=DMARC1; rua=mailto:new@moved.example,"
  "mailto:2@moved.example; ruf=mailto:f@moved.example" )
example.com._report._dmarc.thief.example TXT "v=DMARC1; rua=mailto:x@victim.example"
example.com._report._dmarc.odd.example TXT "v=spf1 -all"
*._report._dmarc.wild.example TXT "v=DMARC1;"
example.com._report._dmarc.two.example TXT "v=DMARC1"
example.com._report._dmarc.two.example TXT "some text"
_dmarc.shop TXT "v=DMARC1; p=none; rua=mailto:r@nic.shop"
_dmarc.own.shop TXT "v=DMARC1; p=none; psd=n"
evil.shop._report._dmarc.good.shop TXT "v=DMARC1"
)";

void good(std::string_view uri, std::string_view address) {
  const auto mailbox = parse_destination(test::exact(uri).view(), Limits{});
  ASSERT_TRUE(mailbox) << uri;
  EXPECT_EQ(mailbox->address(), address);
}

void bad(std::string_view uri, DestinationErrorCode code) {
  const auto mailbox = parse_destination(test::exact(uri).view(), Limits{});
  ASSERT_FALSE(mailbox) << uri << " " << mailbox->address();
  EXPECT_EQ(mailbox.error(), code) << uri;
  EXPECT_FALSE(to_string(code).empty());
}

std::vector<CheckedDestination> check(std::vector<std::string> uris,
                                      ReportKind kind = ReportKind::aggregate,
                                      std::string_view domain = "example.com") {
  return spf::sample::zone(zone).run(
      check_destinations({sample::name(domain), std::move(uris), kind}, Limits{}));
}

CheckedDestination check_one(const std::string& uri, ReportKind kind = ReportKind::aggregate,
                             std::string_view domain = "example.com") {
  return check({uri}, kind, domain).at(0);
}

std::vector<std::string> addresses(const CheckedDestination& checked) {
  std::vector<std::string> all;
  for (const Mailbox& one : checked.mailboxes) all.push_back(one.address());
  return all;
}

TEST(Destination, ReadsMailtoUris) {
  good("mailto:reports@example.com", "reports@example.com");
  good("MAILTO:a.b+c@Example.COM", "a.b+c@example.com");
  good("mailto:a%2Bb%40example.com", "a+b@example.com");
  good("mailto:a@example.com?subject=x%0D%0ABcc:b@c", "a@example.com");
  good("mailto:a@b%C3%BCcher.example", "a@xn--bcher-kva.example");
}

TEST(Destination, S50RefusesAllElse) {
  using C = DestinationErrorCode;
  bad("", C::not_mailto);
  bad("https://example.com/report", C::not_mailto);
  bad("reports@example.com", C::not_mailto);
  bad("mailto:", C::bad_address);
  bad("mailto:example.com", C::bad_address);
  bad("mailto:@example.com", C::bad_address);
  bad("mailto:a@b.example,c@d.example", C::bad_domain);
  bad("mailto:a@b@c.example", C::bad_domain);
  bad("mailto:a%0D%0ABcc:x@b.example", C::bad_address);
  bad("mailto:a%00@b.example", C::bad_address);
  bad("mailto:a%20b@c.example", C::bad_address);
  bad("mailto:%22a%22@c.example", C::bad_address);
  bad("mailto:%3Ca@c.example%3E", C::bad_address);
  bad("mailto:%C3%A4@c.example", C::bad_address);
  bad("mailto:.a@c.example", C::bad_address);
  bad("mailto:" + std::string(65, 'a') + "@c.example", C::bad_address);
  bad("mailto:a%@c.example", C::bad_encoding);
  bad("mailto:a%2@c.example", C::bad_encoding);
  bad("mailto:a@c.example%0D%0ARCPT", C::bad_domain);
  bad("mailto:" + std::string(2'000, 'a'), C::too_long);
}

TEST(Destination, S50NothingIsDeliveredToOurselves) {
  using C = DestinationErrorCode;
  for (const char* host : {"localhost", "root", "a.localhost", "printer.local", "x.internal",
                           "[127.0.0.1]", "127.0.0.1", "x.onion", "x.invalid", ""})
    bad("mailto:a@" + std::string(host), C::bad_domain);
}

TEST(Destination, TheOwnOrganizationNeedNotAgree) {
  for (const char* uri : {"mailto:a@example.com", "mailto:a@sub.example.com"})
    EXPECT_EQ(check_one(uri).authorization, A::internal) << uri;
  EXPECT_EQ(check_one("mailto:a@sibling.example.com", ReportKind::aggregate, "x.example.com")
                .authorization,
            A::internal);
}

TEST(Destination, S50AnotherHostMustAgree) {
  EXPECT_EQ(check_one("mailto:a@victim.example").authorization, A::unauthorized);
  EXPECT_EQ(check_one("mailto:a@odd.example").authorization, A::unauthorized);
  EXPECT_TRUE(check_one("mailto:a@odd.example").mailboxes.empty());
  EXPECT_EQ(check_one("mailto:a@good.example").authorization, A::authorized);
  EXPECT_EQ(check_one("mailto:a@two.example").authorization, A::authorized);
  EXPECT_EQ(check_one("mailto:a@wild.example").authorization, A::authorized);
  EXPECT_EQ(
      check_one("mailto:a@good.example", ReportKind::aggregate, "other.example").authorization,
      A::unauthorized)
      << "it agreed to the reports of another domain";
  EXPECT_EQ(check_one("mailto:a@good.example", ReportKind::failure).authorization, A::authorized);
}

TEST(Destination, S50NeighboursBelowATopLevelDomainAreNoOrganization) {
  const auto of = [](const char* uri, const char* domain) {
    return check_one(uri, ReportKind::failure, domain).authorization;
  };
  EXPECT_EQ(of("mailto:victim@bar.shop", "evil.shop"), A::unauthorized);
  EXPECT_EQ(of("mailto:a@good.shop", "evil.shop"), A::authorized);
  EXPECT_EQ(of("mailto:a@evil.shop", "evil.shop"), A::internal);
  EXPECT_EQ(of("mailto:r@nic.shop", "shop"), A::unauthorized);
  EXPECT_EQ(of("mailto:a@mail.own.shop", "own.shop"), A::internal);
  EXPECT_EQ(check_one("mailto:victim@bar.shop", ReportKind::aggregate, "evil.shop").authorization,
            A::unauthorized);
}

TEST(Destination, TheHostSaysWhereTo) {
  const CheckedDestination moved = check_one("mailto:old@moved.example");
  EXPECT_EQ(moved.authorization, A::replaced);
  EXPECT_EQ(addresses(moved), (std::vector<std::string>{"new@moved.example", "2@moved.example"}));
  EXPECT_EQ(addresses(check_one("mailto:old@moved.example", ReportKind::failure)),
            std::vector<std::string>{"f@moved.example"});
}

TEST(Destination, S50NoHostSendsReportsToAnother) {
  const CheckedDestination thief = check_one("mailto:a@thief.example");
  EXPECT_EQ(thief.authorization, A::other_host);
  EXPECT_TRUE(thief.mailboxes.empty());
}

TEST(Destination, EveryUriIsTriedAndEachMailboxOnce) {
  const auto all = check({"https://x.example", "mailto:a@example.com", "mailto:a@victim.example",
                          "mailto:a%40example.com", "mailto:b@good.example"});
  ASSERT_EQ(all.size(), 5U);
  EXPECT_EQ(all[0].authorization, A::malformed);
  EXPECT_EQ(all[0].uri, "https://x.example");
  std::vector<std::string> recipients;
  for (const Mailbox& one : recipients_of(all)) recipients.push_back(one.address());
  EXPECT_EQ(recipients, (std::vector<std::string>{"a@example.com", "b@good.example"}));
}

TEST(Destination, AFailureOfDnsIsNoAnswer) {
  const dns::Zone answers = spf::sample::zone(zone);
  std::size_t questions = 1;
  for (std::size_t failing = 0; failing < questions; ++failing) {
    std::size_t asked = 0;
    const auto checked = dns::run_with(
        check_destinations({sample::name("example.com"), {"mailto:a@good.example"}}, Limits{}),
        [&](const dns::Question& question) {
          if (asked++ == failing) return dns::Answer{.status = dns::AnswerStatus::timeout};
          return answers.answer(question);
        });
    questions = std::max(questions, asked);
    const A found = checked.at(0).authorization;
    EXPECT_TRUE(found == A::dns_failure || found == A::authorized) << name_of(found);
    if (found == A::dns_failure) EXPECT_TRUE(checked.at(0).mailboxes.empty());
  }
  EXPECT_GT(questions, 3U);
}

TEST(Destination, ANameThatDoesNotFitIntoDnsIsNotAskedFor) {
  std::string label(60, 'a');
  const std::string domain = label + "." + label + "." + label + ".example";
  const std::string host = label + ".example";
  const CheckedDestination checked = check_one("mailto:a@" + host, ReportKind::aggregate, domain);
  EXPECT_EQ(checked.authorization, A::name_too_long);
  EXPECT_TRUE(checked.mailboxes.empty());
}

TEST(Destination, OnlySoManyUrisAreLookedAt) {
  Limits limits;
  limits.report_uris_max = 2;
  const auto all = spf::sample::zone(zone).run(check_destinations(
      {sample::name("example.com"), std::vector<std::string>(9, "mailto:a@example.com")}, limits));
  EXPECT_EQ(all.size(), 2U);
}

TEST(Destination, EveryAnswerHasItsWords) {
  for (const A one : {A::internal, A::authorized, A::replaced, A::malformed, A::unauthorized,
                      A::name_too_long, A::other_host, A::dns_failure}) {
    EXPECT_THAT(std::string(to_string(one)), HasSubstr("RFC 9990"));
    EXPECT_NE(name_of(one), "unknown");
  }
}

TEST(LoopGuard, S50KnowsOurOwnReports) {
  const LoopGuard guard{{{"dmarc", sample::name("mx.example.net")}}};
  EXPECT_TRUE(guard.is_own({"DMARC", sample::name("mx.example.net")}));
  EXPECT_FALSE(guard.is_own({"dmarc", sample::name("example.net")}));
  EXPECT_TRUE(guard.is_report_traffic({"dmarc@MX.example.net"}));
  EXPECT_FALSE(guard.is_report_traffic({"dmarc@mx.example.net", "bob@example.net"}));
  EXPECT_FALSE(guard.is_report_traffic({}));
  EXPECT_FALSE(guard.is_report_traffic({"dmarc"}));
}

}  // namespace
}  // namespace countersign::report
