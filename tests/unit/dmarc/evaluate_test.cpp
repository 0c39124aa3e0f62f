// SPDX-License-Identifier: Apache-2.0
//
// Whole evaluations: the worked cases, the policy that follows, and what a failing DNS may do.

#include "countersign/dmarc/evaluate.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "countersign/dns/zone.hpp"
#include "tests/support/dkim.hpp"

namespace countersign::dmarc {
namespace {

using dns::AnswerStatus;
using dns::RecordType;
using sample::name;
using enum AssessmentPolicy;

Identifier spf(std::string_view domain, Authentication outcome = Authentication::pass) {
  return {Mechanism::spf, name(domain), outcome};
}
Identifier dkim(std::string_view domain, Authentication outcome = Authentication::pass) {
  return {Mechanism::dkim, name(domain), outcome};
}

class Evaluate : public testing::Test {
 protected:
  void publish(std::string_view domain, std::string_view rest) {
    zone_.add_txt("_dmarc." + std::string(domain), "v=DMARC1; " + std::string(rest));
  }
  void exists(std::string_view domain) { zone_.add(domain, RecordType::a, dns::Address{}); }

  Outcome run(std::string_view author, std::vector<Identifier> identifiers = {}) {
    return zone_.run(evaluate(name(author), std::move(identifiers), Limits{}));
  }

