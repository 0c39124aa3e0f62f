// SPDX-License-Identifier: Apache-2.0
//
// A message on its way out: that what is signed verifies, and that nothing is signed which must not
// be (S-01, S-09, S-11).

#include "countersign/mailflow/outbound.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "countersign/mailflow/header_edit.hpp"
#include "tests/support/exact.hpp"
#include "tests/support/signing.hpp"

namespace countersign::mailflow {
namespace {

using test::header;
using test::header_from;
using test::key_entry;
using test::policy_for_example_org;
using test::signing_table;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;
using Kind = SigningTable::Kind;

constexpr std::string_view body_text = "Hello,\r\n\r\nthere  \r\n\r\n\r\n";

/// The envelope of a message from a client; the localhost is ours.
Envelope from_client(std::string_view address = "127.0.0.1") {
  Envelope envelope;
  envelope.client_host = "client.example";
  envelope.client_ip = IpAddress::parse(address);
  envelope.mail_from = "alice@example.org";
  envelope.rcpt_to = {"bob@example.net"};
  envelope.macros["i"] = "4F1";
  return envelope;
}

/// A message with all that it is put through.
struct Passage {
  Policy policy = policy_for_example_org();
  Envelope envelope = from_client();
  Header fields = header_from("Alice <alice@example.org>");
  std::string body = std::string(body_text);
  std::size_t chunk_octets = 1'000;
  std::optional<SplitErrorCode> over_limit;
  Header result;  ///< the header after all edits
};

Outcome finish(Passage& mail) {
  Outbound outbound(std::make_shared<const Policy>(mail.policy), mail.envelope, mail.fields,
                    mail.over_limit);
  for (std::string_view rest = mail.body; !rest.empty();
       rest.remove_prefix(std::min(mail.chunk_octets, rest.size()))) {
    const test::Exact chunk = test::exact(rest.substr(0, mail.chunk_octets));
    outbound.body(chunk.view());
  }
  Outcome outcome = std::move(outbound).finish(test::signing_time);
  mail.result = mail.fields;
  apply_edits(outcome.edits, mail.result);
  return outcome;
}

Reason last_reason(const Outcome& outcome) { return outcome.reasons.back().reason; }

void expect_unsigned(const Outcome& outcome, Reason reason) {
  EXPECT_THAT(outcome.signatures, IsEmpty());
  EXPECT_THAT(outcome.edits, IsEmpty());
  EXPECT_EQ(last_reason(outcome), reason) << to_string(outcome, true);
}

void expect_verifies(const Passage& mail, const Outcome& outcome, std::size_t signatures) {
  ASSERT_EQ(outcome.signatures.size(), signatures) << to_string(outcome, true);
  const auto results = test::verify(mail.result, mail.body, outcome);
  ASSERT_EQ(results.size(), signatures);
  for (const dkim::SignatureResult& result : results)
    EXPECT_EQ(result.result, dkim::Result::pass) << result.detail;
}

// --- what is signed ------------------------------------------------------------------------------

TEST(Outbound, SignsOurMailSoThatItVerifies) {
  Passage mail;
  const Outcome outcome = finish(mail);
  expect_verifies(mail, outcome, 1);
  EXPECT_EQ(outcome.action, Action::accept);
  EXPECT_EQ(outcome.queue_id, "4F1");
  EXPECT_EQ(outcome.author, "alice@example.org");
  EXPECT_EQ(outcome.signatures[0].sdid.text(), "example.org");
  EXPECT_EQ(outcome.signatures[0].algorithm, dkim::Algorithm::ed25519_sha256);
  EXPECT_EQ(outcome.body_octets, body_text.size());
  EXPECT_TRUE(mail.result.front().is("DKIM-Signature")) << "above all that was there";
  EXPECT_EQ(mail.result.size(), mail.fields.size() + 1);
}

TEST(Outbound, CountsTheOctetsOfTheHeader) {
  Passage mail;
  mail.fields = header({"From: a@example.org", "Date: x"});
  EXPECT_EQ(finish(mail).header_octets, 19U + 2 + 7 + 2);
}

TEST(Outbound, TheCutsOfTheBodyDoNotMatter) {
  Passage whole;
  const std::vector<HeaderEdit> expected = finish(whole).edits;
  for (std::size_t chunk = 1; chunk <= body_text.size(); ++chunk) {
    Passage mail;
    mail.chunk_octets = chunk;
    EXPECT_EQ(finish(mail).edits, expected) << chunk;
  }
}

TEST(Outbound, AnEmptyBodyIsSignedToo) {
  Passage mail;
  mail.body = "";
  expect_verifies(mail, finish(mail), 1);
}

TEST(Outbound, MakesAllSignaturesInTheOrderOfTheLines) {
  Passage mail;
  mail.policy.multiple_signatures = true;
  mail.policy.key_table.add(key_entry("second", "example.org", "s2", 2));
  mail.policy.key_table.add(key_entry("third", "%", "s3", 3));
  mail.policy.signing_table =
      signing_table(Kind::patterns, {"*@example.org key", "*@example.org second", "* third"});
  const Outcome outcome = finish(mail);
  expect_verifies(mail, outcome, 3);
  EXPECT_THAT(mail.result[0].value(), HasSubstr("s=s1;"));
  EXPECT_THAT(mail.result[1].value(), HasSubstr("s=s2;"));
  EXPECT_THAT(mail.result[2].value(), HasSubstr("s=s3;"));
  EXPECT_EQ(outcome.signatures[2].selector.text(), "s3");
}

TEST(Outbound, SaysWhetherTheBodyMatters) {
  const auto policy = std::make_shared<const Policy>(policy_for_example_org());
  const Envelope ours = from_client();
  const Header author = header_from("a@example.org");
  const Header stranger = header_from("a@example.net");
  EXPECT_TRUE(Outbound(policy, ours, author).wants_body());
  EXPECT_FALSE(Outbound(policy, ours, stranger).wants_body());
}

TEST(Outbound, ReadsTheQueueIdAtTheEnd) {
  const auto policy = std::make_shared<const Policy>(policy_for_example_org());
  Envelope envelope = from_client();
  envelope.macros.clear();
  const Header fields = header_from("a@example.org");
  Outbound outbound(policy, envelope, fields);
  envelope.macros["i"] = "late";
  EXPECT_EQ(std::move(outbound).finish(test::signing_time).queue_id, "late");
}

// --- what is not ---------------------------------------------------------------------------------

TEST(Outbound, S11MailFromOutsideIsNeverSigned) {
  Passage mail;
  mail.envelope = from_client("192.0.2.1");
  for (const char* author : {"alice@example.org", "eve@example.net"}) {
    mail.fields = header_from(author);
    const Outcome outcome = finish(mail);
    EXPECT_TRUE(outcome.edits.empty()) << author;
    EXPECT_EQ(outcome.action, Action::accept) << author;
  }
}

TEST(Outbound, S09OurAuthorOnMailFromOutsideIsRemarkedOn) {
  Passage mail;
  mail.envelope = from_client("192.0.2.1");
  const Outcome outcome = finish(mail);
  expect_unsigned(outcome, Reason::outside_uses_our_domain);
  EXPECT_EQ(outcome.reasons.back().detail, "client.example [192.0.2.1] as alice@example.org");
  EXPECT_EQ(outcome.action, Action::accept);
}

TEST(Outbound, StrangersWithTheirOwnDomainAreNoNews) {
  Passage mail;
  mail.envelope = from_client("192.0.2.1");
  mail.fields = header_from("eve@example.net");
  expect_unsigned(finish(mail), Reason::outside);
}

TEST(Outbound, ExternalIgnoreListSilencesAndGrantsNothing) {
  Passage mail;
  mail.envelope = from_client("192.0.2.1");
  mail.policy.external_ignored.add("192.0.2.0/24", {});
  expect_unsigned(finish(mail), Reason::outside);
}

TEST(Outbound, S11AMessageWithoutOneReadableFromIsNeverSigned) {  // S-01, S-02
  const std::string other = "Sender: alice@example.org";
  for (const std::vector<std::string>& fields : std::vector<std::vector<std::string>>{
           {other},
           {"From: alice@example.org", "From: alice@example.org"},
           {"From: alice@example.org", "from : alice@example.org"},
           {"From: alice@example.org", "FROM: eve@example.net"},
           {"From:"},
           {"From: Alice"},
           {"From: alice@example.org>"},
           {"From: alice@example.org <eve@example.net"},
           {"From: <@relay.example:alice@example.org>"},
           {"From: undisclosed:;"},
           {std::string("From: alice@example.org\0", 24)}}) {
    for (const Action action : {Action::accept, Action::reject, Action::quarantine}) {
      Passage mail;
      mail.fields = header(fields);
      mail.policy.on_bad_author = action;
      mail.policy.sender_headers = {"Sender", "From"};
      const Outcome outcome = finish(mail);
      expect_unsigned(outcome, Reason::bad_author);
      EXPECT_EQ(outcome.action, action);
      EXPECT_EQ(outcome.action_text.empty(), action == Action::accept);
      EXPECT_TRUE(outcome.author.empty());
      EXPECT_EQ(outcome.reasons.front().reason, Reason::internal_host);
    }
  }
}

TEST(Outbound, AnAuthorThatIsNotOursIsNotSigned) {
  Passage mail;
  mail.fields = header_from("alice@example.net");
  expect_unsigned(finish(mail), Reason::no_line_matches);
}

TEST(Outbound, TheEnvelopeSenderDoesNotChooseTheKey) {
  Passage mail;
  mail.envelope.mail_from = "alice@example.org";
  mail.fields = header_from("alice@example.net");
  expect_unsigned(finish(mail), Reason::no_line_matches);
  mail = Passage();
  mail.envelope.mail_from = "bounce@elsewhere.example";
  expect_verifies(mail, finish(mail), 1);
}

TEST(Outbound, VerifyOnlySignsNothing) {
  Passage mail;
  mail.policy.signs = false;
  expect_unsigned(finish(mail), Reason::signing_off);
}

TEST(Outbound, PeersAreNotTouchedWhateverTheySend) {
  Passage mail;
  mail.policy.peers.add("127.0.0.1", {});
  mail.policy.on_bad_author = Action::reject;
  mail.policy.on_limit = Action::reject;
  mail.fields = header({"Subject: no author"});
  mail.over_limit = SplitErrorCode::too_many_fields;
  const Outcome outcome = finish(mail);
  expect_unsigned(outcome, Reason::peer);
  EXPECT_EQ(outcome.action, Action::accept);
}

TEST(Outbound, PeersAreTreatedAsThePolicySays) {
  for (const Action action :
       {Action::accept, Action::discard, Action::quarantine, Action::reject, Action::tempfail}) {
    Passage mail;
    mail.policy.peers.add("127.0.0.1", {"/etc/peers", 3});
    mail.policy.on_peer = action;
    const Outcome outcome = finish(mail);
    expect_unsigned(outcome, Reason::peer);
    EXPECT_EQ(outcome.action, action);
    EXPECT_EQ(outcome.action_text.empty(), action == Action::accept);
    EXPECT_THAT(outcome.action_text, Not(HasSubstr("/etc/peers"))) << "it goes to the client";

    const std::optional<Outcome> early = refuse_peer(mail.policy, mail.envelope);
    const bool is_early = action != Action::accept && action != Action::quarantine;
    ASSERT_EQ(early.has_value(), is_early) << to_string(action);
    if (!early) continue;
    EXPECT_EQ(early->action, action);
    EXPECT_EQ(early->action_text, outcome.action_text);
    EXPECT_EQ(early->reasons, outcome.reasons);
    EXPECT_EQ(early->queue_id, "4F1");
  }
}

TEST(Outbound, WhatIsDoneWithPeersIsDoneWithNobodyElse) {
  Passage mail;
  mail.policy.peers.add("192.0.2.0/24", {});
  mail.policy.on_peer = Action::reject;
  expect_verifies(mail, finish(mail), 1);
  EXPECT_FALSE(refuse_peer(mail.policy, mail.envelope));
  mail.envelope = from_client("198.51.100.1");
  EXPECT_EQ(finish(mail).action, Action::accept);
  EXPECT_FALSE(refuse_peer(mail.policy, mail.envelope));
  EXPECT_FALSE(refuse_peer(mail.policy, Envelope())) << "a client that is not known";
  mail.policy.peers = {};
  EXPECT_FALSE(mail.policy.refuses_peers());
}

TEST(Outbound, ExemptDomainsAreNotTouched) {
  Passage mail;
  mail.policy.exempt_domains.entries.add("example.org", {});
  mail.policy.requires_headers = true;
  mail.fields = header({"From: a@example.org"});
  const Outcome outcome = finish(mail);
  expect_unsigned(outcome, Reason::exempt_domain);
  EXPECT_EQ(outcome.action, Action::accept);
}

TEST(Outbound, ARecipientOfDontSignMailToStopsTheSignature) {
  for (const char* listed : {"list@lists.example.net", "lists.example.net", ".example.net"}) {
    Passage mail;
    mail.policy.unsigned_recipients = {listed};
    mail.envelope.rcpt_to = {"bob@example.com", "LIST@Lists.Example.NET", "ann@example.com"};
    const Outcome outcome = finish(mail);
    expect_unsigned(outcome, Reason::unsigned_recipient);
    EXPECT_EQ(outcome.reasons.back().detail, "LIST@Lists.Example.NET");
  }
  for (const char* listed : {"other@lists.example.net", "example.net", ".lists.example.net"}) {
    Passage mail;
    mail.policy.unsigned_recipients = {listed};
    mail.envelope.rcpt_to = {"list@lists.example.net", "nobody"};
    expect_verifies(mail, finish(mail), 1);
  }
}

TEST(Outbound, RecipientsThatWereNotKeptMayBeListed) {
  Passage mail;
  mail.envelope.rcpt_to_dropped = 1;
  expect_verifies(mail, finish(mail), 1);
  mail = Passage();
  mail.envelope.rcpt_to_dropped = 1;
  mail.policy.unsigned_recipients = {"list@example.net"};
  expect_unsigned(finish(mail), Reason::unsigned_recipient);
}

TEST(Outbound, AHeaderOverItsLimitsIsNotSigned) {
  for (const Action action : {Action::accept, Action::reject, Action::tempfail}) {
    Passage mail;
    mail.over_limit = SplitErrorCode::header_too_large;
    mail.policy.on_limit = action;
    const Outcome outcome = finish(mail);
    expect_unsigned(outcome, Reason::over_limit);
    EXPECT_EQ(outcome.action, action);
  }
}

TEST(Outbound, RequiredHeadersCountsTheFieldsOfRfc5322) {  // RFC 5322 §3.6
  const auto reason_for = [](const std::vector<std::string>& more, bool with_date = true) {
    Passage mail;
    mail.policy.requires_headers = true;
    mail.policy.on_bad_author = Action::reject;
    mail.fields = header({"From: a@example.org"});
    if (with_date) mail.fields.emplace_back("Date: x");
    for (const std::string& field : more) mail.fields.emplace_back(field);
    const Outcome outcome = finish(mail);
    EXPECT_EQ(outcome.action == Action::reject, last_reason(outcome) == Reason::bad_field_count);
    return last_reason(outcome) == Reason::bad_field_count ? outcome.reasons.back().detail
                                                           : std::string();
  };
  EXPECT_EQ(reason_for({}), "");
  EXPECT_EQ(
      reason_for({"To: b", "Cc: c", "Received: d", "Received: d", "Comments: e", "Comments: e"}),
      "");
  EXPECT_EQ(reason_for({}, false), "Date");
  for (const char* once : {"Date", "Sender", "Reply-To", "To", "Cc", "Bcc", "Message-ID",
                           "In-Reply-To", "References", "Subject"})
    EXPECT_EQ(reason_for({std::string(once) + ": 1", std::string(once) + ": 2"}), once);
}

TEST(Outbound, RequiredHeadersRejectsWhatIsLookedAt) {
  const auto action = [](bool signs, bool judges, const char* client, const char* from) {
    Passage mail;
    mail.policy.requires_headers = true;
    mail.policy.signs = signs;
    mail.policy.judges = judges;
    mail.envelope.client_ip = IpAddress::parse(client);
    mail.fields = header({from});
    const Outcome outcome = finish(mail);
    EXPECT_THAT(outcome.edits, IsEmpty());
    return outcome.action;
  };
  const char* const us = "127.0.0.1";
  const char* const stranger = "192.0.2.1";
  EXPECT_EQ(action(true, false, us, "From: a@example.org"), Action::reject);
  EXPECT_EQ(action(true, true, us, "From: a@example.net"), Action::reject);
  EXPECT_EQ(action(true, false, us, "From: a@example.net"), Action::accept);
  EXPECT_EQ(action(false, true, us, "From: a@example.org"), Action::accept);
  EXPECT_EQ(action(true, true, stranger, "From: a@example.org"), Action::reject);
  EXPECT_EQ(action(true, false, stranger, "From: a@example.org"), Action::accept);
}

TEST(Outbound, RequiredHeadersIsAboutASecondFromToo) {
  for (const bool required : {false, true}) {
    Passage mail;
    mail.policy.requires_headers = required;
    mail.fields = header({"From: a@example.org", "From: b@example.org", "Date: x"});
    const Outcome outcome = finish(mail);
    expect_unsigned(outcome, Reason::bad_author);
    EXPECT_EQ(outcome.action, required ? Action::reject : Action::accept);
  }
}

TEST(Outbound, StrictHeadersLeavesMailUnsigned) {
  Passage mail;
  mail.policy.strict_headers = true;
  expect_verifies(mail, finish(mail), 1);
  mail.fields.emplace_back("Subject: again");
  mail.fields.emplace_back("Subject: and again");
  const Outcome outcome = finish(mail);
  expect_unsigned(outcome, Reason::bad_field_count);
  EXPECT_EQ(outcome.action, Action::accept);
}

// --- SenderHeaders -------------------------------------------------------------------------------

TEST(Outbound, LooksTheAuthorUpInTheFirstSenderHeaderThatIsThere) {
  Passage mail;
  mail.policy.sender_headers = {"List-Sender", "Sender", "From"};
  mail.fields = header_from("eve@example.net");
  mail.fields.emplace_back("Sender: list@example.org");
  const Outcome outcome = finish(mail);
  expect_verifies(mail, outcome, 1);
  EXPECT_EQ(outcome.author, "list@example.org");

  mail = Passage();
  mail.policy.sender_headers = {"Sender"};
  expect_verifies(mail, finish(mail), 1);  // Falls back to From.
  mail = Passage();
  mail.policy.sender_headers = {"From", "Sender"};
  mail.fields.emplace_back("Sender: list@example.net");
  expect_verifies(mail, finish(mail), 1);
}

TEST(Outbound, ListPostHoldsAUrl) {  // RFC 2369 §3.4
  for (const char* value :
       {"<mailto:dev@example.org>", " <MAILTO:dev@example.org?subject=x>",
        "<https://lists.example.net/post> (Web), <mailto:dev@example.org> (Mail)"}) {
    Passage mail;
    mail.policy.sender_headers = {"List-Post"};
    mail.fields = header_from("eve@example.net");
    mail.fields.emplace_back(std::string("List-Post:") + value);
    const Outcome outcome = finish(mail);
    expect_verifies(mail, outcome, 1);
    EXPECT_EQ(outcome.author, "dev@example.org") << value;
  }
  Passage mail;
  mail.policy.sender_headers = {"List-Post"};
  mail.fields.emplace_back("List-Post: NO (nobody posts here)");
  expect_unsigned(finish(mail), Reason::bad_author);
}

TEST(Outbound, AnUnreadableOrRepeatedSenderHeaderIsAnError) {
  for (const std::vector<std::string>& senders : std::vector<std::vector<std::string>>{
           {"Sender: list@example.org>"}, {"Sender: l@example.org", "Sender: e@example.net"}}) {
    Passage mail;
    mail.policy.sender_headers = {"Sender"};
    for (const std::string& sender : senders) mail.fields.emplace_back(sender);
    expect_unsigned(finish(mail), Reason::bad_author);
  }
}

TEST(Outbound, TheFirstOfSeveralAuthorsCounts) {
  Passage mail;
  mail.fields = header_from("a@example.org, b@example.net");
  expect_verifies(mail, finish(mail), 1);
  mail = Passage();
  mail.fields = header_from("b@example.net, a@example.org");
  expect_unsigned(finish(mail), Reason::no_line_matches);
}

// --- errors in the tables ------------------------------------------------------------------------

TEST(Outbound, AKeyThatIsMissingStopsTheMessageByDefault) {
  Passage mail;
  mail.policy.signing_table = signing_table(Kind::patterns, {"* key", "* missing"});
  mail.policy.multiple_signatures = true;
  const Outcome outcome = finish(mail);
  EXPECT_EQ(outcome.action, Action::tempfail);
  EXPECT_EQ(outcome.action_text, "the message cannot be signed");
  EXPECT_THAT(outcome.signatures, IsEmpty());
  EXPECT_THAT(outcome.edits, IsEmpty());
}

TEST(Outbound, AKeyThatIsMissingDoesNotTakeTheOthersAway) {
  Passage mail;
  mail.policy.signing_table = signing_table(Kind::patterns, {"* key", "* missing"});
  mail.policy.multiple_signatures = true;
  mail.policy.on_signing_error = Action::accept;
  expect_verifies(mail, finish(mail), 1);
}

// --- what else is written ------------------------------------------------------------------------

TEST(Outbound, RemovesOldSignaturesFromTheHighestIndexDown) {
  Passage mail;
  mail.policy.removes_old_signatures = true;
  mail.fields.emplace(mail.fields.begin(), "DKIM-Signature: v=1; old=1");
  mail.fields.emplace_back("dkim-signature: v=1; old=2");
  const Outcome outcome = finish(mail);
  EXPECT_EQ(outcome.edits[0].index, 2U);
  EXPECT_EQ(outcome.edits[1].index, 1U);
  expect_verifies(mail, outcome, 1);
}

TEST(Outbound, LeavesOldSignaturesOfMailThatIsNotSigned) {
  Passage mail;
  mail.policy.removes_old_signatures = true;
  mail.fields = header_from("a@example.net");
  mail.fields.emplace_back("DKIM-Signature: v=1; old=1");
  expect_unsigned(finish(mail), Reason::no_line_matches);
}

TEST(Outbound, NamesTheSoftwareAboveTheSignatures) {
  Passage mail;
  mail.policy.software_header = "countersign/0.1.0 mx.example";
  const Outcome outcome = finish(mail);
  EXPECT_EQ(mail.result[0].raw(), "DKIM-Filter: countersign/0.1.0 mx.example 4F1");
  EXPECT_TRUE(mail.result[1].is("DKIM-Signature"));
  expect_verifies(mail, outcome, 1);

  mail = Passage();
  mail.policy.software_header = "x";
  mail.envelope.macros.clear();
  finish(mail);
  EXPECT_EQ(mail.result[0].raw(), "DKIM-Filter: x (unknown-jobid)");

  mail = Passage();
  mail.policy.software_header = "x";
  mail.fields = header_from("a@example.net");
  EXPECT_THAT(finish(mail).edits, IsEmpty());
}

TEST(Outbound, SignsBareLineEndsAsTheyAreOrAsTheyWillBe) {  // S-08
  Passage mail;
  mail.body = "a\nb\rc\r\n";
  expect_verifies(mail, finish(mail), 1);

  for (std::size_t chunk = 1; chunk < 12; ++chunk) {
    Passage mended;
    mended.policy.fixes_line_ends = true;
    mended.body = "a\nb\rc\r\n\r";
    mended.chunk_octets = chunk;
    const Outcome outcome = finish(mended);
    mended.body = "a\r\nb\r\nc\r\n\r\n";
    expect_verifies(mended, outcome, 1);
  }
}

TEST(Outbound, ExplainsFromTheDirectionOn) {
  Passage mail;
  const Outcome outcome = finish(mail);
  ASSERT_EQ(outcome.reasons.size(), 2U);
  EXPECT_EQ(outcome.reasons[0],
            (Explanation{Reason::internal_host, "client.example [127.0.0.1]", Place{"hosts", 1}}));
  EXPECT_EQ(outcome.reasons[1],
            (Explanation{Reason::line_matches, "alice@example.org", Place{"table", 1}}));
}

}  // namespace
}  // namespace countersign::mailflow
