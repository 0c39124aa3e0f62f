// SPDX-License-Identifier: Apache-2.0
//
// Failures from many threads to an MTA: how much is told, to whom, how often, what is tried again,
// and that nobody waits for any of it.

#include "service/reporting/failure_reporter.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <thread>

#include "countersign/dns/zone.hpp"
#include "countersign/message/splitter.hpp"
#include "service/reporting/random.hpp"
#include "service/run/clock.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/forgeries.hpp"
#include "tests/support/log_file.hpp"
#include "tests/support/signing.hpp"

namespace countersign::service {
namespace {

using namespace std::chrono_literals;
using mailflow::FailureToReport;
using test::forged;
using test::name;
using test::noon;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;
using testing::StartsWith;
using testing::UnorderedElementsAre;

TEST(RandomHex, IsNeverTheSame) {
  EXPECT_THAT(random_hex(16), SizeIs(32));
  EXPECT_NE(random_hex(16), random_hex(16));
}

// --- the outbox ----------------------------------------------------------------------------------

/// An MTA that takes everything, unless it is told otherwise.
class FakeSender final : public MailSender {
 public:
  DeliveryResult send(const OutgoingMail& mail) override {
    const std::scoped_lock lock(mutex_);
    sent_.push_back(mail);
    const auto found = answers_.find(mail.rcpt_to.at(0));
    return found == answers_.end() ? DeliveryResult{Delivery::accepted, "250 ok"} : found->second;
  }
  void answer(const std::string& recipient, DeliveryResult result) {
    answers_[recipient] = std::move(result);
  }
  void take_all() { answers_.clear(); }
  [[nodiscard]] std::vector<OutgoingMail> sent() const {
    const std::scoped_lock lock(mutex_);
    return sent_;
  }
  [[nodiscard]] std::vector<std::string> recipients() const {
    std::vector<std::string> all;
    for (const OutgoingMail& mail : sent()) all.push_back(mail.rcpt_to.at(0));
    return all;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<OutgoingMail> sent_;
  std::map<std::string, DeliveryResult> answers_;
};

constexpr std::string_view zone = R"(
_dmarc.own.example. 60 IN TXT "v=DMARC1; p=reject"
_dmarc.other.example. 60 IN TXT "v=DMARC1; p=none"
_dmarc.third.example. 60 IN TXT "v=DMARC1; p=none"
own.example._report._dmarc.third.example. 60 IN TXT "v=DMARC1"
)";

CheckDestinations check_in_zone() {
  auto parsed = std::make_shared<const dns::Zone>(*dns::Zone::parse(zone, Limits()));
  return [parsed](dns::Asking<std::vector<report::CheckedDestination>> asking) {
    return parsed->run(std::move(asking));
  };
}

/// Signs for example.org, and tells so much of failures.
std::shared_ptr<const mailflow::Policy> telling(report::Privacy privacy) {
  mailflow::Policy policy = test::policy_for_example_org();
  policy.judging.failures.usual = privacy;
  return std::make_shared<const mailflow::Policy>(std::move(policy));
}

FailureOutboxOptions outbox_options(std::function<std::chrono::sys_seconds()> now) {
  const auto policy = telling(report::Privacy::full_headers);
  return {.reporter = {.submitter = name("example.org"),
                       .org_name = "Example",
                       .email = "reports@example.org",
                       .generator = "countersign test"},
          .from = {"reports", name("example.org")},
          .mail_from = "",
          .bcc = {},
          .opted_out = {},
          .redaction_key = "key",
          .policy = [policy] { return policy; },
          .now = std::move(now)};
}

class FailureOutboxTest : public testing::Test {
 protected:
  FailureOutbox& outbox() {
    if (!outbox_) {
      outbox_ = std::make_unique<FailureOutbox>(check_, sender_, options_, counters_, log_.log());
    }
    return *outbox_;
  }
  /// Sends all that is due now.
  void send(const std::shared_ptr<const FailureToReport>& failure, std::uint64_t incidents = 1) {
    outbox().take({.first = failure, .incidents = incidents, .octets = 1'000});
    run();
  }
  void run() {
    while (outbox().step()) {
    }
  }

  std::chrono::sys_seconds now_ = noon;
  FakeSender sender_;
  FailureOutboxOptions options_ = outbox_options([this] { return now_; });
  CheckDestinations check_ = check_in_zone();
  FailureReportCounters counters_;
  test::LogFile log_;
  std::unique_ptr<FailureOutbox> outbox_;
};

TEST_F(FailureOutboxTest, SendsASignedReportThatCounts) {
  send(forged("own.example"), 3);
  ASSERT_THAT(sender_.sent(), SizeIs(1));
  const OutgoingMail mail = sender_.sent().front();
  EXPECT_THAT(mail.rcpt_to, ElementsAre("ruf@own.example"));
  EXPECT_EQ(mail.mail_from, "");
  EXPECT_THAT(mail.octets, StartsWith("DKIM-Signature: "));
  EXPECT_THAT(mail.octets, HasSubstr("Feedback-Type: auth-failure\r\n"));
  EXPECT_THAT(mail.octets, HasSubstr("Incidents: 3\r\n"));
  EXPECT_THAT(mail.octets, HasSubstr("To: ruf@own.example\r\n"));
  EXPECT_EQ(counters_.sent, 1U);
  EXPECT_TRUE(log_.has("msg=\"failure report sent\" policy_domain=own.example"));
  EXPECT_TRUE(log_.has("incidents=3"));
  EXPECT_EQ(outbox().waiting(), 0U);
}

TEST_F(FailureOutboxTest, S51LocalPartsAndSubjectsStayHere) {
  send(forged("own.example"));
  const std::string octets = sender_.sent().at(0).octets;
  EXPECT_THAT(octets, Not(HasSubstr("alice@")));
  EXPECT_THAT(octets, Not(HasSubstr("eve@")));
  EXPECT_THAT(octets, Not(HasSubstr("secret")));
}

TEST_F(FailureOutboxTest, S51AStricterReloadHoldsForWhatWaits) {
  std::shared_ptr<const mailflow::Policy> policy = telling(report::Privacy::full_headers);
  options_.policy = [&policy] { return policy; };
  const auto waiting = std::make_shared<FailureToReport>(*forged("own.example"));
  waiting->privacy = report::Privacy::full_headers;
  waiting->recipients = {"@shy.example"};
  send(waiting);
  EXPECT_THAT(sender_.sent().at(0).octets, HasSubstr("secret"));

  mailflow::Policy stricter = *policy;
  stricter.judging.failures.redacted.entries.add("shy.example", {});
  policy = std::make_shared<const mailflow::Policy>(stricter);
  send(waiting);
  EXPECT_THAT(sender_.sent().at(1).octets, Not(HasSubstr("secret")));
  EXPECT_THAT(sender_.sent().at(1).octets, Not(HasSubstr("alice@")));

  sender_.answer("ruf@own.example", {Delivery::deferred, "451 later"});
  send(waiting);
  stricter.judging.failures.never.entries.add("shy.example", {});
  policy = std::make_shared<const mailflow::Policy>(stricter);
  sender_.take_all();
  now_ += 60s;
  run();
  send(waiting);
  EXPECT_THAT(sender_.sent(), SizeIs(3)) << "neither the second attempt nor the first";
  EXPECT_EQ(counters_.suppressed, 2U);
  EXPECT_TRUE(log_.has("by the settings in force now nothing is told of it"));
}

TEST_F(FailureOutboxTest, S51AReloadTellsNoMoreOfWhatWaits) {
  send(forged("own.example"));
  EXPECT_THAT(sender_.sent().at(0).octets, Not(HasSubstr("secret")));
}

TEST_F(FailureOutboxTest, S51UsesTheFirstAddressesOfARecord) {
  std::vector<std::string> ruf;
  for (int i = 0; i < 32; ++i) ruf.push_back("mailto:r" + std::to_string(i) + "@own.example");
  send(forged("own.example", ruf));
  EXPECT_THAT(sender_.sent(), SizeIs(Limits().failure_uris_max));
  EXPECT_THAT(sender_.recipients(), Contains("r7@own.example"));
}

TEST_F(FailureOutboxTest, S51OneSiteDoesNotUseUpTheAddressesOfAll) {
  options_.destinations_max = 4;
  for (const char* local_part : {"a", "b", "c"})
    send(forged("own.example", {std::string("mailto:") + local_part + "@own.example"}));
  EXPECT_EQ(counters_.sent, 2U);
  EXPECT_EQ(counters_.no_room, 1U);
  EXPECT_EQ(counters_.suppressed, 0U);
  EXPECT_TRUE(log_.has("state=no_room"));
  EXPECT_TRUE(log_.has("too many other addresses have had reports this hour"));
  EXPECT_FALSE(log_.has("the address has had its reports of this hour"));
  send(forged("other.example", {"mailto:ruf@other.example"}));
  EXPECT_EQ(counters_.sent, 3U);
}

TEST_F(FailureOutboxTest, S50SendsToStrangersOnlyWhereTheyWantIt) {
  send(forged("own.example", {"mailto:a@third.example", "mailto:b@other.example",
                              "https://own.example/", "mailto:ruf@own.example"}));
  EXPECT_THAT(sender_.recipients(), UnorderedElementsAre("a@third.example", "ruf@own.example"));
  EXPECT_EQ(counters_.sent, 2U);
  EXPECT_EQ(counters_.suppressed, 2U);
  EXPECT_EQ(log_.count("failure report not sent"), 2);
}

TEST_F(FailureOutboxTest, TheSameAddressTwiceIsOneDestination) {
  send(forged("own.example", {"mailto:ruf@own.example", "MAILTO:ruf@OWN.example"}));
  EXPECT_EQ(counters_.sent, 1U);
}

TEST_F(FailureOutboxTest, S50SendsNothingToItselfNorToWhoeverOptedOut) {
  send(forged("example.org", {"mailto:REPORTS@example.org"}));
  EXPECT_EQ(counters_.suppressed, 1U);
  EXPECT_TRUE(log_.has("it would come back to ourselves"));
  mailflow::Policy policy = *telling(report::Privacy::full_headers);
  policy.judging.own_reports.report_addresses = {{"bounces", name("example.org")}};
  options_.policy = [shared = std::make_shared<const mailflow::Policy>(std::move(policy))] {
    return shared;
  };
  options_.opted_out.entries.add("own.example", {});
  outbox_.reset();
  send(forged("example.org", {"mailto:bounces@example.org"}));
  send(forged("own.example"));
  EXPECT_EQ(counters_.suppressed, 3U);
  EXPECT_THAT(sender_.sent(), IsEmpty());
}

TEST_F(FailureOutboxTest, S51AnAddressGetsSoManyAnHour) {
  options_.destination_cap = 2;
  const auto to = [](const char* uri) { return forged("own.example", {uri}); };
  send(to("mailto:ruf@own.example"));
  send(to("mailto:RUF@own.example"));
  send(to("mailto:ruf@own.example"));
  EXPECT_EQ(counters_.sent, 2U);
  EXPECT_EQ(counters_.suppressed, 1U);
  EXPECT_TRUE(log_.has("the address has had its reports of this hour"));
  send(to("mailto:other@own.example"));
  now_ += 1h;
  send(to("mailto:ruf@own.example"));
  EXPECT_EQ(counters_.sent, 4U);
}

TEST_F(FailureOutboxTest, TriesAgainLaterEachTimeAndGivesUp) {
  sender_.answer("ruf@own.example", {Delivery::deferred, "451 later"});
  options_.attempts_max = 3;
  options_.destination_cap = 1;
  send(forged("own.example"));
  EXPECT_EQ(counters_.failed, 0U);
  EXPECT_EQ(outbox().next_attempt(), noon + 60s);
  now_ = noon + 59s;
  EXPECT_FALSE(outbox().step());
  now_ = noon + 60s;
  EXPECT_TRUE(outbox().step());
  EXPECT_EQ(outbox().next_attempt(), noon + 60s + 240s);
  now_ += 240s;
  EXPECT_TRUE(outbox().step());
  EXPECT_EQ(counters_.failed, 1U);
  EXPECT_EQ(outbox().waiting(), 0U);
  EXPECT_THAT(sender_.sent(), SizeIs(3)) << "the cap counts reports and not attempts";
  EXPECT_EQ(log_.count("failure report not sent"), 1);
  EXPECT_TRUE(log_.has("451 later"));
}

TEST_F(FailureOutboxTest, WhatWasDeferredLeavesInTheEnd) {
  sender_.answer("ruf@own.example", {Delivery::deferred, "451 later"});
  send(forged("own.example"));
  sender_.take_all();
  now_ += 60s;
  run();
  EXPECT_EQ(counters_.sent, 1U);
}

TEST_F(FailureOutboxTest, WhatWasRefusedOrMayHaveLeftIsNotSentAgain) {
  sender_.answer("gone@own.example", {Delivery::refused, "550 nobody\r\nX: y"});
  sender_.answer("odd@own.example", {Delivery::uncertain, "the line is dead"});
  send(forged("own.example", {"mailto:gone@own.example", "mailto:odd@own.example"}));
  EXPECT_EQ(counters_.failed, 1U);
  EXPECT_EQ(counters_.uncertain, 1U);
  EXPECT_EQ(outbox().waiting(), 0U);
  EXPECT_TRUE(log_.has("550 nobody\\r\\nX: y")) << "a stranger's text stays in its line";
}

TEST_F(FailureOutboxTest, WhatWaitsForAnotherAttemptIsBounded) {
  sender_.answer("ruf@own.example", {Delivery::deferred, "451 later"});
  options_.waiting_octets_max = 2'500;
  options_.destination_cap = 100;
  for (int i = 0; i < 3; ++i) send(forged("own.example"));
  EXPECT_EQ(outbox().waiting(), 2U);
  EXPECT_EQ(counters_.failed, 1U);
  EXPECT_TRUE(log_.has("too much waits to be tried again; 451 later"));
  sender_.take_all();
  now_ += 60s;
  run();
  sender_.answer("ruf@own.example", {Delivery::deferred, "451 later"});
  for (int i = 0; i < 2; ++i) send(forged("own.example"));
  EXPECT_EQ(outbox().waiting(), 2U) << "their room is free again";
}

TEST_F(FailureOutboxTest, S43WhenDnsDoesNotSayItIsAskedAgain) {
  check_ = [](dns::Asking<std::vector<report::CheckedDestination>> asking) {
    return dns::run_with(std::move(asking), [](const dns::Question&) {
      return dns::Answer{.status = dns::AnswerStatus::timeout};
    });
  };
  send(forged("own.example", {"mailto:a@third.example"}));
  EXPECT_EQ(outbox().waiting(), 1U);
  EXPECT_THAT(sender_.sent(), IsEmpty());
}

TEST_F(FailureOutboxTest, AResolverThatCannotBeStartedIsNoEnd) {
  check_ = [](auto) -> std::vector<report::CheckedDestination> {
    throw std::runtime_error("no resolver");
  };
  send(forged("own.example"));
  EXPECT_EQ(outbox().waiting(), 1U);
  EXPECT_TRUE(log_.has("DNS cannot be asked: no resolver"));
}

TEST_F(FailureOutboxTest, WithoutAKeyNothingIsSent) {
  mailflow::Policy policy;
  policy.judging.failures.usual = report::Privacy::redacted;
  options_.policy = [shared = std::make_shared<const mailflow::Policy>(policy)] { return shared; };
  send(forged("own.example"));
  EXPECT_EQ(counters_.failed, 1U);
  EXPECT_THAT(sender_.sent(), IsEmpty());
  EXPECT_TRUE(log_.has("the mail cannot be made"));
}

TEST_F(FailureOutboxTest, CopiesWhatHasLeftOnce) {
  options_.bcc = {{"boss", name("example.org")}, {"log", name("example.org")}};
  send(forged("own.example", {"mailto:a@third.example", "mailto:ruf@own.example"}));
  ASSERT_THAT(sender_.sent(), SizeIs(3));
  const OutgoingMail copy = sender_.sent().back();
  EXPECT_THAT(copy.rcpt_to, ElementsAre("boss@example.org", "log@example.org"));
  EXPECT_THAT(copy.octets, HasSubstr("To: a@third.example\r\n"));
  EXPECT_THAT(copy.octets, Not(HasSubstr("boss")));
  EXPECT_EQ(counters_.sent, 2U) << "copies are no reports to owners";
  send(forged("own.example", {"mailto:b@other.example"}));
  EXPECT_THAT(sender_.sent(), SizeIs(3)) << "there is no copy of what did not leave";
}

// --- the reporter --------------------------------------------------------------------------------

class FailureReporterTest : public testing::Test {
 protected:
  FailureReporter& start(FailureReporterOptions options) {
    auto sender = std::make_unique<FakeSender>();
    sender_ = sender.get();
    reporter_.emplace(check_, std::move(sender), std::move(options), log_.log());
    return *reporter_;
  }
  static FailureReporterOptions options(std::chrono::seconds grouped) {
    return {.outbox = outbox_options(now), .grouped = grouped, .bounds = {}};
  }

  CheckDestinations check_ = check_in_zone();
  test::LogFile log_;
  FakeSender* sender_ = nullptr;
  std::optional<FailureReporter> reporter_;
};

TEST_F(FailureReporterTest, S51ManyThreadsMakeOneReport) {
  FailureReporter& reporter = start(options(2s));
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i)
      threads.emplace_back([&] {
        for (int n = 0; n < 25; ++n) reporter.take(forged("own.example"), now());
      });
  }
  ASSERT_TRUE(test::eventually([&] { return reporter.counters().sent == 1; }));
  EXPECT_THAT(sender_->sent().at(0).octets, HasSubstr("Incidents: 100\r\n"));
  reporter.take(forged("own.example"), now());
  ASSERT_TRUE(test::eventually([&] { return reporter.counters().sent == 2; }));
  EXPECT_THAT(sender_->sent().at(1).octets, Not(HasSubstr("Incidents:")));
}

TEST_F(FailureReporterTest, S51KeepsNoMoreOfAHeaderThanAReportNeeds) {
  FailureReporter& reporter = start(options(1s));
  auto failure = std::make_shared<FailureToReport>(*forged("own.example"));
  failure->privacy = report::Privacy::full_headers;
  failure->message.header.emplace(failure->message.header.begin(),
                                  "X-Junk: " + std::string(60'000, 'x'));
  reporter.take(failure, now());
  ASSERT_TRUE(test::eventually([&] { return reporter.counters().sent == 1; }));
  EXPECT_THAT(sender_->sent().at(0).octets, HasSubstr("Subject: secret"));
  EXPECT_THAT(sender_->sent().at(0).octets, Not(HasSubstr("X-Junk")));
}

TEST_F(FailureReporterTest, NobodyWaitsForDnsOrTheMta) {
  std::promise<void> asked;
  std::promise<void> answers;
  check_ = [&asked, released = answers.get_future().share(), check = check_in_zone(),
            is_first = true](auto asking) mutable {
    if (std::exchange(is_first, false)) asked.set_value();
    released.wait();
    return check(std::move(asking));
  };
  FailureReporter& reporter = start(options(1s));
  reporter.take(forged("own.example"), now());
  asked.get_future().wait();
  for (int i = 0; i < 1'000; ++i) reporter.take(forged("own.example"), now());
  EXPECT_EQ(reporter.counters().sent, 0U) << "the thread is still waiting, and nobody else was";
  answers.set_value();
  EXPECT_TRUE(test::eventually([&] { return reporter.counters().sent >= 2; }));
}

TEST_F(FailureReporterTest, WhatThereIsNoRoomForIsCountedAndToldOnce) {
  FailureReporterOptions few = options(600s);
  few.bounds.groups = 2;
  FailureReporter& reporter = start(std::move(few));
  for (int i = 0; i < 10; ++i) reporter.take(forged("d" + std::to_string(i) + ".example"), now());
  EXPECT_EQ(reporter.counters().dropped, 8U);
  EXPECT_TRUE(test::eventually([&] { return log_.has("more mail fails than failure reports"); }));
  EXPECT_EQ(log_.count("more mail fails than failure reports"), 1);
}

TEST_F(FailureReporterTest, AStopGivesUpWhatWaitsAndSaysSo) {
  start(options(600s)).take(forged("own.example"), now());
  reporter_->take(forged("own.example"), now());
  reporter_.reset();
  EXPECT_TRUE(log_.has("failure reports that waited are not sent, as the daemon stops"));
  EXPECT_TRUE(log_.has("messages=2 reports=0"));
  start(options(600s));
  reporter_.reset();
  EXPECT_EQ(log_.count("as the daemon stops"), 1) << "nothing waited";
}

}  // namespace
}  // namespace countersign::service
