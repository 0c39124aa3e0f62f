// SPDX-License-Identifier: Apache-2.0
//
// Evaluations on an event loop: questions side by side, deadlines, and every way of giving up.

#include "service/dns/drive.hpp"

#include <gtest/gtest.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/system/system_error.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "service/dns/zone_resolver.hpp"
#include "tests/support/fake_resolver.hpp"
#include "tests/support/run_awaitable.hpp"

namespace countersign::service {
namespace {

namespace asio = boost::asio;
using dns::Answer;
using dns::Asking;
using std::chrono::milliseconds;
using test::FakeResolver;
using test::run_awaitable;
using Clock = std::chrono::steady_clock;

Asking<std::string> ask_text(std::string name) {
  const Answer answer = co_await dns::ask({std::move(name), dns::RecordType::txt});
  co_return answer.status == dns::AnswerStatus::records
      ? std::get<dns::Text>(answer.records.at(0)).joined()
      : std::string(to_string(answer.status));
}

Asking<std::string> ask_many(int count) {
  std::vector<Asking<std::string>> parts;
  for (int i = 0; i < count; ++i) parts.push_back(ask_text("n" + std::to_string(i)));
  std::string joined;
  for (const std::string& part : co_await dns::all(std::move(parts))) joined += part + ' ';
  co_return joined;
}

Asking<int> ask_in_turn(int count) {
  int records = 0;
  for (int i = 0; i < count; ++i) {
    const Answer answer = co_await dns::ask({"a.example", dns::RecordType::txt});
    if (answer.status == dns::AnswerStatus::records) ++records;
  }
  co_return records;
}

Asking<int> ask_nothing() { co_return 7; }

Deadline within(milliseconds evaluation, milliseconds question = milliseconds{10'000}) {
  return {.end = Clock::now() + evaluation, .question = question};
}
constexpr milliseconds long_enough{10'000};

class Drive : public testing::Test {
 protected:
  asio::io_context io{1};
  FakeResolver fake;
};

TEST_F(Drive, AnswersFromAZone) {
  dns::Zone zone;
  zone.add_txt("a.example", "text");
  ZoneResolver resolver(std::move(zone));
  EXPECT_EQ(run_awaitable(io, drive(ask_text("a.example"), resolver, within(long_enough))), "text");
  EXPECT_EQ(run_awaitable(io, drive(ask_text("b.example"), resolver, {})), "NXDOMAIN");
}

TEST_F(Drive, EndsWithoutAnyQuestion) {
  EXPECT_EQ(run_awaitable(io, drive(ask_nothing(), fake, {})), 7);
  EXPECT_EQ(fake.asked, 0);
}

TEST_F(Drive, KeepsAllOpenQuestionsInFlight) {
  fake.delay = milliseconds{50};
  const auto begin = Clock::now();
  EXPECT_EQ(run_awaitable(io, drive(ask_many(4), fake, within(long_enough))), "n0 n1 n2 n3 ");
  EXPECT_EQ(fake.open_max, 4);
  EXPECT_LT(Clock::now() - begin, 4 * fake.delay);
}

// Has the answers about some names in memory, and must look up the others.
class HalfAtHand final : public Resolver {
 public:
  explicit HalfAtHand(FakeResolver& behind) : behind_(behind) {}
  asio::awaitable<Answer> lookup(dns::Question question, Clock::duration deadline) override {
    return behind_.lookup(std::move(question), deadline);
  }
  std::optional<Answer> at_hand(const dns::Question& question) override {
    if ((question.name.back() - '0') % 2 != 0) return std::nullopt;
    return behind_.answer(question);
  }

 private:
  FakeResolver& behind_;
};

TEST_F(Drive, LooksUpOnlyWhatIsNotAtHand) {
  HalfAtHand resolver(fake);
  EXPECT_EQ(run_awaitable(io, drive(ask_many(4), resolver, within(long_enough))), "n0 n1 n2 n3 ");
  EXPECT_EQ(fake.asked, 2);
  EXPECT_EQ(run_awaitable(io, drive(ask_text("n2"), resolver, within(long_enough))), "n2");
  EXPECT_EQ(fake.asked, 2);
}

TEST_F(Drive, BoundsTheQuestionsInFlight) {
  fake.delay = milliseconds{5};
  Limits limits;
  limits.questions_open_max = 3;
  EXPECT_EQ(run_awaitable(io, drive(ask_many(10), fake, within(long_enough), limits)),
            "n0 n1 n2 n3 n4 n5 n6 n7 n8 n9 ");
  EXPECT_EQ(fake.open_max, 3);
  EXPECT_EQ(fake.asked, 10);
}

TEST_F(Drive, ManyAnswersAtOnceDoNotGrowTheStack) {
  EXPECT_EQ(run_awaitable(io, drive(ask_in_turn(20'000), fake, {})), 20'000);
  Limits one_by_one;
  one_by_one.questions_open_max = 1;
  EXPECT_EQ(run_awaitable(io, drive(ask_many(20'000), fake, {}, one_by_one)).size(), 128'890u);
}

TEST_F(Drive, GivesEachQuestionItsDeadline) {
  fake.delay = milliseconds{5'000};
  const auto begin = Clock::now();
  EXPECT_EQ(run_awaitable(io, drive(ask_many(2), fake, within(long_enough, milliseconds{20}))),
            "timeout timeout ");
  EXPECT_LT(Clock::now() - begin, milliseconds{2'000});
}

TEST_F(Drive, AsksNobodyOnceTheTimeIsUp) {
  fake.delay = milliseconds{5'000};
  EXPECT_EQ(run_awaitable(io, drive(ask_in_turn(50), fake, within(milliseconds{30}))), 0);
  EXPECT_EQ(fake.asked, 1);
}

// One question, some in a time of their own, one more.
Asking<std::string> ask_around(int count) {
  std::string joined = co_await ask_text("before") + ' ';
  joined += co_await dns::in_own_time(ask_many(count));
  joined += std::to_string(co_await dns::in_own_time(ask_in_turn(count))) + ' ';
  co_return joined + co_await ask_text("after");
}

// Answers late when the name is short, as those of ask_many() and ask_in_turn() are.
class LateForShortNames final : public Resolver {
 public:
  asio::awaitable<Answer> lookup(dns::Question question, Clock::duration deadline) override {
    FakeResolver& answering =
        question.name.size() < 5 || question.name == "a.example" ? late : soon;
    return answering.lookup(std::move(question), deadline);
  }

  FakeResolver late;
  FakeResolver soon;
};

TEST_F(Drive, APartThatIsOutOfItsTimeHoldsNothingElseUp) {
  LateForShortNames resolver;
  resolver.late.delay = milliseconds{5'000};
  Deadline deadline = within(long_enough);
  deadline.own_time = milliseconds{30};
  const auto begin = Clock::now();
  EXPECT_EQ(run_awaitable(io, drive(ask_around(2), resolver, deadline)),
            "before timeout timeout 0 after");
  EXPECT_LT(Clock::now() - begin, milliseconds{2'000});
  EXPECT_EQ(resolver.late.asked, 2) << "nobody is asked any more";
  EXPECT_EQ(resolver.soon.asked, 2);
}

TEST_F(Drive, ATimeOfItsOwnBeginsWithTheFirstQuestionInIt) {
  fake.delay = milliseconds{60};
  Deadline deadline = within(long_enough);
  deadline.own_time = milliseconds{100};  // Over before it began, if it began with the evaluation.
  EXPECT_EQ(run_awaitable(io, drive(ask_around(1), fake, deadline)), "before n0 0 after");
}

TEST_F(Drive, ATimeOfItsOwnIsNoLongerThanThatOfTheWhole) {
  fake.delay = milliseconds{5'000};
  Deadline deadline = within(milliseconds{30});
  deadline.own_time = long_enough;
  const auto begin = Clock::now();
  EXPECT_EQ(run_awaitable(io, drive(dns::in_own_time(ask_in_turn(3)), fake, deadline)), 0);
  EXPECT_LT(Clock::now() - begin, milliseconds{2'000});
}

TEST_F(Drive, WithoutSuchATimeAllQuestionsAreAlike) {
  fake.delay = milliseconds{20};
  EXPECT_EQ(run_awaitable(io, drive(ask_around(2), fake, within(long_enough))),
            "before n0 n1 2 after");
}

TEST_F(Drive, AResolverThatThrowsIsAFailedAnswer) {
  fake.answer = [](const dns::Question&) -> Answer { throw std::runtime_error("broken"); };
  EXPECT_EQ(run_awaitable(io, drive(ask_text("a.example"), fake, {})), "SERVFAIL");
}

TEST_F(Drive, CancellationEndsItAtOnce) {
  fake.delay = milliseconds{300};
  asio::cancellation_signal signal;
  std::exception_ptr failure;
  bool ended = false;
  const auto begin = Clock::now();
  asio::co_spawn(
      io, drive(ask_many(5), fake, within(long_enough)),
      asio::bind_cancellation_slot(signal.slot(), [&](std::exception_ptr error, std::string) {
        failure = error;
        ended = true;
      }));
  asio::post(io, [&] { signal.emit(asio::cancellation_type::terminal); });
  while (!ended) io.run_one();
  EXPECT_LT(Clock::now() - begin, fake.delay);
  EXPECT_THROW(std::rethrow_exception(failure), boost::system::system_error);
  EXPECT_EQ(fake.open, 5);  // Their answers come when nobody is there any more.
  io.run();
  EXPECT_EQ(fake.open, 0);
}

TEST_F(Drive, DropsQuestionsThatWaitForTheirTurnWhenCancelled) {
  fake.delay = milliseconds{20};
  Limits limits;
  limits.questions_open_max = 2;
  asio::cancellation_signal signal;
  asio::co_spawn(io, drive(ask_many(10), fake, within(long_enough), limits),
                 asio::bind_cancellation_slot(signal.slot(), asio::detached));
  asio::post(io, [&] { signal.emit(asio::cancellation_type::terminal); });
  io.run();
  EXPECT_EQ(fake.asked, 2);
}

TEST_F(Drive, MayBeDestroyedWithItsContext) {
  for (int steps = 0; steps < 12; ++steps) {
    FakeResolver resolver;
    resolver.delay = milliseconds{1};
    auto context = std::make_unique<asio::io_context>(1);
    asio::co_spawn(*context, drive(ask_many(3), resolver, within(long_enough)), asio::detached);
    for (int i = 0; i < steps && context->run_one() != 0; ++i) {
    }
    context.reset();
  }
}

TEST_F(Drive, ManyEvaluationsShareAThread) {
  fake.delay = milliseconds{10};
  int ended = 0;
  for (int i = 0; i < 100; ++i)
    asio::co_spawn(io, drive(ask_many(3), fake, within(long_enough)),
                   [&](std::exception_ptr error, const std::string& text) {
                     EXPECT_FALSE(error);
                     EXPECT_EQ(text, "n0 n1 n2 ");
                     ++ended;
                   });
  io.run();
  EXPECT_EQ(ended, 100);
  EXPECT_EQ(fake.open_max, 300);
}

}  // namespace
}  // namespace countersign::service
