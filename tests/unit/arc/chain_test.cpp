// SPDX-License-Identifier: Apache-2.0
//
// Validation: each reason there is, what is asked of DNS and what is not, and how far back the
// message signatures hold.

#include "countersign/arc/chain.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include "countersign/text/abnf.hpp"
#include "tests/support/arc.hpp"
#include "tests/support/exact.hpp"

namespace countersign::arc {
namespace {

using std::chrono::seconds;
using Instances = std::vector<unsigned>;

constexpr const char* ed_at = "ed._domainkey.example.com";
constexpr const char* rsa_at = "rsa._domainkey.example.com";

Message plain() {
  return sample::message(
      "From: Joe <joe@example.net>\nTo: a@example.org\nSubject: words\n\nHello.\n");
}

// Sealed by example.com that often; the newest set is on top, its fields in the order AS, AMS, AAR.
Message sealed(unsigned sets) { return sample::sealed_message(plain(), sets); }

Message sealed_with(const crypto::PrivateKey& key) {
  return sample::sealed_message(plain(), sample::sealing_identity(key));
}

void passes(const Outcome& outcome, unsigned oldest_pass = 0) {
  EXPECT_EQ(outcome.status, ChainStatus::pass) << outcome.detail;
  EXPECT_EQ(outcome.reason, Reason::valid) << to_string(outcome.reason);
  EXPECT_EQ(outcome.detail, "");
  EXPECT_EQ(outcome.oldest_pass, oldest_pass);
  EXPECT_FALSE(outcome.is_temporary());
}

void fails(const Outcome& outcome, Reason reason, std::string_view detail) {
  EXPECT_EQ(outcome.status, ChainStatus::fail);
  EXPECT_EQ(outcome.reason, reason) << to_string(outcome.reason);
  EXPECT_TRUE(outcome.detail.contains(detail)) << outcome.detail;
  EXPECT_EQ(outcome.oldest_pass, 0u);
  EXPECT_EQ(outcome.is_temporary(), reason == Reason::key_unavailable);
}

// Counts the questions that a validation asks.
std::vector<std::string> questions_of(const Message& message) {
  Verifier verifier(message.header, Limits{});
  verifier.body(message.body);
  auto asking = std::move(verifier).finish(sample::signing_time);
  std::vector<std::string> names;
  for (const dns::OpenQuestion& open : asking.take_questions()) names.push_back(open.question.name);
  return names;
}

// --- a chain that holds ---

TEST(ArcVerifier, HasNothingToSayWithoutSets) {
  const Outcome outcome = sample::validate(plain());
  EXPECT_EQ(outcome.status, ChainStatus::none);
  EXPECT_EQ(outcome.reason, Reason::no_sets);
  EXPECT_TRUE(outcome.sets.empty());
  EXPECT_TRUE(questions_of(plain()).empty());
}

TEST(ArcVerifier, TellsWhatItKnowsOfEachSet) {
  const Outcome outcome = sample::validate(sealed(2));
  passes(outcome);
  ASSERT_EQ(outcome.sets.size(), 2u);
  for (unsigned i = 0; i < 2; ++i) {
    const SetResult& set = outcome.sets[i];
    EXPECT_EQ(set.instance, i + 1);
    EXPECT_EQ(set.sealer.text(), "example.com");
    EXPECT_EQ(set.signer.text(), "example.com");
    EXPECT_EQ(set.selector.text(), "ed");
    EXPECT_EQ(set.time, 1'700'000'000u);
    EXPECT_EQ(set.message_signature.result, dkim::Result::pass);
    EXPECT_EQ(set.seal.result, dkim::Result::pass);
    EXPECT_EQ(set.payload, " mx.example.com; spf=pass\r\n\tsmtp.mailfrom=example.net");
  }
}

TEST(ArcVerifier, AcceptsBothAlgorithms) {
  passes(sample::validate(sealed_with(sample::rsa_key())));
  passes(sample::validate(sealed_with(sample::ed25519_key())));
}

TEST(ArcVerifier, AcceptsFieldsAnywhere) {
  Message message = sealed(2);
  std::rotate(message.header.begin(), message.header.begin() + 6, message.header.end());
  passes(sample::validate(message));
}

TEST(ArcVerifier, AsksForEachKeyOnceAndAllAtOnce) {
  EXPECT_EQ(questions_of(sealed(3)), std::vector<std::string>{ed_at});
  const Message mixed = sample::sealed_message(sealed_with(sample::rsa_key()),
                                               sample::sealing_identity(sample::ed25519_key()));
  EXPECT_EQ(questions_of(mixed), (std::vector<std::string>{rsa_at, ed_at}));
}

// S-33: in any pieces it is the same body.
TEST(ArcVerifier, DoesNotDependOnTheChunksS33) {
  const Message message = sealed(1);
  for (std::size_t cut = 0; cut <= message.body.size(); ++cut) {
    Verifier verifier(message.header, Limits{});
    verifier.body(test::exact(std::string_view(message.body).substr(0, cut)).view());
    verifier.body(test::exact(std::string_view(message.body).substr(cut)).view());
    passes(sample::zone().run(std::move(verifier).finish(sample::signing_time)));
  }
}

TEST(ArcVerifier, TakesAChainOfFiftySets) {
  const Message message = sealed(50);
  const Outcome outcome = sample::validate(message);
  passes(outcome);
  EXPECT_EQ(outcome.sets.size(), 50u);
}

TEST(ArcVerifier, MayBeDroppedWhileItAsks) {
  const Message message = sealed(1);
  Verifier verifier(message.header, Limits{});
  verifier.body(message.body);
  auto asking = std::move(verifier).finish(sample::signing_time);
  EXPECT_EQ(asking.take_questions().size(), 1u);
  EXPECT_FALSE(asking.done());
}

// --- how far back the message signatures hold (RFC 8617 §5.2 step 5) ---

// A message that a host of example.com received with a valid chain, changed and sealed.
Message sealed_after_change(Message message) {
  return sample::sealed_message(std::move(message), sample::sealing_identity(sample::ed25519_key()),
                                ChainStatus::pass);
}

TEST(OldestPass, IsZeroWhileNothingWasChanged) { passes(sample::validate(sealed(4)), 0); }

TEST(OldestPass, IsTheFirstSetAfterTheLastChange) {
  for (const unsigned before : {1u, 2u, 3u}) {
    Message message = sealed(before);
    message.body += "A footer.\r\n";
    for (const unsigned after : {0u, 1u}) {
      const Outcome outcome =
          sample::validate(sample::sealed_message(sealed_after_change(message), after));
      passes(outcome, before + 1);
      const auto& sets = outcome.sets;
      EXPECT_EQ(sets[before].message_signature.result, dkim::Result::pass);
      EXPECT_EQ(sets[before - 1].message_signature.result, dkim::Result::fail);
      EXPECT_EQ(sets[before - 1].message_signature.reason, dkim::Reason::body_hash_mismatch);
      EXPECT_EQ(sets[before - 1].seal.result, dkim::Result::pass);
    }
  }
}

TEST(OldestPass, SeesAChangedHeaderToo) {
  Message message = sealed(1);
  message.header.back() = HeaderField("Subject: [list] words");
  passes(sample::validate(sealed_after_change(message)), 2);
}

// What is older than the first that fails decides nothing, so its key is not asked for.
TEST(OldestPass, LooksNoFurtherThanItMust) {
  Message message = sealed_with(sample::rsa_key());
  message = sample::with_field_changed(message, 1, "s=rsa", "s=old");
  const std::string old_at = "old._domainkey.example.com";
  EXPECT_EQ(std::ranges::count(questions_of(sealed_after_change(message)), old_at), 1);
  message.body += "A footer.\r\n";
  EXPECT_EQ(std::ranges::count(questions_of(sealed_after_change(message)), old_at), 0);
}

// --- a chain that does not ---

TEST(ArcVerifier, FailsWhenTheBodyWasChangedAndAsksNothing) {
  Message message = sealed(2);
  message.body += "x\r\n";
  fails(sample::validate(message), Reason::message_signature_failed,
        "i=2: ARC-Message-Signature: the body was changed");
  EXPECT_TRUE(questions_of(message).empty());
  const Outcome outcome = sample::validate(message);
  EXPECT_EQ(outcome.sets.at(1).message_signature.result, dkim::Result::fail);
  EXPECT_EQ(outcome.sets.at(1).seal.result, dkim::Result::none);
}

TEST(ArcVerifier, FailsWhenASignedFieldWasChanged) {
  Message message = sealed(1);
  message.header.back() = HeaderField("Subject: other words");
  fails(sample::validate(message), Reason::message_signature_failed, "a signed header field");
}

// RFC 8617 §4.1.2: AAR are in no message signature; only the seals protect them.
TEST(ArcVerifier, FailsWhenTheResultsOfAnySetWereChanged) {
  for (const std::size_t place : {2u, 5u, 8u}) {
    const Message message = sample::with_field_changed(sealed(3), place, "spf=pass", "spf=fail");
    fails(sample::validate(message), Reason::seal_failed, "i=3: ARC-Seal");
  }
}

TEST(ArcVerifier, FailsWhenASealWasChanged) {
  for (const std::size_t place : {0u, 3u, 6u})
    fails(sample::validate(sample::with_field_changed(sealed(3), place, "t=17", "t=16")),
          Reason::seal_failed, "i=3: ARC-Seal");
}

// The newest seal covers the others, so an old one only fails alone when its key is gone.
TEST(ArcVerifier, ChecksEverySeal) {
  const Message message = sample::sealed_message(sealed_with(sample::rsa_key()),
                                                 sample::sealing_identity(sample::ed25519_key()));
  dns::Zone zone;
  zone.add_txt(ed_at, sample::key_record(sample::ed25519_key()));
  fails(sample::validate(message, zone), Reason::seal_failed, "i=1: ARC-Seal: NXDOMAIN for rsa");
}

// S-34: a stranger's set cannot be slipped under a chain, nor the newest be cut off and replaced.
TEST(ArcVerifier, NoticesAChainThatWasCutAndGrownAgainS34) {
  Message message = sealed(2);
  Header top(message.header.begin(), message.header.begin() + 3);
  message.header.erase(message.header.begin(), message.header.begin() + 6);
  message = sample::sealed_message(message, sample::sealing_identity(sample::rsa_key()));
  message.header.insert(message.header.begin(), top.begin(), top.end());
  fails(sample::validate(message), Reason::seal_failed, "i=2: ARC-Seal");
}

TEST(ArcVerifier, StopsAtAStructureThatIsBrokenS34) {
  Message message = sealed(2);
  message.header.erase(message.header.begin());
  fails(sample::validate(message), Reason::missing_field, "i=2: no ARC-Seal");
  EXPECT_TRUE(questions_of(message).empty());
  EXPECT_TRUE(sample::validate(message).sets.empty());
  fails(sample::validate(sample::with_field_changed(sealed(2), 0, "cv=pass", "cv=none")),
        Reason::bad_chain_status, "i=2: cv=none");
  fails(sample::validate(sample::with_field_changed(sealed(2), 0, "cv=pass", "cv=fail")),
        Reason::ended, "i=2: cv=fail");
}

TEST(ArcVerifier, FailsForAMessageSignatureThatHasExpired) {
  const Message message = sample::with_field_changed(sealed(1), 1, "t=17", "x=1700000001; t=17");
  fails(sample::validate(message), Reason::message_signature_failed, "expired");
  fails(sample::validate(sealed(1), sample::zone(), sample::signing_time - seconds(301)),
        Reason::message_signature_failed, "in the future");
}

// S-25: behind a signed length anything could stand.
TEST(ArcVerifier, TakesNoSignatureOfAPartOfTheBodyS25) {
  Message message = sample::with_field_changed(sealed(1), 1, "i=1;", "i=1; l=8;");
  fails(sample::validate(message), Reason::message_signature_failed, "a signed header field");
  message.body += "More.\r\n";
  fails(sample::validate(message), Reason::message_signature_failed, "8 of 15 octets are signed");
  fails(sample::validate(sample::with_field_changed(sealed(1), 1, "i=1;", "i=1; l=9;")),
        Reason::message_signature_failed, "l= claims more");
}

// S-24: neither as message signature nor as seal.
TEST(ArcVerifier, TakesNoWeakAlgorithmS24) {
  const Message message = sealed_with(sample::rsa_key());
  fails(sample::validate(sample::with_field_changed(message, 1, "rsa-sha256", "rsa-sha1")),
        Reason::message_signature_failed, "rsa-sha1 is too weak");
  fails(sample::validate(sample::with_field_changed(message, 0, "rsa-sha256", "rsa-sha1")),
        Reason::seal_failed, "rsa-sha1 is too weak");
}

// S-24: an RSA key of 1023 bits or fewer never passes, however right the signature is.
TEST(ArcVerifier, TakesNoShortKeyS24) {
  Limits limits;
  limits.rsa_verify_bits_min = 1'025;
  const Message message = sealed_with(sample::rsa_key());
  Verifier verifier(message.header, limits);
  verifier.body(message.body);
  fails(sample::zone().run(std::move(verifier).finish(sample::signing_time)),
        Reason::message_signature_failed, "too short");
}

TEST(ArcVerifier, TakesOnlyAKeyOfTheRightKind) {
  dns::Zone zone;
  zone.add_txt(ed_at, sample::key_record(sample::rsa_key()));
  fails(sample::validate(sealed(1), zone), Reason::message_signature_failed, "another type");
  dns::Zone sha1_only;
  sha1_only.add_txt(ed_at, "h=sha1; " + sample::key_record(sample::ed25519_key()));
  fails(sample::validate(sealed(1), sha1_only), Reason::message_signature_failed,
        "does not allow sha256");
}

// S-39: no answer is no verdict about the key, though the RFC calls the chain failed.
TEST(ArcVerifier, TellsAFailureOfDnsFromABrokenChainS39) {
  using dns::AnswerStatus;
  for (const AnswerStatus status :
       {AnswerStatus::servfail, AnswerStatus::refused, AnswerStatus::timeout,
        AnswerStatus::malformed, AnswerStatus::bogus}) {
    dns::Zone zone;
    zone.fail(ed_at, dns::RecordType::txt, status);
    fails(sample::validate(sealed(1), zone), Reason::key_unavailable, "i=1");
  }
  fails(sample::validate(sealed(1), dns::Zone()), Reason::message_signature_failed, "NXDOMAIN");
}

// --- what trust is built on ---

TEST(Outcome, GivesTheNewestSetOfASealer) {
  Message message = sealed(2);
  const Outcome outcome = sample::validate(message);
  const SetResult* set = outcome.newest_set_of(sample::name("example.com"));
  ASSERT_NE(set, nullptr);
  EXPECT_EQ(set->instance, 2u);
  EXPECT_EQ(outcome.newest_set_of(sample::name("example.net")), nullptr);
  EXPECT_EQ(outcome.newest_set_of(sample::name("sub.example.com")), nullptr);
}

// S-34: the set of an honest sealer, taken from a message that he sealed and put below another that
// a stranger seals. The chain is valid, and what the honest sealer said was of other mail.
TEST(Outcome, QuotesNobodyAboutAMessageThatHeDidNotSealS34) {
  Message message = sealed(1);
  message.header.back() = HeaderField("Subject: another message");
  message.body = "Something else.\r\n";
  SealingIdentity stranger = sample::sealing_identity(sample::rsa_key());
  stranger.sdid = sample::name("stranger.example");
  message = sample::sealed_message(message, stranger, ChainStatus::pass);
  dns::Zone zone = sample::zone();
  zone.add_txt("rsa._domainkey.stranger.example", sample::key_record(sample::rsa_key()));
  const Outcome outcome = sample::validate(message, zone);
  passes(outcome, 2);
  EXPECT_EQ(outcome.newest_set_of(sample::name("example.com")), nullptr);
  EXPECT_NE(outcome.newest_set_of(sample::name("stranger.example")), nullptr);
}

// S-34: from a chain that does not pass nobody is quoted.
TEST(Outcome, QuotesNobodyFromABrokenChainS34) {
  Message message = sealed(2);
  message.body += "x\r\n";
  EXPECT_EQ(sample::validate(message).newest_set_of(sample::name("example.com")), nullptr);
  EXPECT_EQ(sample::validate(plain()).newest_set_of(sample::name("example.com")), nullptr);
}

// Whatever stands in the fields, a detail can be printed.
TEST(Outcome, HasADetailThatIsSafeToPrint) {
  for (int octet = 0; octet < 256; ++octet) {
    const std::string text = std::string("i=") + static_cast<char>(octet);
    for (std::size_t place = 0; place < 3; ++place) {
      const Outcome outcome =
          sample::validate(sample::with_field_changed(sealed(1), place, "i=1", text));
      for (const char c : outcome.detail) EXPECT_FALSE(text::is_ctl(c)) << octet;
    }
  }
}

}  // namespace
}  // namespace countersign::arc
