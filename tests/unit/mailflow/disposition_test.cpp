// SPDX-License-Identifier: Apache-2.0
//
// What is done with messages from outside, each policy and each rule against a forger.

#include "countersign/mailflow/disposition.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/judging.hpp"

namespace countersign::mailflow {
namespace {

using test::Arrival;
using test::arrive;
using test::Arrived;
using test::by;
using test::judging_policy;
using testing::HasSubstr;
using testing::Not;

constexpr std::string_view zone = test::judging_zone;

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
  EXPECT_EQ(arrived.outcome.action_codes, "451 4.4.3");
}

// RFC 6376 §6.3
TEST(Disposition, S43ASignatureWhoseKeyCannotBeHadComesAgain) {
  Policy policy = judging_policy();
  policy.judging.actions.dns_error = Action::tempfail;
  const auto failing = [](const dns::Question&) {
    return dns::Answer{.status = dns::AnswerStatus::servfail};
  };
  const Arrival arrival = by("alice@example.com",
                             "DKIM-Signature: v=1; a=rsa-sha256; d=example.com; s=x; h=from; l=0; "
                             "bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=eA==\r\n");
  EXPECT_EQ(arrive(arrival, policy, failing).outcome.action_codes, "451 4.7.5");
}

TEST(Disposition, ARecordThatCannotBeUsedMayBeRefused) {
  Policy policy = judging_policy();
  policy.judging.actions.dmarc_permerror = Action::reject;
  const std::string unusable =
      std::string(zone) + "\n_dmarc.unusable.example. TXT \"v=DMARC1; p=all\"\n";
  const Arrived arrived = arrive(forged("eve@unusable.example"), policy, unusable);
  EXPECT_EQ(arrived.dmarc(), "permerror");
  EXPECT_EQ(arrived.outcome.action_codes, "550 5.7.1");
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

TEST(Disposition, ASignatureByAnUnknownAlgorithmIsNoSignature) {
  Policy policy = judging_policy();
  policy.judging.actions.bad_signature = Action::reject;
  const Arrival arrival = by("alice@example.com",
                             "DKIM-Signature: v=1; a=new-sha512; d=example.com; s=x; h=from; "
                             "bh=eA==; b=eA==\r\n");
  EXPECT_EQ(arrive(arrival, policy, zone).outcome.action, Action::accept);
  policy.judging.actions.no_signature = Action::quarantine;
  EXPECT_EQ(arrive(arrival, policy, zone).outcome.action, Action::quarantine);
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

}  // namespace
}  // namespace countersign::mailflow
