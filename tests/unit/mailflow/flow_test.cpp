// SPDX-License-Identifier: Apache-2.0
//
// Messages from outside through the whole filter, with a zone for DNS.

#include "countersign/mailflow/flow.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/judging.hpp"
#include "tests/support/signing.hpp"

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

TEST(Flow, PassesWhatItsOwnerLetsSend) {
  const Arrived arrived = arrive(by("alice@example.com"), judging_policy(), zone);
  EXPECT_EQ(arrived.dmarc(), "pass");
  EXPECT_EQ(arrived.outcome.action, Action::accept);
  EXPECT_EQ(arrived.results(),
            " mx.example.org; spf=pass smtp.helo=mail.example.com;"
            " spf=pass smtp.mailfrom=alice@example.com; dkim=none;"
            " dmarc=pass policy.dmarc=reject header.from=example.com");
}

TEST(Flow, S12TheNullPathIsTheHeloIdentity) {
  Arrival arrival = by("alice@example.com");
  arrival.mail_from.clear();
  const Arrived arrived = arrive(arrival, judging_policy(), zone);
  EXPECT_EQ(arrived.dmarc(), "pass");
  EXPECT_THAT(arrived.results(), HasSubstr(" spf=pass smtp.helo=mail.example.com;"));
  EXPECT_FALSE(arrived.verdict().helo);
}

TEST(Flow, S12APassOfHeloAloneGivesNothing) {
  Arrival arrival = by("alice@example.com");
  arrival.mail_from = "x@nothing.example";
  const Arrived arrived = arrive(arrival, judging_policy(), zone);
  EXPECT_EQ(arrived.verdict().helo->result, spf::Result::pass);
  EXPECT_EQ(arrived.dmarc(), "fail");
}

TEST(Flow, S57WithoutAClientAddressThereIsNoSpf) {
  Arrival arrival = by("alice@example.com");
  arrival.client_ip.clear();
  arrival.client_host = "localhost";
  const Arrived arrived = arrive(arrival, judging_policy(), zone);
  EXPECT_FALSE(arrived.verdict().mail_from);
  EXPECT_EQ(arrived.dmarc(), "fail");
  EXPECT_THAT(arrived.results(), Not(HasSubstr("spf=")));
}

TEST(Flow, LeavesAloneWhatIsNotToBeJudged) {
  Policy policy = judging_policy();
  policy.judging.unjudged.add("192.0.2.1", {"list", 1});
  Envelope envelope;
  envelope.client_ip = IpAddress::parse("192.0.2.1");
  Flow flow(std::make_shared<const Policy>(policy), envelope, test::header_from("a@example.com"));
  EXPECT_FALSE(flow.is_judged());
  EXPECT_FALSE(flow.wants_body());
  EXPECT_EQ(std::move(flow).finish_unjudged(test::signing_time).judgement, nullptr);
}

TEST(Flow, AsksEachQuestionOnceAndMostAtTheSameTime) {
  Arrival arrival = by("alice@example.com");
  std::vector<dns::Question> asked;
  const auto parsed = dns::Zone::parse(zone, Limits{});
  const Arrived arrived = arrive(arrival, judging_policy(), [&](const dns::Question& question) {
    asked.push_back(question);
    return parsed->answer(question);
  });
  EXPECT_EQ(arrived.dmarc(), "pass");
  for (const dns::Question& one : asked) EXPECT_EQ(std::ranges::count(asked, one), 1) << one.name;
}

}  // namespace
}  // namespace countersign::mailflow
