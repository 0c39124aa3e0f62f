// SPDX-License-Identifier: Apache-2.0
//
// Macros of an envelope: set, found, overwritten, and cut back to the first of them.

#include "countersign/mailflow/envelope.hpp"

#include <gtest/gtest.h>

namespace countersign::mailflow {
namespace {

TEST(MacroMap, FindsWhatWasSet) {
  MacroMap macros;
  macros["i"] = "4F1";
  macros["daemon_name"] = "submission";

  ASSERT_NE(macros.find("i"), nullptr);
  EXPECT_EQ(*macros.find("i"), "4F1");
  EXPECT_EQ(*macros.find("daemon_name"), "submission");
  EXPECT_EQ(macros.find("I"), nullptr) << "names are case-sensitive";
  EXPECT_EQ(macros.find(""), nullptr);
  EXPECT_EQ(macros.size(), 2U);
}

TEST(MacroMap, ASecondValueReplacesTheFirst) {
  MacroMap macros;
  macros["i"] = "4F1";
  macros["i"] = "4F2";

  EXPECT_EQ(*macros.find("i"), "4F2");
  EXPECT_EQ(macros.size(), 1U);
}

TEST(MacroMap, TruncateKeepsTheOldest) {
  MacroMap macros;
  macros["a"] = "1";
  macros["b"] = "2";
  macros["c"] = "3";

  macros.truncate(5);
  EXPECT_EQ(macros.size(), 3U);
  macros.truncate(1);
  EXPECT_NE(macros.find("a"), nullptr);
  EXPECT_EQ(macros.find("b"), nullptr);
  EXPECT_EQ(macros.find("c"), nullptr);
}

TEST(Envelope, AMacroThatIsNotSetIsEmpty) {
  Envelope envelope;
  envelope.macros["auth_type"] = "PLAIN";

  EXPECT_EQ(envelope.macro("auth_type"), "PLAIN");
  EXPECT_EQ(envelope.macro("auth_authen"), "");
}

}  // namespace
}  // namespace countersign::mailflow
