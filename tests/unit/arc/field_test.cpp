// SPDX-License-Identifier: Apache-2.0
//
// The fields of a set: what is read, what is refused and where, and what is written.

#include "countersign/arc/field.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <ostream>
#include <string>
#include <vector>

#include "countersign/message/header_field.hpp"
#include "countersign/text/abnf.hpp"
#include "tests/support/dkim.hpp"
#include "tests/support/exact.hpp"

namespace countersign::arc {

static void PrintTo(const FieldError& error, std::ostream* out) {
  *out << to_string(error.code) << " at " << error.offset;
}

namespace {

using enum FieldErrorCode;

constexpr std::string_view minimal_ams =
    "i=1; a=rsa-sha256; d=example.com; s=june; h=from; bh=YQ==; b=Yg==";
constexpr std::string_view minimal_seal =
    "i=1; a=rsa-sha256; cv=none; d=example.com; s=june; b=Yg==";

auto parse_aar(std::string_view value) {
  return parse_authentication_results(test::exact(value).view(), Limits{});
}
auto parse_ams(std::string_view value, const Limits& limits = {}) {
  return parse_message_signature(test::exact(value).view(), limits);
}
auto parse_as(std::string_view value) { return parse_seal(test::exact(value).view(), Limits{}); }

template <class Values>
void expect_bad(const Result<Values, FieldError>& values, FieldErrorCode code, std::size_t offset,
                std::string_view value) {
  ASSERT_FALSE(values.has_value()) << value;
  EXPECT_EQ(values.error(), (FieldError{code, offset})) << value;
}
void bad_aar(std::string_view value, FieldErrorCode code, std::size_t offset) {
  expect_bad(parse_aar(value), code, offset, value);
}
void bad_ams(std::string_view value, FieldErrorCode code, std::size_t offset) {
  expect_bad(parse_ams(value), code, offset, value);
}
void bad_seal(std::string_view value, FieldErrorCode code, std::size_t offset) {
  expect_bad(parse_as(value), code, offset, value);
}

// The field with the tag in the place of the one of that name, or added.
std::string with(std::string_view minimal, std::string_view tag) {
  const std::string name = " " + std::string(tag.substr(0, tag.find('=') + 1));
  std::string value = " " + std::string(minimal);
  const std::size_t begin = value.find(name);
  if (begin == value.npos) return std::string(minimal) + "; " + std::string(tag);
  const std::size_t end = std::min(value.find(';', begin), value.size());
  return value.replace(begin + 1, end - begin - 1, tag).substr(1);
}

// The offset of a text in a value.
std::size_t at(const std::string& value, std::string_view text) { return value.find(text); }

// --- ARC-Authentication-Results ---

TEST(ParseAuthenticationResults, KeepsThePayloadAsItStands) {
  const auto results = parse_aar(" i=12;\r\n mx.example.com; spf=pass (it is) smtp.helo=a ");
  ASSERT_TRUE(results.has_value());
  EXPECT_EQ(results->instance, 12u);
  EXPECT_EQ(results->payload, "\r\n mx.example.com; spf=pass (it is) smtp.helo=a ");
}

// RFC 8617 §4.2.1: instance = [CFWS] %s"i" [CFWS] "=" [CFWS] 1*2DIGIT [CFWS]
TEST(ParseAuthenticationResults, TakesCommentsAndSpaceAroundTheInstance) {
  for (const char* value : {"i=1;a", " i = 1 ;a", "(one) i (two)=\r\n (three)1(four) ;a", "i=01;a"})
    EXPECT_EQ(parse_aar(value).value().instance, 1u) << value;
}

TEST(ParseAuthenticationResults, RefusesWhatIsNoInstance) {
  bad_aar("", bad_instance, 0);
  bad_aar("mx.example.com; spf=pass", bad_instance, 0);
  bad_aar("mx.example.com; i=1; spf=pass", bad_instance, 0);
  bad_aar("I=1; a", bad_instance, 0);
  bad_aar("i1; a", bad_instance, 1);
  bad_aar("i=; a", bad_instance, 2);
  bad_aar("i=x; a", bad_instance, 2);
  bad_aar("i=-1; a", bad_instance, 2);
  bad_aar("i=0; a", bad_instance, 2);
  bad_aar("i=00; a", bad_instance, 2);
  bad_aar("i=001; a", bad_instance, 2);
  bad_aar("i=18446744073709551617; a", bad_instance, 2);
  bad_aar("i=(1; a", bad_instance, 7);
  bad_aar("i=51; a", instance_too_large, 2);
  EXPECT_EQ(parse_aar("i=50; a").value().instance, 50u);
}

TEST(ParseAuthenticationResults, WantsResultsBehindIt) {
  bad_aar("i=1", missing_payload, 3);
  bad_aar("i=1 mx.example.com", missing_payload, 4);
  bad_aar("i=1;", missing_payload, 4);
  bad_aar("i=1; \r\n ", missing_payload, 4);
}

// --- ARC-Message-Signature ---

TEST(ParseMessageSignature, ReadsAllTags) {
  const auto ams = parse_ams(
      "a=ed25519-sha256; b=Yg==; bh=YQ==; c=relaxed/simple; d=Example.COM;\r\n"
      " h=From:To::Subject; i=7; l=5; q=dns/txt; s=June; t=100; x=200; w=whatever; v=2");
  ASSERT_TRUE(ams.has_value()) << testing::PrintToString(ams.error());
  EXPECT_EQ(ams->instance, 7u);
  const dkim::Signature& signature = ams->signature;
  EXPECT_EQ(signature.algorithm, dkim::Algorithm::ed25519_sha256);
  EXPECT_EQ(signature.signature, "b");
  EXPECT_EQ(signature.body_hash, "a");
  EXPECT_EQ(signature.header_canonicalization, dkim::Canonicalization::relaxed);
  EXPECT_EQ(signature.body_canonicalization, dkim::Canonicalization::simple);
  EXPECT_EQ(signature.sdid.text(), "example.com");
  EXPECT_EQ(signature.selector.text(), "june");
  EXPECT_EQ(signature.signed_fields, (std::vector<std::string>{"From", "To", "", "Subject"}));
  EXPECT_EQ(signature.body_length, 5u);
  EXPECT_EQ(signature.time, 100u);
  EXPECT_EQ(signature.expires, 200u);
  EXPECT_EQ(signature.auid, "");
}

TEST(ParseMessageSignature, IsRelaxedWithoutC) {
  const dkim::Signature signature = parse_ams(minimal_ams).value().signature;
  EXPECT_EQ(signature.header_canonicalization, dkim::Canonicalization::relaxed);
  EXPECT_EQ(signature.body_canonicalization, dkim::Canonicalization::relaxed);
  EXPECT_EQ(parse_ams(with(minimal_ams, "c=relaxed")).value().signature.body_canonicalization,
            dkim::Canonicalization::simple);
}

TEST(ParseMessageSignature, NeedsItsTags) {
  for (const char* name : {"a=", "d=", "s=", "h=", "bh=", "b="}) {
    std::string value(minimal_ams);
    const std::size_t begin = value.find(" " + std::string(name));
    value.erase(begin, std::min(value.find(';', begin), value.size() - 1) + 1 - begin);
    if (value.ends_with(';')) value.pop_back();
    bad_ams(value, missing_tag, 0);
  }
  bad_ams("", missing_tag, 0);
  bad_ams(std::string(minimal_ams).substr(5), bad_instance, 0);
}

TEST(ParseMessageSignature, RefusesBadValues) {
  const auto bad_tag = [](std::string_view tag, FieldErrorCode code) {
    const std::string value = with(minimal_ams, tag);
    bad_ams(value, code, at(value, tag) + tag.find('=') + 1);
  };
  bad_tag("i=", bad_instance);
  bad_tag("i=0", bad_instance);
  bad_tag("i=1x", bad_instance);
  bad_tag("i=@example.com", bad_instance);
  bad_tag("i=51", instance_too_large);
  bad_tag("a=rsa-md5", unknown_algorithm);
  bad_tag("a=RSA-SHA256", unknown_algorithm);
  bad_tag("b=", bad_base64);
  bad_tag("bh=", bad_base64);
  bad_tag("c=", unknown_canonicalization);
  bad_tag("c=relaxed/nowsp", unknown_canonicalization);
  bad_tag("d=", bad_domain);
  bad_tag("d=com", bad_domain);
  bad_tag("d=a.example/../b", bad_domain);
  bad_tag("s=", bad_selector);
  bad_tag("s=june.", bad_selector);
  bad_tag("h=from:a b", bad_signed_fields);
  bad_tag("l=-1", bad_number);
  bad_tag("t=", bad_number);
  bad_tag("t=1 2", bad_number);
  bad_tag("t=icecream", bad_number);
  bad_tag("q=http", unknown_query_method);
  bad_ams(std::string(minimal_ams) + "; t=5; x=5", expires_before_signed, minimal_ams.size() + 9);
}

// S-34: a signature that covers a seal could not be checked by those who see another seal.
TEST(ParseMessageSignature, MustNotCoverASealS34) {
  const std::size_t offset = std::string(minimal_ams).find("from");
  bad_ams(with(minimal_ams, "h=from:arc-seal"), seal_covered, offset);
  bad_ams(with(minimal_ams, "h=ARC-Seal "), seal_covered, offset);
  EXPECT_TRUE(parse_ams(with(minimal_ams, "h=from:arc-message-signature")).has_value());
}

TEST(ParseMessageSignature, BoundsItsFields) {
  Limits limits;
  limits.signed_fields_max = 2;
  EXPECT_TRUE(parse_ams(with(minimal_ams, "h=a:b"), limits).has_value());
  EXPECT_EQ(parse_ams(with(minimal_ams, "h=a:b:c"), limits).error().code, too_many_signed_fields);
}

// --- tag lists ---

TEST(ParseSeal, ForgivesNoSeparator) {
  const std::string value(minimal_seal);
  EXPECT_TRUE(parse_as(value + ";").has_value());
  EXPECT_TRUE(parse_as(value + " ;\r\n ").has_value());
  bad_seal(value + ";;", empty_tag, value.size() + 1);
  bad_seal(value + "; ;", empty_tag, value.size() + 2);
  bad_seal(";" + value, empty_tag, 0);
  bad_seal("i=1;; " + value.substr(5), empty_tag, 4);
  bad_seal("i=1; \r\n ;" + value.substr(5), empty_tag, 8);
}

// The instance stands before the list in RFC 8617 §4.1.3, so comments may surround it.
TEST(ParseSeal, AllowsCommentsAroundItsInstance) {
  const std::string rest(minimal_seal.substr(minimal_seal.find(';')));
  for (const std::string_view instance :
       {"(a) i=1", " i (b)= 1", "i= (c (d)) 1", "i=1 (i=9)", "\r\n (;)i=1\r\n\t(e) "}) {
    const auto seal = parse_as(std::string(instance) + rest);
    ASSERT_TRUE(seal.has_value()) << instance << ": " << testing::PrintToString(seal.error());
    EXPECT_EQ(seal->instance, 1u);
    EXPECT_EQ(read_instance(FieldKind::seal, std::string(instance) + ";;", {}), 1u) << instance;
  }
  bad_seal("(a i=1" + rest, bad_tag_list, 0);
  bad_seal("i=1 (a)2" + rest, bad_instance, 2);
  bad_seal("i=1" + rest + " (a)", bad_base64, std::string("i=1" + rest).size() + 1);
  bad_seal("(a) i=1" + rest + "; i=1", bad_tag_list, std::string("(a) i=1" + rest).size() + 2);
}

TEST(ParseMessageSignature, AllowsCommentsAroundItsInstance) {
  const std::string rest(minimal_ams.substr(minimal_ams.find(';')));
  const auto ams = parse_ams("(a) i (b) = (c) 1 (d)" + rest);
  ASSERT_TRUE(ams.has_value()) << testing::PrintToString(ams.error());
  EXPECT_EQ(ams->instance, 1u);
}

TEST(ParseSeal, RefusesWhatIsNoTagList) {
  bad_seal("i", bad_tag_list, 1);
  bad_seal(std::string(minimal_seal) + "; i=1", bad_tag_list, minimal_seal.size() + 2);
  bad_seal(" ", missing_tag, 0);
  bad_seal(";", empty_tag, 0);
}

// --- ARC-Seal ---

TEST(ParseSeal, ReadsAllTags) {
  const auto seal = parse_as(
      "a=rsa-sha256; b=Y g = =; cv=pass; d=example.com; i=02; s=june; t=99; bh=!; c=x; l=x");
  ASSERT_TRUE(seal.has_value()) << testing::PrintToString(seal.error());
  EXPECT_EQ(seal->instance, 2u);
  EXPECT_EQ(seal->algorithm, dkim::Algorithm::rsa_sha256);
  EXPECT_EQ(seal->signature, "b");
  EXPECT_EQ(seal->chain_status, ChainStatus::pass);
  EXPECT_EQ(seal->sdid.text(), "example.com");
  EXPECT_EQ(seal->selector.text(), "june");
  EXPECT_EQ(seal->time, 99u);
}

TEST(ParseSeal, RefusesBadValues) {
  const auto bad_tag = [](std::string_view tag, FieldErrorCode code) {
    const std::string value = with(minimal_seal, tag);
    bad_seal(value, code, at(value, tag) + tag.find('=') + 1);
  };
  bad_tag("cv=", bad_chain_status);
  bad_tag("cv=Pass", bad_chain_status);
  bad_tag("cv=policy", bad_chain_status);
  bad_tag("i=x", bad_instance);
  bad_tag("d=..", bad_domain);
  bad_tag("b=*", bad_base64);
  bad_tag("t=x", bad_number);
  bad_seal("i=1; a=rsa-sha256; d=example.com; s=june; b=Yg==", missing_tag, 0);
}

// S-34: RFC 8617 §4.1.3 has no h= in a seal, and whoever obeyed one would cover other fields.
TEST(ParseSeal, MustNotHaveFieldsS34) {
  bad_seal(std::string(minimal_seal) + "; h=from", seal_with_fields, minimal_seal.size() + 4);
  bad_seal(std::string(minimal_seal) + "; h=", seal_with_fields, minimal_seal.size() + 4);
}

// --- instances of what cannot be read ---

TEST(ReadInstance, FindsTheNumberOfABrokenField) {
  using enum FieldKind;
  const Limits limits;
  EXPECT_EQ(read_instance(seal, "i=3; a=unknown", limits), 3u);
  EXPECT_EQ(read_instance(message_signature, "x=y; i=99", limits), 99u);
  EXPECT_EQ(read_instance(authentication_results, "i=4; ", limits), 4u);
  EXPECT_EQ(read_instance(authentication_results, "mx; i=4; ", limits), std::nullopt);
  EXPECT_EQ(read_instance(seal, "i=0", limits), std::nullopt);
  EXPECT_EQ(read_instance(seal, "i=100", limits), std::nullopt);
  EXPECT_EQ(read_instance(seal, "no list", limits), std::nullopt);
  EXPECT_EQ(read_instance(seal, "", limits), std::nullopt);
  EXPECT_EQ(read_instance(seal, "a=1;; b ; i\r\n = 7 ; i=8", limits), 7u);
}

// --- writing ---

MessageSignature sample_ams(std::size_t signature_octets = 3) {
  return {.instance = 2,
          .signature = {.algorithm = dkim::Algorithm::rsa_sha256,
                        .signature = std::string(signature_octets, 's'),
                        .body_hash = "abc",
                        .header_canonicalization = dkim::Canonicalization::relaxed,
                        .body_canonicalization = dkim::Canonicalization::relaxed,
                        .sdid = sample::name("example.com"),
                        .selector = sample::name("june"),
                        .signed_fields = {"from", "to"},
                        .time = 5}};
}

TEST(FormatMessageSignature, WritesTagsInAlphabeticalOrder) {
  EXPECT_EQ(format_message_signature(sample_ams()),
            "ARC-Message-Signature: a=rsa-sha256; b=c3Nz; bh=YWJj; c=relaxed/relaxed;\r\n"
            " d=example.com; h=from:to; i=2; s=june; t=5");
}

// dkimpy 1.1 looks for " i=2;" in the octets of the field and gives up on a chain without it.
TEST(FormatMessageSignature, HasASpaceBeforeEachTag) {
  for (std::size_t names = 1; names < 20; ++names) {
    MessageSignature ams = sample_ams();
    ams.signature.signed_fields.assign(names, "subject");
    EXPECT_TRUE(format_message_signature(ams).contains(" i=2;")) << names;
  }
}

TEST(FormatMessageSignature, CanLeaveOutFieldsAndTime) {
  MessageSignature ams = sample_ams();
  ams.signature.signed_fields.clear();
  ams.signature.time.reset();
  const std::string field = format_message_signature(ams);
  EXPECT_TRUE(field.ends_with("h=; i=2; s=june")) << field;
  const auto read = parse_ams(HeaderField(field).value());
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->signature.signed_fields, std::vector<std::string>{""});
}

TEST(FormatMessageSignature, WritesWhenItExpires) {
  MessageSignature ams = sample_ams();
  ams.signature.expires = 65;
  const std::string field = format_message_signature(ams);
  EXPECT_TRUE(field.ends_with("s=june; t=5; x=65")) << field;
  EXPECT_EQ(parse_ams(HeaderField(field).value()).value().signature.expires, 65U);
}

// A 4096-bit key signs in one piece; one of 8192 bits would break the longest line there may be.
TEST(FormatMessageSignature, KeepsASignatureWholeWhileALineHoldsIt) {
  for (const std::size_t octets : {128u, 256u, 512u, 1024u}) {
    const std::string field = format_message_signature(sample_ams(octets));
    constexpr std::size_t line_octets_max = 998;
    std::size_t line_begin = 0;
    for (std::size_t end = 0; end != field.npos; line_begin = end + 2) {
      end = field.find("\r\n", line_begin);
      EXPECT_LE(std::min(end, field.size()) - line_begin, line_octets_max);
    }
    const std::size_t b = field.find("b=");
    const std::string value = field.substr(b, field.find(';', b) - b);
    EXPECT_EQ(value.contains('\n'), octets == 1024) << octets;
    EXPECT_EQ(parse_ams(HeaderField(field).value()).value().signature.signature,
              std::string(octets, 's'));
  }
}

TEST(FormatMessageSignature, IsReadBackEqual) {
  const MessageSignature written = sample_ams(300);
  const auto read = parse_ams(HeaderField(format_message_signature(written)).value());
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->instance, written.instance);
  EXPECT_EQ(read->signature.signature, written.signature.signature);
  EXPECT_EQ(read->signature.body_hash, written.signature.body_hash);
  EXPECT_EQ(read->signature.signed_fields, written.signature.signed_fields);
  EXPECT_EQ(read->signature.time, written.signature.time);
}

