// SPDX-License-Identifier: Apache-2.0
//
// Evaluations that ask: in turn, together, nested, moved and dropped half-way.

#include "countersign/dns/asking.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <compare>
#include <string>

#include "countersign/limits.hpp"

namespace countersign::dns {
namespace {

Answer text_answer(std::string text) {
  return {.status = AnswerStatus::records, .records = {Text{{std::move(text)}}}};
}

Answer echo(const Question& question) { return text_answer(question.name); }

std::string text_of(const Answer& answer) {
  return answer.status == AnswerStatus::records ? std::get<Text>(answer.records.at(0)).joined()
                                                : std::string(to_string(answer.status));
}

Asking<std::string> ask_one(std::string name) {
  const Answer answer = co_await ask({std::move(name), RecordType::txt});
  co_return text_of(answer);
}

Asking<std::string> ask_in_turn(std::vector<std::string> names) {
  std::string joined;
  for (const std::string& name : names) joined += co_await ask_one(name);
  co_return joined;
}

Asking<std::string> ask_together(std::vector<std::string> names) {
  std::vector<Asking<std::string>> parts;
  for (const std::string& name : names) parts.push_back(ask_one(name));
  std::string joined;
  for (const std::string& part : co_await all(std::move(parts))) joined += part;
  co_return joined;
}

Asking<int> answer_without_asking(int value) { co_return value; }

Asking<int> count_down(int depth) {
  if (depth == 0) co_return 0;
  co_return 1 + co_await count_down(depth - 1);
}

Asking<std::string> ask_two_kinds() {
  const auto [text, number] = co_await all(ask_in_turn({"a", "b"}), answer_without_asking(7));
  co_return text + std::to_string(number);
}

Asking<std::string> ask_nested_lists() {
  std::vector<Asking<std::string>> parts;
  parts.push_back(ask_together({"a", "b"}));
  parts.push_back(ask_in_turn({"c", "d"}));
  parts.push_back(ask_together({}));
  std::string joined;
  for (const std::string& part : co_await all(std::move(parts))) joined += part;
  co_return joined;
}

TEST(Asking, GivesTheAnswerBackToTheQuestion) {
  EXPECT_EQ(run_with(ask_one("x.example"), echo), "x.example");
}

TEST(Asking, AsksOneAfterTheOtherWhenAwaitedInTurn) {
  Asking<std::string> asking = ask_in_turn({"a", "b"});
  std::vector<OpenQuestion> first = asking.take_questions();
  ASSERT_EQ(first.size(), 1u);
  EXPECT_EQ(first[0].question.name, "a");
  EXPECT_TRUE(asking.take_questions().empty());
  asking.answer(first[0].id, text_answer("1"));
  std::vector<OpenQuestion> second = asking.take_questions();
  ASSERT_EQ(second.size(), 1u);
  EXPECT_EQ(second[0].question.name, "b");
  EXPECT_FALSE(asking.done());
  asking.answer(second[0].id, text_answer("2"));
  ASSERT_TRUE(asking.done());
  EXPECT_EQ(asking.take(), "12");
}

TEST(Asking, KeepsAllQuestionsOpenAtOnceAndTakesAnswersInAnyOrder) {
  Asking<std::string> asking = ask_together({"a", "b", "c"});
  std::vector<OpenQuestion> open = asking.take_questions();
  ASSERT_EQ(open.size(), 3u);
  asking.answer(open[2].id, text_answer("3"));
  asking.answer(open[0].id, text_answer("1"));
  EXPECT_FALSE(asking.done());
  asking.answer(open[1].id, text_answer("2"));
  ASSERT_TRUE(asking.done());
  EXPECT_EQ(asking.take(), "123");
}

TEST(Asking, EndsWithoutAnyQuestion) {
  Asking<int> asking = answer_without_asking(5);
  EXPECT_FALSE(asking.done());
  EXPECT_TRUE(asking.take_questions().empty());
  ASSERT_TRUE(asking.done());
  EXPECT_EQ(asking.take(), 5);
}

TEST(Asking, RecursesDeeplyWithoutGrowingTheStack) {
  EXPECT_EQ(run_with(count_down(10'000), echo), 10'000);
}

TEST(Asking, JoinsDifferentKinds) { EXPECT_EQ(run_with(ask_two_kinds(), echo), "ab7"); }

TEST(Asking, JoinsListsInsideLists) { EXPECT_EQ(run_with(ask_nested_lists(), echo), "abcd"); }

TEST(Asking, AnEmptyListEndsAtOnce) { EXPECT_EQ(run_with(ask_together({}), echo), ""); }

TEST(Asking, CanBeDroppedAtEveryStep) {
  for (int answered = 0; answered < 4; ++answered) {
    Asking<std::string> asking = ask_nested_lists();
    std::vector<OpenQuestion> open = asking.take_questions();
    for (int i = 0; i < answered; ++i) {
      ASSERT_FALSE(open.empty());
      asking.answer(open.front().id, text_answer("x"));
      open.erase(open.begin());
      for (OpenQuestion& more : asking.take_questions()) open.push_back(std::move(more));
    }
  }
  {
    Asking<std::string> never_started = ask_one("a");
  }
}

TEST(Asking, MovesBetweenOwnersWhileQuestionsAreOpen) {
  Asking<std::string> first = ask_one("a");
  const std::vector<OpenQuestion> open = first.take_questions();
  Asking<std::string> second = std::move(first);
  second.answer(open.at(0).id, text_answer("moved"));
  Asking<std::string> third = ask_one("b");
  third = std::move(second);
  EXPECT_EQ(third.take(), "moved");
}

Asking<std::string> ask_parts_in_own_time() {
  std::string joined = co_await ask_one("rest");
  joined += co_await in_own_time(ask_nested_lists());
  const auto [own, other] = co_await all(in_own_time(ask_one("own")), ask_one("other"));
  co_return joined + own + other;
}

// Whatever is awaited by such a part, and nothing beside it or behind it.
TEST(Asking, TellsWhichQuestionsAreAskedInATimeOfTheirOwn) {
  Asking<std::string> asking = ask_parts_in_own_time();
  std::string own;
  std::string others;
  while (!asking.done()) {
    for (const OpenQuestion& open : asking.take_questions()) {
      (open.in_own_time ? own : others) += open.question.name + ' ';
      asking.answer(open.id, echo(open.question));
    }
  }
  EXPECT_EQ(asking.take(), "restabcdownother");
  EXPECT_EQ(own, "a b c d own ");
  EXPECT_EQ(others, "rest other ");
}

// Octets of the first text, and how often that was counted.
struct Count {
  std::size_t count = 0;
  [[nodiscard]] std::size_t octets() const { return sizeof *this; }
};

Count count_octets(const Question&, const Answer& answer, const Limits& limits) {
  return {std::min(text_of(answer).size(), limits.spf_record_bytes_max)};
}

Count count_name(const Question& question, const Answer&, const Limits&) {
  return {question.name.size()};
}

Asking<std::size_t> ask_for_count(Limits limits) {
  const auto count = co_await ask_parsed<count_octets>({"a.example", RecordType::txt}, limits);
  co_return count->count;
}

TEST(AskParsed, ReadsAnAnswerThatNobodyHasRead) {
  EXPECT_EQ(run_with(ask_for_count({}), [](const Question&) { return text_answer("four"); }), 4u);
  Limits narrow;
  narrow.spf_record_bytes_max = 3;
  EXPECT_EQ(run_with(ask_for_count(narrow), [](const Question&) { return text_answer("four"); }),
            3u);
}

TEST(AskParsed, TakesWhatWasReadBefore) {
  const auto answer_read = [](const Question& question) {
    const Limits limits;
    Answer answer = text_answer("four");
    answer.parsed = question.reader(question, answer, limits);
    EXPECT_EQ(answer.parsed.octets, sizeof(Count));
    answer.records.clear();
    return answer;
  };
  EXPECT_EQ(run_with(ask_for_count({}), answer_read), 4u);
}

TEST(AskParsed, TakesNothingThatAnotherReaderMade) {
  const auto answer_misread = [](const Question& question) {
    const Limits limits;
    Answer answer = text_answer("four");
    answer.parsed = parse_answer<count_name>(question, answer, limits);
    return answer;
  };
  EXPECT_EQ(run_with(ask_for_count({}), answer_misread), 4u);
}

TEST(Question, IsTheSameForAllReaders) {
  const Question plain{"a.example", RecordType::txt};
  const Question read{"a.example", RecordType::txt, &parse_answer<count_octets>};
  EXPECT_EQ(plain, read);
  EXPECT_EQ(plain <=> read, std::strong_ordering::equal);
  EXPECT_LT(read, (Question{"a.example", RecordType::aaaa}));
  EXPECT_LT(read, (Question{"b.example", RecordType::a}));
}

TEST(AskingDeathTest, AnAnswerToNoQuestionIsOurBug) {
  Asking<std::string> asking = ask_one("a");
  static_cast<void>(asking.take_questions());
  EXPECT_DEATH(asking.answer(99, {}), "this question is not open");
}

}  // namespace
}  // namespace countersign::dns
