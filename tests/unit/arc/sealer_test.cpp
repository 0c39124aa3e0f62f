// SPDX-License-Identifier: Apache-2.0
//
// Sealing: the fields of a new set, what they cover, and the chains that get none.

#include "countersign/arc/sealer.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "countersign/arc/field.hpp"
#include "countersign/arc/seal_scope.hpp"
#include "tests/support/arc.hpp"
#include "tests/support/exact.hpp"
#include "tests/support/keys.hpp"

namespace countersign::arc {
namespace {

using Fields = std::vector<HeaderField>;

Message plain() {
  return sample::message(
      "DKIM-Signature: v=1; d=example.net\nFrom: Joe <joe@example.net>\nTo: a@example.org\n"
      "Authentication-Results: mx.example.com; none\nSubject: words\n\nHello.\n");
}

SealingIdentity identity() { return sample::sealing_identity(sample::ed25519_key()); }

Result<Fields, Refusal> seal(const Message& message, ChainStatus status,
                             SealingIdentity sealing_identity = identity()) {
  Sealer sealer(std::move(sealing_identity), Limits{});
  sealer.body(message.body);
  return std::move(sealer).finish(message.header, {.chain_status = status,
                                                   .payload = std::string(sample::payload),
                                                   .now = sample::signing_time});
}

Message with_fields(Message message, const Fields& fields) {
  message.header.insert(message.header.begin(), fields.begin(), fields.end());
  return message;
}

Seal seal_of(const Fields& fields) { return parse_seal(fields[0].value(), Limits{}).value(); }
MessageSignature ams_of(const Fields& fields) {
  return parse_message_signature(fields[1].value(), Limits{}).value();
}

TEST(Sealer, MakesASetFromTheTopDown) {
  const Fields fields = seal(plain(), ChainStatus::none).value();
  ASSERT_EQ(fields.size(), 3u);
  EXPECT_TRUE(fields[0].raw().starts_with("ARC-Seal: a=ed25519-sha256;"));
  EXPECT_TRUE(fields[1].raw().starts_with("ARC-Message-Signature: a=ed25519-sha256;"));
  EXPECT_EQ(fields[2].raw(),
            "ARC-Authentication-Results: i=1; mx.example.com; spf=pass\r\n"
            "\tsmtp.mailfrom=example.net");
  const Seal made = seal_of(fields);
  EXPECT_EQ(made.instance, 1u);
  EXPECT_EQ(made.chain_status, ChainStatus::none);
  EXPECT_EQ(made.sdid.text(), "example.com");
  EXPECT_EQ(made.selector.text(), "ed");
  EXPECT_EQ(made.time, 1'700'000'000u);
}

TEST(Sealer, SignsRelaxedWithTheUsualFieldsAndDkimSignature) {
  const MessageSignature ams = ams_of(seal(plain(), ChainStatus::none).value());
  EXPECT_EQ(ams.signature.header_canonicalization, dkim::Canonicalization::relaxed);
  EXPECT_EQ(ams.signature.body_canonicalization, dkim::Canonicalization::relaxed);
  const std::vector<std::string>& names = ams.signature.signed_fields;
  EXPECT_EQ(std::vector<std::string>(names.begin(), names.begin() + 4),
            (std::vector<std::string>{"DKIM-Signature", "From", "To", "Subject"}));
  for (const std::string& name : names) EXPECT_TRUE(may_sign(name)) << name;
  EXPECT_EQ(std::ranges::count(names, "From"), 2);
  EXPECT_FALSE(ams.signature.body_length.has_value());
}

TEST(Sealer, SignsTheFieldsItIsTold) {
  SealingIdentity told = identity();
  told.signed_fields = {"to",
                        "ARC-Seal",
                        "From",
                        "authentication-results",
                        "from",
                        "arc-message-signature",
                        "ARC-Authentication-Results"};
  EXPECT_EQ(ams_of(seal(plain(), ChainStatus::none, told).value()).signature.signed_fields,
            (std::vector<std::string>{"to", "From", "from"}));
}

// RFC 8617 §4.1.2
TEST(MaySign, RefusesArcAndAuthenticationResultsAndWhatIsNoName) {
  for (const char* name :
       {"ARC-Seal", "arc-seal", "ARC-Message-Signature", "ARC-Authentication-Results",
        "Authentication-RESULTS", "", "a;b", "a b", "a:b"})
    EXPECT_FALSE(may_sign(name)) << name;
  for (const char* name : {"From", "DKIM-Signature", "ARC"}) EXPECT_TRUE(may_sign(name)) << name;
}

TEST(Sealer, MakesWhatValidates) {
  for (const crypto::PrivateKey& key : {sample::rsa_key(), sample::ed25519_key()}) {
    const auto fields = seal(plain(), ChainStatus::none, sample::sealing_identity(key));
    const Outcome outcome = sample::validate(with_fields(plain(), fields.value()));
    EXPECT_EQ(outcome.status, ChainStatus::pass) << outcome.detail;
  }
}

TEST(Sealer, FoldsItsLines) {
  const auto key = crypto::PrivateKey::parse_pem(test::rsa_pem(2'048), Limits{});
  const Fields fields =
      seal(plain(), ChainStatus::none, sample::sealing_identity(key.value())).value();
  constexpr std::size_t line_octets_max = 998;
  for (const HeaderField& field : fields) {
    std::string_view rest = field.raw();
    while (!rest.empty()) {
      const std::size_t end = std::min(rest.find("\r\n"), rest.size());
      const std::string_view line = rest.substr(0, end);
      EXPECT_TRUE(line.size() <= 78 || line.contains("b=")) << line;
      EXPECT_LE(line.size(), line_octets_max) << line;
      rest.remove_prefix(std::min(end + 2, rest.size()));
    }
  }
}

// S-33: in any pieces it is the same body.
TEST(Sealer, DoesNotDependOnTheChunksS33) {
  const Message message = plain();
  const Fields whole = seal(message, ChainStatus::none).value();
  for (std::size_t cut = 0; cut <= message.body.size(); ++cut) {
    Sealer sealer(identity(), Limits{});
    sealer.body(test::exact(std::string_view(message.body).substr(0, cut)).view());
    sealer.body(test::exact(std::string_view(message.body).substr(cut)).view());
    EXPECT_EQ(std::move(sealer)
                  .finish(message.header,
                          {.payload = std::string(sample::payload), .now = sample::signing_time})
                  .value(),
              whole);
  }
}

// --- what the seal says of the chain ---

TEST(Sealer, SaysWhatWasFoundOfAChain) {
  const Message one = sample::sealed_message(plain(), 1);
  const Fields passed = seal(one, ChainStatus::pass).value();
  EXPECT_EQ(seal_of(passed).instance, 2u);
  EXPECT_EQ(seal_of(passed).chain_status, ChainStatus::pass);
  EXPECT_EQ(ams_of(passed).instance, 2u);
  EXPECT_TRUE(passed[2].raw().contains("i=2;"));
  const Fields failed = seal(one, ChainStatus::fail).value();
  EXPECT_EQ(seal_of(failed).instance, 2u);
  EXPECT_EQ(seal_of(failed).chain_status, ChainStatus::fail);
}

// S-34: the header has the last word over what a caller believes.
TEST(Sealer, NeverVouchesForWhatIsNoChainS34) {
  EXPECT_EQ(seal_of(seal(plain(), ChainStatus::pass).value()).chain_status, ChainStatus::none);
  EXPECT_EQ(seal_of(seal(plain(), ChainStatus::fail).value()).chain_status, ChainStatus::none);
  const Message one = sample::sealed_message(plain(), 1);
  EXPECT_EQ(seal_of(seal(one, ChainStatus::none).value()).chain_status, ChainStatus::fail);
  Message broken = one;
  broken.header.erase(broken.header.begin());
  EXPECT_EQ(seal_of(seal(broken, ChainStatus::pass).value()).chain_status, ChainStatus::fail);
  EXPECT_EQ(seal_of(seal(broken, ChainStatus::pass).value()).instance, 2u);
  Message unreadable = plain();
  unreadable.header.push_back(HeaderField("ARC-Seal: nothing"));
  const Fields first = seal(unreadable, ChainStatus::pass).value();
  EXPECT_EQ(seal_of(first).instance, 1u);
  EXPECT_EQ(seal_of(first).chain_status, ChainStatus::fail);
}

// RFC 8617 §5.1.2: as if the newest set were the only one.
TEST(Sealer, CoversOnlyItsOwnSetWhenTheChainFailed) {
  const Fields fields = seal(sample::sealed_message(plain(), 1), ChainStatus::fail).value();
  SealScope own_set;
  own_set.add_results(fields[2], fields[1]);
  const auto key = crypto::PublicKey::parse_ed25519(sample::ed25519_key().public_octets());
  ASSERT_TRUE(key.has_value());
  EXPECT_TRUE(key->verify(own_set.hash(fields[0]), seal_of(fields).signature));
}

TEST(Sealer, AddsNothingToAChainThatHasEnded) {
  Message one = sample::sealed_message(plain(), 1);
  const Message ended = with_fields(one, seal(one, ChainStatus::fail).value());
  const auto refused = seal(ended, ChainStatus::fail);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error(), Refusal::chain_ended);
  const Outcome outcome = sample::validate(ended);
  EXPECT_EQ(outcome.reason, Reason::ended);
}

// S-34
TEST(Sealer, AddsNoSetBeyondTheFiftiethS34) {
  const Message full = sample::sealed_message(plain(), 50);
  EXPECT_EQ(sample::validate(full).status, ChainStatus::pass);
  const auto refused = seal(full, ChainStatus::pass);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error(), Refusal::too_many_sets);
  Message claims = plain();
  claims.header.push_back(HeaderField("ARC-Authentication-Results: i=99; x"));
  EXPECT_EQ(seal(claims, ChainStatus::fail).error(), Refusal::too_many_sets);
}

TEST(Refusal, HasASentenceForEach) {
  EXPECT_TRUE(to_string(Refusal::chain_ended).contains("cv=fail"));
  EXPECT_TRUE(to_string(Refusal::too_many_sets).contains("50"));
}

}  // namespace
}  // namespace countersign::arc