TEST(FormatSeal, WritesTagsInAlphabeticalOrder) {
  const Seal seal{.instance = 1,
                  .algorithm = dkim::Algorithm::ed25519_sha256,
                  .signature = "sss",
                  .chain_status = ChainStatus::none,
                  .sdid = sample::name("example.com"),
                  .selector = sample::name("june"),
                  .time = 12'345};
  EXPECT_EQ(format_seal(seal),
            "ARC-Seal: a=ed25519-sha256; b=c3Nz; cv=none; d=example.com; i=1; s=june;\r\n"
            " t=12345");
}

TEST(FormatAuthenticationResults, FoldsAnew) {
  EXPECT_EQ(format_authentication_results(
                {.instance = 3, .payload = " mx.example.com;\r\n\t spf=pass  (a  b)\r\n "}),
            "ARC-Authentication-Results: i=3; mx.example.com; spf=pass (a b)");
}

// S-20: whatever the payload, the field stays one field.
TEST(FormatAuthenticationResults, LetsNoPayloadEndTheFieldS20) {
  for (int octet = 0; octet < 256; ++octet) {
    const std::string payload = std::string("mx; a") + static_cast<char>(octet) + "From: b";
    const std::string field = format_authentication_results({.instance = 1, .payload = payload});
    for (const char c : field) EXPECT_FALSE(text::is_ctl(c)) << octet;
  }
  EXPECT_EQ(format_authentication_results({.instance = 1, .payload = "mx; none\r\nTo: x\r\n\r\nB"}),
            "ARC-Authentication-Results: i=1; mx; none To: x B");
}

TEST(FieldErrorCode, HasASentenceForEach) {
  std::vector<std::string_view> sentences;
  for (int code = 0; code <= static_cast<int>(expires_before_signed); ++code) {
    const std::string_view sentence = to_string(static_cast<FieldErrorCode>(code));
    EXPECT_TRUE(sentence.contains("RFC ")) << code;
    EXPECT_EQ(std::ranges::count(sentences, sentence), 0) << sentence;
    sentences.push_back(sentence);
  }
}

}  // namespace
}  // namespace countersign::arc
