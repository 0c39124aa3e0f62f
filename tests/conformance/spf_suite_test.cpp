// SPDX-License-Identifier: Apache-2.0
//
// The public suite for RFC 7208. Each case is run as it stands, and with each of its questions
// failing in turn.

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "countersign/dns/zone.hpp"
#include "countersign/spf/check_host.hpp"
#include "countersign/text/abnf.hpp"
#include "tests/support/conformance.hpp"

namespace countersign::spf {
namespace {

using dns::AnswerStatus;
using dns::Question;
using test::ConformanceCase;

// True when the question serves to learn the client's names: RFC 7208 §5.5 takes failures there for
// names that are not the client's.
bool is_for_client_names(const Evaluation& evaluation, const Question& question) {
  return std::ranges::any_of(evaluation.terms, [&question](const TriedTerm& term) {
    const bool is_here = std::ranges::any_of(
        term.lookups, [&question](const Lookup& lookup) { return lookup.question == question; });
    if (is_here) return term.lookups.front().question.type == dns::RecordType::ptr;
    return !term.inner.empty() && is_for_client_names(term.inner.front(), question);
  });
}

class SpfSuite : public testing::TestWithParam<ConformanceCase> {
 protected:
  void SetUp() override {
    const auto client_ip = IpAddress::parse(GetParam().text("client_ip"));
    ASSERT_TRUE(client_ip);
    request_ = {.client_ip = *client_ip,
                .helo = GetParam().octets("helo"),
                .mail_from = GetParam().octets("mail_from")};
    zone_ = GetParam().zone();
  }

  template <class AnswerOf>
  Outcome check(AnswerOf answer_of) const {
    return dns::run_with(check_host(request_, Limits{}), answer_of);
  }
  Outcome check() const { return zone_.run(check_host(request_, Limits{})); }

  CheckHost request_;
  dns::Zone zone_;
};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(SpfSuite);

TEST_P(SpfSuite, GivesAnAcceptedResult) {
  const Outcome outcome = check();
  const boost::json::object& expect = GetParam().data().at("expect").as_object();
  const std::vector<std::string> accepted = test::strings_of(expect.at("result"));
  EXPECT_TRUE(std::ranges::find(accepted, to_string(outcome.result)) != accepted.end())
      << to_string(outcome.result) << ": " << to_string(outcome.reason) << " " << outcome.detail;
  if (const boost::json::value* explanation = expect.if_contains("explanation")) {
    // DEFAULT stands for the text of a receiver that got none from the domain.
    const std::string wanted = test::octets_of(*explanation);
    EXPECT_TRUE(text::equal_ignoring_case(outcome.explanation, wanted == "DEFAULT" ? "" : wanted))
        << outcome.explanation << " instead of " << wanted;
  }
}

TEST_P(SpfSuite, NeverPassesBecauseDnsFails) {
  std::vector<Question> questions;
  const Outcome whole = check([&](const Question& question) {
    questions.push_back(question);
    return zone_.answer(question);
  });
  for (const Question& failing : questions) {
    for (const AnswerStatus status :
         {AnswerStatus::nodata, AnswerStatus::nxdomain, AnswerStatus::servfail,
          AnswerStatus::refused, AnswerStatus::timeout, AnswerStatus::malformed,
          AnswerStatus::bogus}) {
      const Outcome swept = check([&](const Question& question) {
        return question == failing ? dns::Answer{.status = status} : zone_.answer(question);
      });
      SCOPED_TRACE(failing.name + " " + std::string(dns::to_string(status)));
      if (whole.result != Result::pass) EXPECT_NE(swept.result, Result::pass);
      const bool is_failure = dns::Answer{.status = status}.is_failure();
      if (is_failure && swept.result != whole.result &&
          !is_for_client_names(whole.evaluation, failing))
        EXPECT_EQ(swept.result, Result::temperror) << to_string(swept.result);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Rfc7208, SpfSuite,
                         testing::ValuesIn(test::conformance_cases("spf/rfc7208.json")),
                         test::conformance_test_name);

}  // namespace
}  // namespace countersign::spf
