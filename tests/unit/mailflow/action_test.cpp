// SPDX-License-Identifier: Apache-2.0
//
// The order of actions and their words.

#include "countersign/mailflow/action.hpp"

#include <gtest/gtest.h>

namespace countersign::mailflow {
namespace {

TEST(Action, IsOrderedFromMildToHard) {
  EXPECT_EQ(severity(Action::accept), 0U);
  EXPECT_LT(severity(Action::accept), severity(Action::quarantine));
  EXPECT_LT(severity(Action::quarantine), severity(Action::tempfail));
  EXPECT_LT(severity(Action::tempfail), severity(Action::reject));
  EXPECT_LT(severity(Action::reject), severity(Action::discard));
}

TEST(Action, HasTheWordOfItsSetting) {
  EXPECT_EQ(to_string(Action::accept), "accept");
  EXPECT_EQ(to_string(Action::discard), "discard");
  EXPECT_EQ(to_string(Action::quarantine), "quarantine");
  EXPECT_EQ(to_string(Action::reject), "reject");
  EXPECT_EQ(to_string(Action::tempfail), "tempfail");
}

}  // namespace
}  // namespace countersign::mailflow
