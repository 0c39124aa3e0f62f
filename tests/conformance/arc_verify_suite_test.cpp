// SPDX-License-Identifier: Apache-2.0
//
// The validation cases of ARC. Each is run as it stands, cut into small chunks, and with each
// question answered by each kind of failure in turn.

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>

#include "countersign/arc/chain.hpp"
#include "countersign/dns/zone.hpp"
#include "countersign/message/splitter.hpp"
#include "tests/support/conformance.hpp"
#include "tests/support/exact.hpp"

namespace countersign::arc {
namespace {

using test::ConformanceCase;

class ArcVerify : public testing::TestWithParam<ConformanceCase> {
 protected:
  void SetUp() override {
    auto split = split_message(GetParam().octets("message"), limits_);
    ASSERT_TRUE(split);
    message_ = *std::move(split);
    zone_ = GetParam().zone();
  }

  template <class AnswerOf>
  Outcome verify(std::size_t chunk_octets, AnswerOf answer_of) const {
    constexpr std::chrono::sys_seconds now{std::chrono::seconds{1'500'000'000}};
    Verifier verifier(message_.header, limits_);
    for (std::size_t at = 0; at < message_.body.size(); at += chunk_octets)
      verifier.body(test::exact(std::string_view(message_.body).substr(at, chunk_octets)).view());
    return dns::run_with(std::move(verifier).finish(now), answer_of);
  }

  Outcome verify(std::size_t chunk_octets = 65'535) const {
    return verify(chunk_octets,
                  [this](const dns::Question& question) { return zone_.answer(question); });
  }

  Limits limits_;
  Message message_;
  dns::Zone zone_;
};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(ArcVerify);

TEST_P(ArcVerify, GivesTheExpectedStatus) {
  const Outcome outcome = verify();
  const boost::json::value& expect = GetParam().data().at("expect");
  const std::vector<std::string> accepted = test::strings_of(expect.at("arc"));
  EXPECT_NE(std::ranges::find(accepted, to_string(outcome.status)), accepted.end())
      << to_string(outcome.status) << " " << to_string(outcome.reason) << ", " << outcome.detail;
  EXPECT_EQ(outcome.status == ChainStatus::pass, outcome.reason == Reason::valid);
  EXPECT_EQ(outcome.status == ChainStatus::none, outcome.reason == Reason::no_sets);
  EXPECT_FALSE(outcome.is_temporary());
}

TEST_P(ArcVerify, DoesNotDependOnTheChunks) {
  const Outcome whole = verify();
  for (const std::size_t chunk_octets : {1u, 2u, 3u, 61u}) {
    const Outcome chunked = verify(chunk_octets);
    EXPECT_EQ(chunked.status, whole.status) << chunk_octets;
    EXPECT_EQ(chunked.reason, whole.reason) << chunk_octets;
    EXPECT_EQ(chunked.oldest_pass, whole.oldest_pass) << chunk_octets;
  }
}

// What a failure of DNS may do: break a chain, or leave it as it is. It never makes a pass.
TEST_P(ArcVerify, NeverPassesOnceItsQuestionFails) {
  using dns::AnswerStatus;
  std::vector<std::string> names;
  const Outcome whole = verify(65'535, [&](const dns::Question& question) {
    EXPECT_EQ(std::ranges::count(names, question.name), 0) << "asked twice";
    names.push_back(question.name);
    return zone_.answer(question);
  });
  for (const std::string& failing : names) {
    for (const AnswerStatus status :
         {AnswerStatus::nodata, AnswerStatus::nxdomain, AnswerStatus::servfail,
          AnswerStatus::refused, AnswerStatus::timeout, AnswerStatus::malformed,
          AnswerStatus::bogus}) {
      const Outcome swept = verify(65'535, [&](const dns::Question& question) {
        return question.name == failing ? dns::Answer{.status = status} : zone_.answer(question);
      });
      if (whole.status != ChainStatus::pass) {
        EXPECT_EQ(swept.status, whole.status) << dns::to_string(status);
        continue;
      }
      EXPECT_EQ(swept.status, ChainStatus::fail) << dns::to_string(status);
      EXPECT_EQ(swept.is_temporary(), status > AnswerStatus::nxdomain) << dns::to_string(status);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Validation, ArcVerify,
                         testing::ValuesIn(test::conformance_cases("arc/validation.json")),
                         test::conformance_test_name);

}  // namespace
}  // namespace countersign::arc
