// SPDX-License-Identifier: Apache-2.0
//
// The words, and which mechanism is said to have decided.

#include "countersign/spf/outcome.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace countersign::spf {
namespace {

TEST(Words, AreThoseOfTheWire) {
  EXPECT_EQ(to_string(Result::none), "none");
  EXPECT_EQ(to_string(Result::neutral), "neutral");
  EXPECT_EQ(to_string(Result::pass), "pass");
  EXPECT_EQ(to_string(Result::fail), "fail");
  EXPECT_EQ(to_string(Result::softfail), "softfail");
  EXPECT_EQ(to_string(Result::temperror), "temperror");
  EXPECT_EQ(to_string(Result::permerror), "permerror");
  EXPECT_EQ(to_string(Identity::helo), "helo");
  EXPECT_EQ(to_string(Identity::mail_from), "mailfrom");
  EXPECT_EQ(to_string(Match::not_matched), "not matched");
  EXPECT_EQ(to_string(Match::matched), "matched");
  EXPECT_EQ(to_string(Match::temperror), "temperror");
  EXPECT_EQ(to_string(Match::permerror), "permerror");
}

TEST(Words, GiveEachQualifierItsResult) {
  EXPECT_EQ(result_of(Qualifier::pass), Result::pass);
  EXPECT_EQ(result_of(Qualifier::fail), Result::fail);
  EXPECT_EQ(result_of(Qualifier::softfail), Result::softfail);
  EXPECT_EQ(result_of(Qualifier::neutral), Result::neutral);
}

TEST(Reasons, HaveASentenceWithItsSectionAndANameEach) {
  std::set<std::string_view> sentences;
  std::set<std::string_view> names;
  for (int i = 0; i <= static_cast<int>(Reason::dns_not_trusted); ++i) {
    const auto reason = static_cast<Reason>(i);
    EXPECT_TRUE(to_string(reason).contains("(RFC ") || to_string(reason).contains(" §"));
    sentences.insert(to_string(reason));
    names.insert(name_of(reason));
  }
  EXPECT_EQ(sentences.size(), static_cast<std::size_t>(Reason::dns_not_trusted) + 1);
  EXPECT_EQ(names.size(), sentences.size());
}

Evaluation evaluation_of(std::string_view record, Reason reason) {
  Evaluation evaluation{.domain = "example.com", .record = std::string(record), .reason = reason};
  evaluation.terms.push_back({.text = {7, record.size() - 7}, .match = Match::matched});
  return evaluation;
}

TEST(DecidingMechanism, IsTheLastTermTried) {
  Outcome outcome;
  EXPECT_EQ(deciding_mechanism(outcome), "");
  outcome.evaluation = evaluation_of("v=spf1 -all", Reason::matched);
  EXPECT_EQ(deciding_mechanism(outcome), "-all");
  outcome.evaluation.reason = Reason::no_match;
  EXPECT_EQ(deciding_mechanism(outcome), "");
}

TEST(DecidingMechanism, IsThatOfTheRecordRedirectedTo) {
  Outcome outcome;
  outcome.evaluation = evaluation_of("v=spf1 Redirect=b.example.com", Reason::matched);
  EXPECT_EQ(deciding_mechanism(outcome), "");
  outcome.evaluation.terms.back().inner.push_back(evaluation_of("v=spf1 ~all", Reason::matched));
  EXPECT_EQ(deciding_mechanism(outcome), "~all");
}

}  // namespace
}  // namespace countersign::spf
