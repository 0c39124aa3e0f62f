// SPDX-License-Identifier: Apache-2.0
//
// Messages from outside through the whole filter, with a zone for DNS.

#include "countersign/mailflow/flow.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "countersign/authres/field.hpp"
#include "countersign/mailflow/results_field.hpp"
#include "tests/support/judging.hpp"
#include "tests/support/signing.hpp"

namespace countersign::mailflow {
namespace {

using test::Arrival;
using test::arrive;
using test::Arrived;
using test::judging_policy;
using testing::HasSubstr;
using testing::Not;

// example.com asks for reject and lets 192.0.2.1 send; quarantine.example asks for less.
constexpr std::string_view zone = R"(
example.com. 60 IN TXT "v=spf1 ip4:192.0.2.1 -all"
_dmarc.example.com. 60 IN TXT "v=DMARC1; p=reject"
_dmarc.careful.example. 60 IN TXT "v=DMARC1; p=none; np=reject"
mail.example.com. 60 IN TXT "v=spf1 ip4:192.0.2.1 -all"
quarantine.example. 60 IN TXT "v=spf1 -all"
_dmarc.quarantine.example. 60 IN TXT "v=DMARC1; p=quarantine"
testing.example. 60 IN TXT "v=spf1 -all"
_dmarc.testing.example. 60 IN TXT "v=DMARC1; p=reject; t=y"
forwarder.example. 60 IN TXT "v=spf1 ip4:198.51.100.7 -all"
nothing.example. 60 IN TXT "no record of ours"
)";

std::string mail_by(const std::string& author, const std::string& more = "") {
  return "From: " + author + "\r\n" + more + "To: bob@example.org\r\nSubject: x\r\n\r\nHi\r\n";
}

Arrival by(const std::string& author, const std::string& more = "") {
  return {.mail_from = author, .message = mail_by(author, more)};
}

TEST(Flow, PassesWhatItsOwnerLetsSend) {
  const Arrived arrived = arrive(by("alice@example.com"), judging_policy(), zone);
  EXPECT_EQ(arrived.dmarc(), "pass");
  EXPECT_EQ(arrived.outcome.action, Action::accept);
  EXPECT_EQ(arrived.results(),
            " mx.example.org; spf=pass smtp.helo=mail.example.com;"
            " spf=pass smtp.mailfrom=alice@example.com; dkim=none;"
            " dmarc=pass policy.dmarc=reject header.from=example.com");
}

TEST(Flow, S12TheNullPathIsTheHeloIdentity) {
  Arrival arrival = by("alice@example.com");
  arrival.mail_from.clear();
  const Arrived arrived = arrive(arrival, judging_policy(), zone);
  EXPECT_EQ(arrived.dmarc(), "pass");
  EXPECT_THAT(arrived.results(), HasSubstr(" spf=pass smtp.helo=mail.example.com;"));
  EXPECT_FALSE(arrived.verdict().helo);
}

TEST(Flow, S12APassOfHeloAloneGivesNothing) {
  Arrival arrival = by("alice@example.com");
  arrival.mail_from = "x@nothing.example";
  const Arrived arrived = arrive(arrival, judging_policy(), zone);
  EXPECT_EQ(arrived.verdict().helo->result, spf::Result::pass);
  EXPECT_EQ(arrived.dmarc(), "fail");
}

TEST(Flow, S20NothingThatASenderChoseLooksLikeAResult) {
  Arrival arrival = by("alice@example.com");
  arrival.mail_from = "x\";dmarc=pass header.from=example.com;a=\"@example.com";
  arrival.helo = "x; dmarc=pass header.from=example.com";
  const Arrived arrived = arrive(arrival, judging_policy(), zone);
  const auto field = authres::parse_field(arrived.results(), Limits{});
  ASSERT_TRUE(field) << arrived.results();
  for (const authres::MethodResult& result : field->results)
    EXPECT_FALSE(result.method == "dmarc" && result.result == "pass") << arrived.results();
}

TEST(Flow, S21RemovesForgedResults) {
  const std::string forged =
      "Authentication-Results: mx.example.org; dmarc=pass\r\n"
      "authentication-results: MX.Example.Org. 1; dmarc=pass\r\n"
      "Authentication-Results: other.example; dmarc=pass\r\n"
      "Authentication-Results:\r\n (x) \"mx.example.org\"; dmarc=pass\r\n"
      "Authentication-Results: mx.example.org/4QUEUE; dmarc=pass\r\n"
      "BIMI-Indicator: x\r\nBIMI-Location: y\r\n";
  const Arrived arrived = arrive(by("eve@example.com", forged), judging_policy(), zone);
  EXPECT_EQ(count_fields(arrived.header, "Authentication-Results"), 2U);
  EXPECT_EQ(count_fields(arrived.header, "BIMI-Indicator"), 0U);
  EXPECT_EQ(count_fields(arrived.header, "BIMI-Location"), 0U);
  EXPECT_EQ(arrived.judgement().removed_fields, 6U);
  EXPECT_THAT(std::string(find_field(arrived.header, "Authentication-Results")->value()),
              HasSubstr("mx.example.org"));
}

TEST(Flow, WritesTheQueueIdAndReceivedSpfOnDemand) {
  Policy policy = judging_policy();
  policy.judging.results.received_spf = true;
  policy.judging.results.comments = true;
  const Arrived arrived = arrive(by("alice@example.com"), policy, zone);
  EXPECT_EQ(arrived.header[1].name(), "Received-SPF");
  EXPECT_THAT(arrived.results(), HasSubstr("spf=pass (matched) smtp"));

  Envelope envelope;
  envelope.macros["i"] = "4QUEUE";
  EXPECT_EQ(authserv_id_for({.authserv_id = "mx", .authserv_id_with_job_id = true}, envelope),
            "mx/4QUEUE");
  envelope.macros["i"] =
      "b\xC3\xA4"
      "d";
  EXPECT_EQ(authserv_id_for({.authserv_id = "mx", .authserv_id_with_job_id = true}, envelope),
            "mx");
}

TEST(Flow, S57WithoutAClientAddressThereIsNoSpf) {
  Arrival arrival = by("alice@example.com");
  arrival.client_ip.clear();
  arrival.client_host = "localhost";
  const Arrived arrived = arrive(arrival, judging_policy(), zone);
  EXPECT_FALSE(arrived.verdict().mail_from);
  EXPECT_EQ(arrived.dmarc(), "fail");
  EXPECT_THAT(arrived.results(), Not(HasSubstr("spf=")));
}

TEST(Flow, S13SaysTheDomainThatWasChecked) {
  Arrival arrival = by("alice@example.com");
  arrival.mail_from = "@route.example:alice@example.com";
  const Arrived arrived = arrive(arrival, judging_policy(), zone);
  EXPECT_THAT(arrived.results(), HasSubstr("smtp.mailfrom=example.com;"));
}

// --- what follows ---

struct Done {
  Action action;
  std::string applied;
  std::string overridden;
};

Done done(const Arrived& arrived) {
  const Disposition& disposition = arrived.judgement().disposition;
  return {
      arrived.outcome.action, std::string(to_string(disposition.applied)),
      disposition.overrides.empty() ? "" : std::string(to_string(disposition.overrides[0].reason))};
}

Arrival forged(const std::string& author, const std::string& more = "") {
  Arrival arrival = by(author, more);
  arrival.client_ip = "203.0.113.66";
  arrival.client_host = "unknown";
  arrival.helo = "x.nothing.example";
  return arrival;
}

TEST(Disposition, S44APolicyAloneRejectsNothing) {
  Arrival arrival = forged("eve@example.com");
  arrival.mail_from = "eve@nothing.example";
  const Done found = done(arrive(arrival, judging_policy(), zone));
  EXPECT_EQ(found.action, Action::quarantine);
  EXPECT_EQ(found.applied, "quarantine");
  EXPECT_EQ(found.overridden, "local_policy");
}

TEST(Disposition, RejectsWhenSomethingElseSpeaksAgainstItToo) {
  const Arrived arrived = arrive(forged("eve@example.com"), judging_policy(), zone);
  EXPECT_EQ(done(arrived).action, Action::reject);
  EXPECT_EQ(done(arrived).applied, "reject");
  EXPECT_EQ(arrived.outcome.action_codes, "550 5.7.26");
  EXPECT_THAT(arrived.outcome.action_text, HasSubstr("DMARC"));
  EXPECT_THAT(arrived.outcome.action_text, HasSubstr("example.com"));
}

TEST(Disposition, RejectsForAnAuthorWhoDoesNotExist) {
  Arrival arrival = forged("eve@no-such-host.careful.example");
  arrival.mail_from = "eve@nothing.example";
  EXPECT_EQ(done(arrive(arrival, judging_policy(), zone)).action, Action::reject);
}

TEST(Disposition, ListsAndSignaturesOfTheAuthorSoftenReject) {
  for (const char* more :
       {"List-Id: <l.example>\r\n",
        "DKIM-Signature: v=1; a=rsa-sha256; d=example.com; s=x; h=from; bh=eA==; b=eA==\r\n"})
    EXPECT_EQ(done(arrive(forged("eve@example.com", more), judging_policy(), zone)).action,
              Action::quarantine)
        << more;
}

TEST(Disposition, FollowsTheOperator) {
  Policy policy = judging_policy();
  policy.judging.actions.dmarc_reject = RejectPolicy::reject;
  policy.judging.help = "see https://help.example/%s";
  Arrival arrival = forged("eve@example.com");
  arrival.mail_from = "eve@nothing.example";
  const Arrived arrived = arrive(arrival, policy, zone);
  EXPECT_EQ(arrived.outcome.action, Action::reject);
  EXPECT_THAT(arrived.outcome.action_text, HasSubstr("see https://help.example/example.com"));

  policy.judging.actions.dmarc_reject = RejectPolicy::quarantine;
  EXPECT_EQ(arrive(forged("eve@example.com"), policy, zone).outcome.action, Action::quarantine);
}

TEST(Disposition, CarriesOutWhatIsAsked) {
  EXPECT_EQ(done(arrive(forged("eve@quarantine.example"), judging_policy(), zone)).action,
            Action::quarantine);
  const Done testing_domain = done(arrive(forged("eve@testing.example"), judging_policy(), zone));
  EXPECT_EQ(testing_domain.action, Action::quarantine);
  EXPECT_EQ(testing_domain.overridden, "policy_test_mode");
  EXPECT_EQ(done(arrive(forged("eve@nothing.example"), judging_policy(), zone)).action,
            Action::accept);
}

TEST(Disposition, S35OnlyAnAuthenticatedForwarderIsTrusted) {
  Policy policy = judging_policy();
  policy.judging.trust.forwarders.entries.add("forwarder.example", {"list", 1});
  Arrival arrival = forged("eve@example.com");
  arrival.mail_from = "srs@forwarder.example";
  EXPECT_NE(arrive(arrival, policy, zone).outcome.action, Action::accept) << "it only says so";
  arrival.client_ip = "198.51.100.7";
  const Done found = done(arrive(arrival, policy, zone));
  EXPECT_EQ(found.action, Action::accept);
  EXPECT_EQ(found.applied, "none");
  EXPECT_EQ(found.overridden, "trusted_forwarder");
}

TEST(Disposition, TrustedNetworksAndAuthorsAreLocalPolicy) {
  Policy policy = judging_policy();
  policy.judging.trust.networks.add("203.0.113.0/24", {"list", 1});
  EXPECT_EQ(done(arrive(forged("eve@example.com"), policy, zone)).overridden, "local_policy");
  policy = judging_policy();
  policy.judging.trust.author_domains.entries.add("example.com", {"list", 1});
  const Arrived arrived = arrive(forged("eve@example.com"), policy, zone);
  EXPECT_EQ(done(arrived).action, Action::accept);
  EXPECT_EQ(arrived.dmarc(), "fail") << "the result is told all the same";
}

TEST(Disposition, S43ADnsFailureRejectsNothing) {
  Policy policy = judging_policy();
  policy.judging.actions.dmarc_reject = RejectPolicy::reject;
  const auto failing = [](const dns::Question&) {
    return dns::Answer{.status = dns::AnswerStatus::servfail};
  };
  EXPECT_EQ(arrive(forged("eve@example.com"), policy, failing).outcome.action, Action::accept);
  policy.judging.actions.dmarc_temperror = Action::tempfail;
  const Arrived arrived = arrive(forged("eve@example.com"), policy, failing);
  EXPECT_EQ(arrived.dmarc(), "temperror");
  EXPECT_EQ(arrived.outcome.action, Action::tempfail);
  EXPECT_EQ(arrived.outcome.action_codes, "451 4.7.26");
}

TEST(Disposition, AmbiguousMailNeverPassesAndIsPutAside) {
  const Arrived arrived =
      arrive(by("alice@example.com", "From: eve@example.net\r\n"), judging_policy(), zone);
  EXPECT_EQ(arrived.dmarc(), "permerror");
  EXPECT_EQ(arrived.outcome.action, Action::quarantine);
  EXPECT_THAT(arrived.results(), HasSubstr("dmarc=permerror reason=unknown_author"));
  EXPECT_THAT(arrived.results(), Not(HasSubstr("header.from")));
  for (const Action wanted : {Action::accept, Action::reject}) {
    Policy policy = judging_policy();
    policy.judging.actions.ambiguous = wanted;
    EXPECT_EQ(
        arrive(by("alice@example.com", "From : e@example.net\r\n"), policy, zone).outcome.action,
        wanted);
  }
}

TEST(Disposition, ActsOnSpfOnlyWhereDmarcDoesNotPass) {
  Policy policy = judging_policy();
  policy.judging.actions.spf_fail = Action::reject;
  Arrival arrival = forged("bob@nothing.example");
  arrival.mail_from = "bob@example.com";
  const Arrived arrived = arrive(arrival, policy, zone);
  EXPECT_EQ(arrived.outcome.action, Action::reject);
  EXPECT_EQ(arrived.outcome.action_codes, "550 5.7.23");
}

TEST(Disposition, ActsOnMissingAndBadSignatures) {
  Policy policy = judging_policy();
  policy.judging.actions.no_signature = Action::reject;
  EXPECT_EQ(arrive(by("alice@example.com"), policy, zone).outcome.action_codes, "550 5.7.20");
  policy = judging_policy();
  policy.judging.actions.unauthenticated = Action::tempfail;
  EXPECT_EQ(arrive(forged("eve@nothing.example"), policy, zone).outcome.action, Action::tempfail);
  EXPECT_EQ(arrive(by("alice@example.com"), policy, zone).outcome.action, Action::accept);
}

TEST(Disposition, AShadowChangesNothing) {
  Policy policy = judging_policy();
  policy.judging.shadow = true;
  const Arrived arrived =
      arrive(forged("eve@example.com", "Authentication-Results: mx.example.org; dmarc=pass\r\n"),
             policy, zone);
  EXPECT_EQ(arrived.outcome.action, Action::accept);
  EXPECT_TRUE(arrived.outcome.edits.empty());
  EXPECT_EQ(arrived.judgement().disposition.action, Action::reject);
  EXPECT_THAT(to_string(arrived.outcome, false), HasSubstr("nothing is changed"));
}

TEST(Flow, LeavesAloneWhatIsNotToBeJudged) {
  Policy policy = judging_policy();
  policy.judging.unjudged.add("192.0.2.1", {"list", 1});
  Envelope envelope;
  envelope.client_ip = IpAddress::parse("192.0.2.1");
  Flow flow(std::make_shared<const Policy>(policy), envelope, test::header_from("a@example.com"));
  EXPECT_FALSE(flow.is_judged());
  EXPECT_FALSE(flow.wants_body());
  EXPECT_EQ(std::move(flow).finish_unjudged(test::signing_time).judgement, nullptr);
}

TEST(Flow, AsksEachQuestionOnceAndMostAtTheSameTime) {
  Arrival arrival = by("alice@example.com");
  std::vector<dns::Question> asked;
  const auto parsed = dns::Zone::parse(zone, Limits{});
  const Arrived arrived = arrive(arrival, judging_policy(), [&](const dns::Question& question) {
    asked.push_back(question);
    return parsed->answer(question);
  });
  EXPECT_EQ(arrived.dmarc(), "pass");
  for (const dns::Question& one : asked) EXPECT_EQ(std::ranges::count(asked, one), 1) << one.name;
}

}  // namespace
}  // namespace countersign::mailflow
