// SPDX-License-Identifier: Apache-2.0
//
// The checks together: which questions are open at once, and forwarded mail.

#include "countersign/mailflow/inbound.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "countersign/arc/sealer.hpp"
#include "countersign/message/splitter.hpp"
#include "tests/support/dkim.hpp"
#include "tests/support/judging.hpp"
#include "tests/support/signing.hpp"

namespace countersign::mailflow {
namespace {

using testing::Contains;
using testing::HasSubstr;

std::vector<std::string> first_questions(const Policy& policy, const test::Arrival& arrival) {
  const auto message = split_message(arrival.message, Limits{});
  Envelope envelope;
  envelope.client_ip = IpAddress::parse(arrival.client_ip);
  envelope.client_host = arrival.client_host;
  envelope.helo = arrival.helo;
  envelope.mail_from = arrival.mail_from;
  Inbound inbound(std::make_shared<const Policy>(policy), envelope, message->header);
  inbound.body(message->body);
  dns::Asking<Verdict> asking = std::move(inbound).finish(arrival.now);
  std::vector<std::string> names;
  for (const dns::OpenQuestion& open : asking.take_questions()) names.push_back(open.question.name);
  return names;
}

TEST(Inbound, AsksForAllChecksAtTheSameTime) {
  const Message message = sample::signed_message(
      sample::message("From: a@example.com\nTo: b@example.net\nSubject: x\n\nHi\n"),
      {sample::identity(sample::ed25519_key())});
  test::Arrival arrival = test::by("a@example.com");
  arrival.message.clear();
  for (const HeaderField& field : message.header)
    arrival.message += std::string(field.raw()) + "\r\n";
  arrival.message += "\r\n" + message.body;
  arrival.now = sample::signing_time;
  Policy policy = test::judging_policy();
  policy.judging.iprev = true;
  const std::vector<std::string> names = first_questions(policy, arrival);
  for (const char* name : {"mail.example.com", "example.com", "ed._domainkey.example.com",
                           "_dmarc.example.com", "_dmarc.com", "1.2.0.192.in-addr.arpa"})
    EXPECT_THAT(names, Contains(name));
}

constexpr std::string_view list_message =
    "From: a@example.com\r\nList-Id: <l.forwarder.example>\r\nSubject: x\r\n\r\nHi\r\n";

/// The message with a set of that domain on top, whose results are `payload`.
std::string sealed_by(std::string_view domain, const std::string& text, const std::string& payload,
                      arc::ChainStatus chain_status = arc::ChainStatus::none) {
  const auto message = split_message(text, Limits{});
  arc::Sealer sealer(
      {.sdid = sample::name(domain), .selector = sample::name("arc"), .key = sample::ed25519_key()},
      Limits{});
  sealer.body(message->body);
  const auto set = std::move(sealer).finish(
      message->header,
      {.chain_status = chain_status, .payload = payload, .now = sample::signing_time});
  EXPECT_TRUE(set);
  std::string fields;
  for (const HeaderField& field : *set) fields += std::string(field.raw()) + "\r\n";
  return fields + text;
}

test::Arrival arrival_of(const std::string& text) {
  test::Arrival arrival{.client_ip = "198.51.100.99", .mail_from = "l@nothing.example"};
  arrival.message = text;
  arrival.now = sample::signing_time;
  return arrival;
}

test::Arrived arrive_with_trust(const std::string& text, const std::string& trusted,
                                Policy policy = test::judging_policy()) {
  if (!trusted.empty()) policy.judging.trust.sealers.entries.add(trusted, {"list", 1});
  std::string zone(test::judging_zone);
  for (const char* domain : {"forwarder.example", "stranger.example"})
    zone += std::string("arc._domainkey.") + domain + ". 60 IN TXT \"" +
            sample::key_record(sample::ed25519_key()) + "\"\n";
  return test::arrive(arrival_of(text), policy, zone);
}

/// A message of a list, sealed by forwarder.example, whose results are `payload`.
test::Arrived arrive_sealed(const std::string& payload, const std::string& trusted) {
  return arrive_with_trust(sealed_by("forwarder.example", std::string(list_message), payload),
                           trusted);
}

TEST(Inbound, S34OnlyATrustedSealerThatVouchesForTheAuthorIsBelieved) {
  const std::string vouches = "mx.forwarder.example; dmarc=pass header.from=example.com";
  const test::Arrived trusted = arrive_sealed(vouches, "forwarder.example");
  EXPECT_EQ(trusted.verdict().arc->status, arc::ChainStatus::pass);
  EXPECT_EQ(trusted.dmarc(), "fail") << "a chain never makes DMARC pass";
  EXPECT_EQ(trusted.outcome.action, Action::accept);
  ASSERT_EQ(trusted.judgement().disposition.overrides.size(), 1U);
  EXPECT_EQ(trusted.judgement().disposition.overrides[0].reason,
            report::OverrideReason::trusted_forwarder);
  EXPECT_THAT(trusted.judgement().disposition.overrides[0].comment,
              HasSubstr("as[1].d=forwarder.example"));
  EXPECT_THAT(trusted.results(), HasSubstr("arc=pass header.oldest-pass=0 smtp.remote-ip=198"));

  EXPECT_EQ(arrive_sealed(vouches, "").outcome.action, Action::quarantine);
  EXPECT_EQ(arrive_sealed(vouches, "other.example").outcome.action, Action::quarantine);
  for (const char* other : {"mx.forwarder.example; dmarc=fail header.from=example.com",
                            "mx.forwarder.example; dmarc=pass header.from=example.net",
                            "mx.forwarder.example; spf=pass smtp.mailfrom=example.com"})
    EXPECT_EQ(arrive_sealed(other, "forwarder.example").outcome.action, Action::quarantine)
        << other;
}

TEST(Inbound, ResultsOfASealerAreReadWithinTheLimitsOfThePolicy) {
  const std::string text =
      sealed_by("forwarder.example", std::string(list_message),
                "mx.forwarder.example; spf=none; dmarc=pass header.from=example.com");
  Policy policy = test::judging_policy();
  policy.limits.authres_results_max = 2;
  EXPECT_EQ(arrive_with_trust(text, "forwarder.example", policy).outcome.action, Action::accept);
  policy.limits.authres_results_max = 1;
  EXPECT_EQ(arrive_with_trust(text, "forwarder.example", policy).outcome.action,
            Action::quarantine);
}

// The set that a trusted sealer once put on other mail, below a message that a stranger wrote and
// sealed: the chain is valid, but the message signature of that set is of the other mail.
TEST(Inbound, S34ASetOfATrustedSealerIsNotBelievedAboutAnotherMessage) {
  const std::string vouches = "mx.forwarder.example; dmarc=pass header.from=example.com";
  const std::string list_text(list_message);
  const std::string once = sealed_by("forwarder.example", list_text, vouches);
  const std::string set = once.substr(0, once.size() - list_text.size());
  const std::string forged =
      sealed_by("stranger.example", set + "From: a@example.com\r\nSubject: pay me\r\n\r\nNow.\r\n",
                "mx.stranger.example; none", arc::ChainStatus::pass);
  const test::Arrived arrived = arrive_with_trust(forged, "forwarder.example");
  EXPECT_EQ(arrived.verdict().arc->status, arc::ChainStatus::pass);
  EXPECT_EQ(arrived.verdict().arc->oldest_pass, 2U);
  EXPECT_EQ(arrived.outcome.action, Action::quarantine);
  // A further host that changes nothing takes nothing from the word of the trusted one.
  const std::string passed_on =
      sealed_by("stranger.example", once, "mx.stranger.example; none", arc::ChainStatus::pass);
  EXPECT_EQ(arrive_with_trust(passed_on, "forwarder.example").outcome.action, Action::accept);
}

// Below example.com in DNS, and a stranger to it by the list.
TEST(Inbound, FindsOrganizationsByTheListWhereThePolicySaysSo) {
  test::Arrival arrival = test::by("a@shop.example.com");
  arrival.mail_from = "alice@example.com";
  Policy policy = test::judging_policy();
  EXPECT_EQ(test::arrive(arrival, policy, test::judging_zone).dmarc(), "pass");
  policy.judging.org_domain_of = [](const DomainName& name) {
    return name.ancestor(name.is_at_or_below(test::name("shop.example.com")) ? 3 : 2);
  };
  const test::Arrived listed = test::arrive(arrival, policy, test::judging_zone);
  EXPECT_EQ(listed.dmarc(), "none") << "shop.example.com is an organization without a record";
  EXPECT_EQ(listed.verdict().dmarc->discovery.method(), dmarc::DiscoveryMethod::psl);
}

}  // namespace
}  // namespace countersign::mailflow
