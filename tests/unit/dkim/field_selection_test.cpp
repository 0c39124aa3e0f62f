// SPDX-License-Identifier: Apache-2.0
//
// The names that a selection makes of a message for h=.

#include "countersign/dkim/field_selection.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/support/dkim.hpp"

namespace countersign::dkim {
namespace {

std::string selected(std::string_view text, const FieldSelection& selection,
                     const Limits& limits = {}) {
  const Header header = sample::message(text).header;
  std::string joined;
  for (const std::string& name : select_fields(FieldIndex(header), selection, limits)) {
    if (!joined.empty()) joined += ':';
    joined += name;
  }
  return joined;
}

TEST(SelectFields, FollowsTheMessageFromTheTopDown) {
  EXPECT_EQ(selected("Subject: a\nto: b\nX: c\nFrom: d\nTO: e\n\n",
                     {.sign = {"From", "To", "Subject", "Date"}}),
            "Subject:to:From:TO");
}

TEST(SelectFields, AlwaysHasFrom) {
  EXPECT_EQ(selected("To: a\nFrom: b\n\n", {}), "From");
  EXPECT_EQ(selected("To: a\nFrom: b\n\n", {.sign = {"To"}, .omit = {"From", "to"}}), "From");
  EXPECT_EQ(selected("To: a\n\n", {.sign = {"To"}}), "To:From");
  EXPECT_EQ(selected("To: a\n\n", {.oversign = {"From"}}), "From");
}

TEST(SelectFields, NamesWhatIsOversignedOnceMore) {
  EXPECT_EQ(selected("From: a\nCc: b\nCc: c\n\n",
                     {.sign = {"Cc"}, .oversign = {"From", "CC", "Subject"}}),
            "From:Cc:Cc:From:CC:Subject");
  EXPECT_EQ(selected("From: a\nCc: b\n\n", {.oversign = {"Cc", "cc"}}), "From:Cc:Cc");
  EXPECT_EQ(selected("From: a\nCc: b\n\n", {.omit = {"Cc"}, .oversign = {"Cc"}}), "From");
}

TEST(SelectFields, TakesAStarForAllThatStays) {
  EXPECT_EQ(selected("Return-Path: <>\nReceived: a\nDKIM-Signature: b\nX: c\nBcc: d\nComments: e\n"
                     "Keywords: f\nAuthentication-Results: g\nFrom: h\nx: i\n\n",
                     {.sign = {"*"}, .omit = {"Y"}}),
            "X:From:x");
  EXPECT_EQ(selected("Received: a\nX: b\nFrom: c\n\n", {.sign = {"*", "Received"}, .omit = {"x"}}),
            "Received:From");
}

TEST(SelectFields, TakesAStarInANameForAnyOctets) {
  EXPECT_EQ(selected("List-Id: a\nX-A: b\nSubject: c\nlist-post: d\nFrom: e\n\n",
                     {.sign = {"List-*", "x-*"}, .omit = {"*-Post"}}),
            "List-Id:X-A:From");
  EXPECT_EQ(selected("Received: a\nX: b\nFrom: c\n\n", {.sign = {"Rec*"}}), "Received:From");
}

// Whoever writes the message would otherwise write tags into its signature.
TEST(SelectFields, SelectsNoNameThatWouldEndTheList) {
  EXPECT_EQ(
      selected("X;d=other.example: a\nList-;x: b\nX y: c\nX\xC3\xBC: d\nX-\x01: e\nFrom: f\n\n",
               {.sign = {"*", "List-*"}}),
      "From");
}

TEST(SelectFields, SelectsNoLineWithoutColon) {
  const Header header = {HeaderField("From: a"), HeaderField("To"), HeaderField("From")};
  EXPECT_EQ(select_fields(FieldIndex(header), {.sign = {"To", "*"}}, Limits{}),
            std::vector<std::string>{"From"});
}

TEST(SelectFields, KeepsItsLimitAndStillProtectsFrom) {
  const std::string_view text = "X: 1\nX: 2\nX: 3\nX: 4\nFrom: 5\n\n";
  EXPECT_EQ(selected(text, {.sign = {"X"}}, {.signed_fields_max = 3}), "X:X:From");
  EXPECT_EQ(selected(text, {.sign = {"X"}, .oversign = {"From"}}, {.signed_fields_max = 3}),
            "X:From:From");
  EXPECT_EQ(selected(text, {.sign = {"X"}, .oversign = {"From", "X"}}, {.signed_fields_max = 4}),
            "X:From:From:X");
  EXPECT_EQ(selected("X: 1\n\n", {.sign = {"X"}}, {.signed_fields_max = 1}), "From");
}

TEST(DefaultFieldSelection, SignsWhatMatters) {
  const FieldSelection selection = default_field_selection();
  for (const std::string& name : selection.oversign)
    EXPECT_EQ(std::ranges::count(selection.sign, name), 1) << name;
  for (const char* name : {"List-Unsubscribe", "List-Unsubscribe-Post", "List-Id", "Resent-From"}) {
    EXPECT_EQ(std::ranges::count(selection.sign, name), 1) << name;
    EXPECT_EQ(std::ranges::count(selection.oversign, name), 0) << name;
  }
  EXPECT_TRUE(selection.omit.empty());
  EXPECT_EQ(selected("Received: a\nFrom: b\nSubject: c\nList-Unsubscribe-Post: d\nX-Other: e\n\n",
                     selection),
            "From:Subject:List-Unsubscribe-Post:From:To:Cc:Subject:Date:Reply-To:Message-ID:"
            "MIME-Version:Content-Type:Content-Transfer-Encoding:In-Reply-To:References");
}

}  // namespace
}  // namespace countersign::dkim
