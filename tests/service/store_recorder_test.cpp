// SPDX-License-Identifier: Apache-2.0
//
// From record() to the store: nothing that was on its way long enough is missing, and nothing is
// counted twice, whoever is killed, slow or away.

#include "service/store/recorder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <deque>
#include <filesystem>
#include <random>
#include <thread>

#include "tests/support/child_process.hpp"
#include "tests/support/evaluations.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/log_file.hpp"
#include "tests/support/store_engines.hpp"

namespace countersign::service::store {
namespace {

using namespace std::chrono_literals;
using test::evaluation;
using test::eventually;

Time now() { return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()); }

class RecorderContract : public test::StoreTest {
 protected:
  [[nodiscard]] std::uint64_t stored() const { return open().size().messages; }
  /// Lets a recorder bring to the store what lies in the spool.
  void deliver_the_rest() {
    Recorder recorder(settings_, log_.log());
    recorder.stop(60s);
    EXPECT_TRUE(recorder.counters().is_store_reached) << log_.text();
  }

  test::LogFile log_;
};

TEST_P(RecorderContract, BringsMessagesToTheStoreSoon) {
  Recorder recorder(settings_, log_.log());
  for (int i = 0; i < 1'000; ++i) recorder.record(evaluation(), now());
  recorder.record(evaluation("other.example"), now());
  EXPECT_TRUE(eventually([&] { return recorder.counters().messages_stored == 1'001; }));
  const RecorderCounters counters = recorder.counters();
  EXPECT_EQ(counters.messages_spooled, 1'001U);
  EXPECT_EQ(counters.queued, 0U);
  EXPECT_TRUE(counters.is_store_reached);
  EXPECT_EQ(counters.lost_to_queue + counters.lost_to_spool + counters.store_failures, 0U);
  EXPECT_EQ(stored(), 1'001U);
  EXPECT_LE(open().size().rows, 4U) << "at most another day's";
}

TEST_P(RecorderContract, WhatDiffersInAnythingIsCountedByItself) {
  std::vector<report::Evaluation> kinds(9, evaluation());
  kinds[1].published.rua.pop_back();
  kinds[2].published.testing = false;
  kinds[3].reasons.front().comment = "another.example";
  kinds[4].dkim.front().selector = "july";
  kinds[5].spf.reset();
  kinds[6].envelope_to.reset();
  kinds[7].source_ip = IpAddress::parse("2001:db8::1").value();
  kinds[8].dkim_aligned = false;
  const Time when = now();
  Recorder recorder(settings_, log_.log());
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    for (std::size_t n = 0; n <= i; ++n) recorder.record(kinds[i], when);
    recorder.record(kinds[i], when - 24h);
  }
  recorder.stop(60s);
  Store store = open();
  EXPECT_EQ(store.size().rows, 2 * kinds.size());
  std::vector<std::uint64_t> found(kinds.size());
  const Day day = std::chrono::floor<std::chrono::days>(when);
  for (const StoredPolicy& policy : store.policies({day})) {
    store.read({day}, policy.id, [&](const CountedEvaluation& row) {
      const auto kind = std::ranges::find(kinds, row.evaluation);
      if (kind != kinds.end()) found[static_cast<std::size_t>(kind - kinds.begin())] = row.messages;
      return true;
    });
  }
  EXPECT_THAT(found, testing::ElementsAre(1, 2, 3, 4, 5, 6, 7, 8, 9));
}

// While the deliverer rests, what comes is on the disk, and costs the store one row.
TEST_P(RecorderContract, WhatComesAfterALargeDeliveryIsAddedUp) {
  settings_.queue = 10'000;
  settings_.durability = 2s;
  const std::uint64_t many = settings_.queue / 2;  // They are written at once.
  const Time when = now();
  Recorder recorder(settings_, log_.log());
  for (std::uint64_t i = 0; i < many; ++i) {
    recorder.record(evaluation(std::to_string(i) + ".example"), when);
  }
  ASSERT_TRUE(eventually([&] { return recorder.counters().messages_stored == many; }, 60s));
  for (std::uint64_t i = 1; i <= 2; ++i) {
    recorder.record(evaluation(), when);
    ASSERT_TRUE(eventually([&] { return recorder.counters().messages_spooled == many + i; }));
    EXPECT_EQ(recorder.counters().messages_stored, many) << "the store gets it later";
  }
  EXPECT_TRUE(eventually([&] { return recorder.counters().messages_stored == many + 2; }));
  EXPECT_EQ(recorder.counters().rows_stored, many + 1);
}

TEST_P(RecorderContract, StoppingBringsEverythingToTheStore) {
  settings_.durability = 1h;
  {
    Recorder recorder(settings_, log_.log());
    for (int i = 0; i < 500; ++i) recorder.record(evaluation(), now());
    recorder.stop(60s);
    EXPECT_EQ(recorder.counters().messages_stored, 500U);
    recorder.record(evaluation(), now());
    EXPECT_EQ(recorder.counters().lost_to_queue, 1U) << "too late";
  }
  EXPECT_EQ(stored(), 500U);
}

TEST_P(RecorderContract, ManyThreadsRecordAtOnce) {
  Recorder recorder(settings_, log_.log());
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 2'000; ++i) {
        recorder.record(
            evaluation("d" + std::to_string(i % 10) + ".example", "10.0.0." + std::to_string(t)),
            now());
      }
    });
  }
  threads.clear();
  recorder.stop(60s);
  EXPECT_EQ(recorder.counters().messages_stored, 8'000U);
  EXPECT_EQ(stored(), 8'000U);
}

TEST_P(RecorderContract, AQueueThatIsFullIsToldAndWaitsForNothing) {
  settings_.queue = 100;
  settings_.durability = 1h;
  // Half full, the queue is emptied; so all of it has to come faster than that.
  Recorder recorder(settings_, log_.log());
  std::uint64_t recorded = 0;
  const auto before = std::chrono::steady_clock::now();
  while (recorder.counters().lost_to_queue == 0 && recorded < 10'000'000) {
    for (int i = 0; i < 1'000; ++i) recorder.record(evaluation(), now());
    recorded += 1'000;
  }
  EXPECT_LT(std::chrono::steady_clock::now() - before, 60s);
  EXPECT_TRUE(log_.has("store.queue is full")) << log_.text();
  recorder.stop(60s);
  const RecorderCounters counters = recorder.counters();
  EXPECT_EQ(counters.messages_stored + counters.lost_to_queue, recorded);
  EXPECT_EQ(stored(), counters.messages_stored);
}

/// What the child of a test has done so far. Of every hundredth of a second the count at its end.
struct Progress {
  std::atomic<std::uint64_t> recorded = 0;
};

// kill -9 at any moment: what was recorded longer ago than the setting says is there, all that is
// there was recorded, and nothing is there twice.
TEST_P(RecorderContract, AKillCostsAtMostWhatTheSettingSays) {
  std::mt19937 random(20'261'126);
  std::uint64_t lost_most = 0;
  for (int round = 0; round < 8; ++round) {
    const std::uint64_t before = stored();
    test::SharedMemory<Progress> progress;
    test::ChildProcess child([&] {
      Recorder recorder(settings_, log_.log());
      for (int i = 0;; ++i) {
        recorder.record(evaluation("d" + std::to_string(i % 50) + ".example"), now());
        ++progress->recorded;
        std::this_thread::sleep_for(1ms);
      }
      return 0;
    });
    ASSERT_TRUE(eventually([&] { return progress->recorded > 0; }));
    const auto life = std::chrono::milliseconds(std::uniform_int_distribution(100, 2'500)(random));
    const auto end = std::chrono::steady_clock::now() + life;
    // The count of one second ago, as the setting says.
    std::deque<std::pair<std::chrono::steady_clock::time_point, std::uint64_t>> counts;
    while (std::chrono::steady_clock::now() < end) {
      counts.emplace_back(std::chrono::steady_clock::now(), progress->recorded);
      std::this_thread::sleep_for(5ms);
    }
    child.kill(SIGKILL);
    const auto killed = std::chrono::steady_clock::now();
    EXPECT_EQ(child.exit_code(), 128 + SIGKILL);
    std::uint64_t must_be_there = 0;
    for (const auto& [when, count] : counts) {
      if (killed - when > settings_.durability) must_be_there = count;
    }
    deliver_the_rest();
    const std::uint64_t found = stored() - before;
    EXPECT_GE(found, must_be_there) << "after " << life.count() << " ms";
    EXPECT_LE(found, progress->recorded + 1);
    lost_most = std::max(lost_most,
                         progress->recorded - std::min<std::uint64_t>(found, progress->recorded));
  }
  EXPECT_GT(lost_most, 0U) << "no kill came between memory and disk; the test shows nothing";
}

TEST_P(RecorderContract, ASpoolThatIsFullIsTold) {
  settings_.spool_octets = 20'000;
  // A store that cannot be opened.
  if (GetParam() == test::StoreEngine::sqlite) settings_.path = folder_ / "no/such/folder";
  if (GetParam() == test::StoreEngine::postgresql) settings_.connection = "host=/nowhere";
  Recorder recorder(settings_, log_.log());
  int number = 0;
  EXPECT_TRUE(eventually([&] {
    for (int i = 0; i < 20; ++i) {
      recorder.record(evaluation("d" + std::to_string(++number) + ".example"), now());
    }
    return recorder.counters().lost_to_spool > 0;
  }));
  EXPECT_TRUE(log_.has("the spool is as large as store.spool_octets allows")) << log_.text();
  EXPECT_TRUE(log_.has("the store cannot be reached; counts wait in the spool")) << log_.text();
  recorder.stop();
  const RecorderCounters counters = recorder.counters();
  EXPECT_EQ(counters.messages_spooled + counters.lost_to_spool, static_cast<std::uint64_t>(number));
  EXPECT_LE(counters.spool_octets, settings_.spool_octets);
  EXPECT_GT(counters.store_failures, 0U);
  EXPECT_FALSE(counters.is_store_reached);
}

// --- expiry --------------------------------------------------------------------------------------

class RecorderExpiry : public RecorderContract {
 protected:
  RecorderExpiry() {
    const Time then = now() - 2 * settings_.retention;
    const Day day = std::chrono::floor<std::chrono::days>(then);
    const Counts old{{row_key(evaluation("old.example"), day), 1}};
    EXPECT_TRUE(open().append(old, {std::string(16, 'o'), 24, 48}, then).is_new);
  }
  /// Takes a table away, so that what needs it fails.
  void rename(const std::string& table, const std::string& name) const {
    open_database()->run_script("ALTER TABLE " + table + " RENAME TO " + name);
  }
  [[nodiscard]] std::int64_t rows() const {
    return open_database()->rows("SELECT count(*) FROM evaluation").front().number(0);
  }
};

TEST_P(RecorderExpiry, RemovesWhatIsOld) {
  Recorder recorder(settings_, log_.log());
  EXPECT_TRUE(eventually([&] { return rows() == 0; }));
  EXPECT_FALSE(log_.has("cannot be removed")) << log_.text();
}

TEST_P(RecorderExpiry, ThatFailsHoldsNoCountsUp) {
  rename("destination", "away");  // Which counts do not need.
  {
    Recorder recorder(settings_, log_.log());
    for (std::uint64_t i = 1; i <= 3; ++i) {
      recorder.record(evaluation(), now());
      ASSERT_TRUE(eventually([&] { return recorder.counters().messages_stored == i; }));
    }
    recorder.stop(60s);
    EXPECT_EQ(recorder.counters().store_failures, 0U);
    EXPECT_TRUE(recorder.counters().is_store_reached);
  }
  EXPECT_EQ(log_.count("cannot be removed from the store"), 1)
      << "it is tried again, and not at once: " << log_.text();
  EXPECT_FALSE(log_.has("the store cannot be reached")) << log_.text();
  rename("away", "destination");
  EXPECT_EQ(stored(), 3U) << "what could be removed is";
}

TEST_P(RecorderExpiry, IsTriedWhereTheStoreTakesNothing) {
  rename("policy", "away");
  Recorder recorder(settings_, log_.log());
  recorder.record(evaluation(), now());
  EXPECT_TRUE(eventually([&] { return recorder.counters().store_failures > 0; }));
  EXPECT_TRUE(eventually([&] { return rows() == 0; })) << "it may be full";
}

TEST_P(RecorderExpiry, LeavesOffWhenItIsToldTo) {
  Store store = open();
  EXPECT_FALSE(store.expire(now(), [] { return false; }));
  EXPECT_EQ(rows(), 1);
  int steps = 0;
  EXPECT_FALSE(store.expire(now(), [&steps] { return ++steps <= 1; }));
  EXPECT_EQ(rows(), 0);
  EXPECT_EQ(store.size().identities, 1U) << "another step";
  EXPECT_TRUE(store.expire(now()));
  EXPECT_EQ(store.size().identities, 0U);
}

COUNTERSIGN_ON_BOTH_ENGINES(RecorderContract);
COUNTERSIGN_ON_BOTH_ENGINES(RecorderExpiry);

// --- a store that comes and goes -----------------------------------------------------------------

class AwayStore : public testing::Test {
 protected:
  AwayStore() {
    settings_.engine = config::StoreEngine::postgresql;
    settings_.connection = server_.connection();
    settings_.spool_directory = folder_ / "spool";
  }

  test::Folder folder_;
  test::LogFile log_;
  test::PostgresqlServer server_;
  config::StoreSettings settings_;
};

TEST_F(AwayStore, CountsWaitInTheSpoolAndComeOnce) {
  std::uint64_t recorded = 0;
  Recorder recorder(settings_, log_.log());
  const auto record_some = [&] {
    for (int i = 0; i < 100; ++i) {
      recorder.record(evaluation("d" + std::to_string(i % 10) + ".example"), now());
    }
    recorded += 100;
    EXPECT_TRUE(eventually([&] { return recorder.counters().messages_spooled == recorded; }));
  };
  record_some();
  for (int i = 0; i < 2; ++i) {
    server_.stop();  // Amid whatever it is doing.
    record_some();
    record_some();
    server_.start();
    record_some();
  }
  EXPECT_TRUE(eventually([&] { return recorder.counters().messages_stored == recorded; }, 60s));
  EXPECT_TRUE(log_.has("the store cannot be reached; counts wait in the spool")) << log_.text();
  EXPECT_TRUE(log_.has("the store is reached again"));
  recorder.stop();
  EXPECT_EQ(Store(settings_).size().messages, recorded);
}

TEST_F(AwayStore, AServerThatDoesNotAnswerHoldsNobodyUp) {
  Recorder recorder(settings_, log_.log());
  recorder.record(evaluation(), now());
  ASSERT_TRUE(eventually([&] { return recorder.counters().messages_stored == 1; }));
  server_.pause(true);
  auto longest = std::chrono::steady_clock::duration(0);
  for (int i = 0; i < 1'000; ++i) {
    const auto before = std::chrono::steady_clock::now();
    recorder.record(evaluation(), now());
    longest = std::max(longest, std::chrono::steady_clock::now() - before);
    std::this_thread::sleep_for(1ms);
  }
  EXPECT_LT(longest, 1s) << "a worker waits for nothing";
  EXPECT_TRUE(eventually([&] { return recorder.counters().messages_spooled == 1'001; }));
  EXPECT_TRUE(eventually([&] { return recorder.counters().store_failures > 0; }, 60s))
      << "the server is given up in the end";
  server_.pause(false);
  EXPECT_TRUE(eventually([&] { return recorder.counters().messages_stored == 1'001; }, 60s));
  recorder.stop();
  EXPECT_EQ(Store(settings_).size().messages, 1'001U);
}

// It is told apart from the store, which is there.
TEST_F(AwayStore, ASpoolThatCannotBeReadIsReadLater) {
  namespace fs = std::filesystem;
  server_.stop();
  Recorder recorder(settings_, log_.log());
  recorder.record(evaluation(), now());
  ASSERT_TRUE(eventually([&] { return recorder.counters().messages_spooled == 1; }));
  std::string segment;
  for (const auto& entry : fs::directory_iterator(settings_.spool_directory)) {
    if (entry.path().extension() == ".spool") segment = entry.path();
  }
  const std::string aside = folder_ / "aside";
  fs::rename(segment, aside);
  server_.start();
  EXPECT_TRUE(eventually([&] { return recorder.counters().spool_failures > 0; }, 60s));
  EXPECT_TRUE(log_.has("the spool cannot be read; counts wait in it")) << log_.text();
  EXPECT_TRUE(eventually([&] { return recorder.counters().is_store_reached; }));
  EXPECT_EQ(recorder.counters().messages_stored, 0U);
  fs::rename(aside, segment);
  EXPECT_TRUE(eventually([&] { return recorder.counters().messages_stored == 1; }, 60s));
  EXPECT_TRUE(eventually([&] { return log_.has("the spool can be read again"); }));
  EXPECT_EQ(recorder.counters().spool_octets_lost, 0U);
}

TEST_F(AwayStore, ADaemonStartsAndStopsWithoutItsStore) {
  server_.stop();
  {
    Recorder recorder(settings_, log_.log());
    recorder.record(evaluation(), now());
    EXPECT_TRUE(eventually([&] { return recorder.counters().store_failures > 0; }));
    const auto before = std::chrono::steady_clock::now();
    recorder.stop(60s);
    EXPECT_LT(std::chrono::steady_clock::now() - before, 15s) << "it does not wait for the store";
    EXPECT_EQ(recorder.counters().messages_spooled, 1U);
  }
  server_.start();
  Recorder recorder(settings_, log_.log());
  EXPECT_TRUE(eventually([&] { return recorder.counters().messages_stored == 1; }));
}

}  // namespace
}  // namespace countersign::service::store
