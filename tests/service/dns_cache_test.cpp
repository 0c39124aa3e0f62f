// SPDX-License-Identifier: Apache-2.0
//
// What is remembered and for how long, who waits together, and what happens when some of them do
// not wait any more.

#include "service/dns/cache.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "countersign/dns/asking.hpp"
#include "service/dns/ttl_cache.hpp"
#include "tests/support/fake_resolver.hpp"
#include "tests/support/run_awaitable.hpp"

namespace countersign::service {
namespace {

namespace asio = boost::asio;
using dns::Answer;
using dns::AnswerStatus;
using dns::RecordType;
using std::chrono::milliseconds;
using std::chrono::seconds;
using test::FakeResolver;
using test::run_awaitable;
using Clock = std::chrono::steady_clock;

class Cache : public testing::Test {
 protected:
  CacheOptions options() {
    CacheOptions options;
    options.now = [this] { return now; };
    return options;
  }
  Answer ask(Resolver& resolver, std::string name, RecordType type = RecordType::txt) {
    return run_awaitable(io, resolver.lookup({std::move(name), type}, seconds{10}));
  }
  void answer_with(AnswerStatus status, seconds ttl) {
    fake.answer = [status, ttl](const dns::Question&) {
      Answer answer{.status = status, .ttl = ttl};
      if (status == AnswerStatus::records) answer.records = {dns::Text{{"x"}}};
      return answer;
    };
  }

