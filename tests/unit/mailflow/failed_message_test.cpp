// SPDX-License-Identifier: Apache-2.0
//
// Judged messages as failures to be told: whole messages through the filter, and what is told of
// them, or why nothing is.

#include "countersign/mailflow/failed_message.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "countersign/mailflow/judgement.hpp"
#include "countersign/message/splitter.hpp"
#include "tests/support/dkim.hpp"
#include "tests/support/judging.hpp"

namespace countersign::mailflow {
namespace {

using report::DeliveryResult;
using report::Privacy;
using test::Arrival;
using test::by;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

constexpr std::string_view zone = R"(
example.com. 60 IN TXT "v=spf1 ip4:192.0.2.1 -all"
mail.example.com. 60 IN TXT "v=spf1 -all"
_dmarc.example.com. 60 IN TXT "v=DMARC1; p=reject; fo=1; ruf=mailto:ruf@example.com"
_dmarc.none.example. 60 IN TXT "v=DMARC1; p=none; fo=1; ruf=mailto:ruf@none.example"
dkim.example. 60 IN TXT "v=spf1 ip4:192.0.2.1 -all"
_dmarc.dkim.example. 60 IN TXT "v=DMARC1; p=none; fo=d; ruf=mailto:ruf@dkim.example"
_dmarc.quiet.example. 60 IN TXT "v=DMARC1; p=reject; rua=mailto:rua@quiet.example"
_dmarc.one.example. 60 IN TXT "v=DMARC1; p=reject; fo=1; ruf=mailto:ruf@one.example"
one.example. 60 IN TXT "v=spf1 ip4:192.0.2.1 -all"
_dmarc.shop. 60 IN TXT "v=DMARC1; p=none; fo=1; ruf=mailto:ruf@nic.shop"
_dmarc.own.shop. 60 IN TXT "v=DMARC1; p=none; fo=1; ruf=mailto:ruf@own.shop"
_dmarc.bank. 60 IN TXT "v=DMARC1; p=reject; psd=y; fo=1; ruf=mailto:ruf@nic.bank"
nothing.example. 60 IN TXT "no record of ours"
)";

Policy telling_policy() {
  Policy policy = test::judging_policy();
  policy.judging.failures.usual = Privacy::redacted;
  return policy;
}

struct Case {
  Arrival arrival;
  Envelope envelope;
  Policy policy = telling_policy();
};

/// A message in the name of that author, from somewhere else.
Case forged(const std::string& author, const std::string& more = "") {
  Case one{.arrival = by(author, more), .envelope = {}};
  one.arrival.client_ip = "203.0.113.66";
  one.arrival.mail_from = "eve@nothing.example";
  one.envelope.rcpt_to = {"bob@example.org"};
  return one;
}

std::shared_ptr<const FailureToReport> told(Case one, const test::AnswerOf& answer_of) {
  const auto arrived = test::arrive(one.arrival, one.policy, answer_of);
  one.envelope.client_ip = IpAddress::parse(one.arrival.client_ip);
  one.envelope.mail_from = one.arrival.mail_from;
  const auto message = split_message(one.arrival.message, one.policy.limits);
  return failure_of(arrived.judgement(), one.envelope, message->header, one.policy.judging,
                    one.arrival.now);
}

std::shared_ptr<const FailureToReport> told(const Case& one) {
  const auto parsed = dns::Zone::parse(zone, Limits{});
  EXPECT_TRUE(parsed);
  return told(one, [&](const dns::Question& question) { return parsed->answer(question); });
}

/// A message that carries a signature of that domain, which nobody has a key of.
Case signed_by(const std::string& author, const std::string& sdid) {
  dkim::SigningIdentity identity = sample::identity(sample::ed25519_key());
  identity.sdid = sample::name(sdid);
  const Message message = sample::signed_message(
      sample::message("From: " + author + "\nTo: b@example.net\nSubject: x\n\nHi\n"), {identity});
  Case one = forged(author);
  one.arrival.message.clear();
  for (const HeaderField& field : message.header)
    one.arrival.message += std::string(field.raw()) + "\r\n";
  one.arrival.message += "\r\n" + message.body;
  one.arrival.now = sample::signing_time;
  return one;
}

/// The same where that domain does publish the key.
std::shared_ptr<const FailureToReport> told_with_key(const Case& one, const std::string& sdid) {
  const auto parsed = dns::Zone::parse(std::string(zone) + "ed._domainkey." + sdid + ". TXT \"" +
                                           sample::key_record(sample::ed25519_key()) + "\"\n",
                                       Limits{});
  EXPECT_TRUE(parsed);
  return told(one, [&](const dns::Question& question) { return parsed->answer(question); });
}

/// Good mail of one.example through a relay: DKIM passes, SPF does not.
Case relayed() {
  Case one = signed_by("alice@one.example", "one.example");
  one.arrival.mail_from = "alice@one.example";
  return one;
}

TEST(FailedMessage, SaysAllThatIsKnownOfAForgery) {
  Case one = forged("alice@news.example.com");
  one.arrival.mail_from = "alice@mail.example.com";
  one.envelope.macros["client_port"] = "4711";
  const auto failure = told(one);
  ASSERT_TRUE(failure);
  const report::FailedMessage& message = failure->message;
  EXPECT_EQ(message.policy_domain.text(), "example.com");
  EXPECT_EQ(message.author_domain.text(), "news.example.com");
  EXPECT_EQ(message.result, dmarc::Result::fail);
  EXPECT_FALSE(message.dkim_aligned || message.spf_aligned);
  EXPECT_THAT(message.signatures, SizeIs(0));
  ASSERT_TRUE(message.spf);
  EXPECT_EQ(message.spf->domain.text(), "mail.example.com");
  EXPECT_EQ(message.spf->result, spf::Result::fail);
  EXPECT_EQ(message.spf->record, "v=spf1 -all");
  EXPECT_TRUE(message.spf->is_aligned);
  EXPECT_EQ(message.source_ip->to_string(), "203.0.113.66");
  EXPECT_EQ(message.source_port, 4711);
  EXPECT_EQ(message.mail_from, "alice@mail.example.com");
  EXPECT_EQ(message.arrival, one.arrival.now);
  EXPECT_THAT(message.authentication_results, testing::StartsWith("mx.example.org;"));
  EXPECT_THAT(message.authentication_results, HasSubstr("dmarc=fail"));
  EXPECT_THAT(message.authentication_results, testing::Not(HasSubstr("spf=")))
      << "the results of one method alone: RFC 6591 §3.1";
  EXPECT_THAT(message.header, SizeIs(3));
  EXPECT_THAT(failure->ruf, ElementsAre("mailto:ruf@example.com"));
  EXPECT_EQ(failure->privacy, Privacy::redacted);
}

TEST(FailedMessage, LeavesTheFlowWithTheOutcome) {
  const Case one = forged("alice@example.com");
  EXPECT_TRUE(test::arrive(one.arrival, one.policy, zone).outcome.failure);
  EXPECT_FALSE(test::arrive(one.arrival, test::judging_policy(), zone).outcome.failure);
}

TEST(FailedMessage, TellsBrokenSignaturesOfTheOrganization) {
  const auto own = told(signed_by("alice@news.example.com", "mail.example.com"));
  ASSERT_TRUE(own);
  ASSERT_THAT(own->message.signatures, SizeIs(1));
  EXPECT_TRUE(own->message.signatures.front().is_aligned);
  EXPECT_EQ(own->message.signatures.front().sdid.text(), "mail.example.com");
  EXPECT_EQ(own->message.signatures.front().selector.text(), "ed");
  EXPECT_NE(own->message.signatures.front().result, dkim::Result::pass);
  const auto foreign = told(signed_by("alice@news.example.com", "other.example"));
  ASSERT_TRUE(foreign);
  EXPECT_FALSE(foreign->message.signatures.at(0).is_aligned);
}

TEST(FailedMessage, FindsTheOrganizationByAListWhereDmarcDoes) {
  Case one = signed_by("alice@news.example.com", "mail.example.com");
  one.policy.judging.org_domain_of = [](const DomainName& name) { return name; };
  EXPECT_FALSE(told(one)) << "by that list nobody has a policy";
  one = signed_by("alice@example.com", "mail.example.com");
  one.policy.judging.org_domain_of = [](const DomainName& name) { return name; };
  const auto failure = told(one);
  ASSERT_TRUE(failure);
  EXPECT_FALSE(failure->message.signatures.at(0).is_aligned);
}

TEST(FailedMessage, IsToldWhenOneMechanismFailedAndFoAsksForThat) {
  Case one = forged("alice@example.com");
  one.arrival.client_ip = "192.0.2.1";
  one.arrival.mail_from = "alice@example.com";
  const auto failure = told(one);
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->message.result, dmarc::Result::pass);
  EXPECT_EQ(identity_alignment(failure->message), "dkim");
  EXPECT_EQ(failure->message.delivery, DeliveryResult::delivered);
  one = signed_by("alice@dkim.example", "dkim.example");
  one.arrival.client_ip = "192.0.2.1";
  one.arrival.mail_from = "alice@dkim.example";
  ASSERT_TRUE(told(one));
  EXPECT_THAT(told(one)->message.authentication_results, HasSubstr("dmarc=pass"))
      << "DKIM gave no aligned pass, so DMARC is what is told of";
  one.arrival.message = by("alice@dkim.example").message;
  EXPECT_FALSE(told(one)) << "there is no signature that failed";
}

