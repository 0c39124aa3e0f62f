// SPDX-License-Identifier: Apache-2.0
//
// The DMARC cases: records on their own, and whole evaluations, each of them also with every
// question answered by each kind of failure in turn.

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "countersign/dmarc/evaluate.hpp"
#include "countersign/dns/zone.hpp"
#include "tests/support/conformance.hpp"
#include "tests/support/dkim.hpp"
#include "tests/support/exact.hpp"

namespace countersign::dmarc {
namespace {

using test::ConformanceCase;

class DmarcRecords : public testing::TestWithParam<ConformanceCase> {};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(DmarcRecords);

TEST_P(DmarcRecords, AreUsableOrNot) {
  const auto record = parse_record(test::exact(GetParam().octets("record")).view(), Limits{});
  const bool usable = record && record->is_usable();
  const boost::json::object& expect = GetParam().data().at("expect").as_object();
  // Where the documents leave room, the case is there to be read without harm.
  if (!expect.at("usable").is_null()) EXPECT_EQ(usable, expect.at("usable").as_bool());
  if (const auto* policy = expect.if_contains("policy"); policy != nullptr && usable)
    EXPECT_EQ(to_string(policy_for_domain(*record)), policy->as_string());
}

INSTANTIATE_TEST_SUITE_P(All, DmarcRecords,
                         testing::ValuesIn(test::conformance_cases("dmarc/records.json")),
                         test::conformance_test_name);

// The text of a member that may be null.
std::optional<std::string> text_or_null(const boost::json::value& value) {
  if (value.is_null()) return std::nullopt;
  return std::string(value.as_string());
}

// Only what passed, or might have, is handed to DMARC.
void add_identifier(std::vector<Identifier>& identifiers, Mechanism mechanism,
                    const boost::json::object& given) {
  const std::string_view result = given.at("result").as_string();
  if (given.at("domain").is_null() || (result != "pass" && result != "temperror")) return;
  identifiers.push_back({mechanism, sample::name(given.at("domain").as_string()),
                         result == "pass" ? Authentication::pass : Authentication::temperror});
}

class DmarcEvaluation : public testing::TestWithParam<ConformanceCase> {
 protected:
  void SetUp() override {
    zone_ = GetParam().zone();
    const boost::json::object& data = GetParam().data();
    add_identifier(identifiers_, Mechanism::spf, data.at("spf").as_object());
    for (const boost::json::value& one : data.at("dkim").as_array())
      add_identifier(identifiers_, Mechanism::dkim, one.as_object());
  }

  template <class AnswerOf>
  Outcome run(AnswerOf answer_of) const {
    return dns::run_with(
        evaluate(sample::name(GetParam().text("from_domain")), identifiers_, Limits{}), answer_of);
  }

  dns::Zone zone_;
  std::vector<Identifier> identifiers_;
};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(DmarcEvaluation);

TEST_P(DmarcEvaluation, GivesAnAcceptedResult) {
  const Outcome outcome =
      run([this](const dns::Question& question) { return zone_.answer(question); });
  const boost::json::object& expect = GetParam().data().at("expect").as_object();
  const std::vector<std::string> accepted = test::strings_of(expect.at("result"));
  const std::string_view result = to_string(outcome.result);
  EXPECT_NE(std::ranges::find(accepted, result), accepted.end()) << result;
  EXPECT_EQ(outcome.is_aligned(Mechanism::spf), expect.at("spf_aligned").as_bool());
  EXPECT_EQ(outcome.is_aligned(Mechanism::dkim), expect.at("dkim_aligned").as_bool());
  // The rest goes with the preferred result: a case that prefers permerror knows no policy, though
  // one that is read with leniency has one.
  if (result != accepted.front()) return;
  const std::optional<std::string> policy =
      outcome.published_policy ? std::optional<std::string>(to_string(*outcome.published_policy))
                               : std::nullopt;
  EXPECT_EQ(policy, text_or_null(expect.at("policy")));
  const DomainName* const domain = outcome.policy_domain();
  EXPECT_EQ(domain ? std::optional(domain->text()) : std::nullopt,
            text_or_null(expect.at("policy_domain")));
  if (const auto* disposition = expect.if_contains("disposition"))
    EXPECT_EQ(to_string(outcome.policy.value_or(AssessmentPolicy::none)), disposition->as_string());
}

TEST_P(DmarcEvaluation, IsTemporaryOrUnchangedWhenAQuestionFails) {
  using dns::AnswerStatus;
  std::vector<dns::Question> asked;
  const Outcome whole = run([&](const dns::Question& question) {
    asked.push_back(question);
    return zone_.answer(question);
  });
  for (const dns::Question& failing : asked) {
    EXPECT_EQ(std::ranges::count(asked, failing), 1) << failing.name << " was asked for twice";
    for (const AnswerStatus status :
         {AnswerStatus::servfail, AnswerStatus::refused, AnswerStatus::timeout,
          AnswerStatus::malformed, AnswerStatus::bogus}) {
      const Outcome swept = run([&](const dns::Question& question) {
        return question == failing ? dns::Answer{.status = status} : zone_.answer(question);
      });
      if (swept.result == Result::temperror) continue;
      EXPECT_EQ(to_string(swept.result), to_string(whole.result)) << failing.name;
      if (swept.result == Result::fail) EXPECT_EQ(swept.policy, whole.policy) << failing.name;
    }
  }
}

// Where a record is missing, another one higher up may be the one that counts; nothing else makes a
// pass.
TEST_P(DmarcEvaluation, NeverPassesByTheSamePolicyWhereAnAnswerIsMissing) {
  std::vector<dns::Question> asked;
  const Outcome whole = run([&](const dns::Question& question) {
    asked.push_back(question);
    return zone_.answer(question);
  });
  const auto domain_of = [](const Outcome& outcome) {
    const DomainName* const domain = outcome.policy_domain();
    return domain ? std::string(domain->text()) : "";
  };
  for (const dns::Question& failing : asked) {
    for (const dns::AnswerStatus status :
         {dns::AnswerStatus::nodata, dns::AnswerStatus::nxdomain}) {
      const Outcome swept = run([&](const dns::Question& question) {
        return question == failing ? dns::Answer{.status = status} : zone_.answer(question);
      });
      if (swept.result == Result::pass && whole.result != Result::pass)
        EXPECT_NE(domain_of(swept), domain_of(whole)) << failing.name;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, DmarcEvaluation,
                         testing::ValuesIn(test::conformance_cases("dmarc/evaluation.json")),
                         test::conformance_test_name);

}  // namespace
}  // namespace countersign::dmarc
