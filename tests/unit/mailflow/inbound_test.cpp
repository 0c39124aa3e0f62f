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

/// A message of a list, sealed by forwarder.example, whose results are `payload`.
test::Arrival sealed(const std::string& payload) {
  const std::string text =
      "From: a@example.com\r\nList-Id: <l.forwarder.example>\r\nSubject: x\r\n\r\nHi\r\n";
  const auto message = split_message(text, Limits{});
  arc::Sealer sealer(message->header,
                     {.sdid = sample::name("forwarder.example"),
                      .selector = sample::name("arc"),
                      .key = sample::ed25519_key()},
                     Limits{});
  sealer.body(message->body);
  const auto set = std::move(sealer).finish({.payload = payload, .now = sample::signing_time});
  EXPECT_TRUE(set);
  test::Arrival arrival{.client_ip = "198.51.100.99", .mail_from = "l@nothing.example"};
  for (const HeaderField& field : *set) arrival.message += std::string(field.raw()) + "\r\n";
  arrival.message += text;
  arrival.now = sample::signing_time;
  return arrival;
}

test::Arrived arrive_sealed(const std::string& payload, const std::string& trusted) {
  Policy policy = test::judging_policy();
  if (!trusted.empty()) policy.judging.trust.sealers.entries.add(trusted, {"list", 1});
  const std::string zone = std::string(test::judging_zone) +
                           "arc._domainkey.forwarder.example. 60 IN TXT \"" +
                           sample::key_record(sample::ed25519_key()) + "\"\n";
  return test::arrive(sealed(payload), policy, zone);
}

TEST(Inbound, S34OnlyATrustedSealerThatVouchesForTheAuthorIsBelieved) {
  const std::string vouches = "mx.forwarder.example; dmarc=pass header.from=example.com";
  const test::Arrived trusted = arrive_sealed(vouches, "forwarder.example");
  EXPECT_EQ(trusted.verdict().arc->status, arc::ChainStatus::pass);
  EXPECT_EQ(trusted.dmarc(), "fail") << "a chain never makes DMARC pass";
  EXPECT_EQ(trusted.outcome.action, Action::accept);
  ASSERT_EQ(trusted.judgement().disposition.overrides.size(), 1U);
  EXPECT_EQ(trusted.judgement().disposition.overrides[0].reason, OverrideReason::trusted_forwarder);
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

}  // namespace
}  // namespace countersign::mailflow
