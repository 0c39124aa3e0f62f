// SPDX-License-Identifier: Apache-2.0
//
// One signed message that comes again and again: what is remembered, for how long, within which
// bounds, and what is done about it.

#include "countersign/mailflow/replay.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/dkim.hpp"
#include "tests/support/judging.hpp"

namespace countersign::mailflow {
namespace {

using std::chrono::hours;
using std::chrono::seconds;
using testing::HasSubstr;
using testing::Not;

constexpr std::chrono::sys_seconds start{seconds{1'700'000'000}};

SeenSignature seen(std::uint64_t id, std::vector<std::uint64_t> recipients) {
  return {.id = {.high = 7, .low = id}, .recipients = std::move(recipients)};
}

std::vector<std::uint64_t> numbers(std::uint64_t first, std::uint64_t count) {
  std::vector<std::uint64_t> all;
  for (std::uint64_t i = 0; i < count; ++i) all.push_back(first + i);
  return all;
}

// --- the counter ---------------------------------------------------------------------------------

TEST(RecipientCounter, CountsEachRecipientOfASignatureOnce) {
  RecipientCounter counter;
  const ReplayPolicy policy;
  EXPECT_EQ(counter.count(seen(1, {5, 6, 5}), policy, start), 2u);
  EXPECT_EQ(counter.count(seen(1, {6}), policy, start), 2u);
  EXPECT_EQ(counter.count(seen(1, {4}), policy, start), 3u);
  EXPECT_EQ(counter.count(seen(2, {4}), policy, start), 1u) << "of another signature";
}

TEST(RecipientCounter, ForgetsASignatureAWindowAfterItsFirstMessage) {
  RecipientCounter counter;
  const ReplayPolicy policy{.window = hours{1}};
  EXPECT_EQ(counter.count(seen(1, {1}), policy, start), 1u);
  EXPECT_EQ(counter.count(seen(1, {2}), policy, start + hours{1} - seconds{1}), 2u);
  EXPECT_EQ(counter.count(seen(1, {3}), policy, start + hours{1}), 1u) << "later ones win no time";
  EXPECT_EQ(counter.count(seen(2, {}), policy, start + hours{2}), 0u);
  EXPECT_EQ(counter.size(), 1u);
}

TEST(RecipientCounter, TellsNoMoreThanOneAboveWhatIsAllowed) {
  RecipientCounter counter;
  const ReplayPolicy policy{.recipients = 10};
  EXPECT_EQ(counter.count(seen(1, numbers(0, 10)), policy, start), 10u);
  EXPECT_EQ(counter.count(seen(1, numbers(100, 5'000)), policy, start), 11u);
}

TEST(RecipientCounter, ForgetsTheOldestForNewOnes) {
  RecipientCounter counter;
  const ReplayPolicy policy{.signatures = 3};
  for (std::uint64_t id = 1; id <= 4; ++id)
    EXPECT_EQ(counter.count(seen(id, {1}), policy, start), 1u);
  EXPECT_EQ(counter.size(), 3u);
  EXPECT_EQ(counter.count(seen(4, {2}), policy, start), 2u);
  EXPECT_EQ(counter.count(seen(1, {2}), policy, start), 1u) << "the first of four was forgotten";
}

TEST(RecipientCounter, BoundsTheRecipientsOfAllTogether) {
  RecipientCounter counter;
  const ReplayPolicy policy{.recipients = 1'000, .signatures = 100};
  for (std::uint64_t id = 0; id < 50; ++id)
    EXPECT_EQ(counter.count(seen(id, numbers(id, 100)), policy, start), 100u);
  EXPECT_EQ(counter.size(), 4u) << "of 100 recipients each, where 400 are kept";
}

TEST(RecipientCounter, ManyForOneSignatureDoNoHarmToItself) {
  RecipientCounter counter;
  const ReplayPolicy policy{.recipients = 1'000, .signatures = 100};
  EXPECT_EQ(counter.count(seen(1, numbers(0, 900)), policy, start), 900u);
  EXPECT_EQ(counter.size(), 0u) << "more than all together may have";
  EXPECT_EQ(counter.count(seen(2, {1}), policy, start), 1u);
}

// --- messages ------------------------------------------------------------------------------------

std::string zone() {
  return std::string(test::judging_zone) + "ed._domainkey.example.com. 60 IN TXT \"" +
         sample::key_record(sample::ed25519_key()) + "\"\n";
}

/// A message that example.com signed for bob, as text; `more` is not signed.
std::string signed_text(const std::string& more = "",
                        const std::string& to = "To: bob@example.net\n") {
  const Message message =
      sample::signed_message(sample::message("From: a@example.com\n" + to + "Subject: x\n\nHi\n"),
                             {sample::identity(sample::ed25519_key())});
  std::string text = more;
  for (const HeaderField& field : message.header) text += std::string(field.raw()) + "\r\n";
  return text + "\r\n" + message.body;
}

/// A host that counts, and allows three recipients.
class Host {
 public:
  Host() {
    policy_.judging.replay.recipients = 3;
    policy_.judging.actions.replayed = Action::quarantine;
  }

  test::Arrived take(const std::string& text, const std::string& recipient) {
    test::Arrival arrival = test::by("eve@nothing.example");
    arrival.message = text;
    arrival.rcpt_to = {recipient};
    arrival.now = sample::signing_time + seconds{60};
    arrival.count_recipients = [this](const auto&... what) { return counter_.count(what...); };
    return test::arrive(arrival, policy_, zone());
  }
  /// What is done with the last of so many, each for somebody else.
  test::Arrived take_many(const std::string& text, int count) {
    for (int i = 1; i < count; ++i)
      EXPECT_EQ(take(text, std::to_string(i) + "@example.org").outcome.action, Action::accept);
    return take(text, "last@example.org");
  }
  Policy& policy() { return policy_; }
  [[nodiscard]] std::size_t remembered() const { return counter_.size(); }

 private:
  Policy policy_ = test::judging_policy();
  RecipientCounter counter_;
};

TEST(Replay, S32IsCountedToldAndDoneAsSet) {
  Host host;
  const test::Arrived last = host.take_many(signed_text(), 4);
  EXPECT_EQ(last.verdict().replay.recipients, 4u);
  EXPECT_TRUE(last.verdict().replay.is_replay);
  EXPECT_EQ(last.outcome.action, Action::quarantine);
  EXPECT_EQ(last.judgement().disposition.rule, Rule::replayed);
  EXPECT_THAT(last.outcome.action_text, HasSubstr("addressed to none of them"));
  EXPECT_THAT(to_string(last.judgement()), HasSubstr(" replay=4"));
}

TEST(Replay, S32NeverChangesDmarc) {
  Host host;
  const test::Arrived last = host.take_many(signed_text(), 4);
  EXPECT_EQ(last.dmarc(), "pass");
  EXPECT_EQ(last.judgement().disposition.applied, dmarc::AssessmentPolicy::none);
  EXPECT_TRUE(last.judgement().disposition.overrides.empty());
  EXPECT_THAT(last.results(), HasSubstr(" dmarc=pass "));
}

TEST(Replay, S32IsOnlyCountedUnlessAnActionIsSet) {
  Host host;
  host.policy().judging.actions.replayed = JudgingPolicy().actions.replayed;
  const test::Arrived last = host.take_many(signed_text(), 4);
  EXPECT_TRUE(last.verdict().replay.is_replay);
  EXPECT_EQ(last.outcome.action, Action::accept);
}

TEST(Replay, S32SparesWhomTheAuthorWroteToListsAndTheUnreadable) {
  EXPECT_EQ(Host().take_many(signed_text(), 3).outcome.action, Action::accept) << "not too many";
  EXPECT_EQ(Host().take_many(signed_text("List-Id: <l.example>\r\n"), 5).outcome.action,
            Action::accept);
  const std::string to_last = "To: bob@example.net,\n LAST@example.org\n";
  EXPECT_EQ(Host().take_many(signed_text("", to_last), 4).outcome.action, Action::accept);
  EXPECT_EQ(Host().take_many(signed_text("Cc: last@EXAMPLE.org\r\n"), 4).outcome.action,
            Action::accept);
  EXPECT_EQ(Host().take_many(signed_text("", "To: <<bob\n"), 4).outcome.action, Action::accept);
}

TEST(Replay, S32UndisclosedRecipientsAreNobody) {
  const std::string hidden = "To: undisclosed-recipients:;\n";
  EXPECT_EQ(Host().take_many(signed_text("", hidden), 4).outcome.action, Action::quarantine);
  EXPECT_EQ(Host().take_many(signed_text("", ""), 4).outcome.action, Action::quarantine);
}

TEST(Replay, OneRecipientMayGetItAsOftenAsItComes) {
  Host host;
  for (int i = 0; i < 10; ++i)
    EXPECT_EQ(host.take(signed_text(), "X@example.org").verdict().replay.recipients, 1u);
  EXPECT_EQ(host.take(signed_text(), "x@EXAMPLE.org").verdict().replay.recipients, 1u);
}

TEST(Replay, SignaturesThatDoNotPassAreNotRemembered) {
  Host host;
  std::string text = signed_text();
  text.replace(text.find("Hi"), 2, "Ho");
  for (const char* recipient : {"a@example.org", "b@example.org"})
    EXPECT_EQ(host.take(text, recipient).verdict().replay.recipients, 0u);
  EXPECT_EQ(host.remembered(), 0u);
}

TEST(Replay, NothingIsCountedWithoutAWindow) {
  Host host;
  host.policy().judging.replay.window = seconds{0};
  EXPECT_EQ(host.take_many(signed_text(), 5).verdict().replay.recipients, 0u);
  EXPECT_EQ(host.remembered(), 0u);
}

}  // namespace
}  // namespace countersign::mailflow
