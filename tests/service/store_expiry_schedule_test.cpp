// SPDX-License-Identifier: Apache-2.0
//
// When the expiry is due: once a day, after this node's own delay, and later again when it failed.

#include "service/store/expiry_schedule.hpp"

#include <gtest/gtest.h>

namespace countersign::service::store {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::sys_seconds midnight{std::chrono::days(20'000)};
constexpr ExpirySchedule::Instant start{1'000s};

TEST(ExpirySchedule, IsDueAtTheStartAndThenOnceADay) {
  ExpirySchedule schedule(20min);
  EXPECT_TRUE(schedule.is_due(midnight + 10h, start));
  schedule.done(midnight + 10h);
  EXPECT_FALSE(schedule.is_due(midnight + 10h, start));
  EXPECT_FALSE(schedule.is_due(midnight + 24h + 19min, start + 14h));
  EXPECT_TRUE(schedule.is_due(midnight + 24h + 20min, start + 14h));
  schedule.done(midnight + 24h + 20min);
  EXPECT_FALSE(schedule.is_due(midnight + 48h, start + 38h));
}

TEST(ExpirySchedule, WhatFailedIsTriedAgainLater) {
  ExpirySchedule schedule(0s);
  schedule.failed(start);
  EXPECT_FALSE(schedule.is_due(midnight, start + 1s));
  EXPECT_FALSE(schedule.is_due(midnight, start + ExpirySchedule::pause - 1s));
  EXPECT_TRUE(schedule.is_due(midnight, start + ExpirySchedule::pause));
  schedule.done(midnight);
  EXPECT_FALSE(schedule.is_due(midnight, start + ExpirySchedule::pause));
}

}  // namespace
}  // namespace countersign::service::store
