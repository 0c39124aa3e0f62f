// SPDX-License-Identifier: Apache-2.0
//
// The field that is written, and the fields that are removed, whatever a sender tries.

#include "countersign/mailflow/results_field.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "countersign/authres/field.hpp"
#include "tests/support/judging.hpp"

namespace countersign::mailflow {
namespace {

using test::Arrival;
using test::arrive;
using test::Arrived;
using test::by;
using test::judging_policy;
using testing::HasSubstr;
using testing::Not;

constexpr std::string_view zone = test::judging_zone;

TEST(ResultsField, S20NothingThatASenderChoseLooksLikeAResult) {
  Arrival arrival = by("alice@example.com");
  arrival.mail_from = "x\";dmarc=pass header.from=example.com;a=\"@example.com";
  arrival.helo = "x; dmarc=pass header.from=example.com";
  const Arrived arrived = arrive(arrival, judging_policy(), zone);
  const auto field = authres::parse_field(arrived.results(), Limits{});
  ASSERT_TRUE(field) << arrived.results();
  for (const authres::MethodResult& result : field->results)
    EXPECT_FALSE(result.method == "dmarc" && result.result == "pass") << arrived.results();
}

TEST(ResultsField, S21RemovesForgedResults) {
  const std::string forged =
      "Authentication-Results: mx.example.org; dmarc=pass\r\n"
      "authentication-results: MX.Example.Org. 1; dmarc=pass\r\n"
      "Authentication-Results: other.example; dmarc=pass\r\n"
      "Authentication-Results:\r\n (x) \"mx.example.org\"; dmarc=pass\r\n"
      "Authentication-Results: mx.example.org/4QUEUE; dmarc=pass\r\n"
      "BIMI-Indicator: x\r\nBIMI-Location: y\r\nBIMI-Logo-Preference: z\r\n";
  const Arrived arrived = arrive(by("eve@example.com", forged), judging_policy(), zone);
  EXPECT_EQ(count_fields(arrived.header, "Authentication-Results"), 2U);
  EXPECT_EQ(count_fields(arrived.header, "BIMI-Indicator"), 0U);
  EXPECT_EQ(count_fields(arrived.header, "BIMI-Location"), 0U);
  EXPECT_EQ(count_fields(arrived.header, "BIMI-Logo-Preference"), 0U);
  EXPECT_EQ(arrived.judgement().removed_fields, 7U);
  EXPECT_THAT(std::string(find_field(arrived.header, "Authentication-Results")->value()),
              HasSubstr("mx.example.org"));
}

TEST(ResultsField, WritesTheQueueIdAndReceivedSpfOnDemand) {
  Policy policy = judging_policy();
  policy.judging.results.received_spf = true;
  policy.judging.results.comments = true;
  const Arrived arrived = arrive(by("alice@example.com"), policy, zone);
  EXPECT_EQ(arrived.header[1].name(), "Received-SPF");
  EXPECT_THAT(arrived.results(), HasSubstr("spf=pass (matched) smtp"));

  Envelope envelope;
  envelope.macros["i"] = "4QUEUE";
  EXPECT_EQ(authserv_id_for({.authserv_id = "mx", .authserv_id_with_job_id = true}, envelope),
            "mx/4QUEUE");
  envelope.macros["i"] =
      "b\xC3\xA4"
      "d";
  EXPECT_EQ(authserv_id_for({.authserv_id = "mx", .authserv_id_with_job_id = true}, envelope),
            "mx");
}

TEST(ResultsField, S13SaysTheDomainThatWasChecked) {
  Arrival arrival = by("alice@example.com");
  arrival.mail_from = "@route.example:alice@example.com";
  const Arrived arrived = arrive(arrival, judging_policy(), zone);
  EXPECT_THAT(arrived.results(), HasSubstr("smtp.mailfrom=example.com;"));
}

// --- arc ---

arc::SetResult set_of(unsigned instance, std::string_view sealer) {
  return {.instance = instance,
          .sealer = DomainName::parse(sealer).value(),
          .selector = DomainName::parse("s").value(),
          .signer = DomainName::parse(sealer).value()};
}

/// The field for a chain of two sets, the newest by b.example.
std::string arc_field(arc::ChainStatus status, const ResultsPolicy& policy) {
  Verdict verdict;
  verdict.arc = arc::Outcome{.status = status};
  verdict.arc->sets = {set_of(1, "a.example"), set_of(2, "b.example")};
  Envelope envelope;
  envelope.client_ip = IpAddress::parse("192.0.2.1");
  const auto results = results_of(verdict, envelope, policy);
  return authres::format_field({"mx.example.org", results}, {}, Limits{});
}

TEST(ResultsField, SaysTheClientBehindArcUnlessToldNotTo) {
  EXPECT_THAT(arc_field(arc::ChainStatus::pass, {}), HasSubstr("smtp.remote-ip=192.0.2.1"));
  const std::string without = arc_field(arc::ChainStatus::pass, {.remote_ip = false});
  EXPECT_THAT(without, HasSubstr("arc=pass header.oldest-pass=0"));
  EXPECT_THAT(without, Not(HasSubstr("remote-ip")));
}

TEST(ResultsField, SaysWhoSealedAChainThatPassesOnDemand) {
  EXPECT_THAT(arc_field(arc::ChainStatus::pass, {}), Not(HasSubstr("arc.chain")));
  const std::string field = arc_field(arc::ChainStatus::pass, {.arc_chain = true});
  EXPECT_THAT(field, HasSubstr("arc.chain=\"b.example:a.example\""));
  const auto parsed = authres::parse_field(field.substr(field.find(':') + 1), Limits{});
  ASSERT_TRUE(parsed) << field;
  EXPECT_EQ(*parsed->results.front().find("arc", "chain"), "b.example:a.example");
}

// The names of a chain that does not pass are what anybody wrote.
TEST(ResultsField, S34NamesNobodyOfABrokenChain) {
  EXPECT_THAT(arc_field(arc::ChainStatus::fail, {.arc_chain = true}), Not(HasSubstr("arc.chain")));
}

}  // namespace
}  // namespace countersign::mailflow
