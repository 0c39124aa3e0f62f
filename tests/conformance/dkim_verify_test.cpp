// SPDX-License-Identifier: Apache-2.0
//
// The verification cases. Each is run as it stands, cut into small chunks, and with each question
// answered by each kind of failure in turn.

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>

#include "countersign/dkim/key_lookup.hpp"
#include "countersign/dkim/verifier.hpp"
#include "countersign/dns/zone.hpp"
#include "countersign/message/splitter.hpp"
#include "tests/support/conformance.hpp"
#include "tests/support/exact.hpp"

namespace countersign::dkim {
namespace {

using test::ConformanceCase;
using Results = std::vector<SignatureResult>;

std::vector<std::string> words(const Results& results) {
  std::vector<std::string> list;
  for (const SignatureResult& result : results) list.emplace_back(to_string(result.result));
  return list;
}

bool is_among(std::string_view word, const boost::json::value& accepted) {
  const std::vector<std::string> list = test::strings_of(accepted);
  return std::ranges::find(list, word) != list.end();
}

std::string key_of(const SignatureResult& result) {
  return result.signature ? key_name(result.signature->selector, result.signature->sdid) : "";
}

class DkimVerify : public testing::TestWithParam<ConformanceCase> {
 protected:
  void SetUp() override {
    auto split = split_message(GetParam().octets("message"), limits_);
    ASSERT_TRUE(split);
    message_ = *std::move(split);
    zone_ = GetParam().zone();
    now_ = std::chrono::sys_seconds(
        std::chrono::seconds(GetParam().data().at("now").to_number<std::int64_t>()));
  }

  template <class AnswerOf>
  Results verify(std::size_t chunk_octets, AnswerOf answer_of) const {
    Verifier verifier(message_.header, limits_);
    for (std::size_t at = 0; at < message_.body.size(); at += chunk_octets)
      verifier.body(test::exact(std::string_view(message_.body).substr(at, chunk_octets)).view());
    return dns::run_with(std::move(verifier).finish(now_), answer_of);
  }

  Results verify() const {
    return verify(65'535, [this](const dns::Question& question) { return zone_.answer(question); });
  }

  Limits limits_;
  Message message_;
  dns::Zone zone_;
  std::chrono::sys_seconds now_;
};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(DkimVerify);

TEST_P(DkimVerify, GivesAnAcceptedResult) {
  const Results results = verify();
  const boost::json::value& expect = GetParam().data().at("expect");
  EXPECT_TRUE(is_among(to_string(summarize(results)), expect.at("result")))
      << to_string(summarize(results)) << " " << expect;
  const boost::json::value& signatures = expect.at("signatures");
  if (signatures.is_null()) return;
  ASSERT_EQ(results.size(), signatures.as_array().size());
  for (std::size_t i = 0; i < results.size(); ++i)
    EXPECT_TRUE(is_among(to_string(results[i].result), signatures.as_array()[i]))
        << i << ": " << to_string(results[i].result) << ", " << to_string(results[i].reason) << ", "
        << results[i].detail;
}

TEST_P(DkimVerify, DoesNotDependOnTheChunks) {
  const auto answer_of = [this](const dns::Question& question) { return zone_.answer(question); };
  const std::vector<std::string> whole = words(verify());
  for (const std::size_t chunk_octets : {1u, 2u, 3u, 61u})
    EXPECT_EQ(words(verify(chunk_octets, answer_of)), whole) << chunk_octets;
}

// What a failure of DNS may do: nothing, or make of a signature that needs the key what the failure
// says. It must never make a pass, and a pass never survives it.
TEST_P(DkimVerify, NeverPassesOnceItsQuestionFails) {
  using dns::AnswerStatus;
  std::vector<std::string> names;
  const Results whole = verify(65'535, [&](const dns::Question& question) {
    EXPECT_EQ(std::ranges::count(names, question.name), 0) << "asked twice";
    names.push_back(question.name);
    return zone_.answer(question);
  });
  for (const std::string& failing : names) {
    for (const AnswerStatus status :
         {AnswerStatus::nodata, AnswerStatus::nxdomain, AnswerStatus::servfail,
          AnswerStatus::refused, AnswerStatus::timeout, AnswerStatus::malformed,
          AnswerStatus::bogus}) {
      const Result failed =
          status <= AnswerStatus::nxdomain ? Result::permerror : Result::temperror;
      const Results swept = verify(65'535, [&](const dns::Question& question) {
        return question.name == failing ? dns::Answer{.status = status} : zone_.answer(question);
      });
      ASSERT_EQ(swept.size(), whole.size());
      for (std::size_t i = 0; i < swept.size(); ++i) {
        const bool may_change = key_of(swept[i]) == failing;
        if (may_change && whole[i].result == Result::pass)
          EXPECT_EQ(swept[i].result, failed) << dns::to_string(status);
        else if (!may_change || swept[i].result != failed)
          EXPECT_EQ(swept[i].result, whole[i].result) << dns::to_string(status);
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(OpenDkim, DkimVerify,
                         testing::ValuesIn(test::conformance_cases("dkim/opendkim.json")),
                         test::conformance_test_name);
INSTANTIATE_TEST_SUITE_P(MailDkim, DkimVerify,
                         testing::ValuesIn(test::conformance_cases("dkim/mail-dkim.json")),
                         test::conformance_test_name);
INSTANTIATE_TEST_SUITE_P(Matrix, DkimVerify,
                         testing::ValuesIn(test::conformance_cases("dkim/matrix.json")),
                         test::conformance_test_name);
INSTANTIATE_TEST_SUITE_P(Small, DkimVerify,
                         testing::ValuesIn(test::conformance_cases("dkim/small.json")),
                         test::conformance_test_name);

}  // namespace
}  // namespace countersign::dkim
