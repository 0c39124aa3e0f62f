// SPDX-License-Identifier: Apache-2.0
//
// Mail that is handed on with a seal, through the whole filter: what is sealed and what is not, and
// that what others see of it verifies.

#include "countersign/mailflow/sealing.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "countersign/arc/field.hpp"
#include "countersign/mailflow/flow.hpp"
#include "tests/support/arc.hpp"
#include "tests/support/judging.hpp"
#include "tests/support/signing.hpp"

namespace countersign::mailflow {
namespace {

using arc::ChainStatus;
using test::Arrival;
using test::Arrived;
using test::by;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::chrono::sys_seconds now{std::chrono::seconds{1'750'000'060}};

/// A policy that judges as "mx.example.org" and seals as ed._domainkey.example.com.
Policy sealing_policy() {
  Policy policy = test::judging_policy();
  policy.sealing = SealingPolicy{
      .identity = sample::sealing_identity(sample::ed25519_key()), .judged = true, .returned = {}};
  return policy;
}

/// judging_zone with the keys of the samples.
dns::Answer answer(const dns::Question& question) {
  static const dns::Zone records = dns::Zone::parse(test::judging_zone, Limits{}).value();
  static const dns::Zone keys = sample::zone();
  const bool is_key = question.name.find("_domainkey") != std::string::npos;
  return (is_key ? keys : records).answer(question);
}

Arrived arrive(const Arrival& arrival, const Policy& policy = sealing_policy()) {
  return test::arrive(arrival, policy, answer);
}

std::string text_of(const Header& header, std::string_view body = "Hi\r\n") {
  std::string text;
  for (const HeaderField& field : header) text += std::string(field.raw()) + "\r\n";
  return text + "\r\n" + std::string(body);
}

/// What the next host finds.
arc::Outcome chain_of(const Header& header, std::string body = "Hi\r\n") {
  return sample::validate({header, std::move(body)}, sample::zone(), now);
}

std::vector<std::string> names_of(const Header& header) {
  std::vector<std::string> names;
  for (const HeaderField& field : header) names.emplace_back(field.name());
  return names;
}

std::size_t sets_in(const Header& header) { return count_fields(header, "ARC-Seal"); }

std::string why(const Outcome& outcome) {
  for (const Explanation& one : outcome.reasons)
    if (one.reason == Reason::not_sealed) return one.detail;
  return "";
}

std::string without_folds(std::string_view text) {
  std::string out;
  for (const char c : text)
    if (c != '\r' && c != '\n') out += c == '\t' ? ' ' : c;
  return out;
}

TEST(Sealing, PutsItsSetAboveTheResults) {
  const Arrived arrived = arrive(by("alice@example.com"));
  EXPECT_THAT(names_of(arrived.header),
              ElementsAre("ARC-Seal", "ARC-Message-Signature", "ARC-Authentication-Results",
                          "Authentication-Results", "From", "To", "Subject"));
  const arc::Outcome chain = chain_of(arrived.header);
  EXPECT_EQ(chain.status, ChainStatus::pass) << chain.detail;
  ASSERT_TRUE(arrived.outcome.seal);
  EXPECT_EQ(arrived.outcome.seal->instance, 1U);
  EXPECT_EQ(arrived.outcome.seal->chain_status, ChainStatus::none);
  EXPECT_EQ(arrived.outcome.seal->sdid.text(), "example.com");
  EXPECT_EQ(why(arrived.outcome), "");
  EXPECT_THAT(to_string(arrived.outcome, false),
              HasSubstr("sealed as ed._domainkey.example.com (i=1, cv=none)"));
}

TEST(Sealing, SaysWhatTheResultsSay) {
  const Arrived arrived = arrive(by("alice@example.com"));
  const HeaderField* aar = find_field(arrived.header, "ARC-Authentication-Results");
  ASSERT_NE(aar, nullptr);
  EXPECT_EQ(without_folds(aar->value()), " i=1;" + arrived.results());
}

TEST(Sealing, IsOffUnlessAskedFor) {
  const Arrived arrived = arrive(by("alice@example.com"), test::judging_policy());
  EXPECT_EQ(sets_in(arrived.header), 0U);
  EXPECT_FALSE(arrived.outcome.seal);
}

TEST(Sealing, ContinuesTheChain) {
  Arrival arrival = by("alice@example.com");
  for (unsigned hop = 1; hop <= 3; ++hop) {
    const Arrived arrived = arrive(arrival);
    ASSERT_TRUE(arrived.outcome.seal) << hop;
    EXPECT_EQ(arrived.outcome.seal->instance, hop);
    EXPECT_EQ(arrived.outcome.seal->chain_status, hop == 1 ? ChainStatus::none : ChainStatus::pass);
    EXPECT_EQ(chain_of(arrived.header).status, ChainStatus::pass);
    EXPECT_EQ(chain_of(arrived.header).oldest_pass, 0U);
    arrival.message = text_of(arrived.header);
  }
}

TEST(Sealing, EndsAChainOnceAndSaysNoMore) {
  Arrival arrival = by("alice@example.com");
  arrival.message = text_of(arrive(arrival).header, "Changed.\r\n");
  const Arrived failed = arrive(arrival);
  ASSERT_TRUE(failed.outcome.seal);
  EXPECT_EQ(failed.outcome.seal->instance, 2U);
  EXPECT_EQ(failed.outcome.seal->chain_status, ChainStatus::fail);
  EXPECT_EQ(chain_of(failed.header, "Changed.\r\n").reason, arc::Reason::ended);

  arrival.message = text_of(failed.header, "Changed.\r\n");
  const Arrived after = arrive(arrival);
  EXPECT_FALSE(after.outcome.seal);
  EXPECT_EQ(sets_in(after.header), 2U);
  EXPECT_THAT(why(after.outcome), HasSubstr("has ended it"));
}

TEST(Sealing, S34AddsNothingToAFullChain) {
  Arrival arrival = by("alice@example.com");
  const auto message = split_message(arrival.message, Limits{}).value();
  arrival.message = text_of(sample::sealed_message(message, 50).header);
  const Arrived arrived = arrive(arrival);
  EXPECT_EQ(arrived.verdict().arc->status, ChainStatus::pass);
  EXPECT_FALSE(arrived.outcome.seal);
  EXPECT_EQ(sets_in(arrived.header), 50U);
  EXPECT_THAT(why(arrived.outcome), HasSubstr("as many sets"));
}

// RFC 8617 §5.2.1: a seal that says fail would end a chain that may well be whole.
TEST(Sealing, LeavesAChainAloneThatDnsDoesNotTellAbout) {
  Arrival arrival = by("alice@example.com");
  arrival.message = text_of(arrive(arrival).header);
  const Arrived arrived =
      test::arrive(arrival, sealing_policy(), [](const dns::Question& question) {
        const bool is_key = question.name.find("_domainkey") != std::string::npos;
        return is_key ? dns::Answer{.status = dns::AnswerStatus::timeout} : answer(question);
      });
  EXPECT_FALSE(arrived.outcome.seal);
  EXPECT_EQ(sets_in(arrived.header), 1U);
  EXPECT_EQ(chain_of(arrived.header).status, ChainStatus::pass);
  EXPECT_THAT(why(arrived.outcome), HasSubstr("DNS"));
}

// What we remove is not signed, what we add does not break a seal.
TEST(Sealing, SealsTheMessageAsItIsHandedOn) {
  Policy policy = sealing_policy();
  policy.judging.results.received_spf = true;
  dkim::FieldSelection& fields = policy.sealing->identity.fields;
  for (const char* name : {"BIMI-Location", "Received-SPF", "Authentication-Results"}) {
    fields.sign.emplace_back(name);
    fields.oversign.emplace_back(name);
  }
  const Arrived arrived = arrive(by("alice@example.com",
                                    "BIMI-Location: v=BIMI1\r\n"
                                    "Authentication-Results: mx.example.org; dmarc=pass\r\n"
                                    "Authentication-Results: other.example; dmarc=pass\r\n"
                                    "Received-SPF: pass\r\n"),
                                 policy);
  EXPECT_EQ(arrived.judgement().removed_fields, 2U);
  EXPECT_EQ(count_fields(arrived.header, "BIMI-Location"), 0U);
  EXPECT_EQ(count_fields(arrived.header, "Received-SPF"), 2U);
  const arc::Outcome chain = chain_of(arrived.header);
  EXPECT_EQ(chain.status, ChainStatus::pass) << chain.detail;
  const auto ams = arc::parse_message_signature(
      find_field(arrived.header, "ARC-Message-Signature")->value(), Limits{});
  EXPECT_THAT(ams->signature.signed_fields,
              testing::Not(testing::Contains("Authentication-Results")));
  EXPECT_EQ(std::ranges::count(ams->signature.signed_fields, "Received-SPF"), 3);
  EXPECT_EQ(std::ranges::count(ams->signature.signed_fields, "BIMI-Location"), 1) << "oversigned";
}

TEST(Sealing, HasItsOwnCanonicalizationAndLifetime) {
  Policy policy = sealing_policy();
  policy.sealing->identity.header_canonicalization = dkim::Canonicalization::simple;
  policy.sealing->identity.body_canonicalization = dkim::Canonicalization::simple;
  policy.sealing->identity.lifetime = std::chrono::seconds{600};
  const Arrived arrived = arrive(by("alice@example.com"), policy);
  EXPECT_EQ(chain_of(arrived.header).status, ChainStatus::pass);
  const auto ams = arc::parse_message_signature(
      find_field(arrived.header, "ARC-Message-Signature")->value(), Limits{});
  EXPECT_EQ(ams->signature.header_canonicalization, dkim::Canonicalization::simple);
  EXPECT_EQ(*ams->signature.expires, *ams->signature.time + 600);
}

TEST(Sealing, SealsWhatIsPutAsideAndNothingThatIsRefused) {
  Arrival forged = by("eve@example.com");
  forged.client_ip = "203.0.113.66";
  for (const RejectPolicy action : {RejectPolicy::reject, RejectPolicy::quarantine}) {
    Policy policy = sealing_policy();
    policy.judging.actions.dmarc_reject = action;
    const Arrived arrived = arrive(forged, policy);
    const bool is_refused = action == RejectPolicy::reject;
    EXPECT_EQ(arrived.outcome.action, is_refused ? Action::reject : Action::quarantine);
    EXPECT_EQ(arrived.outcome.seal.has_value(), !is_refused);
    EXPECT_EQ(sets_in(arrived.header), is_refused ? 0U : 1U);
  }
}

TEST(Sealing, ChangesNothingInShadow) {
  Policy policy = sealing_policy();
  policy.judging.shadow = true;
  const Arrived arrived = arrive(by("alice@example.com"), policy);
  EXPECT_THAT(arrived.outcome.edits, IsEmpty());
  EXPECT_FALSE(arrived.outcome.seal);
}

TEST(Sealing, DoesNotSealAHeaderThatIsNotWhole) {
  Envelope envelope;
  envelope.client_ip = IpAddress::parse("192.0.2.1");
  Flow flow(std::make_shared<const Policy>(sealing_policy()), envelope,
            test::header_from("alice@example.com"), HeaderCut{SplitErrorCode::header_too_large});
  ASSERT_TRUE(flow.is_judged());
  const Outcome outcome = dns::run_with(std::move(flow).finish(now), answer);
  EXPECT_FALSE(outcome.seal);
}

TEST(Sealing, DoesNotDependOnTheChunks) {
  const auto policy = std::make_shared<const Policy>(sealing_policy());
  const std::string body = "One  line \r\nand another\r\n\r\n";
  std::vector<HeaderEdit> whole;
  for (std::size_t cut = 0; cut <= body.size(); ++cut) {
    Envelope envelope;
    Flow flow(policy, envelope, test::header_from("alice@example.com"));
    flow.body(std::string_view(body).substr(0, cut));
    flow.body(std::string_view(body).substr(cut));
    Outcome outcome = dns::run_with(std::move(flow).finish(now), answer);
    ASSERT_TRUE(outcome.seal);
    if (cut == 0) whole = outcome.edits;
    EXPECT_EQ(outcome.edits, whole) << cut;
  }
}

TEST(Sealing, SealsLineEndsAsTheMtaWillMendThem) {
  Policy policy = sealing_policy();
  policy.fixes_line_ends = true;
  Arrival arrival = by("alice@example.com");
  arrival.message += "bare\nline\r";
  const Arrived arrived = arrive(arrival, policy);
  EXPECT_EQ(chain_of(arrived.header, "Hi\r\nbare\r\nline\r\n").status, ChainStatus::pass);
}

// --- which mail is sealed ---

/// sealing_policy() that wants a field of that name whose value is exactly this.
Policy checking_policy(std::string name, std::string value) {
  Policy policy = sealing_policy();
  policy.sealing->header_checks.push_back(
      {.name = std::move(name),
       .matches = [value = std::move(value)](std::string_view text) { return text == value; }});
  return policy;
}

TEST(Sealing, SealsWhatHasAFieldThatMatches) {
  const Arrival arrival = by("alice@example.com", "X-Class: other\r\nx-class: news\r\n");
  EXPECT_TRUE(arrive(arrival, checking_policy("X-Class", "news")).outcome.seal);
  EXPECT_TRUE(arrive(arrival, checking_policy("X-Class", "other")).outcome.seal);

  Policy one_of_two = checking_policy("X-Class", "neither");
  EXPECT_FALSE(arrive(arrival, one_of_two).outcome.seal);
  one_of_two.sealing->header_checks.push_back(
      checking_policy("X-Class", "news").sealing->header_checks.front());
  EXPECT_TRUE(arrive(arrival, one_of_two).outcome.seal) << "one is enough";
}

TEST(Sealing, ChecksTheValueInOneLine) {
  const Arrival arrival = by("alice@example.com", "X-Class: \r\n\tnews\r\n of today \r\n");
  EXPECT_TRUE(arrive(arrival, checking_policy("X-Class", "news of today")).outcome.seal);
}

TEST(Sealing, LeavesMailAloneOfWhichNoFieldMatches) {
  Policy policy = checking_policy("X-Class", "news");
  policy.sealing->on_error = Action::reject;
  for (const char* fields : {"", "X-Class: newspaper\r\n", "X-Class-2: news\r\n"}) {
    const Arrived arrived = arrive(by("alice@example.com", fields), policy);
    EXPECT_EQ(sets_in(arrived.header), 0U) << fields;
    EXPECT_EQ(arrived.outcome.action, Action::accept) << "it is no error: " << fields;
    EXPECT_THAT(why(arrived.outcome), HasSubstr("header_checks")) << fields;
    EXPECT_EQ(count_fields(arrived.header, "Authentication-Results"), 1U) << fields;
  }
}

TEST(Sealing, SaysWhichSoftwareSealed) {
  Policy policy = sealing_policy();
  policy.sealing->software_header = "countersign v1 mx.example.org";
  Envelope envelope;
  envelope.client_ip = IpAddress::parse("192.0.2.1");
  envelope.macros["i"] = "4QUEUE";
  Header header = test::header_from("alice@example.com");
  Flow flow(std::make_shared<const Policy>(policy), envelope, header);
  flow.body("Hi\r\n");
  const Outcome outcome = dns::run_with(std::move(flow).finish(now), answer);
  apply_edits(outcome.edits, header);
  ASSERT_FALSE(header.empty());
  EXPECT_EQ(header.front().raw(), "ARC-Filter: countersign v1 mx.example.org 4QUEUE");
  EXPECT_EQ(chain_of(header).status, ChainStatus::pass);

  const Arrived nameless = arrive(by("alice@example.com"), policy);
  EXPECT_EQ(nameless.header.front().value(), " countersign v1 mx.example.org (unknown-jobid)");
  policy.sealing->header_checks = checking_policy("X-Class", "news").sealing->header_checks;
  EXPECT_EQ(count_fields(arrive(by("alice@example.com"), policy).header, "ARC-Filter"), 0U)
      << "without a seal there is nothing to tell";
}

// --- what cannot be sealed ---

/// The outcome for mail with a chain of which DNS does not tell whether it is whole.
Arrived arrive_without_keys(const Policy& policy) {
  Arrival arrival = by("alice@example.com");
  arrival.message = text_of(arrive(arrival).header);
  return test::arrive(arrival, policy, [](const dns::Question& question) {
    const bool is_key = question.name.find("_domainkey") != std::string::npos;
    return is_key ? dns::Answer{.status = dns::AnswerStatus::timeout} : answer(question);
  });
}

TEST(Sealing, DoesWithMailThatItCannotSealWhatItIsToldTo) {
  for (const Action action :
       {Action::accept, Action::quarantine, Action::tempfail, Action::reject, Action::discard}) {
    Policy policy = sealing_policy();
    policy.judging.counts = true;
    policy.sealing->on_error = action;
    const Arrived arrived = arrive_without_keys(policy);
    EXPECT_EQ(arrived.outcome.action, action);
    EXPECT_FALSE(arrived.outcome.seal);
    EXPECT_EQ(arrived.outcome.action_text.contains("DNS does not"), action != Action::accept);
    EXPECT_EQ(arrived.judgement().is_counted, action != Action::tempfail)
        << "what comes again is counted then";
  }
}

TEST(Sealing, AFullChainCannotBeSealed) {
  Policy policy = sealing_policy();
  policy.sealing->on_error = Action::reject;
  Arrival arrival = by("alice@example.com");
  const auto message = split_message(arrival.message, Limits{}).value();
  arrival.message = text_of(sample::sealed_message(message, 50).header);
  EXPECT_EQ(arrive(arrival, policy).outcome.action, Action::reject);
}

// A chain that has ended must get no seal, which is no error. RFC 8617 §5.1.2
TEST(Sealing, AChainThatHasEndedIsNoError) {
  Policy policy = sealing_policy();
  policy.sealing->on_error = Action::reject;
  Arrival arrival = by("alice@example.com");
  arrival.message = text_of(arrive(arrival).header, "Changed.\r\n");
  arrival.message = text_of(arrive(arrival).header, "Changed.\r\n");
  const Arrived arrived = arrive(arrival, policy);
  EXPECT_THAT(why(arrived.outcome), HasSubstr("has ended it"));
  EXPECT_EQ(arrived.outcome.action, Action::accept);
}

TEST(Sealing, MakesNothingWeakerThanItWas) {
  Policy policy = sealing_policy();
  policy.judging.actions.ambiguous = Action::quarantine;
  policy.judging.actions.spf_fail = Action::quarantine;
  policy.judging.actions.dmarc_reject = RejectPolicy::quarantine;
  policy.sealing->on_error = Action::accept;
  Arrival forged = by("eve@example.com");
  forged.client_ip = "203.0.113.66";
  const auto message = split_message(forged.message, Limits{}).value();
  forged.message = text_of(sample::sealed_message(message, 50).header);
  const Arrived arrived = arrive(forged, policy);
  EXPECT_EQ(arrived.outcome.action, Action::quarantine);
  EXPECT_THAT(arrived.outcome.action_text, testing::Not(HasSubstr("sealed")));

  policy.sealing->on_error = Action::tempfail;
  const Arrived harder = arrive(forged, policy);
  EXPECT_EQ(harder.outcome.action, Action::tempfail);
  EXPECT_EQ(harder.outcome.action_codes, "") << "those of a quarantine are not those of this";
}

// --- mail that comes back ---

/// The outcome for mail that a client on this host hands over.
struct Returned {
  Outcome outcome;
  Header header;
};
Returned hand_back(Header header, Policy policy, std::string_view body = "Hi\r\n",
                   const std::string& login = "") {
  policy.internal_hosts.add("127.0.0.1", {});
  Envelope envelope;
  envelope.client_ip = IpAddress::parse("127.0.0.1");
  envelope.client_host = "localhost";
  if (!login.empty()) envelope.macros["auth_type"] = login;
  Flow flow(std::make_shared<const Policy>(std::move(policy)), envelope, header);
  EXPECT_FALSE(flow.is_judged());
  flow.body(body);
  Returned returned{std::move(flow).finish_unjudged(now), std::move(header)};
  apply_edits(returned.outcome.edits, returned.header);
  return returned;
}

/// sealing_policy() for a list manager on this host.
Policy list_policy() {
  Policy policy = sealing_policy();
  policy.sealing->judged = false;
  policy.sealing->returned.add("127.0.0.1", {});
  return policy;
}

/// A message as the list manager hands it back: it came with that chain, was judged, and changed.
Header list_mail(const Header& original) {
  Arrival arrival = by("alice@example.com");
  arrival.message = text_of(original);
  Header header = arrive(arrival, list_policy()).header;
  for (HeaderField& field : header)
    if (field.is("Subject")) field = HeaderField("Subject: [news] x");
  return header;
}

Header plain_header() {
  return split_message(by("alice@example.com").message, Limits{}).value().header;
}

TEST(Sealing, SealsWhatAListHandsBack) {
  const Header judged = list_mail(plain_header());
  EXPECT_EQ(sets_in(judged), 0U);
  const Returned returned = hand_back(judged, list_policy(), "Hi\r\n-- of the list\r\n");
  ASSERT_TRUE(returned.outcome.seal);
  EXPECT_EQ(chain_of(returned.header, "Hi\r\n-- of the list\r\n").status, ChainStatus::pass);
  EXPECT_THAT(without_folds(find_field(returned.header, "ARC-Authentication-Results")->value()),
              HasSubstr(" i=1; mx.example.org; spf=pass"));
}

TEST(Sealing, VouchesForTheChainThatTheMailHadBeforeTheListChangedIt) {
  const Header sealed = arrive(by("alice@example.com")).header;
  const Header judged = list_mail(sealed);
  const Returned returned = hand_back(judged, list_policy());
  ASSERT_TRUE(returned.outcome.seal);
  EXPECT_EQ(returned.outcome.seal->instance, 2U);
  EXPECT_EQ(returned.outcome.seal->chain_status, ChainStatus::pass);
  const arc::Outcome chain = chain_of(returned.header);
  EXPECT_EQ(chain.status, ChainStatus::pass) << chain.detail;
  EXPECT_EQ(chain.oldest_pass, 2U);
}

TEST(Sealing, PassesAFailureOn) {
  Header sealed = arrive(by("alice@example.com")).header;
  sealed.push_back(HeaderField("Subject: a second one"));
  const Returned returned = hand_back(list_mail(sealed), list_policy());
  ASSERT_TRUE(returned.outcome.seal);
  EXPECT_EQ(returned.outcome.seal->chain_status, ChainStatus::fail);
}

TEST(Sealing, BelievesNobodyElseAboutResults) {
  const Header judged = list_mail(plain_header());
  Policy nobody = list_policy();
  nobody.sealing->returned = {};
  EXPECT_FALSE(hand_back(judged, nobody).outcome.seal);
  EXPECT_FALSE(hand_back(plain_header(), list_policy()).outcome.seal) << "no results";
  Header forged = plain_header();
  forged.push_back(HeaderField("Authentication-Results: other.example; dmarc=pass"));
  forged.push_back(HeaderField("Authentication-Results: mx.example.org; none"));
  EXPECT_FALSE(hand_back(forged, list_policy()).outcome.seal) << "no results of ours";
}

// A seal that was put on as the message came in is broken by now; a second one could only say so.
TEST(Sealing, DoesNotSealTwice) {
  Policy both = list_policy();
  both.sealing->judged = true;
  Header judged = arrive(by("alice@example.com"), both).header;
  ASSERT_EQ(sets_in(judged), 1U);
  const Returned returned = hand_back(judged, both);
  EXPECT_FALSE(returned.outcome.seal);
  EXPECT_THAT(why(returned.outcome), HasSubstr("say nothing of the chain"));
}

// What our users write has a DKIM signature, which says all that a seal could.
TEST(Sealing, LeavesOwnMailAlone) {
  const Returned own = hand_back(plain_header(), sealing_policy());
  EXPECT_EQ(sets_in(own.header), 0U);
  EXPECT_EQ(why(own.outcome), "");
}

// The DKIM signature of the list is part of what is sealed.
TEST(Sealing, ComesAfterTheSignature) {
  Policy policy = test::policy_for_example_org();
  policy.judging = list_policy().judging;
  policy.sealing = list_policy().sealing;
  Header header = test::header_from("news@example.org");
  header.insert(
      header.begin(),
      HeaderField("Authentication-Results: mx.example.org; dmarc=pass header.from=a.example"));
  const Returned returned = hand_back(header, policy);
  ASSERT_TRUE(returned.outcome.seal);
  ASSERT_EQ(returned.outcome.signatures.size(), 1U);
  EXPECT_EQ(chain_of(returned.header).status, ChainStatus::pass);
  const auto ams = arc::parse_message_signature(
      find_field(returned.header, "ARC-Message-Signature")->value(), Limits{});
  EXPECT_THAT(ams->signature.signed_fields, testing::Contains("DKIM-Signature"));
}

}  // namespace
}  // namespace countersign::mailflow
