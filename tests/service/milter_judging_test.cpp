// SPDX-License-Identifier: Apache-2.0
//
// Mail that is judged by a filter that serves: DNS that takes its time, many messages at once, and
// the end of the filter meanwhile.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <mutex>
#include <thread>
#include <vector>

#include "countersign/mailflow/evaluation.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/fake_resolver.hpp"
#include "tests/support/judging.hpp"
#include "tests/support/milter_octets.hpp"
#include "tests/support/mta_connection.hpp"
#include "tests/support/served_filter.hpp"

namespace countersign::service {
namespace {

using namespace std::chrono_literals;
using test::eventually;
using test::FakeResolver;
using test::MtaConnection;
using test::ServedFilter;
using testing::HasSubstr;

/// Answers as judging_zone does.
void answer_by_zone(FakeResolver& resolver) {
  const auto zone = dns::Zone::parse(test::judging_zone, Limits{}).value();
  resolver.answer = [zone](const dns::Question& question) { return zone.answer(question); };
}

milter::Mail mail_by(const std::string& author) {
  return {.client_host = "client.example",
          .client_address = "192.0.2.1",
          .helo = "mail.example.com",
          .mail_from = author,
          .rcpt_to = {"bob@example.org"},
          .header = test::header_from(author),
          .body = "Hi\r\n",
          .macros = {{"i", "4QUEUE"}}};
}

std::string results_of(const milter::FilterOutcome& outcome) {
  const HeaderField* field = find_field(outcome.header, "Authentication-Results");
  return field == nullptr ? "" : std::string(field->value());
}

TEST(MilterJudging, WritesWhatItFoundAndLogsIt) {
  FakeResolver resolver;
  answer_by_zone(resolver);
  ServedFilter filter({.policy = test::judging_policy(), .resolver = &resolver});
  MtaConnection mta = filter.connect();
  EXPECT_THAT(results_of(mta.push(mail_by("a@example.com"))), HasSubstr("dmarc=pass"));
  EXPECT_THAT(results_of(mta.push(mail_by("a@nothing.example"))), HasSubstr("dmarc=none"));
  EXPECT_TRUE(eventually([&] { return filter.log().count("msg=judged") == 2; }));
  for (const char* field : {"queue_id=4QUEUE", "spf=pass", "spf_domain=example.com", "dkim=none",
                            "dmarc=pass", "policy=reject", "action=accept"})
    EXPECT_TRUE(filter.log().has(field)) << field << '\n' << filter.log().text();
}

TEST(MilterJudging, KeepsWhatItFoundWithWhatItAsked) {
  FakeResolver resolver;
  answer_by_zone(resolver);
  KeptMessages kept({.messages = 10, .octets = 1'000'000}, {});
  ServedFilter filter({.policy = test::judging_policy(), .resolver = &resolver, .kept = &kept});
  MtaConnection mta = filter.connect();
  milter::Mail first = mail_by("a@example.com");
  for (int i = 0; i < 20; ++i) first.rcpt_to.push_back(std::to_string(i) + "@example.org");
  static_cast<void>(mta.push(first));
  static_cast<void>(mta.push(mail_by("a@nothing.example")));
  ASSERT_TRUE(eventually([&] { return kept.last(10).size() == 2; }));
  const auto found = kept.find("4QUEUE", 10);
  ASSERT_EQ(found.size(), 2U);
  const KeptMessage& message = *found.back();
  EXPECT_EQ(message.outcome.author, "a@example.com");
  EXPECT_THAT(message.client, HasSubstr("[192.0.2.1]"));
  EXPECT_EQ(message.envelope.client_ip, IpAddress::parse("192.0.2.1"));
  EXPECT_EQ(message.envelope.helo, "mail.example.com");
  EXPECT_EQ(message.envelope.mail_from, "a@example.com");
  EXPECT_EQ(message.envelope.rcpt_to.size(), 10U);
  EXPECT_EQ(message.envelope.rcpt_to_dropped, 11U);
  EXPECT_THAT(message.outcome.edits, testing::IsEmpty());
  EXPECT_EQ(message.outcome.judgement->verdict.dmarc_result(), dmarc::Result::pass);
  std::vector<std::string> names;
  for (const AskedQuestion& asked : message.asked) {
    names.push_back(asked.question.name);
    EXPECT_NE(asked.status, dns::AnswerStatus::timeout) << asked.question.name;
  }
  EXPECT_THAT(names, testing::IsSupersetOf({"example.com", "_dmarc.example.com"}));
  for (const AskedQuestion& asked : found.front()->asked)
    EXPECT_NE(asked.question.name, "_dmarc.example.com") << "it is of the message before";
}

TEST(MilterJudging, HandsOverWhatMessagesAddToReports) {
  FakeResolver resolver;
  answer_by_zone(resolver);
  mailflow::Policy policy = test::judging_policy();
  policy.judging.counts = true;
  std::mutex mutex;
  std::vector<report::Evaluation> recorded;
  ServedFilter filter(
      {.policy = policy, .resolver = &resolver, .record = [&](const milter::MessageFinished& one) {
         EXPECT_TRUE(one.outcome.judgement->is_counted);
         const auto row = mailflow::evaluation_of(*one.outcome.judgement, one.envelope);
         if (!row) return;
         const std::lock_guard lock(mutex);
         recorded.push_back(*row);
       }});
  MtaConnection mta = filter.connect();
  static_cast<void>(mta.push(mail_by("a@example.com")));
  static_cast<void>(mta.push(mail_by("a@nothing.example")));  // It has no policy.
  static_cast<void>(mta.push(mail_by("a@quarantine.example")));
  EXPECT_TRUE(eventually([&] { return filter.log().count("msg=judged") == 3; }));
  EXPECT_TRUE(eventually([&] {
    const std::lock_guard lock(mutex);
    return recorded.size() == 2;
  }));
  const std::lock_guard lock(mutex);
  ASSERT_EQ(recorded.size(), 2U);
  EXPECT_EQ(recorded[0].header_from, "example.com");
  EXPECT_TRUE(recorded[0].spf_aligned);
  EXPECT_EQ(recorded[0].source_ip.to_string(), "192.0.2.1");
  EXPECT_EQ(recorded[1].published.domain, "quarantine.example");
  EXPECT_FALSE(recorded[1].spf_aligned);
}

TEST(MilterJudging, ManyMessagesWaitForDnsAtTheSameTime) {
  constexpr std::size_t count = 40;
  FakeResolver resolver;
  answer_by_zone(resolver);
  resolver.delay = 100ms;
  ServedFilter filter({.policy = test::judging_policy(), .resolver = &resolver});
  std::vector<std::jthread> clients;
  std::atomic<std::size_t> passed = 0;
  for (std::size_t i = 0; i < count; ++i) {
    clients.emplace_back([&] {
      MtaConnection mta = filter.connect();
      if (results_of(mta.push(mail_by("a@example.com"))).find("dmarc=pass") != std::string::npos)
        ++passed;
    });
  }
  clients.clear();
  EXPECT_EQ(passed, count);
  // Each message has four questions that wait for nothing, on one worker thread.
  EXPECT_GT(resolver.open_max, 40);
}

TEST(MilterJudging, WaitsForAllAnswersTogetherAsLongAsItMay) {
  FakeResolver resolver;
  answer_by_zone(resolver);
  resolver.delay = 60s;
  ServedFilter filter(
      {.policy = test::judging_policy(), .resolver = &resolver, .message_timeout = 50ms});
  MtaConnection mta = filter.connect();
  EXPECT_THAT(results_of(mta.push(mail_by("a@example.com"))), HasSubstr("dmarc=temperror"));
}

TEST(MilterJudging, IsFinishedBeforeTheFilterStops) {
  FakeResolver resolver;
  answer_by_zone(resolver);
  resolver.delay = 200ms;
  ServedFilter filter({.policy = test::judging_policy(), .resolver = &resolver});
  MtaConnection mta = filter.connect();
  std::jthread stopper([&] {
    EXPECT_TRUE(eventually([&] { return resolver.open > 0; }));
    filter.stop();
  });
  EXPECT_THAT(results_of(mta.push(mail_by("a@example.com"))), HasSubstr("dmarc=pass"));
  EXPECT_TRUE(mta.is_closed(5s));
}

TEST(MilterJudging, IsGivenUpWhenTheFilterStopsAtOnce) {
  FakeResolver resolver;
  answer_by_zone(resolver);
  resolver.delay = 60s;
  ServedFilter filter({.policy = test::judging_policy(), .resolver = &resolver});
  MtaConnection mta = filter.connect();
  std::jthread stopper([&] {
    EXPECT_TRUE(eventually([&] { return resolver.open > 0; }));
    filter.stop();
    filter.stop_at_once();
  });
  EXPECT_THROW(static_cast<void>(mta.push(mail_by("a@example.com"))), std::runtime_error);
  EXPECT_TRUE(eventually([&] { return filter.ended() == 1; }, 2s)) << "it waits for DNS";
}

}  // namespace
}  // namespace countersign::service
