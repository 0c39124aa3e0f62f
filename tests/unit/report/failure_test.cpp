// SPDX-License-Identifier: Apache-2.0
//
// Failure reports: when one is wanted, what it says, and what it never says.

#include "countersign/report/failure.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "countersign/message/splitter.hpp"
#include "countersign/report/redaction.hpp"
#include "tests/support/reports.hpp"

namespace countersign::report {
namespace {

using sample::name;
using testing::HasSubstr;
using testing::Not;

FailedMessage failed() {
  return {.policy_domain = name("example.com"),
          .author_domain = name("news.example.com"),
          .psd = dmarc::Psd::u,
          .fo = {},
          .has_ruf = true,
          .result = dmarc::Result::fail,
          .dkim_aligned = false,
          .spf_aligned = false,
          .signatures = {{.sdid = name("example.org"),
                          .auid = "@example.org",
                          .selector = name("o"),
                          .result = dkim::Result::pass},
                         {.sdid = name("example.com"),
                          .auid = "alice@example.com",
                          .selector = name("s1"),
                          .result = dkim::Result::fail,
                          .reason = dkim::Reason::signature_mismatch,
                          .is_aligned = true}},
          .spf = CheckedPath{name("example.com"), spf::Result::fail, "v=spf1 exp=\"x\" -all", true},
          .source_ip = IpAddress::parse("192.0.2.1"),
          .source_port = 4711,
          .mail_from = "alice@example.com",
          .arrival = std::chrono::sys_seconds(std::chrono::seconds(1'700'000'000)),
          .delivery = DeliveryResult::policy,
          .authentication_results =
              " mx.example.net;\r\n\tdmarc=fail header.from=example.com;"
              "\r\n\tspf=fail smtp.mailfrom=alice@example.com",
          .header = sample::message("From: Alice <alice@example.com>\nSubject: a secret\n"
                                    "Date: x\n\nthe body\n")
                        .header};
}

FailureMail mail(Privacy privacy = Privacy::redacted) {
  return {.privacy = privacy,
          .redaction_key = "key",
          .reporter = sample::reporter(),
          .from = {"dmarc", name("mx.example.net")},
          .to = {{"ruf", name("example.com")}},
          .date = std::chrono::sys_seconds(std::chrono::seconds(1'700'000'100)),
          .message_id = "f1@mx.example.net",
          .incidents = 1};
}

std::string format(const FailedMessage& message, const FailureMail& how) {
  const auto text = format_failure_report(message, how, Limits{});
  EXPECT_TRUE(text) << (text ? "" : to_string(text.error()));
  return text.value_or("");
}

FailureWish wish(dmarc::FailureOptions fo, bool dkim_aligned, bool spf_aligned) {
  FailedMessage message = failed();
  message.fo = fo;
  message.dkim_aligned = dkim_aligned;
  message.spf_aligned = spf_aligned;
  message.result = dkim_aligned || spf_aligned ? dmarc::Result::pass : dmarc::Result::fail;
  message.signatures.clear();
  message.spf.reset();
  return failure_wish(message, Privacy::redacted);
}

TEST(Failure, FoSaysWhen) {
  using W = FailureWish;
  EXPECT_EQ(wish({}, false, false), W::wanted);
  EXPECT_EQ(wish({}, true, false), W::not_failed);
  EXPECT_EQ(wish({}, false, true), W::not_failed);
  EXPECT_EQ(wish({.all = false, .any = true}, false, true), W::wanted);
  EXPECT_EQ(wish({.all = false, .any = true}, true, false), W::wanted);
  EXPECT_EQ(wish({.all = false, .any = true}, true, true), W::not_failed);
}

TEST(Failure, FoAsksForMechanismsAlignedOrNot) {
  FailedMessage message = failed();
  message.result = dmarc::Result::pass;
  message.dkim_aligned = message.spf_aligned = true;
  message.signatures[1].is_aligned = false;
  EXPECT_EQ(failure_wish(message, Privacy::redacted), FailureWish::not_failed);
  message.fo = {.all = false, .dkim = true};
  EXPECT_EQ(failure_wish(message, Privacy::redacted), FailureWish::wanted);
  message.signatures[1].result = dkim::Result::temperror;
  EXPECT_EQ(failure_wish(message, Privacy::redacted), FailureWish::not_failed);
  message.signatures[1].result = dkim::Result::policy;
  message.signatures[1].reason = dkim::Reason::limit_exceeded;
  EXPECT_EQ(failure_wish(message, Privacy::redacted), FailureWish::not_failed);
  message.fo = {.all = false, .spf = true};
  EXPECT_EQ(failure_wish(message, Privacy::redacted), FailureWish::wanted);
  message.spf->result = spf::Result::neutral;
  EXPECT_EQ(failure_wish(message, Privacy::redacted), FailureWish::not_failed);
}

TEST(Failure, FoOfMechanismsAloneAsksForNothingElse) {
  for (const dmarc::FailureOptions fo :
       {dmarc::FailureOptions{.all = false, .dkim = true}, {.all = false, .spf = true}})
    EXPECT_EQ(wish(fo, false, false), FailureWish::not_failed) << "nothing was signed, no SPF";
}

TEST(Failure, WhatWasNotEvaluatedHasNotFailed) {
  FailedMessage message = failed();
  message.dkim_aligned = true;
  message.result = dmarc::Result::pass;
  message.fo = {.all = false, .any = true};
  EXPECT_EQ(failure_wish(message, Privacy::redacted), FailureWish::wanted);
  message.spf_evaluated = false;
  EXPECT_EQ(failure_wish(message, Privacy::redacted), FailureWish::not_failed);
  EXPECT_EQ(identity_alignment(message), "none");
  EXPECT_THAT(format(message, mail()), Not(HasSubstr("SPF-DNS")));
  message.dkim_aligned = false;
  message.spf_aligned = message.spf_evaluated = true;
  EXPECT_EQ(failure_wish(message, Privacy::redacted), FailureWish::wanted);
  message.dkim_evaluated = false;
  EXPECT_EQ(failure_wish(message, Privacy::redacted), FailureWish::not_failed);
  EXPECT_EQ(identity_alignment(message), "none");
  EXPECT_THAT(format(message, mail()), Not(HasSubstr("DKIM-Domain")));
}

TEST(Failure, OfAllMechanismsThoseCountThatWereEvaluated) {
  FailedMessage message = failed();
  message.spf_evaluated = false;
  EXPECT_EQ(failure_wish(message, Privacy::redacted), FailureWish::wanted);
  EXPECT_EQ(identity_alignment(message), "dkim");
  message.dkim_evaluated = false;
  EXPECT_EQ(failure_wish(message, Privacy::redacted), FailureWish::not_failed);
}

TEST(Failure, S51ARecordOfATopLevelDomainIsAPublicSuffixs) {
  FailedMessage message = failed();
  message.policy_domain = name("com");
  EXPECT_EQ(failure_wish(message, Privacy::redacted), FailureWish::public_suffix);
  message.author_domain = name("com");
  EXPECT_EQ(failure_wish(message, Privacy::redacted), FailureWish::wanted);
}

TEST(Failure, S51IsNotSentWhereItMustNotBe) {
  FailedMessage message = failed();
  EXPECT_EQ(failure_wish(message, Privacy::never), FailureWish::never);
  EXPECT_EQ(failure_wish(message, Privacy::full_headers), FailureWish::wanted);
  message.result = dmarc::Result::temperror;
  EXPECT_EQ(failure_wish(message, Privacy::redacted), FailureWish::not_failed);
  message = failed();
  message.psd = dmarc::Psd::y;
  EXPECT_EQ(failure_wish(message, Privacy::redacted), FailureWish::public_suffix);
  message = failed();
  message.has_ruf = false;
  EXPECT_EQ(failure_wish(message, Privacy::redacted), FailureWish::not_asked);
}

TEST(Failure, S50ReportsAboutReportsAreNotSent) {
  FailedMessage message = failed();
  message.mail_from.clear();
  EXPECT_EQ(failure_wish(message, Privacy::redacted), FailureWish::about_report);
  for (const char* field : {"Content-Type: multipart/report; report-type=feedback-report",
                            "content-type:\r\n Multipart/Report", "Auto-Submitted: auto-replied",
                            "Subject: Report Domain: a.example Submitter: b.example",
                            "Subject:\r\n Report Domain: a.example", "TLS-Report-Domain: a.example",
                            "TLS-Report-Submitter: b.example"})
    EXPECT_TRUE(is_automatic("a@b.example", {HeaderField(field)})) << field;
  for (const char* field : {"Content-Type: text/plain", "Auto-Submitted: no", "Subject: report",
                            "Subject: report domain: a.example", "Subject: Re: Report Domain: a",
                            "X-Subject: Report Domain: a.example"})
    EXPECT_FALSE(is_automatic("a@b.example", {HeaderField(field)})) << field;
}

TEST(Failure, SaysWhatFailed) {
  const std::string text = format(failed(), mail());
  const Redactor redactor("key");
  const std::string alice = redactor.local_part("alice") + "@example.com";
  EXPECT_THAT(text, HasSubstr("Content-Type: multipart/report; report-type=feedback-report;"));
  EXPECT_THAT(text, HasSubstr("Content-Type: message/feedback-report\r\n"));
  EXPECT_THAT(text, HasSubstr("Content-Type: text/rfc822-headers"));
  for (const std::string& line :
       {std::string("Feedback-Type: auth-failure"), std::string("User-Agent: countersign/1.0"),
        std::string("Version: 1"), std::string("Auth-Failure: dmarc"),
        std::string("Identity-Alignment: dkim, spf"),
        std::string("Reported-Domain: news.example.com"), "Original-Mail-From: <" + alice + ">",
        std::string("Arrival-Date: Tue, 14 Nov 2023 22:13:20 +0000"),
        std::string("Source-IP: 192.0.2.1"), std::string("Source-Port: 4711"),
        std::string("Delivery-Result: policy"), std::string("DKIM-Domain: example.com"),
        "DKIM-Identity: " + alice, std::string("DKIM-Selector: s1"),
        std::string("SPF-DNS: txt : example.com : \"v=spf1 exp=\\\"x\\\" -all\"")})
    EXPECT_THAT(text, HasSubstr("\r\n" + line + "\r\n"));
  EXPECT_THAT(text, HasSubstr("smtp.mailfrom=" + alice));
  EXPECT_THAT(text, Not(HasSubstr("Incidents")));
  EXPECT_THAT(text, HasSubstr("From: " + alice + "\r\n"));
}

TEST(Failure, NamesItsProgramAsOneProduct) {
  FailureMail how = mail();
  how.reporter.generator = "countersign 0.1.0";
  EXPECT_THAT(format(failed(), how), HasSubstr("\r\nUser-Agent: countersign/0.1.0\r\n"));
  how.reporter.generator.clear();
  EXPECT_THAT(format(failed(), how), HasSubstr("\r\nUser-Agent: unnamed\r\n"));
}

TEST(Failure, S51ShowsNoPeopleAndNoBody) {
  const std::string redacted = format(failed(), mail());
  for (const char* word : {"alice", "Alice", "secret", "the body"})
    EXPECT_THAT(redacted, Not(HasSubstr(word)));
  const std::string full = format(failed(), mail(Privacy::full_headers));
  EXPECT_THAT(full, HasSubstr("From: Alice <alice@example.com>\r\nSubject: a secret\r\n"));
  EXPECT_THAT(full, Not(HasSubstr("the body")));
}

TEST(Failure, S51ShowsNoNameWithoutAnAddress) {
  FailedMessage message = failed();
  message.mail_from = "joe";
  message.signatures[1].auid = "alice smith@example.com";
  message.authentication_results =
      "mx.example.net; dkim=fail header.d=example.com header.i=\"alice smith@example.com\"";
  const std::string redacted = format(message, mail());
  const Redactor redactor("key");
  const std::string alice = redactor.local_part("alice smith");
  EXPECT_THAT(redacted, HasSubstr("\r\nOriginal-Mail-From: <" + redactor.local_part("joe") + ">"));
  EXPECT_THAT(redacted, HasSubstr("\r\nDKIM-Identity: " + alice + "@example.com\r\n"));
  EXPECT_THAT(redacted, HasSubstr("header.i=\"" + alice + "@example.com\"\r\n"));
  for (const char* word : {"joe", "alice", "smith"}) EXPECT_THAT(redacted, Not(HasSubstr(word)));
  EXPECT_THAT(format(message, mail(Privacy::full_headers)),
              HasSubstr("\r\nOriginal-Mail-From: <joe>\r\nArrival"));
}

TEST(Failure, S51AlikeFailuresAreToldOnce) {
  FailureMail many = mail();
  many.incidents = 12;
  EXPECT_THAT(format(failed(), many), HasSubstr("\r\nIncidents: 12\r\n"));
  FailedMessage other = failed();
  other.mail_from = "bob@example.com";
  EXPECT_EQ(key_of(failed()), key_of(other));
  other.spf_aligned = true;
  EXPECT_NE(key_of(failed()), key_of(other));
}

TEST(Failure, NamesOnlyWhatShouldHavePassed) {
  FailedMessage message = failed();
  message.dkim_aligned = true;
  EXPECT_EQ(identity_alignment(message), "spf");
  EXPECT_THAT(format(message, mail()), Not(HasSubstr("DKIM-Domain")));
  message.spf_aligned = true;
  EXPECT_EQ(identity_alignment(message), "none");
  EXPECT_THAT(format(message, mail()), Not(HasSubstr("SPF-DNS")));
  message.dkim_aligned = false;
  EXPECT_EQ(identity_alignment(message), "dkim");
}

TEST(Failure, NamesTheSignatureThatFoAsksFor) {
  FailedMessage message = failed();
  message.dkim_aligned = message.spf_aligned = true;
  message.fo = {.all = false, .dkim = true};
  message.signatures[1] = {.sdid = name("list.example"),
                           .auid = "@list.example",
                           .selector = name("l"),
                           .result = dkim::Result::fail};
  for (const auto& [reason, word] : {std::pair{dkim::Reason::body_hash_mismatch, "bodyhash"},
                                     {dkim::Reason::key_revoked, "revoked"},
                                     {dkim::Reason::signature_mismatch, "signature"}}) {
    message.signatures[1].reason = reason;
    const std::string text = format(message, mail());
    EXPECT_THAT(text, HasSubstr("\r\nAuth-Failure: " + std::string(word) + "\r\n"));
    EXPECT_THAT(text, HasSubstr("\r\nIdentity-Alignment: none\r\n"));
    EXPECT_THAT(text, HasSubstr("\r\nDKIM-Domain: list.example\r\n"));
    EXPECT_THAT(text, HasSubstr("\r\nDKIM-Identity: @list.example\r\n"));
    EXPECT_THAT(text, HasSubstr("\r\nDKIM-Selector: l\r\n"));
    EXPECT_THAT(text, Not(HasSubstr("SPF-DNS")));
  }
  message.spf_aligned = false;
  EXPECT_THAT(format(message, mail()), HasSubstr("\r\nAuth-Failure: dmarc\r\n"));
}

TEST(Failure, TellsOfNoSignatureThatDnsDidNotLetUsCheck) {
  FailedMessage message = failed();
  message.signatures.insert(message.signatures.begin(), message.signatures[1]);
  message.signatures[0].sdid = name("sub.example.com");
  message.signatures[0].result = dkim::Result::temperror;
  EXPECT_EQ(told_signature(message), &message.signatures[2]);
  message.signatures[2].result = dkim::Result::pass;
  EXPECT_EQ(told_signature(message), &message.signatures[2]) << "it passed and did not count";
  message.signatures[2].is_aligned = false;
  EXPECT_EQ(told_signature(message), nullptr);
  EXPECT_TRUE(is_told_of_dmarc(message));
}

TEST(Failure, ASignatureIsToldOfAloneWhereNoMechanismFailed) {
  FailedMessage message = failed();
  message.dkim_aligned = true;
  message.fo = {.all = false, .dkim = true};
  EXPECT_TRUE(is_told_of_dmarc(message)) << "SPF failed too";
  message.spf_evaluated = false;
  EXPECT_FALSE(is_told_of_dmarc(message));
  EXPECT_THAT(format(message, mail()),
              HasSubstr("\r\nAuth-Failure: signature\r\nIdentity-Alignment: none\r\n"));
}

TEST(Failure, ShowsTheRecordOfSpfThatFoAsksFor) {
  FailedMessage message = failed();
  message.dkim_aligned = true;
  message.spf = CheckedPath{name("list.example"), spf::Result::softfail, "v=spf1 ~all", false};
  EXPECT_THAT(format(message, mail()), Not(HasSubstr("SPF-DNS"))) << "it is none of the author's";
  message.fo = {.all = false, .spf = true};
  const std::string text = format(message, mail());
  EXPECT_THAT(text, HasSubstr("\r\nAuth-Failure: dmarc\r\nIdentity-Alignment: spf\r\n"));
  EXPECT_THAT(text, HasSubstr("\r\nSPF-DNS: txt : list.example : \"v=spf1 ~all\"\r\n"));
  EXPECT_THAT(text, Not(HasSubstr("DKIM-Domain")));
}

TEST(Failure, ALongRecordIsCutWithinItsQuotes) {
  FailedMessage message = failed();
  message.spf->record = "v=spf1 " + std::string(890, '"') + " -all";
  const std::string text = format(message, mail());
  EXPECT_THAT(text, HasSubstr("SPF-DNS: txt : example.com : \"v=spf1\r\n \\\"\\\""));
  EXPECT_THAT(text, HasSubstr("\\\"\"\r\n"));
}

TEST(Failure, S50AStrangersTextAddsNoField) {
  FailedMessage message = failed();
  message.mail_from = "a\r\nIncidents: 9\r\n\r\n@b.example";
  message.spf->record = "v=spf1\r\nBcc: x\x01";
  const std::string text = format(message, mail(Privacy::full_headers));
  EXPECT_THAT(text, Not(HasSubstr("\r\nIncidents:")));
  EXPECT_THAT(text, Not(HasSubstr("\r\nBcc:")));
}

TEST(Failure, WordsAreThoseOfTheDocuments) {
  EXPECT_EQ(to_string(Privacy::never), "never");
  EXPECT_EQ(to_string(Privacy::redacted), "redacted");
  EXPECT_EQ(to_string(Privacy::full_headers), "full_headers");
  EXPECT_EQ(to_string(DeliveryResult::spam), "spam");
  EXPECT_EQ(to_string(DeliveryResult::reject), "reject");
  EXPECT_EQ(name_of(FailureWish::public_suffix), "public_suffix");
}

}  // namespace
}  // namespace countersign::report