TEST(FailedMessage, TellsOfAFurtherSignatureWhereAllElsePassed) {
  Case one = signed_by("alice@dkim.example", "dkim.example");
  one.arrival.client_ip = "192.0.2.1";
  one.arrival.mail_from = "alice@dkim.example";
  one.arrival.message =
      "DKIM-Signature: v=1; a=ed25519-sha256; d=list.example; s=l; h=from; bh=AAAA; b=AAAA\r\n" +
      one.arrival.message;
  const auto parsed = dns::Zone::parse(std::string(zone) + "ed._domainkey.dkim.example. TXT \"" +
                                           sample::key_record(sample::ed25519_key()) + "\"\n",
                                       Limits{});
  ASSERT_TRUE(parsed);
  const auto failure =
      told(one, [&](const dns::Question& question) { return parsed->answer(question); });
  ASSERT_TRUE(failure);
  EXPECT_TRUE(failure->message.dkim_aligned && failure->message.spf_aligned);
  EXPECT_EQ(failure->message.signatures.front().reason, dkim::Reason::body_hash_mismatch);
  EXPECT_THAT(failure->message.authentication_results,
              HasSubstr("dkim=fail reason=body_hash_mismatch"));
  for (const char* other : {"pass", "dmarc", "spf"})
    EXPECT_THAT(failure->message.authentication_results, testing::Not(HasSubstr(other)));
}

