// SPDX-License-Identifier: Apache-2.0
//
// The contract of the report ledger, on both engines: one sender for each report, whoever else
// tries and whenever it dies.

#include "service/store/report_ledger.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <mutex>
#include <thread>

#include "tests/support/store_engines.hpp"

namespace countersign::service::store {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr Day day{std::chrono::days(20'000)};
constexpr Time morning = day + 24h;
constexpr auto lease = 10min;
constexpr std::uint64_t no_cap = ~0ULL;

class LedgerContract : public test::StoreTest {
 protected:
  LedgerContract() : store_(open()), ledger_(store_) {}

  static ReportKey key(int number = 1, const std::string& destination = "mailto:a@example.org") {
    return {day, number, destination};
  }
  /// Claims one report, of which there is one.
  Claim claim_one(const std::string& owner = "node-a", Time now = morning) {
    const std::vector<Claim> claims = ledger_.claim(owner, now, lease, 10);
    EXPECT_THAT(claims, SizeIs(1));
    return claims.empty() ? Claim{} : claims.front();
  }
  /// Claims what is due and says that each is for the mailbox that its destination names; then it
  /// is due again.
  void address_all(Time now = morning) {
    for (Claim& claim : ledger_.claim("node-0", now, lease, 100)) {
      EXPECT_EQ(ledger_.take_mailboxes(claim, {claim.key.destination}, now), Permission::granted);
      EXPECT_TRUE(ledger_.finish(claim, {ReportState::due, "", now}, now));
    }
  }
  ReportRecord record() { return ledger_.records({}).at(0); }

  Store store_;
  ReportLedger ledger_;
};

TEST_P(LedgerContract, AReportGoesFromDueToSent) {
  ledger_.add_due({key()}, morning);
  EXPECT_EQ(record().state, ReportState::due);
  const Claim claim = claim_one();
  EXPECT_EQ(claim.key, key());
  EXPECT_EQ(claim.attempt, 1);
  EXPECT_EQ(record().state, ReportState::claimed);
  EXPECT_THAT(ledger_.claim("node-b", morning + 1s, lease, 10), IsEmpty());
  EXPECT_EQ(ledger_.begin_sending(claim, {"id-1@countersign"}, no_cap, morning + 2s),
            Permission::granted);
  EXPECT_EQ(record().state, ReportState::sending);
  EXPECT_TRUE(ledger_.finish(claim, {ReportState::sent, "250 2.0.0 Ok", {}}, morning + 5s));
  const ReportRecord sent = record();
  EXPECT_EQ(sent.state, ReportState::sent);
  EXPECT_EQ(sent.report_id, "id-1@countersign");
  EXPECT_EQ(sent.changed, morning + 5s);
  EXPECT_EQ(sent.detail, "250 2.0.0 Ok");
  EXPECT_EQ(sent.attempts, 1);
  ledger_.add_due({key()}, morning + 1h);
  EXPECT_THAT(ledger_.claim("node-b", morning + 1h, lease, 10), IsEmpty()) << "never twice";
  EXPECT_EQ(record().state, ReportState::sent);
}

TEST_P(LedgerContract, EachEditionOfADayIsAReportOfItsOwn) {
  ReportKey second = key();
  second.edition = 2;
  ledger_.add_due({second, key()}, morning);
  const std::vector<Claim> claims = ledger_.claim("node-a", morning, lease, 10);
  ASSERT_THAT(claims, SizeIs(2));
  EXPECT_EQ(claims[0].key, key());
  EXPECT_EQ(claims[1].key, second);
  EXPECT_EQ(ledger_.begin_sending(claims[1], {"id-2"}, no_cap, morning), Permission::granted);
  EXPECT_TRUE(ledger_.extend(claims[1], morning, lease));
  EXPECT_TRUE(ledger_.part_left(claims[1], 1, "id-3", morning));
  EXPECT_TRUE(ledger_.finish(claims[1], {ReportState::failed, "550", {}}, morning));
  EXPECT_TRUE(ledger_.finish(claims[0], {ReportState::due, "", {}}, morning));
  EXPECT_TRUE(ledger_.resolve(second, ReportState::sent, "by hand", morning));
  const std::vector<ReportRecord> all = ledger_.records({});
  ASSERT_THAT(all, SizeIs(2));
  EXPECT_EQ(all[0].key, key());
  EXPECT_EQ(all[0].state, ReportState::due);
  EXPECT_EQ(all[1].key, second);
  EXPECT_EQ(all[1].state, ReportState::sent);
  EXPECT_THAT(ledger_.records({.after = key()}), SizeIs(1));
}

TEST_P(LedgerContract, ASenderThatDiesBeforeItSendsHarmsNobody) {
  ledger_.add_due({key()}, morning);
  const Claim dead = claim_one("node-a");
  EXPECT_THAT(ledger_.claim("node-b", morning + lease - 1s, lease, 10), IsEmpty());
  const Claim next = claim_one("node-b", morning + lease);
  EXPECT_EQ(next.number, 2);
  EXPECT_EQ(next.attempt, 1) << "nobody has tried to send it";
  EXPECT_EQ(ledger_.begin_sending(dead, {"id"}, no_cap, morning + lease), Permission::lost)
      << "it was not dead, but slow";
  EXPECT_FALSE(ledger_.finish(dead, {ReportState::failed, "", {}}, morning + lease));
  EXPECT_EQ(ledger_.begin_sending(next, {"id"}, no_cap, morning + lease), Permission::granted);
}

TEST_P(LedgerContract, ASenderThatDiesWhileItSendsLeavesItUncertain) {
  ledger_.add_due({key()}, morning);
  const Claim claim = claim_one();
  ASSERT_EQ(ledger_.begin_sending(claim, {"id"}, no_cap, morning), Permission::granted);
  EXPECT_THAT(ledger_.find_abandoned(morning + lease - 1s), IsEmpty());
  EXPECT_THAT(ledger_.find_abandoned(morning + lease), ElementsAre(key()));
  EXPECT_THAT(ledger_.find_abandoned(morning + lease), IsEmpty()) << "it is told once";
  EXPECT_THAT(ledger_.claim("node-b", morning + lease, lease, 10), IsEmpty());
  EXPECT_EQ(record().state, ReportState::uncertain);
  EXPECT_THAT(record().detail, HasSubstr("ended before saying"));
  EXPECT_THAT(ledger_.claim("node-b", morning + 240h, lease, 10), IsEmpty()) << "never silently";
  // An operator looks into the log of the mail server and decides.
  EXPECT_TRUE(ledger_.resolve(key(), ReportState::due, "not in the log", morning + 240h));
  EXPECT_EQ(claim_one("node-b", morning + 240h).attempt, 2);
  EXPECT_FALSE(ledger_.finish(claim, {ReportState::sent, "", {}}, morning + 241h))
      << "it is in another's hands now";
}

TEST_P(LedgerContract, RemembersThePartsThatHaveLeft) {
  ledger_.add_due({key()}, morning);
  const Claim claim = claim_one();
  EXPECT_EQ(claim.parts_sent, 0);
  EXPECT_FALSE(ledger_.part_left(claim, 1, "id-2", morning)) << "nothing has begun";
  ASSERT_EQ(ledger_.begin_sending(claim, {"id-1", 5, "first"}, no_cap, morning),
            Permission::granted);
  EXPECT_TRUE(ledger_.part_left(claim, 1, "id-2", morning));
  EXPECT_TRUE(ledger_.part_left(claim, 2, "id-3", morning + lease / 2));
  EXPECT_EQ(record().report_id, "id-3") << "what is to be looked for, should it be in doubt";
  EXPECT_EQ(record().parts_sent, 2);
  EXPECT_EQ(record().parts, 5);
  EXPECT_THAT(ledger_.claim("node-b", morning + lease, lease, 10), IsEmpty()) << "a longer lease";
  EXPECT_TRUE(ledger_.finish(claim, {ReportState::due, "451", morning}, morning + lease));
  const Claim next = claim_one("node-b", morning + lease);
  EXPECT_EQ(next.parts_sent, 2);
  EXPECT_EQ(next.division, "first");
  EXPECT_FALSE(ledger_.part_left(claim, 3, "id-4", morning + lease)) << "another's now";
}

TEST_P(LedgerContract, AnOperatorDecidesOnThePartInDoubt) {
  ledger_.add_due({key()}, morning);
  const auto doubt = [this](std::int64_t parts_sent) {
    const Claim claim = claim_one();
    EXPECT_EQ(claim.parts_sent, parts_sent);
    EXPECT_EQ(ledger_.begin_sending(claim, {"id", 3, "first"}, no_cap, morning),
              Permission::granted);
    EXPECT_TRUE(ledger_.finish(claim, {ReportState::uncertain, "", {}}, morning));
  };
  doubt(0);
  EXPECT_EQ(ledger_.resolve(key(), ReportState::sent, "", morning), ReportState::due)
      << "two parts have not left";
  EXPECT_EQ(record().state, ReportState::due);
  doubt(1);
  EXPECT_EQ(ledger_.resolve(key(), ReportState::due, "", morning), ReportState::due);
  doubt(1);
  EXPECT_EQ(ledger_.resolve(key(), ReportState::sent, "", morning), ReportState::due);
  EXPECT_EQ(claim_one("node-c").division, "first");
  EXPECT_EQ(claim_one("node-b", morning + lease).parts_sent, 2);
  static_cast<void>(ledger_.claim("node-b", morning + 2 * lease, lease, 0));
  EXPECT_EQ(record().state, ReportState::due);
  doubt(2);
  EXPECT_EQ(ledger_.resolve(key(), ReportState::sent, "", morning), ReportState::sent)
      << "it was the last one";
  EXPECT_EQ(record().state, ReportState::sent);
}

TEST_P(LedgerContract, ASenderThatWasSlowMayStillSayHowItWent) {
  ledger_.add_due({key()}, morning);
  const Claim claim = claim_one();
  ASSERT_EQ(ledger_.begin_sending(claim, {"id"}, no_cap, morning), Permission::granted);
  EXPECT_THAT(ledger_.claim("node-b", morning + lease, lease, 10), IsEmpty());
  EXPECT_TRUE(ledger_.finish(claim, {ReportState::sent, "250", {}}, morning + lease + 1s));
  EXPECT_EQ(record().state, ReportState::sent);
}

TEST_P(LedgerContract, ALeaseCanBeMadeLongerWhileItLasts) {
  ledger_.add_due({key()}, morning);
  const Claim claim = claim_one();
  EXPECT_TRUE(ledger_.extend(claim, morning + 9min, lease));
  EXPECT_THAT(ledger_.claim("node-b", morning + 15min, lease, 10), IsEmpty());
  EXPECT_FALSE(ledger_.extend(claim, morning + 19min, lease)) << "it is over";
  EXPECT_EQ(ledger_.begin_sending(claim, {"id"}, no_cap, morning + 19min), Permission::lost);
}

TEST_P(LedgerContract, ALeaseCountsAnewWhenSendingBegins) {
  ledger_.add_due({key()}, morning);
  const Claim claim = claim_one();
  const Time begun = morning + lease - 1s;
  ASSERT_EQ(ledger_.begin_sending(claim, {"id"}, no_cap, begun), Permission::granted);
  EXPECT_THAT(ledger_.find_abandoned(morning + lease), IsEmpty()) << "it is under way";
  EXPECT_THAT(ledger_.find_abandoned(begun + lease - 1s), IsEmpty());
  EXPECT_THAT(ledger_.find_abandoned(begun + lease), ElementsAre(key()));
}

TEST_P(LedgerContract, AnAttemptIsOneToSend) {
  ledger_.add_due({key()}, morning);
  Time now = morning;
  for (int i = 0; i < 20; ++i, now += lease) static_cast<void>(claim_one("node-a", now));
  EXPECT_EQ(record().attempts, 0) << "of claims that were lost nobody tried to send";
  address_all(now);
  EXPECT_EQ(record().attempts, 1) << "what was deferred before it was begun was tried";
  const Claim claim = claim_one("node-a", now);
  EXPECT_EQ(ledger_.begin_sending(claim, {"id"}, 0, now), Permission::capped);
  EXPECT_EQ(record().attempts, 1) << "it waits for another day";
}

TEST_P(LedgerContract, WhatFailedForNowIsDueLater) {
  ledger_.add_due({key()}, morning);
  const Claim claim = claim_one();
  ASSERT_EQ(ledger_.begin_sending(claim, {"id"}, no_cap, morning), Permission::granted);
  EXPECT_TRUE(ledger_.finish(claim, {ReportState::due, "451 later", morning + 1h}, morning));
  EXPECT_EQ(record().detail, "451 later");
  EXPECT_THAT(ledger_.claim("node-a", morning + 59min, lease, 10), IsEmpty());
  const Claim again = claim_one("node-a", morning + 1h);
  EXPECT_EQ(again.attempt, 2);
  EXPECT_EQ(ledger_.begin_sending(claim, {"id"}, no_cap, morning + 1h), Permission::lost)
      << "the earlier claim of the same owner is another one";
}

TEST_P(LedgerContract, WhatWasNotBegunWasNotSent) {
  ledger_.add_due({key()}, morning);
  const Claim claim = claim_one();
  EXPECT_FALSE(ledger_.finish(claim, {ReportState::sent, "", {}}, morning));
  EXPECT_TRUE(ledger_.finish(claim, {ReportState::suppressed, "no rows", {}}, morning));
  EXPECT_EQ(record().state, ReportState::suppressed);
  EXPECT_FALSE(ledger_.finish(claim, {ReportState::due, "", {}}, morning));
  EXPECT_EQ(ledger_.begin_sending(claim, {"id"}, no_cap, morning), Permission::lost);
}

TEST_P(LedgerContract, OperatorsDecideOnWhatIsInNobodysHands) {
  EXPECT_FALSE(ledger_.resolve(key(), ReportState::suppressed, "", morning)) << "unknown";
  ledger_.add_due({key()}, morning);
  EXPECT_TRUE(ledger_.resolve(key(), ReportState::suppressed, "asked us not to", morning));
  EXPECT_THAT(ledger_.claim("node-a", morning, lease, 10), IsEmpty());
  EXPECT_TRUE(ledger_.resolve(key(), ReportState::due, "", morning));
  static_cast<void>(claim_one());
  EXPECT_FALSE(ledger_.resolve(key(), ReportState::suppressed, "", morning)) << "claimed";
}

TEST_P(LedgerContract, ManySendersClaimEachReportOnce) {
  constexpr int reports = 120;
  std::vector<ReportKey> keys;
  for (int i = 0; i < reports; ++i) keys.push_back(key(i, "mailto:r@d" + std::to_string(i % 5)));
  ledger_.add_due(keys, morning);
  std::mutex mutex;
  std::map<ReportKey, int> sent;
  std::vector<std::jthread> senders;
  for (int node = 0; node < 4; ++node) {
    senders.emplace_back([&, node] {
      Store store = open();
      ReportLedger ledger(store);
      const std::string owner = "node-" + std::to_string(node);
      for (;;) {
        try {
          const std::vector<Claim> claims = ledger.claim(owner, morning, lease, 7);
          if (claims.empty() && ledger.records({.state = ReportState::due}).empty()) return;
          for (const Claim& claim : claims) {
            const Permission may = ledger.begin_sending(claim, {"id"}, no_cap, morning);
            if (may != Permission::granted) continue;
            {
              const std::lock_guard lock(mutex);
              ++sent[claim.key];
            }
            EXPECT_TRUE(ledger.finish(claim, {ReportState::sent, owner, {}}, morning));
          }
        } catch (const StoreError& error) {
          EXPECT_EQ(error.remedy(), Remedy::wait) << error.what();
        }
      }
    });
  }
  senders.clear();
  EXPECT_THAT(sent, SizeIs(reports));
  for (const auto& [one, times] : sent) EXPECT_EQ(times, 1);
  EXPECT_THAT(ledger_.records({.state = ReportState::sent}), SizeIs(reports));
}

TEST_P(LedgerContract, ADestinationGetsSoManyADay) {
  ledger_.add_due({key(1), key(2), key(3), key(4, "mailto:b@example.net")}, morning);
  address_all();
  const std::vector<Claim> claims = ledger_.claim("node-a", morning, lease, 10);
  ASSERT_THAT(claims, SizeIs(4));
  EXPECT_EQ(ledger_.begin_sending(claims[0], {"id"}, 2, morning), Permission::granted);
  EXPECT_EQ(ledger_.begin_sending(claims[1], {"id"}, 2, morning), Permission::granted);
  EXPECT_EQ(ledger_.begin_sending(claims[2], {"id"}, 2, morning), Permission::capped);
  EXPECT_EQ(ledger_.begin_sending(claims[3], {"id"}, 2, morning), Permission::granted);
  EXPECT_THAT(ledger_.claim("node-a", morning + 5min, lease, 10), IsEmpty());
  EXPECT_EQ(ledger_.begun_today("mailto:a@example.org", morning), 2U);
  EXPECT_EQ(ledger_.begun_today("mailto:a@example.org", morning + 24h), 0U);
  EXPECT_EQ(ledger_.begun_today("mailto:c@example.org", morning), 0U);
  const Time tomorrow = morning + 24h;
  for (int i = 0; i < 3; ++i) {
    if (i != 2) {
      EXPECT_TRUE(ledger_.finish(claims[static_cast<std::size_t>(i)], {}, morning));
    }
  }
  EXPECT_TRUE(ledger_.finish(claims[3], {}, morning));
  const Claim claim = claim_one("node-a", tomorrow);
  EXPECT_EQ(claim.key, key(3));
  EXPECT_EQ(ledger_.begin_sending(claim, {"id"}, 2, tomorrow), Permission::granted)
      << "another day, another count";
  ledger_.add_due({key(5)}, tomorrow);
  address_all(tomorrow);
  EXPECT_EQ(ledger_.begin_sending(claim_one("node-a", tomorrow), {"id"}, 0, tomorrow),
            Permission::capped)
      << "a destination that gets none";
}

TEST_P(LedgerContract, ADestinationThatFailsIsLeftAloneLongerAndLonger) {
  const std::string destination = "mailto:a@example.org";
  ledger_.add_due({key(1), key(2, "mailto:b@example.net")}, morning);
  address_all();
  EXPECT_EQ(ledger_.unusable_until(destination, morning), std::nullopt);
  Time until;
  Time now = morning;
  for (const auto pause : {1h, 2h, 4h, 8h, 10h, 10h}) {
    until = ledger_.mailbox_failed(destination, "550 no such user", now, {1h, 10h});
    EXPECT_EQ(until, now + pause);
    EXPECT_EQ(ledger_.unusable_until(destination, now), until);
    now = until;
  }
  EXPECT_EQ(ledger_.unusable_until(destination, now), std::nullopt);
  const std::vector<Claim> claims = ledger_.claim("node-a", now - 1s, lease, 10);
  ASSERT_THAT(claims, SizeIs(1));
  EXPECT_EQ(claims.front().key.destination, "mailto:b@example.net");
  ledger_.mailbox_worked(destination, now);
  EXPECT_EQ(ledger_.mailbox_failed(destination, "550", now, {1h, 10h}), now + 1h);
  ledger_.mailbox_worked(destination, now);
  EXPECT_THAT(ledger_.claim("node-a", now, lease, 10), SizeIs(1))
      << "the other one is still claimed";
}

TEST_P(LedgerContract, AMailboxGetsAReportByOneDestination) {
  const std::string mailbox = "mailto:c@example.org";
  ledger_.add_due({key(1, "mailto:a@example.org"), key(1, "mailto:b@example.org"), key(2)},
                  morning);
  std::vector<Claim> claims = ledger_.claim("node-a", morning, lease, 10);
  ASSERT_THAT(claims, SizeIs(3));
  EXPECT_EQ(ledger_.take_mailboxes(claims[0], {mailbox}, morning), Permission::granted);
  EXPECT_EQ(ledger_.take_mailboxes(claims[1], {"mailto:d@example.org", mailbox}, morning),
            Permission::granted);
  EXPECT_EQ(ledger_.take_mailboxes(claims[2], {mailbox}, morning), Permission::granted);
  EXPECT_THAT(claims[0].mailboxes, ElementsAre(mailbox));
  EXPECT_THAT(claims[1].mailboxes, ElementsAre("mailto:d@example.org")) << "the other has it";
  EXPECT_THAT(claims[2].mailboxes, ElementsAre(mailbox)) << "another report";
  EXPECT_EQ(ledger_.destination_of({day}, 1, mailbox), "mailto:a@example.org");
  EXPECT_EQ(ledger_.destination_of({day, 2}, 1, mailbox), "");
  EXPECT_THAT(ledger_.mailboxes(claims[1].key), ElementsAre("mailto:d@example.org"));
  EXPECT_TRUE(ledger_.finish(claims[0], {ReportState::due, "", morning}, morning));
  Claim again = claim_one("node-b");
  EXPECT_THAT(again.mailboxes, ElementsAre(mailbox));
  EXPECT_EQ(ledger_.take_mailboxes(claims[0], {mailbox}, morning), Permission::lost);
  EXPECT_EQ(ledger_.take_mailboxes(again, {mailbox}, morning), Permission::granted);
  EXPECT_THAT(again.mailboxes, ElementsAre(mailbox)) << "its own, as before";
}

TEST_P(LedgerContract, OneMailboxIsLeftAloneUnderAllItsNames) {
  const std::string mailbox = "mailto:c@example.org";
  ledger_.add_due({key(1, "mailto:c@example.org?1")}, morning);
  const Time until = ledger_.mailbox_failed(mailbox, "550", morning);
  Claim claim = claim_one();
  EXPECT_EQ(ledger_.take_mailboxes(claim, {mailbox}, morning), Permission::left_alone);
  EXPECT_EQ(record().state, ReportState::due);
  EXPECT_EQ(record().attempts, 0);
  EXPECT_THAT(ledger_.claim("node-a", morning, lease, 10), IsEmpty());
  EXPECT_THAT(ledger_.claimable(morning, "", {}, 10), IsEmpty());
  EXPECT_EQ(ledger_.waiting(morning).count, 1U);
  EXPECT_EQ(ledger_.waiting(morning).next_attempt, until);
  EXPECT_THAT(ledger_.claimable(until, "", {}, 10), SizeIs(1));
  EXPECT_EQ(claim_one("node-a", until).key, claim.key);
}

TEST_P(LedgerContract, WhatCanBeClaimedCanBeSeenBefore) {
  std::vector<ReportKey> keys;
  for (int i = 1; i <= 5; ++i) keys.push_back(key(i));
  ledger_.add_due(keys, morning);
  const std::vector<Claim> claims = ledger_.claim("node-a", morning, lease, 3);
  ASSERT_THAT(claims, SizeIs(3));
  EXPECT_EQ(ledger_.begin_sending(claims[1], {"id"}, no_cap, morning), Permission::granted);
  EXPECT_TRUE(ledger_.finish(claims[2], {ReportState::due, "451", morning + 2h}, morning));
  const auto seen = [this](Time now, std::optional<ReportKey> after = {}) {
    std::vector<ReportKey> found;
    for (const Claim& one : ledger_.claimable(now, "", after, 10)) found.push_back(one.key);
    return found;
  };
  EXPECT_THAT(seen(morning), ElementsAre(key(4), key(5)));
  EXPECT_THAT(seen(morning, key(4)), ElementsAre(key(5)));
  EXPECT_THAT(seen(morning + lease), ElementsAre(key(1), key(4), key(5)))
      << "whoever claimed the first has died, and the second may have left";
  EXPECT_THAT(seen(morning + 2h), ElementsAre(key(1), key(3), key(4), key(5)));
  std::vector<ReportKey> claimed;
  for (const Claim& one : ledger_.claim("node-b", morning + 2h, lease, 10))
    claimed.push_back(one.key);
  EXPECT_THAT(claimed, ElementsAre(key(1), key(3), key(4), key(5)));
  EXPECT_THAT(seen(morning + 2h), IsEmpty());
  EXPECT_THAT(ledger_.keys({day}, 2, 4), testing::UnorderedElementsAre(key(2), key(3), key(4)));
  EXPECT_THAT(ledger_.keys({day, 2}, 2, 4), IsEmpty());
}

TEST_P(LedgerContract, TellsWhatWaitsAndUntilWhen) {
  EXPECT_EQ(ledger_.waiting(morning).count, 0U);
  const std::string refusing = "mailto:b@example.org";
  ledger_.add_due({key(1), key(2), key(3), key(4, refusing)}, morning);
  address_all();
  EXPECT_EQ(ledger_.waiting(morning).count, 0U) << "all can be claimed";
  const std::vector<Claim> claims = ledger_.claim("node-a", morning, lease, 3);
  ASSERT_THAT(claims, SizeIs(3));
  EXPECT_EQ(ledger_.waiting(morning).count, 0U) << "what somebody has does not wait";
  EXPECT_TRUE(ledger_.finish(claims[0], {ReportState::due, "451", morning + 3h}, morning));
  EXPECT_TRUE(ledger_.finish(claims[1], {ReportState::due, "451", morning + 2h}, morning));
  EXPECT_TRUE(ledger_.finish(claims[2], {ReportState::failed, "550", {}}, morning));
  EXPECT_EQ(ledger_.waiting(morning).count, 2U);
  EXPECT_EQ(ledger_.waiting(morning).next_attempt, morning + 2h) << "the first of them";
  EXPECT_EQ(ledger_.waiting(morning + 2h).count, 1U) << "the other one is due now";
  EXPECT_EQ(ledger_.waiting(morning + 2h).next_attempt, morning + 3h);
  EXPECT_EQ(ledger_.mailbox_failed(refusing, "550", morning), morning + 1h);
  EXPECT_EQ(ledger_.waiting(morning).count, 3U) << "its destination is left alone";
  EXPECT_EQ(ledger_.waiting(morning).next_attempt, morning + 1h);
  EXPECT_EQ(ledger_.waiting(morning + 3h).count, 0U);
}

TEST_P(LedgerContract, RecordsComeInPagesAndByState) {
  std::vector<ReportKey> keys;
  for (int i = 1; i <= 5; ++i) keys.push_back(key(i));
  ledger_.add_due(keys, morning);
  EXPECT_TRUE(ledger_.resolve(key(2), ReportState::failed, "no", morning));
  EXPECT_THAT(ledger_.records({}), SizeIs(5));
  const std::vector<ReportRecord> failed = ledger_.records({.state = ReportState::failed});
  ASSERT_THAT(failed, SizeIs(1));
  EXPECT_EQ(failed.front().key, key(2));
  std::vector<ReportKey> paged;
  std::optional<ReportKey> after;
  for (;;) {
    const std::vector<ReportRecord> page = ledger_.records({.after = after, .most = 2});
    if (page.empty()) break;
    for (const ReportRecord& one : page) paged.push_back(one.key);
    after = paged.back();
  }
  EXPECT_EQ(paged, keys);
}

TEST_P(LedgerContract, S47StrangersTextsAreTextsAndNothingElse) {
  const std::string destination =
      "mailto:'; DELETE FROM report; --@\xff" + std::string(1, '\0') + std::string(5'000, '\xfe');
  ledger_.add_due({key(1, destination), key(2)}, morning);
  ledger_.add_due({key(1, destination)}, morning);
  std::vector<Claim> claims = ledger_.claim("node'\"\xff", morning, lease, 10);
  ASSERT_THAT(claims, SizeIs(2));
  EXPECT_THAT(ledger_.claim("node", morning, lease, 10, "'; DELETE FROM report; --\xff"),
              IsEmpty());
  for (Claim& claim : claims) {
    EXPECT_EQ(ledger_.take_mailboxes(claim, {claim.key.destination}, morning), Permission::granted);
    EXPECT_THAT(claim.mailboxes, SizeIs(1));
    EXPECT_EQ(ledger_.begin_sending(claim, {std::string("\0'", 2)}, 5, morning),
              Permission::granted);
    EXPECT_TRUE(ledger_.finish(claim, {ReportState::sent, std::string(9'000, '\''), {}}, morning));
    ledger_.mailbox_failed(claim.key.destination, "\xff\xff", morning);
  }
  EXPECT_TRUE(ledger_.unusable_until(destination, morning));
  EXPECT_TRUE(ledger_.resolve(key(1, destination), ReportState::failed, "\xff", morning))
      << "the destination as it was entered finds what was stored";
  EXPECT_THAT(ledger_.records({}), SizeIs(2));
}

TEST_P(LedgerContract, LinesExpireWithTheirDays) {
  settings_.retention = 10 * 24h;
  Store store = open();
  ReportLedger ledger(store);
  ledger.add_due({key()}, morning);
  Claim claim = claim_one();
  EXPECT_EQ(ledger.take_mailboxes(claim, {"mailto:a@example.org"}, morning), Permission::granted);
  ledger.mailbox_failed("mailto:a@example.org", "550", morning);
  store.expire(day + std::chrono::days(10));
  EXPECT_THAT(ledger.records({}), SizeIs(1));
  EXPECT_THAT(ledger.mailboxes(key()), SizeIs(1));
  store.expire(day + std::chrono::days(12));
  EXPECT_THAT(ledger.records({}), IsEmpty());
  EXPECT_THAT(ledger.mailboxes(key()), IsEmpty());
  EXPECT_EQ(ledger.mailbox_failed("mailto:a@example.org", "550", morning, {1h, 10h}), morning + 1h)
      << "its failures are forgotten";
}

COUNTERSIGN_ON_BOTH_ENGINES(LedgerContract);

}  // namespace
}  // namespace countersign::service::store
