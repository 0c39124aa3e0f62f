// SPDX-License-Identifier: Apache-2.0
//
// The contract of the store, on both engines: what is counted, read, expired, and what never is.

#include "service/store/store.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <thread>

#include "service/store/report_ledger.hpp"
#include "tests/support/evaluations.hpp"
#include "tests/support/store_engines.hpp"

namespace countersign::service::store {
namespace {

using namespace std::chrono_literals;
using report::Evaluation;
using test::evaluation;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr Day day{std::chrono::days(20'000)};
constexpr Time noon = day + 12h;
constexpr std::chrono::days one_day{1};

class StoreContract : public test::StoreTest {
 protected:
  /// Adds counts as a batch that follows the one before.
  bool append(Store& store, const Counts& counts, Time now = noon) {
    const std::uint64_t begin = end_;
    end_ += 100;
    return store.append(counts, {segment_, begin, end_}, now).is_new;
  }
  static Counts counted(const Evaluation& one, std::uint64_t messages = 1, Day on = day) {
    return {{row_key(one, on), messages}};
  }
  /// All rows of an edition by their evaluation.
  static std::map<Evaluation, std::uint64_t> read_all(Store& store, const Edition& on = {day}) {
    std::map<Evaluation, std::uint64_t> all;
    for (const StoredPolicy& policy : store.policies(on)) {
      store.read(on, policy.id, [&](const CountedEvaluation& row) {
        EXPECT_EQ(row.evaluation.published, policy.published);
        EXPECT_TRUE(all.emplace(row.evaluation, row.messages).second) << "a row comes once";
        return true;
      });
    }
    return all;
  }

  std::string segment_ = std::string("segment\0\xff name 1", 16);
  std::uint64_t end_ = 24;
};

TEST_P(StoreContract, AnEmptyStoreHasNothing) {
  Store store = open();
  EXPECT_EQ(store.next_day(Day()), std::nullopt);
  EXPECT_THAT(store.policies({day}), IsEmpty());
  EXPECT_EQ(store.size().rows, 0U);
  EXPECT_EQ(store.size().messages, 0U);
}

TEST_P(StoreContract, EqualEvaluationsAreOneRow) {
  Store store = open();
  EXPECT_TRUE(append(store, counted(evaluation(), 3)));
  EXPECT_TRUE(append(store, counted(evaluation(), 4)));
  EXPECT_TRUE(append(store, counted(evaluation("example.org", "2001:db8::1"), 2)));
  EXPECT_TRUE(append(store, counted(evaluation(), 5, day + one_day)));
  const std::map<Evaluation, std::uint64_t> expected{{evaluation(), 7},
                                                     {evaluation("example.org", "2001:db8::1"), 2}};
  EXPECT_EQ(read_all(store), expected);
  EXPECT_EQ(read_all(store, {day + one_day}),
            (std::map<Evaluation, std::uint64_t>{{evaluation(), 5}}));
  const StoreSize size = store.size();
  EXPECT_EQ(size.rows, 3U);
  EXPECT_EQ(size.messages, 14U);
  EXPECT_EQ(size.policies, 1U);
  EXPECT_EQ(size.identities, 1U) << "what differs is the address";
}

TEST_P(StoreContract, BatchesOfManyRowsAreCountedWhole) {
  Store store = open();
  Counts counts;
  std::map<Evaluation, std::uint64_t> expected;
  for (int i = 0; i < 2'000; ++i) {
    Evaluation one = evaluation("d" + std::to_string(i % 7) + ".example",
                                "10.0." + std::to_string(i / 250) + "." + std::to_string(i % 250));
    one.header_from = std::to_string(i % 11) + ".example";
    counts[row_key(one, day)] += static_cast<std::uint64_t>(i) + 1;
    expected[one] += static_cast<std::uint64_t>(i) + 1;
  }
  EXPECT_TRUE(append(store, counts));
  EXPECT_EQ(read_all(store), expected);
  EXPECT_TRUE(append(store, counts));
  for (auto& [one, messages] : expected) messages *= 2;
  EXPECT_EQ(read_all(store), expected);
  EXPECT_EQ(store.size().policies, 7U);
  EXPECT_EQ(store.size().identities, 77U);
}

TEST_P(StoreContract, PoliciesOfADayComeInPages) {
  Store store = open();
  for (int i = 0; i < 5; ++i) {
    append(store, counted(evaluation("d" + std::to_string(i) + ".example"), 10));
  }
  Evaluation changed = evaluation("d0.example");
  changed.published.p = dmarc::AssessmentPolicy::none;
  append(store, counted(changed, 1));
  const std::vector<StoredPolicy> all = store.policies({day});
  ASSERT_EQ(all.size(), 6U) << "a domain that changed its record has two";
  PolicyId after = 0;
  for (std::size_t i = 0; i < all.size(); i += 2) {
    const std::vector<StoredPolicy> page = store.policies({day}, after, 2);
    ASSERT_EQ(page.size(), 2U);
    EXPECT_EQ(page[0].published, all[i].published);
    EXPECT_EQ(page[1].id, all[i + 1].id);
    after = page[1].id;
  }
  EXPECT_THAT(store.policies({day}, after, 2), IsEmpty());
  EXPECT_EQ(all[0].messages + all[5].messages, 11U);
  EXPECT_THAT(store.policies({day + one_day}), IsEmpty());
}

TEST_P(StoreContract, ReadingStopsWhenItIsTold) {
  Store store = open();
  Counts counts;
  for (int i = 0; i < 3'000; ++i) {
    const std::string source = "10.1." + std::to_string(i / 250) + "." + std::to_string(i % 250);
    counts[row_key(evaluation("example.org", source), day)] = 1;
  }
  append(store, counts);
  const PolicyId policy = store.policies({day}).front().id;
  for (const int most : {1, 999, 1'000, 1'001, 3'000, 4'000}) {
    int rows = 0;
    std::optional<IpAddress> last;
    store.read({day}, policy, [&](const CountedEvaluation& row) {
      EXPECT_TRUE(!last || *last < row.evaluation.source_ip) << "in the order of addresses";
      last = row.evaluation.source_ip;
      return ++rows < most;
    });
    EXPECT_EQ(rows, std::min(most, 3'000));
  }
  EXPECT_TRUE(append(store, counts)) << "the connection is as good as before";
}

TEST_P(StoreContract, AReaderHoldsNoWriterUp) {
  Store store = open();
  Store other = open();
  append(store, counted(evaluation()));
  const PolicyId policy = store.policies({day}).front().id;
  store.read({day}, policy, [&](const CountedEvaluation&) {
    const auto before = std::chrono::steady_clock::now();
    EXPECT_TRUE(append(other, counted(evaluation("other.example"))));
    EXPECT_LT(std::chrono::steady_clock::now() - before, 5s);
    return true;
  });
}

// --- once, however often it comes ----------------------------------------------------------------

TEST_P(StoreContract, ABatchIsCountedOnce) {
  Store store = open();
  const SpoolPosition first{segment_, 24, 100};
  AppendResult result = store.append(counted(evaluation(), 2), first, noon);
  EXPECT_TRUE(result.is_new);
  EXPECT_EQ(result.end, 100U);
  for (int i = 0; i < 3; ++i) {
    Store again = open();
    result = again.append(counted(evaluation(), 2), first, noon);
    EXPECT_FALSE(result.is_new);
    EXPECT_EQ(result.end, 100U);
  }
  // After a commit that nobody heard of, more may have been put together than before.
  result = store.append(counted(evaluation(), 5), {segment_, 24, 200}, noon);
  EXPECT_FALSE(result.is_new) << "the first part is there already";
  EXPECT_EQ(result.end, 100U) << "and the rest is to come from here on";
  EXPECT_TRUE(store.append(counted(evaluation(), 3), {segment_, 100, 200}, noon).is_new);
  EXPECT_EQ(store.append(counted(evaluation(), 2), first, noon).end, 200U);
  EXPECT_TRUE(store.append(counted(evaluation(), 1), {"another segment!", 24, 100}, noon).is_new);
  EXPECT_EQ(store.size().messages, 6U);
}

TEST_P(StoreContract, AForgottenSegmentLeavesItsCounts) {
  Store store = open();
  append(store, counted(evaluation(), 2));
  store.forget(segment_);
  store.forget("never heard of!!");
  EXPECT_EQ(store.size().messages, 2U);
}

TEST_P(StoreContract, ManyNodesCountTheSameRowsTogether) {
  static_cast<void>(open());
  Counts counts;
  for (int i = 0; i < 50; ++i) {
    const std::string number = std::to_string(i);
    counts[row_key(evaluation("d" + number + ".example", "10.0.0." + number), day)] = 1;
  }
  constexpr int nodes = 4;
  constexpr int batches = 15;
  std::vector<std::jthread> threads;
  for (int node = 0; node < nodes; ++node) {
    threads.emplace_back([&, node] {
      const std::string segment = "segment of node" + std::to_string(node);
      Store store = open();
      for (std::uint64_t i = 0; i < batches;) {
        try {
          EXPECT_TRUE(store.append(counts, {segment, i, i + 1}, noon).is_new);
          ++i;
        } catch (const StoreError& error) {
          EXPECT_EQ(error.remedy(), Remedy::wait) << error.what();
        }
      }
    });
  }
  threads.clear();
  Store store = open();
  EXPECT_EQ(store.size().rows, 50U);
  EXPECT_EQ(store.size().messages, 50U * nodes * batches);
}

// --- hostile content -----------------------------------------------------------------------------

TEST_P(StoreContract, S47HostileTextsAreTextsAndNothingElse) {
  Store store = open();
  const std::vector<std::string> hostile{
      "'; DROP TABLE evaluation; --",
      "\" OR 1=1 --",
      "$1",
      "%s%n{}",
      std::string("nul\0inside", 10),
      "\xff\xfe broken \xc3",
      "\\x00\\",
      "\xe2\x80\xae"
      "right to left",
      std::string(1'024, '\''),
  };
  std::map<Evaluation, std::uint64_t> expected;
  for (const std::string& text : hostile) {
    Evaluation one = evaluation(text);
    one.dkim[0].selector = text;
    one.published.rua = {text};
    one.reasons[0].comment = text;
    const Evaluation kept = evaluation_of(row_key(one, day)).value();
    EXPECT_TRUE(append(store, counted(one)));
    ++expected[kept];
  }
  EXPECT_EQ(read_all(store), expected);
}

// --- editions ------------------------------------------------------------------------------------

TEST_P(StoreContract, ToAnEditionThatIsClosedNothingIsAdded) {
  Store store = open();
  EXPECT_EQ(store.closed_editions(day), 0);
  EXPECT_EQ(store.close_edition(day, noon, noon).count, 0) << "nothing has come";
  append(store, counted(evaluation(), 3));
  append(store, counted(evaluation(), 1, day + one_day));
  EXPECT_EQ(store.policies({day, 2}).size(), 0U);
  const ClosedEditions closed = store.close_edition(day, noon, noon);
  EXPECT_EQ(closed.count, 1);
  EXPECT_TRUE(closed.is_new);
  append(store, counted(evaluation(), 4));
  append(store, counted(evaluation("example.org", "2001:db8::1"), 2));
  EXPECT_EQ(read_all(store), (std::map<Evaluation, std::uint64_t>{{evaluation(), 3}}));
  EXPECT_EQ(read_all(store, {day, 2}),
            (std::map<Evaluation, std::uint64_t>{{evaluation(), 4},
                                                 {evaluation("example.org", "2001:db8::1"), 2}}));
  EXPECT_EQ(store.policies({day}).front().messages, 3U);
  EXPECT_EQ(store.policies({day, 2}).front().messages, 6U);
  EXPECT_EQ(store.size().messages, 10U);
  EXPECT_EQ(store.closed_editions(day), 1);
  EXPECT_EQ(store.closed_editions(day + one_day), 0) << "each day has its own";
}

TEST_P(StoreContract, AnEditionIsClosedWhenItHasCountsAndOnceInATime) {
  Store store = open();
  append(store, counted(evaluation()));
  EXPECT_TRUE(store.close_edition(day, noon, noon + 1h).is_new);
  EXPECT_FALSE(store.close_edition(day, noon + 2h, noon + 2h).is_new) << "nothing has come since";
  append(store, counted(evaluation()));
  EXPECT_FALSE(store.close_edition(day, noon, noon + 3h).is_new) << "one was closed since noon";
  EXPECT_FALSE(store.close_edition(day, noon + 1h, noon + 3h).is_new);
  const ClosedEditions closed = store.close_edition(day, noon + 1h + 1s, noon + 3h);
  EXPECT_TRUE(closed.is_new);
  EXPECT_EQ(closed.count, 2);
  EXPECT_EQ(open().close_edition(day, Time::max(), noon + 4h).count, 2);
}

TEST_P(StoreContract, DaysOfWhichMoreHasComeAreFound) {
  Store store = open();
  append(store, counted(evaluation(), 1, day));
  append(store, counted(evaluation(), 1, day + one_day));
  append(store, counted(evaluation(), 1, day + 2 * one_day));
  EXPECT_EQ(store.open_days(day + 2 * one_day), (std::vector<Day>{day, day + one_day}));
  store.close_edition(day, Time::max(), noon);
  store.close_edition(day + one_day, Time::max(), noon);
  EXPECT_THAT(store.open_days(day + 2 * one_day), IsEmpty());
  append(store, counted(evaluation(), 1, day));
  EXPECT_EQ(store.open_days(day + 2 * one_day), std::vector<Day>{day});
  EXPECT_THAT(store.open_days(day), IsEmpty()) << "those before it";
}

TEST_P(StoreContract, WhatIsAddedWhileAnEditionIsClosedIsInOneOfTheTwo) {
  static_cast<void>(open());
  constexpr std::uint64_t batches = 60;
  std::atomic<int> adding = 2;
  std::atomic<int> closings = 0;
  std::vector<std::jthread> threads;
  for (int node = 0; node < 2; ++node) {
    threads.emplace_back([&, node] {
      Store store = open();
      for (std::uint64_t i = 0; i < batches;) {
        const int closed_before = closings;
        try {
          static_cast<void>(store.append(
              counted(evaluation()), {"segment of node" + std::to_string(node), i, i + 1}, noon));
          ++i;
          // However slow the machine is, editions are closed amid it.
          while (node == 0 && i % 15 == 0 && closings == closed_before) std::this_thread::yield();
        } catch (const StoreError& error) {
          EXPECT_EQ(error.remedy(), Remedy::wait) << error.what();
        }
      }
      --adding;
    });
  }
  Store store = open();
  const auto messages_in = [&](std::int64_t number) {
    std::uint64_t messages = 0;
    for (const StoredPolicy& one : store.policies({day, number})) messages += one.messages;
    return messages;
  };
  // What an edition has when it is closed is what it has in the end.
  std::map<std::int64_t, std::uint64_t> when_closed;
  const auto close = [&] {
    try {
      const ClosedEditions closed = store.close_edition(day, Time::max(), noon);
      if (!closed.is_new) return;
      ++closings;
      when_closed[closed.count] = messages_in(closed.count);
    } catch (const StoreError& error) {
      EXPECT_EQ(error.remedy(), Remedy::wait) << error.what();
    }
  };
  while (adding > 0) close();
  threads.clear();
  close();
  EXPECT_GT(when_closed.size(), 3U);
  std::uint64_t in_all = 0;
  for (const auto& [number, messages] : when_closed) {
    EXPECT_EQ(messages_in(number), messages) << "edition " << number;
    in_all += messages;
  }
  EXPECT_EQ(in_all, 2 * batches);
}

// --- days ----------------------------------------------------------------------------------------

TEST_P(StoreContract, DaysThatHaveCountsAreFound) {
  Store store = open();
  append(store, counted(evaluation(), 1, day));
  append(store, counted(evaluation(), 1, day - 3 * one_day));
  EXPECT_EQ(store.next_day(Day()), day - 3 * one_day);
  EXPECT_EQ(store.next_day(day - 3 * one_day), day);
  EXPECT_EQ(store.next_day(day), std::nullopt);
}

TEST_P(StoreContract, WhatIsOldExpiresWithWhatOnlyItNeeded) {
  settings_.retention = 10 * 24h;
  Store store = open();
  append(store, counted(evaluation("old.example"), 1, day));
  append(store, counted(evaluation("both.example"), 1, day));
  append(store, counted(evaluation("both.example"), 1, day + one_day));
  store.close_edition(day, Time::max(), noon);
  append(store, counted(evaluation("both.example"), 1, day));
  store.expire(day + 10 * one_day);
  EXPECT_EQ(store.size().rows, 4U) << "ten days are kept";
  store.expire(day + 11 * one_day);
  EXPECT_EQ(store.size().rows, 1U);
  EXPECT_EQ(store.size().policies, 1U);
  EXPECT_EQ(store.size().identities, 1U);
  EXPECT_EQ(store.closed_editions(day), 0);
  EXPECT_EQ(read_all(store, {day + one_day}),
            (std::map<Evaluation, std::uint64_t>{{evaluation("both.example"), 1}}));
  EXPECT_TRUE(append(store, counted(evaluation("old.example"), 1, day), day + 11 * one_day));
  EXPECT_EQ(store.next_day(Day()), day + one_day) << "what comes late has expired already";
  append(store, counted(evaluation("old.example"), 1, day + 11 * one_day), day + 11 * one_day);
  EXPECT_EQ(read_all(store, {day + 11 * one_day}),
            (std::map<Evaluation, std::uint64_t>{{evaluation("old.example"), 1}}));
}

TEST_P(StoreContract, ExpiryOfALargeDayGoesInSteps) {
  settings_.retention = 10 * 24h;
  Store store = open();
  Counts counts;
  for (int i = 0; i < 45'000; ++i) {
    const std::string source = "10." + std::to_string(i / 62'500) + "." +
                               std::to_string(i / 250 % 250) + "." + std::to_string(i % 250);
    counts[row_key(evaluation("d" + std::to_string(i % 3) + ".example", source), day)] = 1;
  }
  append(store, counts);
  ASSERT_EQ(store.size().rows, 45'000U);
  store.expire(day + 11 * one_day);
  EXPECT_EQ(store.size().rows, 0U);
  EXPECT_EQ(store.size().policies, 0U);
}

COUNTERSIGN_ON_BOTH_ENGINES(StoreContract);

// --- the schema ----------------------------------------------------------------------------------

class StoreSchema : public test::StoreTest {
 protected:
  /// Three messages of a day and, where it can be said, the report that has left about them.
  static void add_as_of_version(Database& database, int version) {
    const RowKey row = row_key(evaluation(), day);
    const std::int64_t number = day.time_since_epoch().count();
    Transaction transaction(database);
    const std::string policy_digest = digest_of(row.policy);
    const std::string identity_digest = digest_of(row.identity);
    database.run(
        "INSERT INTO policy (digest, domain, body, last_day) VALUES ($1, 'example.org', $2, $3)",
        {Octets{policy_digest}, Octets{row.policy}, number});
    database.run("INSERT INTO identity (digest, body, last_day) VALUES ($1, $2, $3)",
                 {Octets{identity_digest}, Octets{row.identity}, number});
    database.run("INSERT INTO evaluation (day, policy, source, identity, messages" +
                     std::string(version >= 6 ? ", edition" : "") +
                     ") SELECT $1, p.id, $2, i.id, 3" + (version >= 6 ? ", 1" : "") +
                     " FROM policy p CROSS JOIN identity i",
                 {number, Octets{row.source}});
    if (version >= 2)
      database.run("INSERT INTO report (day, policy, destination, state, changed" +
                       std::string(version >= 6 ? ", edition" : "") +
                       ") SELECT $1, id, 'mailto:a@example.org', 'sent', 0" +
                       (version >= 6 ? ", 1" : "") + " FROM policy",
                   {number});
    if (version >= 6)
      database.run("INSERT INTO edition (day, closed, closed_at) VALUES ($1, 1, 0)", {number});
    transaction.commit();
  }
  /// True when the expiry of the table need not read all of it.
  [[nodiscard]] bool is_indexed_by_last_day(Database& database, const std::string& table) const {
    const std::string name = table + "_by_last_day";
    Transaction transaction(database, Access::reading);
    return database
               .rows(GetParam() == test::StoreEngine::sqlite
                         ? "SELECT 1 FROM sqlite_master WHERE type = 'index' AND name = $1"
                         : "SELECT 1 FROM pg_indexes WHERE schemaname = current_schema()"
                           " AND indexname = $1",
                     {std::string_view(name)})
               .size() == 1;
  }
};

TEST_P(StoreSchema, EachEarlierVersionIsBroughtUpWithWhatItHolds) {
  for (int version = 0; version <= Store::schema_version(); ++version) {
    settings_.path = folder_ / ("store" + std::to_string(version));
    if (GetParam() == test::StoreEngine::postgresql) {
      auto& server = test::PostgresqlServer::shared();
      settings_.connection = server.connection(server.new_schema());
    }
    const std::unique_ptr<Database> database = open_database();
    migrate(*database, version);
    const Counts counts{{row_key(evaluation(), day), 3}};
    if (version > 0) add_as_of_version(*database, version);
    Store store = open();
    EXPECT_EQ(store.size().messages, version > 0 ? 3U : 0U);
    const bool is_told = version >= 2;
    EXPECT_EQ(store.closed_editions(day), is_told ? 1 : 0) << version;
    EXPECT_TRUE(store.append(counts, {"0123456789abcdef", 0, 1}, noon).is_new);
    EXPECT_EQ(store.size().rows, is_told ? 2U : 1U) << "what was told is not told again";
    EXPECT_EQ(store.policies({day, is_told ? 2 : 1}).size(), 1U);
    ReportLedger ledger(store);
    EXPECT_EQ(ledger.records({}).size(), is_told ? 1U : 0U);
    for (const ReportRecord& one : ledger.records({})) {
      EXPECT_EQ(one.key, (ReportKey{day, 1, "mailto:a@example.org", 1}));
      EXPECT_EQ(one.state, ReportState::sent);
    }
    EXPECT_NE(store.name(), "");
    for (const char* table : {"policy", "identity"})
      EXPECT_TRUE(is_indexed_by_last_day(*database, table)) << version;
    store.expire(noon);  // Touches every table.
    static_cast<void>(open());
  }
}

TEST_P(StoreSchema, AStoreHasANameThatNoOtherHas) {
  Store store = open();
  EXPECT_GE(store.name().size(), 32U);
  EXPECT_EQ(open().name(), store.name());
  Store other({.path = folder_ / "other.sqlite"});
  EXPECT_NE(other.name(), store.name());
}

TEST_P(StoreSchema, ANewerOneIsRefusedInPlainWords) {
  Store store = open();
  open_database()->run_script("UPDATE schema_version SET version = 99");
  const auto is_refused = [](const auto& action) {
    try {
      action();
    } catch (const StoreError& error) {
      EXPECT_EQ(error.remedy(), Remedy::operate);
      EXPECT_THAT(error.what(), HasSubstr("the store has schema 99, which a newer countersign"));
      EXPECT_THAT(error.what(), HasSubstr("upgrade it"));
      return true;
    }
    return false;
  };
  EXPECT_TRUE(is_refused([&] { static_cast<void>(open()); }));
  EXPECT_TRUE(is_refused([&] {
    static_cast<void>(store.append({}, {"0123456789abcdef", 0, 1}, noon));
  })) << "another node upgraded it while we were at work";
  EXPECT_EQ(store.size().rows, 0U);
}

TEST_P(StoreSchema, SeveralNodesMayStartAtOnce) {
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] { EXPECT_NO_THROW(static_cast<void>(open())); });
  }
  threads.clear();
  EXPECT_EQ(open().size().rows, 0U);
}

COUNTERSIGN_ON_BOTH_ENGINES(StoreSchema);

// --- failures ------------------------------------------------------------------------------------

TEST(StoreFailure, SaysWhatCannotBeOpened) {
  const auto words = [](const config::StoreSettings& settings) -> std::string {
    try {
      static_cast<void>(Store(settings));
    } catch (const StoreError& error) {
      return error.what();
    }
    return "";
  };
  const test::Folder folder;
  EXPECT_THAT(words({.path = folder / "no/such/folder/store"}),
              HasSubstr("unable to open database file; see store.path"));
  EXPECT_THAT(words({.engine = config::StoreEngine::postgresql,
                     .connection = "host=" + (folder / "nobody") + " user=nobody"}),
              HasSubstr("see store.connection"));
  EXPECT_THAT(words({.engine = config::StoreEngine::postgresql, .connection = "host=x nonsense"}),
              HasSubstr("PostgreSQL: missing \"=\" after \"nonsense\""));
}

TEST(StoreFailure, ALostConnectionIsMadeAnew) {
  test::PostgresqlServer server;
  Store store({.engine = config::StoreEngine::postgresql, .connection = server.connection()});
  const Counts counts{{row_key(evaluation(), day), 1}};
  EXPECT_TRUE(store.append(counts, {"0123456789abcdef", 0, 1}, noon).is_new);
  server.stop();
  EXPECT_THROW(static_cast<void>(store.append(counts, {"0123456789abcdef", 1, 2}, noon)),
               StoreError);
  EXPECT_THROW(static_cast<void>(store.append(counts, {"0123456789abcdef", 1, 2}, noon)),
               StoreError);
  server.start();
  EXPECT_TRUE(store.append(counts, {"0123456789abcdef", 1, 2}, noon).is_new);
  EXPECT_EQ(store.size().messages, 2U);
}

}  // namespace
}  // namespace countersign::service::store