TEST(FailedMessage, ACheckThatWasNotMadeHasNotFailed) {
  Case one = relayed();
  const auto failure = told_with_key(one, "one.example");
  ASSERT_TRUE(failure);
  EXPECT_EQ(identity_alignment(failure->message), "spf");
  one.policy.judging.spf = false;
  EXPECT_FALSE(told_with_key(one, "one.example"));
  const auto unsigned_one = told(one);
  ASSERT_TRUE(unsigned_one) << "nobody has the key now";
  EXPECT_EQ(identity_alignment(unsigned_one->message), "dkim");
}

TEST(FailedMessage, S19APassThatDoesNotCountIsNoFailure) {
  Case one = relayed();
  one.arrival.client_ip = "192.0.2.1";
  one.policy.judging.spf_shared.add("192.0.2.1", {});
  EXPECT_FALSE(told_with_key(one, "one.example"));
  ASSERT_TRUE(told(one));
  EXPECT_EQ(identity_alignment(told(one)->message), "dkim");
  one.arrival.mail_from = "eve@example.com";
  ASSERT_TRUE(told_with_key(one, "one.example")) << "it passed for another organization";
  one = relayed();
  one.policy.judging.spf_shared.add("203.0.113.66", {});
  ASSERT_TRUE(told_with_key(one, "one.example")) << "a failure is one wherever it comes from";
}

TEST(FailedMessage, NothingIsToldOfRelaysOfOurs) {
  Case one = forged("alice@example.com");
  ASSERT_TRUE(told(one));
  one.policy.judging.spf_skipped.add("203.0.113.66", {});
  EXPECT_FALSE(told(one)) << "the address would be that of our relay";
}

TEST(FailedMessage, S43AMechanismThatDnsDidNotAnswerForHasNotFailed) {
  const auto parsed = dns::Zone::parse(zone, Limits{});
  const auto told_without = [&parsed](const Case& one, std::string_view name) {
    return told(one, [&](const dns::Question& question) {
      if (question.name == name) return dns::Answer{.status = dns::AnswerStatus::timeout};
      return parsed->answer(question);
    });
  };
  Case one = relayed();
  one.arrival.client_ip = "192.0.2.1";
  ASSERT_TRUE(told(one)) << "SPF passes, and nobody has the key";
  EXPECT_FALSE(told_without(one, "ed._domainkey.one.example"));
  one = signed_by("alice@one.example", "other.example");
  one.arrival.client_ip = "192.0.2.1";
  one.arrival.mail_from = "alice@one.example";
  ASSERT_TRUE(told_without(one, "ed._domainkey.other.example")) << "it is not the author's anyway";
}

