// SPDX-License-Identifier: Apache-2.0
//
// The words for types and statuses, and the line between absence and failure.

#include "countersign/dns/question.hpp"

#include <gtest/gtest.h>

#include <set>

namespace countersign::dns {
namespace {

TEST(Question, OnlyNodataAndNxdomainAreStatementsOfAbsence) {
  using enum AnswerStatus;
  for (const AnswerStatus status : {records, nodata, nxdomain})
    EXPECT_FALSE(Answer{.status = status}.is_failure()) << to_string(status);
  for (const AnswerStatus status : {servfail, refused, timeout, malformed, bogus})
    EXPECT_TRUE(Answer{.status = status}.is_failure()) << to_string(status);
}

TEST(Question, EveryStatusAndTypeHasItsOwnWord) {
  std::set<std::string_view> words;
  for (unsigned status = 0; status <= static_cast<unsigned>(AnswerStatus::bogus); ++status)
    words.insert(to_string(static_cast<AnswerStatus>(status)));
  EXPECT_EQ(words.size(), 8u);
  EXPECT_FALSE(words.contains("unknown status"));
  EXPECT_EQ(to_string(RecordType::txt), "TXT");
  EXPECT_EQ(to_string(RecordType::tlsa), "TLSA");
}

TEST(Question, JoinsStringsWithNothingBetween) {
  EXPECT_EQ((Text{{"v=DKIM1; p=", "", "AB"}}).joined(), "v=DKIM1; p=AB");
  EXPECT_EQ(Text{}.joined(), "");
}

}  // namespace
}  // namespace countersign::dns
