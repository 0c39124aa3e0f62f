// SPDX-License-Identifier: Apache-2.0
//
// check_host() from the outside: records found and not found, results, limits, redirect, exp, and
// the tree of what was tried.

#include "countersign/spf/check_host.hpp"

#include <gtest/gtest.h>

#include <string>

#include "tests/support/spf.hpp"

namespace countersign::spf {
namespace {

using dns::AnswerStatus;
using dns::RecordType;
using sample::check;
using sample::check_record;
using sample::request;
using sample::said;

void expect(const Outcome& outcome, Result result, Reason reason) {
  EXPECT_EQ(outcome.result, result) << said(outcome);
  EXPECT_EQ(outcome.reason, reason) << said(outcome);
}

Outcome check_answering(AnswerStatus status) {
  return dns::run_with(check_host(request(), Limits{}),
                       [status](const dns::Question&) { return dns::Answer{.status = status}; });
}

TEST(CheckHost, SaysWhichDomainItChecked) {
  const Outcome outcome = check_record(request(), "v=spf1 ip4:192.0.2.0/24 -all");
  expect(outcome, Result::pass, Reason::matched);
  ASSERT_TRUE(outcome.domain);
  EXPECT_EQ(outcome.domain->text(), "example.com");
  EXPECT_EQ(outcome.identity, Identity::mail_from);
  EXPECT_EQ(outcome.lookup_terms, 0u);
}

TEST(CheckHost, ChecksTheHeloIdentity) {
  CheckHost helo = request();
  helo.identity = Identity::helo;
  const Outcome outcome = check(helo,
                                "mail.example.net TXT \"v=spf1 exists:%{l}.%{o} -all\"\n"
                                "postmaster.mail.example.net A 127.0.0.2\n");
  expect(outcome, Result::pass, Reason::matched);
  EXPECT_EQ(outcome.identity, Identity::helo);
  EXPECT_EQ(outcome.domain->text(), "mail.example.net");
  helo.helo = "[192.0.2.1]";
  const Outcome literal = check(helo, "");
  expect(literal, Result::none, Reason::bad_helo);
  EXPECT_FALSE(literal.domain);
}

TEST(CheckHost, ChecksTheHeloNameForTheNullPath) {
  CheckHost bounce = request();
  bounce.mail_from = "";
  const Outcome outcome = check(bounce, "mail.example.net TXT \"v=spf1 -all\"\n");
  expect(outcome, Result::fail, Reason::matched);
  EXPECT_EQ(outcome.identity, Identity::mail_from);
  EXPECT_EQ(outcome.domain->text(), "mail.example.net");
}

// S-13
TEST(CheckHost, RefusesAPathThatIsNoMailbox) {
  CheckHost odd = request();
  odd.mail_from = "(any@example.com";
  expect(check_record(odd, "v=spf1 +all"), Result::permerror, Reason::bad_mail_from);
  odd.mail_from = "any@example.com(.victim.example";
  expect(check_record(odd, "v=spf1 +all"), Result::none, Reason::no_domain);
}

TEST(CheckHost, S13RefusesAPathAsLongAsThatItWasCut) {
  CheckHost cut = request();
  cut.mail_from = std::string(1'024 - 12, 'a') + "@example.com";
  ASSERT_EQ(cut.mail_from.size(), 1'024U);
  const Outcome outcome = check_record(cut, "v=spf1 +all");
  expect(outcome, Result::permerror, Reason::bad_mail_from);
  EXPECT_FALSE(outcome.domain) << "nobody is named";
  cut.mail_from.erase(0, 1);
  expect(check_record(cut, "v=spf1 +all"), Result::pass, Reason::matched);
}

// RFC 7208 §4.3: a label that IDNA2008 does not know is a label of DNS all the same.
TEST(CheckHost, TakesHostNamesThatAreNoInternationalizedOnes) {
  CheckHost snowman = request();
  snowman.mail_from = "a@xn--n3h.example";
  const Outcome outcome = check(snowman, "xn--n3h.example TXT \"v=spf1 +all\"\n");
  expect(outcome, Result::pass, Reason::matched);
  EXPECT_EQ(outcome.domain->text(), "xn--n3h.example");
}

// S-15
TEST(CheckHost, S15SaysNothingAboutADomainThatDoesNotExist) {
  expect(check(request(), ""), Result::none, Reason::domain_not_found);
  expect(check(request(), "example.com A 192.0.2.1\n"), Result::none, Reason::no_record);
  expect(check(request(), "example.com TXT \"v=DMARC1\"\n"), Result::none, Reason::no_record);
}

TEST(CheckHost, IsATemperrorWhenDnsFails) {
  for (const AnswerStatus status : {AnswerStatus::servfail, AnswerStatus::refused,
                                    AnswerStatus::timeout, AnswerStatus::malformed})
    expect(check_answering(status), Result::temperror, Reason::dns_failed);
  expect(check_answering(AnswerStatus::bogus), Result::temperror, Reason::dns_not_trusted);
  EXPECT_EQ(check_answering(AnswerStatus::servfail).detail, "SERVFAIL for TXT of example.com");
}

// S-17
TEST(CheckHost, S17WantsExactlyOneRecord) {
  expect(check(request(), "example.com TXT \"v=spf1 +all\"\nexample.com TXT \"V=SPF1 -all\"\n"),
         Result::permerror, Reason::several_records);
  expect(check(request(),
               "example.com TXT \"v=spf10 -all\"\nexample.com TXT \"v=spf1 ?all\"\n"
               "example.com TXT \" v=spf1 -all\"\n"),
         Result::neutral, Reason::matched);
  expect(check(request(), "example.com TXT \"v=spf1 ip4:192.0\" \".2.1 -all\"\n"), Result::pass,
         Reason::matched);
  expect(check(request(), "example.com TXT \"v=spf1\" \"+all\"\n"), Result::none,
         Reason::no_record);
}

TEST(CheckHost, S17AsksNothingButTxtForTheRecord) {
  const auto zone = sample::zone("example.com TXT \"v=spf1 a -all\"\nexample.com A 192.0.2.1\n");
  std::vector<RecordType> types;
  (void)dns::run_with(check_host(request(), Limits{}), [&](const dns::Question& question) {
    types.push_back(question.type);
    return zone.answer(question);
  });
  EXPECT_EQ(types, (std::vector{RecordType::txt, RecordType::a}));
}

TEST(CheckHost, FindsASyntaxErrorBehindAMatch) {
  const Outcome outcome = check_record(request(), "v=spf1 +all moo");
  expect(outcome, Result::permerror, Reason::bad_record);
  EXPECT_TRUE(outcome.detail.contains("at octet 12 of the record of example.com"))
      << outcome.detail;
  EXPECT_EQ(outcome.evaluation.record, "v=spf1 +all moo");
}

TEST(CheckHost, IsNeutralWhenNothingMatches) {
  expect(check_record(request(), "v=spf1"), Result::neutral, Reason::no_match);
  expect(check_record(request(), "v=spf1 ip4:198.51.100.1 x=y"), Result::neutral, Reason::no_match);
}

// S-14
TEST(CheckHost, S14CountsTermsOfAllRecordsTogether) {
  std::string lines;
  for (int i = 1; i <= 9; ++i)
    lines += "i" + std::to_string(i) + ".example.com TXT \"v=spf1 -all\"\n";
  std::string record = "v=spf1";
  for (int i = 1; i <= 9; ++i) record += " include:i" + std::to_string(i) + ".example.com";
  lines += "example.com A 198.51.100.1\n";
  const Outcome ten = check_record(request(), record + " a -all", lines);
  expect(ten, Result::fail, Reason::matched);
  EXPECT_EQ(ten.lookup_terms, 10u);
  expect(check_record(request(), record + " a a -all", lines), Result::permerror,
         Reason::too_many_lookups);
  expect(check_record(request(), record + " a redirect=i1.example.com", lines), Result::permerror,
         Reason::too_many_lookups);
}

TEST(CheckHost, S14EndsLoops) {
  expect(check_record(request(), "v=spf1 include:example.com -all"), Result::permerror,
         Reason::too_many_lookups);
  expect(check_record(request(), "v=spf1 redirect=example.com"), Result::permerror,
         Reason::too_many_lookups);
}

TEST(CheckHost, S14CountsTermsForWhichDnsHasNothing) {
  const Outcome two = check_record(request(), "v=spf1 a:a.example.com exists:b.example.com -all");
  expect(two, Result::fail, Reason::matched);
  EXPECT_EQ(two.void_lookups, 2u);
  expect(check_record(request(), "v=spf1 a:a.example.com exists:b.example.com mx ?all"),
         Result::permerror, Reason::too_many_void_lookups);
}

TEST(CheckHost, S16AsksNothingForWhatIsNoName) {
  const Outcome outcome = check_record(
      request(), "v=spf1 a:a..example.com mx:" + std::string(64, 'x') + ".example.com -all");
  expect(outcome, Result::fail, Reason::matched);
  EXPECT_EQ(outcome.void_lookups, 0u);
  EXPECT_TRUE(outcome.evaluation.terms.front().lookups.empty());
}

TEST(Redirect, TakesTheOtherResultAndItsExplanation) {
  const Outcome outcome = check_record(request(), "v=spf1 exp=a.example.com redirect=b.example.com",
                                       "a.example.com TXT \"mine\"\nt.example.com TXT \"theirs\"\n"
                                       "b.example.com TXT \"v=spf1 -all exp=t.example.com\"\n");
  expect(outcome, Result::fail, Reason::matched);
  EXPECT_EQ(outcome.explanation, "theirs");
  EXPECT_EQ(deciding_mechanism(outcome), "-all");
  EXPECT_EQ(outcome.domain->text(), "example.com");
}

TEST(Redirect, IsAPermerrorWithoutARecord) {
  for (const char* target : {"none.example.com", "a..example.com"}) {
    const Outcome outcome = check_record(request(), "v=spf1 redirect=" + std::string(target));
    expect(outcome, Result::permerror, Reason::redirect_without_record);
    EXPECT_FALSE(outcome.detail.empty());
    EXPECT_EQ(outcome.evaluation.terms.front().match, Match::permerror);
  }
}

TEST(Redirect, PassesAFailureOn) {
  auto zone = sample::zone("example.com TXT \"v=spf1 redirect=b.example.com\"\n");
  zone.fail("b.example.com", RecordType::txt, AnswerStatus::timeout);
  const Outcome outcome = zone.run(check_host(request(), Limits{}));
  expect(outcome, Result::temperror, Reason::dns_failed);
  EXPECT_EQ(outcome.evaluation.terms.front().match, Match::temperror);
}

TEST(Redirect, ComesAfterAllMechanisms) {
  expect(check_record(request(), "v=spf1 redirect=none.example.com ?all"), Result::neutral,
         Reason::matched);
}

std::string explanation_of(std::string_view lines) {
  const Outcome outcome = check_record(request(), "v=spf1 -all exp=x.example.com", lines);
  EXPECT_EQ(outcome.result, Result::fail) << said(outcome);
  return outcome.explanation;
}

TEST(Explanation, IsExpanded) {
  EXPECT_EQ(explanation_of("x.example.com TXT \"%{i} may \" \"not send as %{s}%_(%{R}).\"\n"),
            "192.0.2.1 may not send as bob@example.com (unknown).");
}

TEST(Explanation, IsDroppedWhenAnythingIsWrongWithIt) {
  EXPECT_EQ(explanation_of(""), "");
  EXPECT_EQ(explanation_of("x.example.com A 192.0.2.1\n"), "");
  EXPECT_EQ(explanation_of("x.example.com TXT \"a\"\nx.example.com TXT \"b\"\n"), "");
  EXPECT_EQ(explanation_of("x.example.com TXT \"%{x}\"\n"), "");
  EXPECT_EQ(explanation_of("x.example.com TXT \"a\\009b\"\n"), "");
}

TEST(Explanation, IsDroppedWhenItIsTooLong) {
  const auto repeated = [](int count) {
    std::string lines = "x.example.com TXT";
    for (int i = 0; i < count; ++i) lines += " \"%{s}\"";  // 15 octets each.
    return explanation_of(lines + "\n").size();
  };
  EXPECT_EQ(repeated(66), 990u);
  EXPECT_EQ(repeated(67), 0u);
}

TEST(Explanation, ChangesNoResultWhenDnsFails) {
  for (const AnswerStatus status : {AnswerStatus::servfail, AnswerStatus::timeout,
                                    AnswerStatus::malformed, AnswerStatus::bogus}) {
    auto zone = sample::zone("example.com TXT \"v=spf1 -all exp=x.example.com\"\n");
    zone.fail("x.example.com", RecordType::txt, status);
    const Outcome outcome = zone.run(check_host(request(), Limits{}));
    expect(outcome, Result::fail, Reason::matched);
    EXPECT_EQ(outcome.explanation, "");
    ASSERT_EQ(outcome.explanation_lookups.size(), 1u);
    EXPECT_EQ(outcome.explanation_lookups.front().status, status);
  }
}

TEST(Explanation, IsAskedForOnlyWhenTheCheckFails) {
  EXPECT_TRUE(check_record(request(), "v=spf1 ~all exp=x.example.com").explanation_lookups.empty());
  EXPECT_TRUE(check_record(request(), "v=spf1 include:b.example.com ?all",
                           "b.example.com TXT \"v=spf1 -all exp=x.example.com\"\n")
                  .explanation_lookups.empty());
}

// S-16
TEST(Explanation, S16HoldsNothingButPrintableAscii) {
  CheckHost odd = request();
  odd.mail_from =
      "b\xC3\xB6"
      "b@example.com";
  odd.helo = "a\r\nX-Evil: yes";
  const Outcome outcome =
      check_record(odd, "v=spf1 -all exp=x.example.com", "x.example.com TXT \"%{l} at %{h}\"\n");
  EXPECT_EQ(outcome.explanation, "b??b at a??X-Evil: yes");
}

TEST(Explanation, MayNameTheClientBeyondTheLimits) {
  const Outcome outcome =
      check_record(request(), "v=spf1 -all exp=x.example.com",
                   "x.example.com TXT \"%{p}\"\n1.2.0.192.in-addr.arpa PTR h.example.org\n"
                   "h.example.org A 192.0.2.1\n");
  EXPECT_EQ(outcome.explanation, "h.example.org");
  EXPECT_EQ(outcome.lookup_terms, 0u);
  EXPECT_EQ(outcome.explanation_lookups.size(), 3u);
}

// RFC 8616 §4
TEST(InternationalizedLocalPart, MatchesNoMacroThatNamesIt) {
  CheckHost odd = request();
  odd.mail_from =
      "b\xC3\xB6"
      "b@example.com";
  for (const char* term :
       {"exists:%{l}.example.com", "include:%{s}.example.com", "a:%{l1r+}.example.com"}) {
    const Outcome outcome = check_record(odd, "v=spf1 " + std::string(term) + " -all");
    expect(outcome, Result::fail, Reason::matched);
    EXPECT_TRUE(outcome.evaluation.terms.front().lookups.empty());
  }
  expect(check_record(odd, "v=spf1 exists:%{o}.x.example.com -all",
                      "example.com.x.example.com A 127.0.0.2\n"),
         Result::pass, Reason::matched);
}

TEST(CheckHost, WritesHeloNamesAsALabels) {
  CheckHost odd = request();
  odd.helo =
      "b\xC3\xBC"
      "cher.example";
  expect(check_record(odd, "v=spf1 a:%{h} -all", "xn--bcher-kva.example A 192.0.2.1\n"),
         Result::pass, Reason::matched);
}

// S-18
TEST(CheckHost, S18TakesMappedAddressesForIpv4) {
  expect(check_record(request("::ffff:192.0.2.1"), "v=spf1 ip6:::/0 ip4:192.0.2.1 -all"),
         Result::pass, Reason::matched);
  expect(check_record(request("::ffff:192.0.2.1"), "v=spf1 ip6:::ffff:192.0.2.1 -all"),
         Result::fail, Reason::matched);
}

TEST(Evaluation, TellsWhatWasTried) {
  const Outcome outcome = check_record(
      request(), "v=spf1 a include:_spf.example.net -all",
      "example.com A 198.51.100.1\n_spf.example.net TXT \"v=spf1 ip4:192.0.2.0/24 ~all\"\n");
  const Evaluation& root = outcome.evaluation;
  EXPECT_EQ(root.domain, "example.com");
  EXPECT_EQ(root.lookups, (std::vector<Lookup>{{{"example.com", RecordType::txt}, {}}}));
  ASSERT_EQ(root.terms.size(), 2u);
  EXPECT_EQ(root.text_of(root.terms[0]), "a");
  EXPECT_EQ(root.terms[0].target, "example.com");
  EXPECT_EQ(root.terms[0].match, Match::not_matched);
  EXPECT_EQ(root.terms[0].lookups, (std::vector<Lookup>{{{"example.com", RecordType::a}, {}}}));
  EXPECT_EQ(root.terms[1].match, Match::matched);
  ASSERT_EQ(root.terms[1].inner.size(), 1u);
  const Evaluation& inner = root.terms[1].inner.front();
  EXPECT_EQ(inner.domain, "_spf.example.net");
  EXPECT_EQ(inner.result, Result::pass);
  EXPECT_EQ(inner.text_of(inner.terms.front()), "ip4:192.0.2.0/24");
  EXPECT_EQ(deciding_mechanism(outcome), "include:_spf.example.net");
}

TEST(CheckHost, MayBeDroppedAtAnyQuestion) {
  const auto zone = sample::zone(
      "example.com TXT \"v=spf1 include:b.example.com mx -all\"\n"
      "b.example.com TXT \"v=spf1 exists:%{p}.x.example.com ?all\"\n"
      "1.2.0.192.in-addr.arpa PTR h.example.org\nexample.com MX 1 h.example.org\n");
  for (int answered = 0; answered < 6; ++answered) {
    dns::Asking<Outcome> asking = check_host(request(), Limits{});
    for (int i = 0; i < answered; ++i)
      for (const dns::OpenQuestion& open : asking.take_questions())
        asking.answer(open.id, zone.answer(open.question));
  }
}

}  // namespace
}  // namespace countersign::spf
