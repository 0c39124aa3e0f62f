// SPDX-License-Identifier: Apache-2.0
//
// Signatures that we make: how they look, and that they verify in every combination.

#include "countersign/dkim/signer.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <tuple>
#include <vector>

#include "tests/support/dkim.hpp"
#include "tests/support/exact.hpp"

namespace countersign::dkim {
namespace {

using enum Canonicalization;
using std::chrono::seconds;

constexpr std::string_view plain =
    "Received: from a\n by b\nFrom: Joe <joe@example.com>\nTo: a@example.net\n"
    "Subject:  two  words\nMessage-ID: <1@example.com>\n\nHello,\n\nworld.  \n\n";

Signature signature_of(const Message& message, std::size_t place = 0) {
  auto signature = parse_signature(message.header.at(place).value(), Limits{});
  EXPECT_TRUE(signature.has_value()) << to_string(signature.error().code);
  return *std::move(signature);
}

Signature sign_with(const SigningIdentity& identity) {
  return signature_of(sample::signed_message(sample::message(plain), {identity}));
}

TEST(Signer, WritesWhatItWasAskedFor) {
  const Signature signature = sign_with(sample::identity(sample::rsa_key()));
  EXPECT_EQ(signature.algorithm, Algorithm::rsa_sha256);
  EXPECT_EQ(signature.sdid.text(), "example.com");
  EXPECT_EQ(signature.selector.text(), "rsa");
  EXPECT_EQ(signature.header_canonicalization, relaxed);
  EXPECT_EQ(signature.body_canonicalization, relaxed);
  EXPECT_EQ(signature.time, 1'700'000'000u);
  EXPECT_EQ(signature.expires, std::nullopt);
  EXPECT_EQ(signature.body_length, std::nullopt);
  EXPECT_EQ(signature.signed_fields, (std::vector<std::string>{"From", "To", "Subject"}));
  EXPECT_EQ(signature.signature.size(), 128u);
  EXPECT_EQ(signature.body_hash.size(), 32u);
  EXPECT_TRUE(signature.copied_fields.empty());
  EXPECT_FALSE(signature.requests_reports);
}

TEST(Signer, LeavesOutTheTagsThatItWasNotAskedFor) {
  const Message message =
      sample::signed_message(sample::message(plain), {sample::identity(sample::rsa_key())});
  const std::string_view raw = message.header.front().raw();
  EXPECT_TRUE(
      raw.starts_with("DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; "
                      "d=example.com; s=rsa;\r\n\tt=1700000000; bh="))
      << raw;
  for (const std::string_view tag : {" i=", " l=", " x=", " z=", " r=", "\ti=", "\tl="})
    EXPECT_FALSE(raw.contains(tag)) << tag;
  EXPECT_FALSE(raw.ends_with("\n"));
}

TEST(Signer, TakesTheAlgorithmFromTheKey) {
  EXPECT_EQ(sign_with(sample::identity(sample::ed25519_key())).algorithm,
            Algorithm::ed25519_sha256);
}

TEST(Signer, WritesTheTagsThatItWasAskedFor) {
  SigningIdentity identity = sample::identity(sample::rsa_key());
  identity.auid = "joe+list@mail.example.com";
  identity.lifetime = seconds{3'600};
  identity.requests_reports = true;
  identity.copies_fields = true;
  identity.body_length_max = 1'000;
  const Signature signature = sign_with(identity);
  EXPECT_EQ(signature.auid, "joe+list@mail.example.com");
  EXPECT_EQ(signature.expires, 1'700'003'600u);
  EXPECT_TRUE(signature.requests_reports);
  EXPECT_EQ(signature.body_length, 18u) << "all of the canonical body";
  EXPECT_EQ(signature.copied_fields,
            (std::vector<std::pair<std::string, std::string>>{{"From", " Joe <joe@example.com>"},
                                                              {"To", " a@example.net"},
                                                              {"Subject", "  two  words"}}));
}

TEST(Signer, SignsNoMoreOfTheBodyThanItWasAskedTo) {
  SigningIdentity identity = sample::identity(sample::rsa_key());
  identity.body_length_max = 5;
  EXPECT_EQ(sign_with(identity).body_length, 5u);
  identity.body_length_max = 0;
  EXPECT_EQ(sign_with(identity).body_length, 0u);
}

TEST(Signer, NeverExpiresWithoutALifetime) {
  SigningIdentity identity = sample::identity(sample::rsa_key());
  identity.lifetime = seconds{0};
  EXPECT_EQ(sign_with(identity).expires, std::nullopt);
}

// x= has twelve digits at most.
TEST(Signer, ExpiresNoLaterThanCanBeWritten) {
  SigningIdentity identity = sample::identity(sample::rsa_key());
  identity.lifetime = seconds{1'000'000'000'000};
  EXPECT_EQ(sign_with(identity).expires, 999'999'999'999u);
}

TEST(Signer, WritesTheDomainOfTheAuidAsItIsCompared) {
  SigningIdentity identity = sample::identity(sample::rsa_key());
  const auto written = [&identity](std::string_view auid) {
    identity.auid = auid;
    const Message message = sample::signed_message(sample::message(plain), {identity});
    EXPECT_EQ(sample::verify(message, sample::zone()).front().result, Result::pass) << auid;
    const std::string_view raw = message.header.front().raw();
    const std::size_t begin = raw.find("i=");
    return std::string(raw.substr(begin, raw.find(';', begin) - begin));
  };
  EXPECT_EQ(written("joe@m\xC3\xBCnchen.example.com"), "i=joe@xn--mnchen-3ya.example.com");
  EXPECT_EQ(written("J\xC3\xBC@Mail.Example.COM."), "i=J=C3=BC@mail.example.com");
  EXPECT_EQ(written("@example.com"), "i=@example.com");
}

TEST(Signer, CopiesNoMoreFieldsThanAReaderTakes) {
  SigningIdentity identity = sample::identity(sample::rsa_key());
  identity.fields.sign = {"*"};
  identity.copies_fields = true;
  Message message = sample::message(plain);
  for (int i = 0; i < 30; ++i)
    message.header.emplace_back("X-" + std::to_string(i) + ": " + std::string(1'500, '\xFF'));
  message = sample::signed_message(std::move(message), {identity});
  const std::string_view raw = message.header.front().raw();
  EXPECT_LE(raw.size(), Limits{}.field_bytes_max);
  EXPECT_GT(signature_of(message).copied_fields.size(), 5u);
  EXPECT_EQ(sample::verify(message, sample::zone()).front().result, Result::pass);
}

TEST(Signer, MakesOneFieldForEachIdentityInTheirOrder) {
  const Message message = sample::signed_message(
      sample::message(plain),
      {sample::identity(sample::rsa_key()), sample::identity(sample::ed25519_key())});
  EXPECT_EQ(signature_of(message, 0).algorithm, Algorithm::rsa_sha256);
  EXPECT_EQ(signature_of(message, 1).algorithm, Algorithm::ed25519_sha256);
  EXPECT_EQ(message.header[2].name(), "Received");
}

TEST(Signer, MakesNoneWithoutIdentity) {
  const Message message = sample::message(plain);
  Signer signer(message.header, {}, Limits{});
  signer.body(message.body);
  EXPECT_TRUE(std::move(signer).finish(sample::signing_time).empty());
}

TEST(Signer, MakesNoMoreThanItsLimit) {
  const Message message = sample::message(plain);
  Signer signer(message.header,
                {sample::identity(sample::ed25519_key()), sample::identity(sample::rsa_key())},
                Limits{.signatures_made_max = 1});
  EXPECT_EQ(std::move(signer).finish(sample::signing_time).size(), 1u);
}

TEST(Signer, DoesNotDependOnTheChunks) {
  const Message message = sample::message(plain);
  std::vector<HeaderField> whole;
  for (const std::size_t size : {1'000u, 1u, 2u, 3u, 7u}) {
    Signer signer(message.header, {sample::identity(sample::ed25519_key())}, Limits{});
    for (std::size_t at = 0; at < message.body.size(); at += size)
      signer.body(test::exact(std::string_view(message.body).substr(at, size)).view());
    const std::vector<HeaderField> fields = std::move(signer).finish(sample::signing_time);
    if (whole.empty()) whole = fields;
    EXPECT_EQ(fields, whole) << size;
  }
}

TEST(Signer, CanBeMoved) {
  const Message message = sample::message(plain);
  Signer first(message.header, {sample::identity(sample::ed25519_key())}, Limits{});
  first.body(message.body);
  Signer second = std::move(first);
  EXPECT_EQ(
      std::move(second).finish(sample::signing_time).front(),
      sample::signed_message(message, {sample::identity(sample::ed25519_key())}).header.front());
}

// Everything that a message may look like, signed and verified with every key in every way.
const std::vector<std::string> messages = {
    std::string(plain),
    "From: a@example.com\n\n",
    "From: a@example.com\nSubject:\n\n\n\n\n",
    "From: a@example.com\n\nno line end at the end",
    "From: a@example.com\n\n \t \n \t",
    "FROM\t:\n a@example.com\nto:\n \n\n  x  \n y\n\t\nx y\t\n",
    "From: J\xC3\xB6\xE9 <j\xC3\xB6@example.com>\nSubject: \xF0\x9F\x98\x80 \xFF\xFE\n\n\x80\xFF\n",
    "From: a@example.com\nSubject: b\nSubject: c\nSubject: d\nTo: e\nTo: f\n\nbody\n",
    "From: a@example.com\nDKIM-Signature: v=1; old\nX: " + std::string(5'000, 'x') + "\n\nbody\n",
    "To: nobody\n\nno author\n",
    "From: a@example.com\n\n" + std::string(70'000, 'x') + "  \n" + std::string(70'000, ' ') + "\n",
};

using Combination = std::tuple<crypto::KeyType, Canonicalization, Canonicalization>;

class RoundTrip : public testing::TestWithParam<Combination> {
 protected:
  [[nodiscard]] static SigningIdentity identity() {
    const auto [type, header, body] = GetParam();
    SigningIdentity identity =
        sample::identity(type == crypto::KeyType::rsa ? sample::rsa_key() : sample::ed25519_key());
    identity.header_canonicalization = header;
    identity.body_canonicalization = body;
    return identity;
  }

  // All signatures pass but those that were no signature to begin with.
  static void expect_pass(const Message& message) {
    const std::vector<SignatureResult> results = sample::verify(message, sample::zone());
    ASSERT_FALSE(results.empty());
    EXPECT_TRUE(results.front().signature);
    for (const SignatureResult& result : results) {
      if (!result.signature) continue;
      EXPECT_EQ(result.result, Result::pass) << to_string(result.reason);
      EXPECT_TRUE(result.covers_body());
    }
  }
};

TEST_P(RoundTrip, Verifies) {
  for (const std::string& text : messages) {
    SCOPED_TRACE(text.substr(0, 60));
    expect_pass(sample::signed_message(sample::message(text), {identity()}));
  }
}

TEST_P(RoundTrip, VerifiesWithEverythingSignedAndOversigned) {
  SigningIdentity all = identity();
  all.fields = default_field_selection();
  all.fields.sign.push_back("*");
  all.fields.sign.push_back("DKIM-Signature");
  all.copies_fields = true;
  all.lifetime = seconds{7'200};
  for (const std::string& text : messages) {
    SCOPED_TRACE(text.substr(0, 60));
    expect_pass(sample::signed_message(sample::message(text), {all}));
  }
}

TEST_P(RoundTrip, VerifiesTwiceOnOneMessage) {
  SigningIdentity other = sample::identity(sample::rsa_key());
  other.body_canonicalization = simple;
  for (const std::string& text : messages) {
    SCOPED_TRACE(text.substr(0, 60));
    Message message = sample::signed_message(sample::message(text), {other, identity()});
    expect_pass(message);
    SigningIdentity over = identity();
    over.fields.sign = {"DKIM-Signature"};
    expect_pass(sample::signed_message(std::move(message), {over}));
  }
}

TEST_P(RoundTrip, FailsOnceAFieldOrTheBodyIsChanged) {
  const Message signed_once = sample::signed_message(sample::message(plain), {identity()});
  Message message = signed_once;
  message.header.at(2) = HeaderField("From: Eve <joe@example.com>");
  EXPECT_EQ(sample::verify(message, sample::zone()).front().reason, Reason::signature_mismatch);
  message = signed_once;
  message.header.insert(message.header.end(), HeaderField("Subject: more"));
  EXPECT_EQ(sample::verify(message, sample::zone()).front().reason, Reason::signature_mismatch);
  message = signed_once;
  message.body += "more";
  EXPECT_EQ(sample::verify(message, sample::zone()).front().reason, Reason::body_hash_mismatch);
}

INSTANTIATE_TEST_SUITE_P(
    AllKeysAndCanonicalizations, RoundTrip,
    testing::Combine(testing::Values(crypto::KeyType::rsa, crypto::KeyType::ed25519),
                     testing::Values(simple, relaxed), testing::Values(simple, relaxed)),
    [](const testing::TestParamInfo<Combination>& info) {
      return std::string(crypto::to_string(std::get<0>(info.param))) + "_" +
             std::string(to_string(std::get<1>(info.param))) + "_" +
             std::string(to_string(std::get<2>(info.param)));
    });

// An oversigned field that somebody adds breaks the signature; another one does not. RFC 6376 §8.15
TEST(Signer, ProtectsFromAddedFields) {
  SigningIdentity identity = sample::identity(sample::rsa_key());
  identity.fields = {.sign = {"Subject"}, .oversign = {"From", "Cc"}};
  const Message message = sample::signed_message(sample::message(plain), {identity});
  for (const auto& [added, reason] :
       {std::pair("Cc: x", Reason::signature_mismatch),
        std::pair("FROM: x", Reason::signature_mismatch),
        std::pair("Subject: on top", Reason::valid), std::pair("X-Other: x", Reason::valid)}) {
    Message changed = message;
    changed.header.insert(changed.header.begin(), HeaderField(added));
    EXPECT_EQ(sample::verify(changed, sample::zone()).front().reason, reason) << added;
  }
}

}  // namespace
}  // namespace countersign::dkim
