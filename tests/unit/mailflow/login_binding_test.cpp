// SPDX-License-Identifier: Apache-2.0
//
// Whether login, From and MAIL FROM agree, and what is done where they do not: S-10, and that none
// of it opens what S-09 and S-11 have closed.

#include "countersign/mailflow/login_binding.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "countersign/mailflow/header_edit.hpp"
#include "countersign/mailflow/outbound.hpp"
#include "tests/support/signing.hpp"

namespace countersign::mailflow {
namespace {

using test::header;
using test::header_from;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

/// A host that signs for one.example and two.example, each with its key, and has a key of its own.
Policy hosting_policy() {
  Policy policy = test::signing_policy();
  policy.key_table.add(test::key_entry("one", "one.example", "s1", 1));
  policy.key_table.add(test::key_entry("two", "two.example", "s2", 2));
  policy.signing_table =
      test::signing_table(SigningTable::Kind::patterns, {"*@one.example one", "*@two.example two"});
  policy.logins.fallback = {test::key_entry("host", "host.example", "s3", 3)};
  return policy;
}

/// A message that somebody hands in who logged in from outside.
struct Submission {
  Policy policy = hosting_policy();
  std::string login = "alice@one.example";
  std::string mail_from = "alice@one.example";
  Header fields = header_from("alice@one.example");
  std::string client = "192.0.2.1";
  Header result;  ///< the header after all edits
};

Envelope envelope_of(const Submission& mail) {
  Envelope envelope;
  envelope.client_ip = IpAddress::parse(mail.client);
  envelope.mail_from = mail.mail_from;
  envelope.rcpt_to = {"bob@example.net"};
  if (mail.login.empty()) return envelope;
  envelope.macros["auth_type"] = "PLAIN";
  envelope.macros["auth_authen"] = mail.login;
  return envelope;
}

Outcome submit(Submission& mail) {
  const Envelope envelope = envelope_of(mail);
  Outbound outbound(std::make_shared<const Policy>(mail.policy), envelope, mail.fields);
  outbound.body("Hello.\r\n");
  Outcome outcome = std::move(outbound).finish(test::signing_time);
  mail.result = mail.fields;
  apply_edits(outcome.edits, mail.result);
  return outcome;
}

bool has(const Outcome& outcome, Reason reason) {
  return std::ranges::find(outcome.reasons, reason, &Explanation::reason) != outcome.reasons.end();
}

void expect_signed_by(Submission mail, std::string_view domain) {
  const Outcome outcome = submit(mail);
  ASSERT_EQ(outcome.signatures.size(), 1U) << to_string(outcome, true);
  EXPECT_EQ(outcome.signatures[0].sdid.text(), domain);
  EXPECT_EQ(outcome.action, Action::accept);
  const auto results = test::verify(mail.result, "Hello.\r\n", outcome);
  ASSERT_EQ(results.size(), 1U);
  EXPECT_EQ(results[0].result, dkim::Result::pass) << results[0].detail;
}

void expect_unsigned(Submission mail, Reason reason) {
  const Outcome outcome = submit(mail);
  EXPECT_THAT(outcome.signatures, IsEmpty()) << to_string(outcome, true);
  EXPECT_THAT(outcome.edits, IsEmpty());
  EXPECT_EQ(outcome.action, Action::accept);
  EXPECT_EQ(outcome.reasons.back().reason, reason) << to_string(outcome, true);
}

Submission by_author(const std::string& from) { return {.fields = header_from(from)}; }

// --- who may send as whom ------------------------------------------------------------------------

TEST(LoginBinding, WhatAgreesIsSigned) {
  expect_signed_by({}, "one.example");
  expect_signed_by(by_author("Shop <shop@ONE.example>"), "one.example");
  expect_signed_by({.login = "ALICE@One.Example.", .mail_from = "x@one.example."}, "one.example");
}

TEST(LoginBinding, S10NoCustomerSendsAsAnother) {
  Submission mail = by_author("ceo@two.example");
  expect_unsigned(mail, Reason::login_not_author);
  mail.mail_from = "ceo@two.example";
  expect_unsigned(mail, Reason::login_not_author);
  mail.mail_from = "";
  expect_unsigned(mail, Reason::login_not_author);
}

TEST(LoginBinding, S10MailFromMustAgreeToo) {
  for (const std::string_view path :
       {"ceo@two.example", "alice@www.one.example", "alice", "alice@",
        "@one.example,ceo@two.example", "<>", "a@one.example@two.example",
        "ceo@two.example(@one.example)", "a@[192.0.2.1]"})
    expect_unsigned({.mail_from = std::string(path)}, Reason::login_not_mail_from);
}

TEST(LoginBinding, S10APathThatWasCutIsNobodys) {
  const std::size_t kept = Limits().envelope_text_bytes_max;
  const std::string domain = "@one.example";
  expect_unsigned({.mail_from = std::string(kept - domain.size(), 'a') + domain},
                  Reason::login_not_mail_from);
}

TEST(LoginBinding, TheNullPathAgreesWithEveryLogin) {
  expect_signed_by({.mail_from = ""}, "one.example");
}

TEST(LoginBinding, S10EveryAuthorMustAgree) {
  expect_signed_by(by_author("alice@one.example, bob@one.example"), "one.example");
  expect_unsigned(by_author("alice@one.example, ceo@two.example"), Reason::login_not_author);
  expect_unsigned(by_author("ceo@two.example, alice@one.example"), Reason::login_not_author);
  expect_signed_by(by_author("Sales: alice@one.example, bob@one.example;"), "one.example");
  expect_unsigned(by_author("Sales: alice@one.example, ceo@two.example;"),
                  Reason::login_not_author);
  expect_unsigned(by_author("\"alice@one.example\" <ceo@two.example>"), Reason::login_not_author);
}

TEST(LoginBinding, SenderAndReplyToAreNotLookedAt) {
  Submission mail;
  mail.fields.emplace_back("Sender: ceo@two.example");
  mail.fields.emplace_back("Reply-To: ceo@two.example");
  expect_signed_by(mail, "one.example");
}

TEST(LoginBinding, S10WhoeverKeysAreLookedUpForMustAgree) {
  Submission mail;
  mail.policy.sender_headers = {"Sender", "From"};
  mail.fields.emplace_back("Sender: ceo@two.example");
  expect_unsigned(mail, Reason::login_not_author);
  mail = by_author("ceo@two.example");
  mail.policy.sender_headers = {"Sender", "From"};
  mail.fields.emplace_back("Sender: alice@one.example");
  expect_unsigned(mail, Reason::login_not_author);
}

TEST(LoginBinding, InternationalizedDomainsAreOneNameInAllSpellings) {
  Submission mail = by_author("a@xn--bcher-kva.example");
  mail.policy.key_table.add(test::key_entry("idn", "xn--bcher-kva.example", "s1", 1));
  mail.policy.signing_table = test::signing_table(SigningTable::Kind::patterns, {"* idn"});
  mail.login =
      "a@B\xC3\xBC"
      "cher.example";
  mail.mail_from =
      "a@b\xC3\xBC"
      "cher.example";
  expect_signed_by(mail, "xn--bcher-kva.example");
  mail.login = "a@bucher.example";
  expect_unsigned(mail, Reason::login_not_author);
}

TEST(LoginBinding, ALoginWithoutADomainSignsAsTheTablesSay) {
  expect_signed_by({.login = "alice"}, "one.example");
  expect_unsigned({.login = "alice", .fields = header_from("a@three.example")},
                  Reason::no_line_matches);
}

TEST(LoginBinding, S10WhatATableDoesNotHaveIsNotAllowed) {
  Submission mail;
  mail.policy.logins.table = LoginTable();
  expect_unsigned(mail, Reason::login_unknown);
  ASSERT_EQ(mail.policy.logins.table.add("alice", "one.example", {"logins", 1}), std::nullopt);
  expect_unsigned(mail, Reason::login_unknown);
  mail.login = "alice";
  expect_signed_by(mail, "one.example");
}

TEST(LoginBinding, ATrustedLoginMayUseEverything) {
  Submission mail{
      .login = "robot", .mail_from = "no path at all", .fields = header_from("a@two.example")};
  mail.policy.logins.table = LoginTable();
  ASSERT_EQ(mail.policy.logins.table.add("robot", "*", {"logins", 1}), std::nullopt);
  expect_signed_by(mail, "two.example");
}

// --- to whom it applies --------------------------------------------------------------------------

TEST(LoginBinding, S10InternalHostsThatLogInAreBoundToo) {
  Submission mail = by_author("ceo@two.example");
  mail.client = "127.0.0.1";
  expect_unsigned(mail, Reason::login_not_author);
  mail.policy.authenticated_is_ours = false;
  expect_unsigned(mail, Reason::login_not_author);
  mail.login.clear();
  expect_signed_by(mail, "two.example");
}

TEST(LoginBinding, S10ALoginIsOneWhetherItsMechanismIsToldOrNot) {
  for (const std::string_view told : {"auth_type", "auth_authen"}) {
    Policy policy = hosting_policy();
    policy.logins.table = LoginTable();
    Envelope envelope;
    envelope.macros[told] = "x";
    const std::vector<Mailbox> author = {{"a", test::name("one.example")}};
    EXPECT_FALSE(rule_on_login(policy.logins, envelope, author, {}).is_allowed) << told;
    envelope.macros[told] = "";
    EXPECT_TRUE(rule_on_login(policy.logins, envelope, author, {}).is_allowed) << told;
  }
}

TEST(LoginBinding, IsOffWhereTheSettingsSaySo) {
  Submission mail = by_author("ceo@two.example");
  mail.policy.logins.bound = false;
  mail.policy.logins.on_mismatch = MismatchAction::reject;
  expect_signed_by(mail, "two.example");
  EXPECT_FALSE(has(submit(mail), Reason::login_agrees));
}

TEST(LoginBinding, AFilterThatDoesNotSignRefusesNobody) {
  Submission mail = by_author("ceo@two.example");
  mail.policy.signs = false;
  mail.policy.logins.on_mismatch = MismatchAction::reject;
  expect_unsigned(mail, Reason::signing_off);
}

TEST(LoginBinding, S09AndS11MailFromOutsideIsSignedByNobody) {
  for (const MismatchAction action :
       {MismatchAction::unsigned_, MismatchAction::fallback, MismatchAction::reject}) {
    Submission mail{.login = ""};
    mail.policy.logins.on_mismatch = action;
    ASSERT_EQ(mail.policy.logins.table.add("*", "*", {"logins", 1}), std::nullopt);
    expect_unsigned(mail, Reason::outside_uses_our_domain);
    mail.fields = header_from("eve@three.example");
    expect_unsigned(mail, Reason::outside);
  }
}

TEST(LoginBinding, S11WithoutOneAuthorNoFallbackSigns) {
  for (const std::vector<std::string>& fields :
       std::vector<std::vector<std::string>>{{"Date: x"},
                                             {"From: a@one.example", "From: a@two.example"},
                                             {"From: a@one.example", "from : a@two.example"},
                                             {"From: a@one.example>"}}) {
    Submission mail{.fields = header(fields)};
    mail.policy.logins.on_mismatch = MismatchAction::fallback;
    expect_unsigned(mail, Reason::bad_author);
  }
}

// --- what is done --------------------------------------------------------------------------------

TEST(LoginBinding, TheFallbackSignsForItselfAlone) {
  Submission mail = by_author("ceo@two.example");
  mail.policy.logins.on_mismatch = MismatchAction::fallback;
  expect_signed_by(mail, "host.example");
  mail.policy.logins.fallback_signer = "@customers.host.example";
  const Outcome outcome = submit(mail);
  EXPECT_EQ(outcome.signatures.at(0).auid, "@customers.host.example");
  EXPECT_EQ(to_string(outcome, false),
            "signed as s3._domainkey.host.example (ed25519-sha256); the login may not use the "
            "author's address: alice@one.example as ceo@two.example");
}

TEST(LoginBinding, AFallbackMayHaveSeveralKeys) {
  Submission mail = by_author("ceo@two.example");
  mail.policy.logins.on_mismatch = MismatchAction::fallback;
  mail.policy.logins.fallback.push_back(test::key_entry("more", "host.example", "s4", 4));
  EXPECT_EQ(submit(mail).signatures.size(), 2U);
}

TEST(LoginBinding, S10TheFallbackVouchesForNoAuthor) {
  for (const std::string& from :
       {"postmaster@host.example", "ceo@www.host.example", "ceo@two.example, admin@host.example"}) {
    Submission mail = by_author(from);
    mail.policy.logins.on_mismatch = MismatchAction::fallback;
    expect_unsigned(mail, Reason::fallback_near_author);
  }
  for (const std::string& domain : {"a.two.example", "two.example", "x.y.two.example"}) {
    Submission mail = by_author("ceo@b.two.example");
    mail.policy.logins.on_mismatch = MismatchAction::fallback;
    mail.policy.logins.fallback = {test::key_entry("k", domain, "s3", 3)};
    expect_unsigned(mail, Reason::fallback_near_author);
  }
}

TEST(LoginBinding, AFallbackWithoutADomainOfItsOwnVouchesForNobody) {
  Submission mail = by_author("ceo@two.example");
  mail.policy.logins.on_mismatch = MismatchAction::fallback;
  mail.policy.logins.fallback = {test::key_entry("any", "%", "s3", 3)};
  expect_unsigned(mail, Reason::fallback_near_author);
}

TEST(LoginBinding, RefusesWithoutSayingWhatTheTableHas) {
  Submission mail = by_author("ceo@two.example");
  mail.policy.logins.on_mismatch = MismatchAction::reject;
  const Outcome outcome = submit(mail);
  EXPECT_EQ(outcome.action, Action::reject);
  EXPECT_EQ(outcome.action_codes, "550 5.7.1");
  EXPECT_THAT(outcome.action_text, AllOf(HasSubstr("sender address"), Not(HasSubstr("one.example")),
                                         Not(HasSubstr("two.example")), Not(HasSubstr("alice"))));
  EXPECT_THAT(outcome.edits, IsEmpty());
  EXPECT_THAT(to_string(outcome, false), HasSubstr("not signed, rejected; the login may not use"));
}

TEST(LoginBinding, AShadowTellsAndSigns) {
  for (const MismatchAction action :
       {MismatchAction::unsigned_, MismatchAction::fallback, MismatchAction::reject}) {
    Submission mail = by_author("ceo@two.example");
    mail.policy.logins.on_mismatch = action;
    mail.policy.logins.shadow = true;
    expect_signed_by(mail, "two.example");
    const Outcome outcome = submit(mail);
    EXPECT_TRUE(has(outcome, Reason::login_shadowed));
    EXPECT_TRUE(has_problem(outcome));
    EXPECT_THAT(to_string(outcome, false), HasSubstr("the login may not use"));
  }
}

// --- what is said --------------------------------------------------------------------------------

TEST(LoginBinding, NamesTheLineThatDecided) {
  Submission mail;
  mail.policy.logins.table = LoginTable();
  ASSERT_EQ(mail.policy.logins.table.add("*@*", "%d", {"/etc/logins", 3}), std::nullopt);
  EXPECT_THAT(to_string(submit(mail), true),
              HasSubstr("the login may use the author's address: alice@one.example as "
                        "alice@one.example (/etc/logins:3)"));
  mail.fields = header_from("ceo@two.example");
  EXPECT_THAT(to_string(submit(mail), false),
              HasSubstr("alice@one.example as ceo@two.example (/etc/logins:3)"));
  mail = {.mail_from = "ceo@two.example"};
  EXPECT_THAT(to_string(submit(mail), false),
              HasSubstr("the login may not use the address of MAIL FROM: alice@one.example as "
                        "ceo@two.example"));
}

TEST(LoginBinding, ControlOctetsOfLoginsAndPathsReachNoLog) {
  Submission mail{.login = "alice\r\nX: y\x1b[2J\x00@one.example", .mail_from = "a\tb\x7f\xff"};
  mail.login += std::string(1, '\0');
  mail.policy.logins.table = LoginTable();
  for (const bool knows : {false, true}) {
    if (knows) ASSERT_EQ(mail.policy.logins.table.add("*", "one.example", {"l", 1}), std::nullopt);
    const std::string text = to_string(submit(mail), true);
    EXPECT_TRUE(std::ranges::all_of(text, [](char c) { return c >= ' ' && c < 0x7F; })) << text;
  }
}

}  // namespace
}  // namespace countersign::mailflow
