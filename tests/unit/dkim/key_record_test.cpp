// SPDX-License-Identifier: Apache-2.0
//
// Key records: what is read, what is refused and where, and what is written.

#include "countersign/dkim/key_record.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "countersign/text/base64.hpp"
#include "tests/support/dkim.hpp"
#include "tests/support/exact.hpp"

namespace countersign::dkim {
namespace {

using enum KeyRecordErrorCode;

std::string rsa_p() { return "p=" + text::encode_base64(sample::rsa_key().public_octets()); }
std::string ed25519_p() {
  return "p=" + text::encode_base64(sample::ed25519_key().public_octets());
}

KeyRecord ok(std::string_view text) {
  auto record = parse_key_record(test::exact(text).view(), Limits{});
  EXPECT_TRUE(record.has_value()) << text << ": " << to_string(record.error().code);
  return record.has_value() ? *std::move(record) : *parse_key_record(rsa_p(), Limits{});
}

void bad(std::string_view text, KeyRecordErrorCode code, std::size_t offset) {
  const auto record = parse_key_record(test::exact(text).view(), Limits{});
  ASSERT_FALSE(record.has_value()) << text;
  EXPECT_EQ(to_string(record.error().code), to_string(code)) << text;
  EXPECT_EQ(record.error().offset, offset) << text;
}

TEST(ParseKeyRecord, ReadsTheKeyAloneWithItsDefaults) {
  const KeyRecord record = ok(rsa_p());
  EXPECT_EQ(record.key.type(), crypto::KeyType::rsa);
  EXPECT_EQ(record.key.bits(), 1'024u);
  EXPECT_TRUE(record.allows_sha256());
  EXPECT_FALSE(record.testing);
  EXPECT_FALSE(record.strict_auid);
  EXPECT_EQ(record.notes, "");
}

TEST(ParseKeyRecord, ReadsBothTypes) {
  EXPECT_EQ(ok("v=DKIM1; k=rsa; " + rsa_p()).key.type(), crypto::KeyType::rsa);
  EXPECT_EQ(ok("v=DKIM1; k=ed25519; " + ed25519_p()).key.type(), crypto::KeyType::ed25519);
}

TEST(ParseKeyRecord, WantsItsVersionFirstAndExact) {
  ok(" v = DKIM1 ; " + rsa_p());
  bad("v=DKIM1.0; " + rsa_p(), bad_version, 2);
  bad("v=dkim1; " + rsa_p(), bad_version, 2);
  bad("v=; " + rsa_p(), bad_version, 2);
  bad("k=rsa; v=DKIM1; " + rsa_p(), bad_version, 9);
  bad("v=spf1 -all", bad_version, 2);
}

TEST(ParseKeyRecord, WantsAKey) {
  bad("v=DKIM1; k=rsa", missing_key, 14);
  bad("v=DKIM1; P=YQ==", missing_key, 15);
  bad("", missing_key, 0);
  bad("v=DKIM1; p=", revoked, 11);
  bad("p= ;", revoked, 3);
  bad("p=YW*=", bad_base64, 4);
  bad("p=YWJj", bad_key, 2);
  bad(ed25519_p(), bad_key, 2);
  bad("k=ed25519; " + rsa_p(), bad_key, 13);
  bad("k=ed448; " + rsa_p(), unknown_key_type, 2);
  bad("k=; " + rsa_p(), unknown_key_type, 2);
  bad("k=RSA; " + rsa_p(), unknown_key_type, 2);
}

TEST(ParseKeyRecord, TakesFoldingSpaceInsideTheKey) {
  std::string p = rsa_p();
  p.insert(20, " \t");
  p.insert(10, "\r\n ");
  EXPECT_EQ(ok(p).key.bits(), 1'024u);
}

TEST(ParseKeyRecord, TakesLineEndsForSpaces) {
  ok(rsa_p() + "\n");
  ok(rsa_p() + "; \r\n");
  std::string wrapped = rsa_p();
  wrapped.insert(40, "\n");
  ok(wrapped);
}

TEST(ParseKeyRecord, S30IsVoidWithATagTwice) {
  bad("k=rsa; k=rsa; " + rsa_p(), bad_tag_list, 7);
  bad("k=rsa; g=\"\x01\"; " + rsa_p(), bad_tag_list, 10);
}

TEST(ParseKeyRecord, S30MustServeMail) {
  for (const std::string_view service :
       {"s=*; ", "s=email; ", "s=other:email; ", "s= other : * ; ", "s=; "})
    ok(std::string(service) + rsa_p());
  bad("s=other; " + rsa_p(), wrong_service, 2);
  bad("s=EMAIL; " + rsa_p(), wrong_service, 2);
  bad("s=emails; " + rsa_p(), wrong_service, 2);
  bad("s=email*; " + rsa_p(), wrong_service, 2);
}

TEST(ParseKeyRecord, MayNameItsHashes) {
  EXPECT_TRUE(ok("h=sha256; " + rsa_p()).allows_sha256());
  EXPECT_TRUE(ok("h=sha1 : sha256 ; " + rsa_p()).allows_sha256());
  EXPECT_TRUE(ok("h=; " + rsa_p()).allows_sha256());
  EXPECT_FALSE(ok("h=sha1; " + rsa_p()).allows_sha256());
  EXPECT_FALSE(ok("h=SHA256; " + rsa_p()).allows_sha256());
  EXPECT_FALSE(ok("h=sha2560:unknown; " + rsa_p()).allows_sha256());
}

TEST(ParseKeyRecord, MayCarryFlags) {
  EXPECT_TRUE(ok("t=y; " + rsa_p()).testing);
  EXPECT_TRUE(ok("t=s; " + rsa_p()).strict_auid);
  const KeyRecord both = ok("t= x : s : y ; " + rsa_p());
  EXPECT_TRUE(both.testing);
  EXPECT_TRUE(both.strict_auid);
  EXPECT_FALSE(ok("t=ys; " + rsa_p()).testing);
}

TEST(ParseKeyRecord, IgnoresWhatItDoesNotKnow) {
  EXPECT_EQ(ok("v=DKIM1; g=*; n=a=20note; x=y; " + rsa_p() + ";").notes, "a note");
}

TEST(ParseKeyRecord, RefusesWhatIsTooLong) {
  Limits limits;
  const std::string text = rsa_p();
  limits.key_record_bytes_max = text.size();
  EXPECT_TRUE(parse_key_record(text, limits).has_value());
  limits.key_record_bytes_max -= 1;
  const auto record = parse_key_record(text, limits);
  ASSERT_FALSE(record.has_value());
  EXPECT_EQ(record.error().code, too_long);
}

TEST(FormatKeyRecord, WritesWhatIsReadBackTheSame) {
  KeyRecordText text{.type = crypto::KeyType::ed25519,
                     .public_octets = sample::ed25519_key().public_octets(),
                     .hash_algorithms = {"sha256"},
                     .restrict_to_email = true,
                     .testing = true,
                     .strict_auid = true,
                     .notes = "for; people"};
  EXPECT_EQ(format_key_record(text),
            "v=DKIM1; n=for=3B=20people; h=sha256; k=ed25519; t=y:s; s=email; " + ed25519_p());
  const KeyRecord record = ok(format_key_record(text));
  EXPECT_TRUE(record.testing);
  EXPECT_TRUE(record.strict_auid);
  EXPECT_EQ(record.notes, "for; people");
  EXPECT_EQ(record.hash_algorithms, std::vector<std::string>{"sha256"});
}

TEST(FormatKeyRecord, WritesNoMoreThanNeeded) {
  EXPECT_EQ(format_key_record({.public_octets = sample::rsa_key().public_octets()}),
            "v=DKIM1; k=rsa; " + rsa_p());
  EXPECT_EQ(format_key_record({.public_octets = "", .strict_auid = true}),
            "v=DKIM1; k=rsa; t=s; p=");
  EXPECT_EQ(format_key_record({.public_octets = "", .testing = true}), "v=DKIM1; k=rsa; t=y; p=");
}

TEST(KeyRecordErrorCode, HasASentenceForEach) {
  std::vector<std::string_view> sentences;
  for (auto code = 0; code <= static_cast<int>(wrong_service); ++code) {
    const std::string_view sentence = to_string(static_cast<KeyRecordErrorCode>(code));
    EXPECT_NE(sentence, "unknown error");
    EXPECT_EQ(std::ranges::count(sentences, sentence), 0) << sentence;
    sentences.push_back(sentence);
  }
}

}  // namespace
}  // namespace countersign::dkim