TEST(FailedMessage, TheResultsAreThoseOfTheSignatureThatIsToldOf) {
  Case one = signed_by("alice@dkim.example", "dkim.example");
  one.arrival.client_ip = "192.0.2.1";
  one.arrival.mail_from = "alice@dkim.example";
  const std::string late = signed_by("alice@dkim.example", "late.example").arrival.message;
  one.arrival.message =
      "DKIM-Signature: unreadable\r\n" + late.substr(0, late.find("\r\nFrom:") + 2) +
      "DKIM-Signature: v=1; a=ed25519-sha256; d=list.example; s=l; h=from; bh=AAAA; b=AAAA\r\n" +
      one.arrival.message;
  const auto parsed = dns::Zone::parse(std::string(zone) + "ed._domainkey.dkim.example. TXT \"" +
                                           sample::key_record(sample::ed25519_key()) + "\"\n",
                                       Limits{});
  const auto failure = told(one, [&](const dns::Question& question) {
    if (question.name == "ed._domainkey.late.example")
      return dns::Answer{.status = dns::AnswerStatus::timeout};
    return parsed->answer(question);
  });
  ASSERT_TRUE(failure);
  const report::CheckedSignature* const signature = told_signature(failure->message);
  ASSERT_TRUE(signature);
  EXPECT_EQ(signature->sdid.text(), "list.example");
  EXPECT_EQ(signature->index, 2U);
  EXPECT_THAT(failure->message.authentication_results, HasSubstr("header.d=list.example"));
  for (const char* other : {"late.example", "dkim.example", "bad_signature_field"})
    EXPECT_THAT(failure->message.authentication_results, testing::Not(HasSubstr(other)));
}

TEST(FailedMessage, IsToldOnlyWhereSomebodyAsks) {
  EXPECT_TRUE(told(forged("alice@example.com")));
  EXPECT_FALSE(told(forged("alice@quiet.example"))) << "no ruf=";
  EXPECT_FALSE(told(forged("alice@nothing.example"))) << "no record";
  Case one = forged("alice@example.com");
  one.policy.judging.failures.usual = Privacy::never;
  EXPECT_FALSE(told(one));
}

TEST(FailedMessage, S51NeverOfDomainsBelowAPublicSuffix) {
  EXPECT_FALSE(told(forged("alice@sparkasse.bank")));
  EXPECT_FALSE(told(forged("alice@foo.shop"))) << "it is one though it does not say so";
  EXPECT_TRUE(told(forged("alice@own.shop"))) << "its record is its own";
}

TEST(FailedMessage, S51TheRecipientHasASay) {
  Case one = forged("alice@example.com");
  one.policy.judging.failures.usual = Privacy::full_headers;
  ASSERT_TRUE(told(one));
  EXPECT_EQ(told(one)->privacy, Privacy::full_headers);
  one.policy.judging.failures.redacted.entries.add("example.org", {});
  EXPECT_EQ(told(one)->privacy, Privacy::redacted);
  one.policy.judging.failures.never.entries.add("example.org", {});
  EXPECT_FALSE(told(one));
  one = forged("alice@example.com");
  one.envelope.rcpt_to_dropped = 1;
  EXPECT_FALSE(told(one)) << "one of them may be of a domain that is kept out";
}

TEST(FailedMessage, S51EachRecipientHasASay) {
  Case one = forged("alice@example.com");
  one.policy.judging.failures.usual = Privacy::never;
  one.policy.judging.failures.redacted.entries.add("example.org", {});
  ASSERT_TRUE(told(one));
  one.envelope.rcpt_to.push_back("carol@theirs.example");
  EXPECT_FALSE(told(one));
}

TEST(FailedMessage, S51KeepsTheDomainsOfRecipientsAndNotTheirNames) {
  Case one = forged("alice@example.com");
  one.envelope.rcpt_to = {"carol@b.example", "\"a@b\"@A.example", "bob@a.example", "postmaster"};
  ASSERT_TRUE(told(one));
  EXPECT_THAT(told(one)->recipients, ElementsAre("@a.example", "@b.example"));
}

