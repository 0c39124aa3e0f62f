// SPDX-License-Identifier: Apache-2.0
//
// Macros of an envelope: set, found, overwritten, and hidden by those of the message.

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

TEST(MacroMap, CountsItsOctetsAndForgets) {
  MacroMap macros;
  macros["i"] = "4F1";
  macros["daemon_name"] = "mx";
  EXPECT_EQ(macros.octets(), 1U + 3U + 11U + 2U);

  macros.clear();
  EXPECT_EQ(macros.octets(), 0U);
  EXPECT_EQ(macros.find("i"), nullptr);
}

TEST(Envelope, MacrosOfTheMessageHideThoseOfTheSession) {
  Envelope envelope;
  envelope.session_macros["daemon_name"] = "mx";
  envelope.session_macros["j"] = "mx.example.org";
  envelope.macros["daemon_name"] = "submission";

  EXPECT_EQ(envelope.macro("daemon_name"), "submission");
  EXPECT_EQ(envelope.macro("j"), "mx.example.org");
  EXPECT_EQ(envelope.find_macro("i"), nullptr);
}

TEST(Envelope, AMacroThatIsNotSetIsEmpty) {
  Envelope envelope;
  envelope.macros["auth_type"] = "PLAIN";

  EXPECT_EQ(envelope.macro("auth_type"), "PLAIN");
  EXPECT_EQ(envelope.macro("auth_authen"), "");
}

}  // namespace
}  // namespace countersign::mailflow
