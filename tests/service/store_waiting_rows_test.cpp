// SPDX-License-Identifier: Apache-2.0
//
// Rows between the workers and the writer: equal ones once, and no memory that a burst took.

#include "service/store/waiting_rows.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "tests/support/evaluations.hpp"

namespace countersign::service::store {
namespace {

using test::evaluation;

constexpr Day today = std::chrono::sys_days(std::chrono::year(2026) / 11 / 27);

void add(WaitingRows& rows, report::Evaluation one, Day day = today) {
  rows.add(hash_of(one), day, one);
}

TEST(WaitingRows, EqualMessagesOfADayAreOneRow) {
  WaitingRows rows;
  add(rows, evaluation("a.example"));
  add(rows, evaluation("b.example"));
  add(rows, evaluation("a.example"));
  add(rows, evaluation("a.example"), today + std::chrono::days(1));
  EXPECT_EQ(rows.messages(), 4U);
  ASSERT_EQ(rows.rows().size(), 3U);
  EXPECT_EQ(rows.rows()[0].evaluation, evaluation("a.example"));
  EXPECT_EQ(rows.rows()[0].messages, 2U);
  EXPECT_EQ(rows.rows()[1].evaluation, evaluation("b.example"));
  EXPECT_EQ(rows.rows()[1].messages, 1U);
  EXPECT_EQ(rows.rows()[2].day, today + std::chrono::days(1));
}

TEST(WaitingRows, WhatDiffersIsARowOfItsOwnAlsoUnderOneHash) {
  WaitingRows rows;
  report::Evaluation one = evaluation("a.example");
  report::Evaluation other = evaluation("b.example");
  rows.add(7, today, one);
  rows.add(7, today, other);
  ASSERT_EQ(rows.rows().size(), 2U);
  EXPECT_EQ(rows.rows()[0].evaluation, evaluation("a.example"));
  EXPECT_EQ(rows.rows()[1].evaluation, evaluation("b.example"));
}

TEST(WaitingRows, ARowThatIsDoneWithGoesToWhoeverAddsTheNext) {
  WaitingRows rows;
  add(rows, evaluation("a.example"));
  rows.clear();
  EXPECT_EQ(rows.messages(), 0U);
  EXPECT_TRUE(rows.rows().empty());
  report::Evaluation next = evaluation("b.example");
  rows.add(hash_of(next), today, next);
  EXPECT_EQ(next, evaluation("a.example")) << "the caller frees it";
  ASSERT_EQ(rows.rows().size(), 1U);
  EXPECT_EQ(rows.rows()[0].evaluation, evaluation("b.example"));
  EXPECT_EQ(rows.rows()[0].messages, 1U) << "of an old row nothing is counted";
}

TEST(WaitingRows, AnOldRowIsNotTakenForAnEqualOne) {
  WaitingRows rows;
  add(rows, evaluation("a.example"));
  add(rows, evaluation("a.example"));
  rows.clear();
  add(rows, evaluation("a.example"));
  ASSERT_EQ(rows.rows().size(), 1U);
  EXPECT_EQ(rows.rows()[0].messages, 1U);
}

TEST(WaitingRows, KeepsTheMemoryOfAnEvenLoadAndNotThatOfABurst) {
  WaitingRows rows;
  const auto fill = [&rows](std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) add(rows, evaluation(std::to_string(i) + ".example"));
  };
  fill(1'000);
  const std::size_t even = rows.capacity();
  rows.clear();
  fill(1'000);
  EXPECT_EQ(rows.capacity(), even) << "nothing grows anew";
  rows.clear();
  fill(50'000);
  ASSERT_EQ(rows.rows().size(), 50'000U);
  EXPECT_GE(rows.capacity(), 50'000U);
  rows.clear();
  EXPECT_LE(rows.capacity(), 8'192U);
}

}  // namespace
}  // namespace countersign::service::store
