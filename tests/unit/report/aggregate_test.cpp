// SPDX-License-Identifier: Apache-2.0
//
// The little code that the model of a report has: its days.

#include "countersign/report/aggregate.hpp"

#include <gtest/gtest.h>

namespace countersign::report {
namespace {

TEST(DayPeriod, HasBothEndsInIt) {
  const DateRange period = day_period(std::chrono::sys_days(std::chrono::days(19'675)));
  EXPECT_EQ(period.begin, 1'699'920'000) << "2023-11-14, midnight UTC";
  EXPECT_EQ(period.end, 1'700'006'399);
}

TEST(DayPeriod, DaysDoNotOverlapAndLeaveNoGap) {
  const std::chrono::sys_days leap_day = std::chrono::year(2024) / 2 / 29;
  EXPECT_EQ(day_period(leap_day).end + 1, day_period(leap_day + std::chrono::days(1)).begin);
}

}  // namespace
}  // namespace countersign::report