TEST(FailedMessage, S50NoReportsAboutReports) {
  Case one = forged("alice@example.com", "Auto-Submitted: auto-generated\r\n");
  EXPECT_FALSE(told(one));
  EXPECT_FALSE(told(forged("alice@example.com", "Content-Type: multipart/report; boundary=x\r\n")));
  EXPECT_FALSE(told(forged("alice@example.com", "TLS-Report-Domain: example.org\r\n")));
  one = forged("alice@example.com");
  one.arrival.mail_from.clear();
  EXPECT_FALSE(told(one)) << "the null path";
  one = forged("alice@example.com");
  one.policy.judging.own_reports.report_addresses = {{"dmarc", sample::name("example.org")}};
  EXPECT_TRUE(told(one));
  one.envelope.rcpt_to = {"DMARC@example.org"};
  EXPECT_FALSE(told(one));
}

TEST(FailedMessage, S43NothingIsToldWhenDnsDidNotSay) {
  const auto parsed = dns::Zone::parse(zone, Limits{});
  for (const char* name : {"_dmarc.example.com", "_dmarc.news.example.com"}) {
    EXPECT_FALSE(told(forged("alice@news.example.com"), [&](const dns::Question& question) {
      dns::Answer answer = parsed->answer(question);
      if (question.name == name) answer = {.status = dns::AnswerStatus::timeout};
      return answer;
    })) << name;
  }
}

TEST(FailedMessage, NothingIsToldOfWhatIsNoSingleAuthor) {
  Case one = forged("alice@example.com", "From: bob@example.com\r\n");
  EXPECT_FALSE(told(one));
}

TEST(FailedMessage, NothingIsToldWithoutAClient) {
  Case one = forged("alice@example.com");
  one.arrival.client_ip = "local";
  EXPECT_FALSE(told(one));
}

TEST(FailedMessage, SaysWhatBecameOfTheMessage) {
  Case one = forged("alice@none.example");
  EXPECT_EQ(told(one)->message.delivery, DeliveryResult::delivered);
  one = forged("alice@example.com");
  one.policy.judging.actions.dmarc_reject = RejectPolicy::quarantine;
  EXPECT_EQ(told(one)->message.delivery, DeliveryResult::policy);
  one.policy.judging.actions.dmarc_reject = RejectPolicy::reject;
  EXPECT_EQ(told(one)->message.delivery, DeliveryResult::reject);
  one = forged("alice@none.example");
  one.policy.judging.actions.unauthenticated = Action::discard;
  EXPECT_EQ(told(one)->message.delivery, DeliveryResult::policy);
  one = forged("alice@none.example");
  one.policy.judging.actions.bare_line_end = Action::quarantine;
  one.arrival.message += "bare\rreturn\r\n";
  EXPECT_EQ(told(one)->message.delivery, DeliveryResult::other);
}

TEST(FailedMessage, IsDeliveredWhereNothingIsDone) {
  Case one = forged("alice@example.com");
  one.policy.judging.actions.dmarc_reject = RejectPolicy::reject;
  one.policy.judging.shadow = true;
  ASSERT_TRUE(told(one));
  EXPECT_EQ(told(one)->message.delivery, DeliveryResult::delivered);
}

TEST(FailedMessage, IsToldWhenItComesAgainAfterItWasPutOff) {
  Case one = forged("alice@none.example");
  one.policy.judging.actions.unauthenticated = Action::tempfail;
  EXPECT_FALSE(told(one));
  one.policy.judging.shadow = true;
  EXPECT_TRUE(told(one));
}

TEST(FailedMessage, PoliciesOfNoneCanBeLeftOut) {
  Case one = forged("alice@none.example");
  EXPECT_TRUE(told(one));
  one.policy.judging.failures.on_none = false;
  EXPECT_FALSE(told(one));
  one = forged("alice@example.com");
  one.policy.judging.failures.on_none = false;
  EXPECT_TRUE(told(one));
}

TEST(FailedMessage, S20APortIsANumberOrNothing) {
  for (const char* text : {"", "0", "65536", "-1", "25 ", "25\r\nX: y", "0x19"}) {
    Case one = forged("alice@example.com");
    one.envelope.session_macros["client_port"] = text;
    ASSERT_TRUE(told(one));
    EXPECT_FALSE(told(one)->message.source_port) << text;
  }
  Case one = forged("alice@example.com");
  one.envelope.session_macros["client_port"] = "65535";
  EXPECT_EQ(told(one)->message.source_port, 65'535);
}

}  // namespace
}  // namespace countersign::mailflow