  Clock::time_point now{seconds{1'000'000}};
  asio::io_context io{1};
  FakeResolver fake;
};

TEST_F(Cache, RemembersUntilTheTtlIsOver) {
  CachingResolver cache(fake, options());
  answer_with(AnswerStatus::records, seconds{100});
  EXPECT_EQ(ask(cache, "a.example").ttl, seconds{100});
  now += milliseconds{30'500};
  const Answer remembered = ask(cache, "a.example");
  EXPECT_EQ(remembered.status, AnswerStatus::records);
  EXPECT_EQ(remembered.ttl, seconds{69});  // What is left of it, in whole seconds.
  EXPECT_EQ(std::get<dns::Text>(remembered.records.at(0)).joined(), "x");
  EXPECT_EQ(fake.asked, 1);
  now += milliseconds{69'500};
  EXPECT_EQ(ask(cache, "a.example").ttl, seconds{100});
  EXPECT_EQ(fake.asked, 2);
}

TEST_F(Cache, HasAtHandWhatItRemembers) {
  CachingResolver cache(fake, options());
  answer_with(AnswerStatus::records, seconds{100});
  const dns::Question question{"a.example", RecordType::txt};
  EXPECT_FALSE(cache.at_hand(question).has_value());
  ask(cache, "a.example");
  now += seconds{30};
  const std::optional<Answer> answer = cache.at_hand(question);
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->ttl, seconds{70});
  EXPECT_EQ(cache.counts().hits, 1u);
  now += seconds{70};
  EXPECT_FALSE(cache.at_hand(question).has_value());
  EXPECT_EQ(fake.asked, 1);
}

TEST_F(Cache, TellsNamesAndTypesApart) {
  CachingResolver cache(fake, options());
  answer_with(AnswerStatus::records, seconds{100});
  ask(cache, "a.example");
  ask(cache, "b.example");
  ask(cache, "a.example", RecordType::mx);
  EXPECT_EQ(fake.asked, 3);
  EXPECT_EQ(cache.counts().entries, 3u);
}

TEST_F(Cache, BoundsTheTimeThatAnAnswerHolds) {
  struct Row {
    AnswerStatus status;
    seconds ttl;
    seconds kept;
  };
  const CacheOptions defaults;
  for (const Row& row : {Row{AnswerStatus::records, seconds{1'000'000}, defaults.ttl_max},
                         Row{AnswerStatus::records, seconds{1}, seconds{1}},
                         Row{AnswerStatus::nxdomain, seconds{10'800}, defaults.absence_ttl_max},
                         Row{AnswerStatus::nodata, seconds{10'800}, defaults.absence_ttl_max},
                         Row{AnswerStatus::nodata, seconds{7}, seconds{7}},
                         Row{AnswerStatus::servfail, seconds{60}, seconds{5}},
                         Row{AnswerStatus::timeout, seconds{60}, seconds{5}},
                         Row{AnswerStatus::bogus, seconds{60}, seconds{5}}}) {
    CachingResolver cache(fake, options());
    answer_with(row.status, row.ttl);
    fake.asked = 0;
    EXPECT_EQ(ask(cache, "a.example").status, row.status);
    now += row.kept - milliseconds{1};
    EXPECT_EQ(ask(cache, "a.example").status, row.status);
    EXPECT_EQ(fake.asked, 1) << to_string(row.status);
    now += milliseconds{1};
    EXPECT_EQ(ask(cache, "a.example").status, row.status);
    EXPECT_EQ(fake.asked, 2) << to_string(row.status);
  }
}

TEST_F(Cache, AnAnswerWithoutTimeIsNotKept) {
  CachingResolver cache(fake, options());
  answer_with(AnswerStatus::records, seconds{0});
  ask(cache, "a.example");
  ask(cache, "a.example");
  EXPECT_EQ(fake.asked, 2);
  EXPECT_EQ(cache.counts().entries, 0u);
}

TEST_F(Cache, AsksOnceForAllWhoAskAtOnce) {
  CachingResolver cache(fake, options());
  fake.delay = milliseconds{200};  // Longer than a busy machine takes to ask.
  int answers = 0;
  for (int i = 0; i < 50; ++i)
    asio::co_spawn(io, cache.lookup({"a.example", RecordType::txt}, seconds{10}),
                   [&answers](std::exception_ptr, const Answer& answer) {
                     if (answer.status == AnswerStatus::records) ++answers;
                   });
  io.poll();
  EXPECT_EQ(cache.counts().under_way, 1u);
  io.run();
  EXPECT_EQ(answers, 50);
  EXPECT_EQ(fake.asked, 1);
  const CacheCounts counts = cache.counts();
  EXPECT_EQ(counts.misses, 1u);
  EXPECT_EQ(counts.coalesced, 49u);
  EXPECT_EQ(counts.under_way, 0u);
}

TEST_F(Cache, ServesThreadsThatAskAtOnce) {
  CachingResolver cache(fake, CacheOptions{});
  fake.delay = milliseconds{2};
  std::atomic<int> answers = 0;
  std::vector<std::jthread> workers;
  for (int worker = 0; worker < 4; ++worker)
    workers.emplace_back([&cache, &answers] {
      asio::io_context context{1};
      for (int i = 0; i < 500; ++i)
        asio::co_spawn(context,
                       cache.lookup({"n" + std::to_string(i % 25), RecordType::txt}, seconds{10}),
                       [&answers, i](std::exception_ptr, const Answer& answer) {
                         if (answer.records.at(0) ==
                             dns::RecordData{dns::Text{{"n" + std::to_string(i % 25)}}})
                           ++answers;
                       });
      context.run();
    });
  workers.clear();
  EXPECT_EQ(answers, 4 * 500);
  EXPECT_EQ(fake.asked, static_cast<int>(cache.counts().misses));
  EXPECT_LT(fake.asked, 4 * 25 + 1);
}

TEST_F(Cache, WhoeverStopsWaitingTakesNothingFromTheOthers) {
  CachingResolver cache(fake, options());
  fake.delay = milliseconds{50};
  asio::cancellation_signal signal;
  std::optional<AnswerStatus> first;
  std::optional<AnswerStatus> second;
  asio::co_spawn(io, cache.lookup({"a.example", RecordType::txt}, seconds{10}),
                 asio::bind_cancellation_slot(signal.slot(),
                                              [&first](std::exception_ptr, const Answer& answer) {
                                                first = answer.status;
                                              }));
  asio::co_spawn(io, cache.lookup({"a.example", RecordType::txt}, seconds{10}),
                 [&second](std::exception_ptr, const Answer& answer) { second = answer.status; });
  asio::post(io, [&signal] { signal.emit(asio::cancellation_type::terminal); });
  io.run();
  EXPECT_EQ(first, AnswerStatus::timeout);
  EXPECT_EQ(second, AnswerStatus::records);
  EXPECT_EQ(fake.asked, 1);
}

TEST_F(Cache, EachOneWaitsAsLongAsItWants) {
  CachingResolver cache(fake, options());
  fake.delay = milliseconds{100};
  std::vector<AnswerStatus> order;
  for (const milliseconds deadline : {milliseconds{5'000}, milliseconds{10}})
    asio::co_spawn(
        io, cache.lookup({"a.example", RecordType::txt}, deadline),
        [&order](std::exception_ptr, const Answer& answer) { order.push_back(answer.status); });
  io.run();
  EXPECT_EQ(order, (std::vector{AnswerStatus::timeout, AnswerStatus::records}));
  EXPECT_EQ(ask(cache, "a.example").status, AnswerStatus::records);
  EXPECT_EQ(fake.asked, 1);  // The impatient one did not keep the answer from being remembered.
}

TEST_F(Cache, AWorkerThatEndsLeavesNothingUnderWay) {
  CachingResolver cache(fake, options());
  fake.delay = milliseconds{20};
  auto worker = std::make_unique<asio::io_context>(1);
  asio::co_spawn(*worker, cache.lookup({"a.example", RecordType::txt}, seconds{10}),
                 asio::detached);
  worker->poll();
  std::optional<AnswerStatus> waited;
  asio::co_spawn(io, cache.lookup({"a.example", RecordType::txt}, milliseconds{50}),
                 [&waited](std::exception_ptr, const Answer& answer) { waited = answer.status; });
  io.poll();
  EXPECT_EQ(cache.counts().coalesced, 1u);
  worker.reset();
  EXPECT_EQ(cache.counts().under_way, 0u);
  io.run();
  EXPECT_EQ(waited, AnswerStatus::timeout);
  EXPECT_EQ(ask(cache, "a.example").status, AnswerStatus::records);
}

TEST_F(Cache, MayEndBeforeItsLookups) {
  auto cache = std::make_unique<CachingResolver>(fake, options());
  fake.delay = milliseconds{20};
  std::optional<AnswerStatus> result;
  asio::co_spawn(io, cache->lookup({"a.example", RecordType::txt}, seconds{10}),
                 [&result](std::exception_ptr, const Answer& answer) { result = answer.status; });
  io.poll();
  asio::awaitable<Answer> late = cache->lookup({"b.example", RecordType::txt}, seconds{10});
  cache.reset();
  io.run();
  EXPECT_EQ(result, AnswerStatus::records);
  EXPECT_TRUE(run_awaitable(io, std::move(late)).is_failure());
  EXPECT_EQ(fake.asked, 1);
}

TEST_F(Cache, AResolverThatThrowsIsAFailure) {
  CachingResolver cache(fake, options());
  fake.answer = [](const dns::Question&) -> Answer { throw std::runtime_error("broken"); };
  EXPECT_EQ(ask(cache, "a.example").status, AnswerStatus::servfail);
  EXPECT_EQ(cache.counts().failures, 1u);
}

TEST_F(Cache, BoundsWhatIsUnderWay) {
  CacheOptions narrow = options();
  narrow.under_way_max = 2;
  CachingResolver cache(fake, narrow);
  fake.delay = milliseconds{20};
  int refused = 0;
  for (int i = 0; i < 5; ++i)
    asio::co_spawn(io, cache.lookup({std::to_string(i), RecordType::txt}, seconds{10}),
                   [&refused](std::exception_ptr, const Answer& answer) {
                     if (answer.status == AnswerStatus::servfail) ++refused;
                   });
  io.run();
  EXPECT_EQ(refused, 3);
  EXPECT_EQ(cache.counts().refused, 3u);
  EXPECT_EQ(cache.counts().entries, 2u);
}

TEST_F(Cache, BoundsItsMemoryByWhatAnswersHold) {
  CacheOptions small = options();
  small.room_octets = 100'000;
  small.shards = 1;
  CachingResolver cache(fake, small);
  fake.answer = [](const dns::Question& question) {
    return Answer{.status = AnswerStatus::records,
                  .records = {dns::Text{{std::string(question.name.size() * 100, 'x')}}}};
  };
  for (int i = 0; i < 100; ++i) ask(cache, "long-name-" + std::to_string(100 + i));
  const CacheCounts counts = cache.counts();
  EXPECT_LT(counts.entries, 75u);
  EXPECT_GT(counts.entries, 40u);
  EXPECT_EQ(counts.evictions, 100u - counts.entries);
  ask(cache, "long-name-199");
  EXPECT_EQ(cache.counts().hits, 1u);
  ask(cache, "long-name-100");  // Evicted.
  EXPECT_EQ(cache.counts().hits, 1u);
  ask(cache, std::string(2'000, 'y'));  // Larger than the room: answered, not kept.
  EXPECT_EQ(cache.counts().misses, 102u);
  cache.clear();
  EXPECT_EQ(cache.counts().entries, 0u);
}

// What a reader makes, and how often it was at work.
std::atomic<int> readings = 0;
struct Reading {
  AnswerStatus status = AnswerStatus::servfail;
  std::size_t text_max = 0;
  [[nodiscard]] std::size_t octets() const { return 10'000; }
};
Reading read(const dns::Question&, const Answer& answer, const Limits& limits) {
  ++readings;
  return {answer.status, limits.spf_record_bytes_max};
}
Reading read_otherwise(const dns::Question&, const Answer&, const Limits&) { return {}; }

class CacheOfReadings : public Cache {
 protected:
  CacheOfReadings() { readings = 0; }
  Answer ask_with(Resolver& resolver, dns::Reader read_by, std::string name = "a.example") {
    return run_awaitable(io,
                         resolver.lookup({std::move(name), RecordType::txt, read_by}, seconds{10}));
  }
  static Reading value_of(const Answer& answer) {
    return answer.parsed.value ? *static_cast<const Reading*>(answer.parsed.value.get())
                               : Reading{};
  }
  static constexpr dns::Reader reader = &dns::parse_answer<read>;
};

TEST_F(CacheOfReadings, ReadsAnAnswerOnceForAllWhoAskInItsTime) {
  CacheOptions bounded = options();
  bounded.limits.spf_record_bytes_max = 77;
  CachingResolver cache(fake, bounded);
  answer_with(AnswerStatus::records, seconds{100});
  const Answer first = ask_with(cache, reader);
  const Answer second = ask_with(cache, reader);
  EXPECT_EQ(readings, 1);
  EXPECT_EQ(value_of(first).status, AnswerStatus::records);
  EXPECT_EQ(value_of(first).text_max, 77u);
  EXPECT_EQ(second.parsed.value, first.parsed.value);
  EXPECT_EQ(second.status, AnswerStatus::records);
  now += seconds{100};
  EXPECT_NE(ask_with(cache, reader).parsed.value, first.parsed.value);
  EXPECT_EQ(readings, 2);
}

TEST_F(CacheOfReadings, ReadsFailuresAndAbsenceToo) {
  for (const AnswerStatus status : {AnswerStatus::nxdomain, AnswerStatus::timeout}) {
    CachingResolver cache(fake, options());
    answer_with(status, seconds{100});
    EXPECT_EQ(value_of(ask_with(cache, reader)).status, status);
    EXPECT_EQ(value_of(ask_with(cache, reader)).status, status);
  }
  EXPECT_EQ(readings, 2);
}

TEST_F(CacheOfReadings, GivesTheRecordsToWhoReadsThemOtherwise) {
  CachingResolver cache(fake, options());
  answer_with(AnswerStatus::records, seconds{100});
  ask_with(cache, reader);
  const Answer plain = ask_with(cache, nullptr);
  EXPECT_EQ(plain.records.size(), 1u);
  const Answer other = ask_with(cache, &dns::parse_answer<read_otherwise>);
  EXPECT_EQ(other.records.size(), 1u);
  EXPECT_EQ(other.parsed.reader, reader);
  EXPECT_EQ(fake.asked, 1);
  EXPECT_EQ(readings, 1);
}

TEST_F(CacheOfReadings, CountsTheirMemory) {
  CacheOptions small = options();
  small.room_octets = 100'000;
  small.shards = 1;
  CachingResolver cache(fake, small);
  for (int i = 0; i < 100; ++i) ask_with(cache, reader, std::to_string(i) + ".example");
  EXPECT_LT(cache.counts().entries, 10u);
  EXPECT_GT(cache.counts().entries, 5u);
}

using Numbers = TtlCache<int, int>;
constexpr Clock::time_point never = Clock::time_point::max();
constexpr Clock::time_point start{};

TEST(TtlCache, ForgetsWhatWasUsedLeastRecently) {
  Numbers cache(3, 1);
  for (int i = 1; i <= 3; ++i) EXPECT_EQ(cache.put(i, i * 10, never, 1), 0u);
  EXPECT_EQ(cache.find(1, start)->value, 10);
  EXPECT_EQ(cache.put(4, 40, never, 1), 1u);
  EXPECT_FALSE(cache.find(2, start).has_value());
  EXPECT_TRUE(cache.find(1, start).has_value());
  EXPECT_EQ(cache.put(5, 50, never, 2), 2u);  // Room for two.
  EXPECT_TRUE(cache.find(1, start).has_value());
  EXPECT_EQ(cache.size(), 2u);
}

TEST(TtlCache, ReplacesAndRefuses) {
  Numbers cache(10, 1);
  cache.put(1, 10, never, 9);
  EXPECT_EQ(cache.put(1, 11, never, 10), 0u);  // Its own old room counts as free.
  EXPECT_EQ(cache.find(1, start)->value, 11);
  EXPECT_EQ(cache.put(1, 12, never, 11), 0u);
  EXPECT_FALSE(cache.find(1, start).has_value());  // Too large; the old value is no longer right.
  EXPECT_EQ(cache.size(), 0u);
}

TEST(TtlCache, LetsGoOfWhatHasRunOut) {
  Numbers cache(10, 4);
  cache.put(1, 10, start + seconds{5}, 1);
  EXPECT_EQ(cache.find(1, start + milliseconds{4'999})->expires, start + seconds{5});
  EXPECT_FALSE(cache.find(1, start + seconds{5}).has_value());
  EXPECT_EQ(cache.size(), 0u);
}

}  // namespace
}  // namespace countersign::service
