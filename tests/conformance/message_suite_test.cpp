// SPDX-License-Identifier: Apache-2.0
//
// Whole messages through the whole filter: SPF, DKIM and DMARC together, and the attacks. Each is
// run again with every question answered by each kind of failure in turn: no failure makes a pass
// that was not there, or a harder action.

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "countersign/authres/field.hpp"
#include "tests/support/conformance.hpp"
#include "tests/support/judging.hpp"

namespace countersign {
namespace {

using test::Arrived;
using test::ConformanceCase;

class Messages : public testing::TestWithParam<ConformanceCase> {
 protected:
  void SetUp() override {
    const ConformanceCase& given = GetParam();
    zone_ = given.zone();
    arrival_ = {.client_ip = given.text("client_ip"),
                .client_host = "[" + given.text("client_ip") + "]",
                .helo = given.octets("helo"),
                .mail_from = given.octets("mail_from"),
                .message = given.octets("message"),
                .now = std::chrono::sys_seconds{
                    std::chrono::seconds{given.data().at("now").to_number<std::int64_t>()}}};
  }

  Arrived run(const test::AnswerOf& answer_of) const {
    mailflow::Policy policy = test::judging_policy();
    policy.judging.actions.dmarc_reject = mailflow::RejectPolicy::reject;
    return test::arrive(arrival_, policy, answer_of);
  }
  Arrived run() const {
    return run([this](const dns::Question& question) { return zone_.answer(question); });
  }

  /// Runs the message as it is, and once more for each of its questions and each answer that is not
  /// there; hands both outcomes to the check.
  template <class Check>
  void sweep(Check check) const {
    using dns::AnswerStatus;
    std::vector<dns::Question> asked;
    const Arrived whole = run([&](const dns::Question& question) {
      asked.push_back(question);
      return zone_.answer(question);
    });
    for (const dns::Question& failing : asked) {
      for (const AnswerStatus status :
           {AnswerStatus::nodata, AnswerStatus::nxdomain, AnswerStatus::servfail,
            AnswerStatus::refused, AnswerStatus::timeout, AnswerStatus::malformed,
            AnswerStatus::bogus}) {
        SCOPED_TRACE(failing.name + " " + std::string(dns::to_string(status)));
        const dns::Answer answer{.status = status};
        const Arrived swept = run([&](const dns::Question& question) {
          return question == failing ? answer : zone_.answer(question);
        });
        check(whole, swept, answer.is_failure());
      }
    }
  }

  dns::Zone zone_;
  test::Arrival arrival_;
};

constexpr std::array<std::string_view, 4> methods = {"spf", "dkim", "arc", "dmarc"};

class MessageEvaluation : public Messages {};
class MessageAttack : public Messages {};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(MessageEvaluation);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(MessageAttack);

std::string result_of(const Arrived& arrived, std::string_view method) {
  const mailflow::Verdict& verdict = arrived.verdict();
  if (method == "spf")
    return verdict.mail_from ? std::string(to_string(verdict.mail_from->result)) : "";
  if (method == "arc") return std::string(to_string(verdict.arc->status));
  if (method == "dkim") return std::string(to_string(dkim::summarize(verdict.signatures)));
  return arrived.dmarc();
}

TEST_P(MessageEvaluation, GivesAnAcceptedResult) {
  const Arrived arrived = run();
  const boost::json::object& expect = GetParam().data().at("expect").as_object();
  for (const char* method : {"spf", "dkim", "arc", "dmarc"}) {
    if (!expect.contains(method)) continue;
    const std::vector<std::string> accepted = test::strings_of(expect.at(method));
    EXPECT_NE(std::ranges::find(accepted, result_of(arrived, method)), accepted.end())
        << method << '=' << result_of(arrived, method);
    EXPECT_NE(arrived.results().find(std::string(method) + "=" + result_of(arrived, method)),
              std::string::npos)
        << arrived.results();
  }
  if (const auto* policy = expect.if_contains("policy")) {
    const auto& published = arrived.verdict().dmarc->published_policy;
    ASSERT_TRUE(published);
    EXPECT_EQ(to_string(*published), policy->as_string());
  }
}

TEST_P(MessageEvaluation, IsTemporaryOrUnchangedWhenAQuestionFails) {
  sweep([](const Arrived& whole, const Arrived& swept, bool is_failure) {
    if (!is_failure) return;
    for (const std::string_view method : methods) {
      // A chain whose seal cannot be checked is broken; ARC has no word for what is temporary.
      const std::string_view failed = method == "arc" ? "fail" : "temperror";
      if (result_of(swept, method) != failed)
        EXPECT_EQ(result_of(swept, method), result_of(whole, method)) << method;
    }
    EXPECT_LE(severity(swept.outcome.action), severity(whole.outcome.action));
  });
}

TEST_P(MessageEvaluation, NeverPassesWhereAnAnswerIsMissing) {
  sweep([](const Arrived& whole, const Arrived& swept, bool) {
    for (const std::string_view method : methods)
      if (result_of(swept, method) == "pass") EXPECT_EQ(result_of(whole, method), "pass") << method;
  });
}

INSTANTIATE_TEST_SUITE_P(All, MessageEvaluation,
                         testing::ValuesIn(test::conformance_cases("message/evaluation.json")),
                         test::conformance_test_name);

/// True when the text is a name in the domain, or has one behind an "@".
bool is_in(std::string_view text, const std::string& domain) {
  const std::string_view name = text.substr(text.rfind('@') + 1);
  return name == domain || name.ends_with("." + domain);
}

/// Expects that nothing passes for the domain that the attack is about.
void expect_no_gain(const Arrived& arrived, const ConformanceCase& attack) {
  const boost::json::object& must_not = attack.data().at("expect").at("must_not").as_object();
  const std::string domain(must_not.at("dmarc_pass_for").as_string());
  if (arrived.dmarc() == "pass")
    EXPECT_FALSE(is_in(arrived.verdict().authorship.author_domain->text(), domain));
  EXPECT_EQ(count_fields(arrived.header, "Authentication-Results"), 1U)
      << "a field that claims our id is there besides ours";
  const auto field = authres::parse_field(arrived.results(), Limits{});
  ASSERT_TRUE(field) << arrived.results();
  for (const authres::MethodResult& result : field->results) {
    if (result.result != "pass") continue;
    for (const authres::Property& property : result.properties)
      EXPECT_FALSE(is_in(property.value, domain)) << arrived.results();
  }
}

TEST_P(MessageAttack, GainsNothing) { expect_no_gain(run(), GetParam()); }

TEST_P(MessageAttack, GainsNothingWhereAnAnswerIsMissing) {
  sweep([](const Arrived& whole, const Arrived& swept, bool) {
    expect_no_gain(swept, GetParam());
    for (const std::string_view method : methods)
      if (result_of(swept, method) == "pass") EXPECT_EQ(result_of(whole, method), "pass") << method;
  });
}

INSTANTIATE_TEST_SUITE_P(All, MessageAttack,
                         testing::ValuesIn(test::conformance_cases("message/attacks.json")),
                         test::conformance_test_name);

}  // namespace
}  // namespace countersign