  dns::Zone zone_;
};

void expect_result(const Outcome& outcome, Result result, Reason reason) {
  EXPECT_EQ(to_string(outcome.result), to_string(result));
  EXPECT_EQ(name_of(outcome.reason), name_of(reason));
}

TEST_F(Evaluate, T1AlignsTwoNamesOfOneOrganization) {
  publish("example.com", "p=reject");
  publish("signing.example.com", "p=none");
  const Outcome outcome = run("example.com", {dkim("signing.example.com")});
  expect_result(outcome, Result::pass, Reason::aligned);
  EXPECT_EQ(outcome.discovery.walk.org_domain.text(), "example.com");
  EXPECT_EQ(outcome.identifiers.front().walk->org_domain.text(), "example.com");
  EXPECT_TRUE(outcome.is_aligned(Mechanism::dkim));
  EXPECT_FALSE(outcome.is_aligned(Mechanism::spf));
}

TEST_F(Evaluate, T2FindsThePolicyOfALongNameInEightQuestions) {
  publish("example.com", "p=reject; sp=quarantine; np=none");
  const std::string author = "a.b.c.d.e.f.g.h.i.j.k.example.com";
  const Outcome ghost = run(author, {dkim("example.com")});
  EXPECT_EQ(ghost.discovery.walk.steps.size(), 8u);
  expect_result(ghost, Result::pass, Reason::aligned);
  EXPECT_EQ(ghost.published_policy, none);
  EXPECT_EQ(ghost.policy_tag, PolicyTag::np);
  exists(author);
  EXPECT_EQ(run(author).published_policy, quarantine);
}

TEST_F(Evaluate, T3PartsTheCustomersOfAPublicSuffix) {
  publish("bank.example", "p=none; psd=y");
  publish("giant.bank.example", "p=reject");
  EXPECT_EQ(run("giant.bank.example", {spf("mail.giant.bank.example")}).result, Result::pass);
  const Outcome other = run("giant.bank.example", {spf("mail.mega.bank.example")});
  expect_result(other, Result::fail, Reason::not_aligned);
}

TEST_F(Evaluate, T4TakesThePolicyOfTheOrganization) {
  publish("mail.example.com", "p=none; sp=none");
  publish("example.com", "p=reject; sp=quarantine");
  const Outcome outcome = run("a.mail.example.com");
  EXPECT_EQ(outcome.discovery.walk.org_domain.text(), "example.com");
  EXPECT_EQ(outcome.policy_domain()->text(), "example.com");
  EXPECT_EQ(outcome.policy, quarantine);
}

TEST_F(Evaluate, T5TakesThePolicyAtPsdN) {
  publish("mail.example.com", "p=quarantine; psd=n");
  publish("example.com", "p=reject");
  const Outcome outcome = run("a.mail.example.com", {dkim("example.com")});
  EXPECT_EQ(outcome.discovery.walk.org_domain.text(), "mail.example.com");
  expect_result(outcome, Result::fail, Reason::not_aligned);
  EXPECT_EQ(outcome.policy, quarantine);
}

TEST_F(Evaluate, T6TakesThePolicyOfThePublicSuffix) {
  publish("com", "p=none; sp=quarantine; np=reject; psd=y");
  exists("a.mail.example.com");
  const Outcome outcome = run("a.mail.example.com", {dkim("example.com")});
  EXPECT_EQ(outcome.discovery.walk.org_domain.text(), "example.com");
  EXPECT_EQ(outcome.discovery.source, PolicySource::psd);
  EXPECT_EQ(outcome.result, Result::pass);
  EXPECT_EQ(outcome.policy, quarantine);
  EXPECT_EQ(run("b.mail.example.com").policy, reject);
}

TEST_F(Evaluate, T7IgnoresTheRecordInBetween) {
  publish("b.example.com", "p=reject");
  publish("com", "p=none; psd=y");
  const Outcome outcome = run("a.b.example.com", {dkim("c.example.com")});
  EXPECT_EQ(outcome.discovery.walk.org_domain.text(), "example.com");
  EXPECT_EQ(outcome.policy_domain()->text(), "com");
  EXPECT_EQ(outcome.policy, none);
  EXPECT_EQ(outcome.result, Result::pass);
}

TEST_F(Evaluate, T8TakesMailFromATopLevelDomain) {
  publish("com", "p=quarantine; sp=none; psd=y");
  const Outcome outcome = run("com", {dkim("example.com")});
  EXPECT_EQ(outcome.discovery.walk.org_domain.text(), "com");
  EXPECT_EQ(outcome.policy_tag, PolicyTag::p);
  EXPECT_EQ(outcome.policy, quarantine);
  expect_result(outcome, Result::fail, Reason::not_aligned);
}

TEST_F(Evaluate, T9TakesNoneOfTwoRecords) {
  publish("example.com", "p=reject");
  publish("example.com", "p=none");
  expect_result(run("example.com", {dkim("example.com")}), Result::none, Reason::several_records);
  publish("com", "p=quarantine");
  const Outcome outcome = run("example.com");
  EXPECT_EQ(outcome.policy_domain()->text(), "com");
  EXPECT_TRUE(has_top_level_org(outcome.discovery.walk));
}

TEST_F(Evaluate, T10AsksTheParentOfEightLabels) {
  publish("b.c.d.e.f.example.com", "p=reject");
  const Outcome outcome = run("a.b.c.d.e.f.example.com");
  EXPECT_EQ(outcome.policy, reject);
  EXPECT_EQ(outcome.policy_domain()->text(), "b.c.d.e.f.example.com");
}

TEST_F(Evaluate, T11TellsATopLevelDomainThatForgotPsdY) {
  publish("com", "p=reject");
  const Outcome outcome = run("example.com", {dkim("other.com")});
  EXPECT_EQ(outcome.result, Result::pass) << "the standard has it so";
  EXPECT_TRUE(has_top_level_org(outcome.discovery.walk));
}

TEST_F(Evaluate, T12TakesNpForANameThatDoesNotExist) {
  publish("example.com", "p=none; sp=none; np=reject");
  const Outcome ghost = run("nx.example.com");
  EXPECT_EQ(ghost.author_exists, false);
  EXPECT_EQ(ghost.policy, reject);
  exists("nx.example.com");
  EXPECT_EQ(run("nx.example.com").author_exists, true);
  EXPECT_EQ(run("nx.example.com").policy, none);
}

TEST_F(Evaluate, T13GoesOneStepLessInTestMode) {
  publish("example.com", "p=reject; t=y");
  const Outcome outcome = run("example.com");
  expect_result(outcome, Result::fail, Reason::nothing_authenticated);
  EXPECT_EQ(outcome.published_policy, reject);
  EXPECT_EQ(outcome.policy, quarantine);
  EXPECT_TRUE(outcome.is_test_mode());
  publish("a.example", "p=quarantine; t=y");
  EXPECT_EQ(run("a.example").policy, none);
  publish("b.example", "p=none; t=y");
  EXPECT_FALSE(run("b.example").is_test_mode());
}

TEST_F(Evaluate, T14ReadsABadPolicyAsNoneOnlyForThoseWhoMonitor) {
  publish("example.com", "p=reject; sp=bogus; rua=mailto:a@example.com");
  expect_result(run("sub.example.com"), Result::fail, Reason::nothing_authenticated);
  EXPECT_EQ(run("sub.example.com").policy, none);
  EXPECT_EQ(run("example.com").policy, none);
  publish("example.net", "p=reject; sp=bogus");
  const Outcome outcome = run("sub.example.net", {dkim("sub.example.net")});
  expect_result(outcome, Result::permerror, Reason::unusable_record);
  EXPECT_EQ(outcome.policy, std::nullopt);
}

TEST_F(Evaluate, GivesNoneWithoutARecord) {
  const Outcome outcome = run("example.com", {dkim("example.com")});
  expect_result(outcome, Result::none, Reason::no_record);
  EXPECT_EQ(outcome.record(), nullptr);
  EXPECT_EQ(outcome.policy_domain(), nullptr);
  EXPECT_EQ(outcome.policy, std::nullopt);
  EXPECT_FALSE(outcome.is_test_mode());
}

TEST_F(Evaluate, AsksForExistenceOnlyWhereItDecides) {
  publish("example.com", "p=reject; sp=none; np=none");
  EXPECT_EQ(run("nx.example.com").author_exists, std::nullopt);
  EXPECT_EQ(run("nx.example.com").policy_tag, PolicyTag::sp);
  EXPECT_EQ(run("example.com").author_exists, std::nullopt);
  // What exists below a name shows that the name does.
  zone_.add_name("x._dmarc.deep.example.com");
  EXPECT_EQ(run("deep.example.com").author_exists, true);
}

TEST_F(Evaluate, S43NeverFailsOnATemporaryErrorOfWhatWouldAlign) {
  publish("example.com", "p=reject");
  const auto temporary = Authentication::temperror;
  expect_result(run("example.com", {spf("example.com", temporary)}), Result::temperror,
                Reason::authentication_unknown);
  expect_result(run("example.com", {dkim("a.example.com", temporary)}), Result::temperror,
                Reason::authentication_unknown);
  expect_result(run("example.com", {dkim("example.net", temporary)}), Result::fail,
                Reason::nothing_authenticated);
  expect_result(run("example.com", {spf("example.com", temporary), dkim("example.com")}),
                Result::pass, Reason::aligned);
  expect_result(run("example.com", {spf("example.net"), dkim("example.net", temporary)}),
                Result::fail, Reason::not_aligned);
}

TEST_F(Evaluate, S43IsTemporaryWhereTheWalkFails) {
  publish("example.com", "p=reject; sp=none; np=reject");
  zone_.fail("_dmarc.a.example.com", RecordType::txt, AnswerStatus::timeout);
  expect_result(run("a.example.com"), Result::temperror, Reason::policy_unknown);
  expect_result(run("example.com", {dkim("a.example.com")}), Result::temperror,
                Reason::alignment_unknown);
  expect_result(run("example.com", {dkim("a.example.com"), spf("example.com")}), Result::pass,
                Reason::aligned);
  zone_.fail("b.example.com", RecordType::cname, AnswerStatus::servfail);
  zone_.fail("_dmarc.b.example.com", RecordType::txt, AnswerStatus::nxdomain);
  expect_result(run("b.example.com"), Result::temperror, Reason::existence_unknown);
  expect_result(run("b.example.com", {dkim("example.com")}), Result::pass, Reason::aligned);
}

// One question fails at a time: the result is temperror or what it was, never a pass that was not
// there, and never a fail with another policy.
TEST_F(Evaluate, S43SurvivesTheFailureOfAnyQuestion) {
  publish("example.com", "p=reject; sp=quarantine; np=none");
  publish("mail.example.com", "p=reject; adkim=s");
  publish("bank.example", "p=none; psd=y");
  exists("a.example.com");
  const std::vector<std::pair<std::string_view, std::vector<Identifier>>> cases = {
      {"example.com", {dkim("example.com")}},
      {"example.com", {dkim("x.y.example.com"), spf("example.net")}},
      {"a.example.com", {dkim("b.example.com")}},
      {"nx.example.com", {spf("com")}},
      {"mail.example.com", {dkim("example.com"), spf("a.mail.example.com")}},
      {"giant.bank.example", {dkim("mail.giant.bank.example"), spf("mega.bank.example")}},
      {"example.org", {dkim("example.org")}},
      {"a.b.c.d.e.f.g.h.i.example.com", {}},
  };
  for (const auto& [author, identifiers] : cases) {
    std::vector<dns::Question> asked;
    const Outcome whole =
        dns::run_with(evaluate(name(author), identifiers, {}), [&](const dns::Question& question) {
          asked.push_back(question);
          return zone_.answer(question);
        });
    for (const dns::Question& failing : asked) {
      for (const AnswerStatus status :
           {AnswerStatus::servfail, AnswerStatus::refused, AnswerStatus::timeout,
            AnswerStatus::malformed, AnswerStatus::bogus}) {
        const Outcome swept = dns::run_with(
            evaluate(name(author), identifiers, {}), [&](const dns::Question& question) {
              return question == failing ? dns::Answer{.status = status} : zone_.answer(question);
            });
        if (swept.result != Result::temperror)
          EXPECT_EQ(swept.result, whole.result) << author << ": " << failing.name;
        if (swept.result == Result::fail)
          EXPECT_EQ(swept.policy, whole.policy) << author << ": " << failing.name;
      }
    }
  }
}

TEST_F(Evaluate, AsksEveryQuestionOnceAndAllOfAWalkTogether) {
  publish("example.com", "p=reject; sp=none; np=reject");
  dns::Asking<Outcome> asking = evaluate(
      name("x.y.example.com"), {dkim("a.y.example.com"), spf("b.y.example.com")}, Limits{});
  const auto first = asking.take_questions();
  EXPECT_EQ(first.size(), 4u);
  for (const auto& open : first) asking.answer(open.id, zone_.answer(open.question));
  const auto second = asking.take_questions();
  EXPECT_EQ(second.size(), 3u) << "two walks, and whether the author exists";
  for (const auto& open : second) asking.answer(open.id, zone_.answer(open.question));
  ASSERT_TRUE(asking.done());
  EXPECT_EQ(asking.take().result, Result::pass);
}

TEST(EvaluationWords, AreThoseOfTheStandard) {
  EXPECT_EQ(to_string(Result::none), "none");
  EXPECT_EQ(to_string(Result::pass), "pass");
  EXPECT_EQ(to_string(Result::fail), "fail");
  EXPECT_EQ(to_string(Result::temperror), "temperror");
  EXPECT_EQ(to_string(Result::permerror), "permerror");
  EXPECT_EQ(to_string(PolicyTag::p), "p");
  EXPECT_EQ(to_string(PolicyTag::sp), "sp");
  EXPECT_EQ(to_string(PolicyTag::np), "np");
  for (int i = 0; i <= static_cast<int>(Reason::existence_unknown); ++i) {
    const auto reason = static_cast<Reason>(i);
    EXPECT_THAT(to_string(reason), testing::HasSubstr("(RFC 9989 §")) << i;
    EXPECT_NE(name_of(reason), "unknown") << i;
  }
}

// --- by a list ---

/// Organizations have two labels.
DomainName org_of_two(const DomainName& name) { return name.ancestor(2); }

TEST_F(Evaluate, ByAListAsksForNoOrganization) {
  publish("example.com", "p=reject; sp=quarantine");
  publish("mail.example.com", "p=none; psd=n");
  const auto run_listed = [this](std::string_view author, std::vector<Identifier> identifiers) {
    return zone_.run(evaluate(name(author), std::move(identifiers), Limits{}, org_of_two));
  };
  const Outcome passed = run_listed("a.example.com", {dkim("x.mail.example.com")});
  expect_result(passed, Result::pass, Reason::aligned);
  EXPECT_EQ(passed.discovery.method(), DiscoveryMethod::psl);
  EXPECT_FALSE(passed.identifiers[0].walk);
  // The same in DNS: mail.example.com is an organization of its own.
  expect_result(run("a.example.com", {dkim("x.mail.example.com")}), Result::fail,
                Reason::not_aligned);

  const Outcome failed = run_listed("a.example.com", {spf("example.org"), dkim("example.net")});
  expect_result(failed, Result::fail, Reason::not_aligned);
  EXPECT_EQ(failed.policy_tag, PolicyTag::sp);
  EXPECT_EQ(failed.policy, quarantine);
  expect_result(run_listed("a.example.com", {spf("example.com", Authentication::temperror)}),
                Result::temperror, Reason::authentication_unknown);
  expect_result(run_listed("other.org", {spf("other.org")}), Result::none, Reason::no_record);
}

TEST_F(Evaluate, ByAListHeedsStrictAlignment) {
  publish("example.com", "p=reject; aspf=s; adkim=r");
  const auto result = [this](Identifier identifier) {
    return zone_.run(evaluate(name("example.com"), {std::move(identifier)}, Limits{}, org_of_two))
        .result;
  };
  EXPECT_EQ(result(spf("a.example.com")), Result::fail);
  EXPECT_EQ(result(spf("example.com")), Result::pass);
  EXPECT_EQ(result(dkim("a.example.com")), Result::pass);
}

}  // namespace
}  // namespace countersign::dmarc
