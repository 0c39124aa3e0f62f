// SPDX-License-Identifier: Apache-2.0
//
// Evaluations that ask: in turn, together, nested, moved and dropped half-way.

#include "countersign/dns/asking.hpp"

#include <gtest/gtest.h>

#include <string>

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

TEST(AskingDeathTest, AnAnswerToNoQuestionIsOurBug) {
  Asking<std::string> asking = ask_one("a");
  static_cast<void>(asking.take_questions());
  EXPECT_DEATH(asking.answer(99, {}), "this question is not open");
}

}  // namespace
}  // namespace countersign::dns
