// SPDX-License-Identifier: Apache-2.0
//
// The board on which frames put their questions, and the count of a join, without any coroutine of
// an evaluation: which frame an answer resumes, and when the parent of children goes on.

#include "countersign/dns/asking_frames.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace countersign::dns::detail {
namespace {

// A frame that counts how often it is resumed.
struct Counted {
  struct promise_type {
    int* resumed = nullptr;

    explicit promise_type(int& count) : resumed(&count) {}
    Counted get_return_object() {
      return {std::coroutine_handle<promise_type>::from_promise(*this)};
    }
    std::suspend_always initial_suspend() noexcept { return {}; }
    std::suspend_always final_suspend() noexcept { return {}; }
    void return_void() noexcept { ++*resumed; }
    void unhandled_exception() noexcept { ADD_FAILURE(); }
  };

  std::coroutine_handle<promise_type> frame;
};

Counted count_resumption(int&) { co_return; }

TEST(Board, HandsOutEachQuestionOnce) {
  Board board;
  Answer slot;
  board.post({"a.example", RecordType::txt}, &slot, std::noop_coroutine());
  board.post({"b.example", RecordType::mx}, &slot, std::noop_coroutine(), true);

  const std::vector<OpenQuestion> fresh = board.take_fresh();
  ASSERT_EQ(fresh.size(), 2U);
  EXPECT_EQ(fresh[0].question.name, "a.example");
  EXPECT_EQ(fresh[1].question.name, "b.example");
  EXPECT_FALSE(fresh[0].in_own_time);
  EXPECT_TRUE(fresh[1].in_own_time);
  EXPECT_NE(fresh[0].id, fresh[1].id);
  EXPECT_TRUE(board.take_fresh().empty());
}

TEST(Board, AnAnswerResumesTheFrameThatAsked) {
  int first_resumed = 0;
  int second_resumed = 0;
  const Counted first = count_resumption(first_resumed);
  const Counted second = count_resumption(second_resumed);
  Answer first_slot;
  Answer second_slot;
  Board board;
  board.post({"a.example", RecordType::txt}, &first_slot, first.frame);
  board.post({"b.example", RecordType::txt}, &second_slot, second.frame);
  const std::vector<OpenQuestion> open = board.take_fresh();

  board.answer(open[1].id, {.status = AnswerStatus::nxdomain});
  EXPECT_EQ(first_resumed, 0);
  EXPECT_EQ(second_resumed, 1);
  EXPECT_EQ(second_slot.status, AnswerStatus::nxdomain);
  EXPECT_EQ(first_slot, Answer{});

  board.answer(open[0].id, {.status = AnswerStatus::nodata});
  EXPECT_EQ(first_resumed, 1);
  EXPECT_EQ(first_slot.status, AnswerStatus::nodata);
  first.frame.destroy();
  second.frame.destroy();
}

TEST(BoardDeathTest, RefusesAnAnswerToNoQuestion) {
  Board board;
  EXPECT_DEATH(board.answer(7, {}), "not open");
}

TEST(Join, TheLastChildResumesTheParent) {
  int resumed = 0;
  const Counted parent = count_resumption(resumed);
  Join join{.remaining = 2, .parent = parent.frame};

  EXPECT_NE(join.arrive(), std::coroutine_handle<>(parent.frame));
  EXPECT_EQ(join.arrive(), std::coroutine_handle<>(parent.frame));
  parent.frame.destroy();
}

}  // namespace
}  // namespace countersign::dns::detail
