// SPDX-License-Identifier: Apache-2.0
//
// Verification: each reason there is, what is asked of DNS and what is not, and the limits.

#include "countersign/dkim/verifier.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include "countersign/text/abnf.hpp"
#include "countersign/text/base64.hpp"
#include "tests/support/dkim.hpp"

namespace countersign::dkim {
namespace {

using std::chrono::seconds;
using Results = std::vector<SignatureResult>;

constexpr std::string_view plain =
    "From: Joe <joe@example.com>\nTo: a@example.net\nSubject: words\n\nHello.\n";
constexpr const char* rsa_at = "rsa._domainkey.example.com";

Message signed_plain() {
  return sample::signed_message(sample::message(plain), {sample::identity(sample::rsa_key())});
}

void expect(const SignatureResult& result, Result verdict, Reason reason) {
  EXPECT_EQ(result.result, verdict) << to_string(result.result);
  EXPECT_EQ(result.reason, reason) << to_string(result.reason) << ", " << result.detail;
  EXPECT_EQ(result.covers_body(), verdict == Result::pass && reason == Reason::valid);
}

// The only result for a message that example.com's key record decides on.
SignatureResult with_record(const std::string& record, const SigningIdentity& identity) {
  dns::Zone zone;
  zone.add_txt(rsa_at, record);
  return sample::verify(sample::signed_message(sample::message(plain), {identity}), zone).at(0);
}

SignatureResult with_record(const std::string& record) {
  return with_record(record, sample::identity(sample::rsa_key()));
}

// The message with a text in its signature field replaced by another.
Message tampered(Message message, std::string_view from, std::string_view to) {
  std::string raw(message.header.front().raw());
  const std::size_t at = raw.find(from);
  EXPECT_NE(at, raw.npos) << raw;
  message.header.front() = HeaderField(raw.replace(at, from.size(), to));
  return message;
}

TEST(Verifier, HasNothingToSayWithoutSignature) {
  const Message message = sample::message(plain);
  Verifier verifier(message.header, Limits{});
  verifier.body(message.body);
  dns::Asking<Results> asking = std::move(verifier).finish(sample::signing_time);
  EXPECT_TRUE(asking.take_questions().empty());
  ASSERT_TRUE(asking.done());
  EXPECT_TRUE(asking.take().empty());
}

TEST(Verifier, TellsWhatItKnowsOfAGoodSignature) {
  const SignatureResult result = sample::verify(signed_plain(), sample::zone()).at(0);
  expect(result, Result::pass, Reason::valid);
  ASSERT_TRUE(result.signature.has_value());
  EXPECT_EQ(result.signature->sdid.text(), "example.com");
  EXPECT_EQ(result.key_bits, 1'024u);
  EXPECT_FALSE(result.key_testing);
  EXPECT_FALSE(result.key_authenticated);
  EXPECT_EQ(result.body_octets_signed, 8u);
  EXPECT_EQ(result.body_octets_total, 8u);
  EXPECT_EQ(result.field_index, 0u);
  EXPECT_EQ(result.detail, "");
}

TEST(Verifier, FindsSignaturesAnywhereAndInAnyCase) {
  Message message = signed_plain();
  std::string raw(message.header.front().raw());
  message.header.erase(message.header.begin());
  message.header.push_back(HeaderField("dkim-SIGNATURE \t:" + raw.substr(raw.find(':') + 1)));
  const SignatureResult result = sample::verify(message, sample::zone()).at(0);
  expect(result, Result::pass, Reason::valid);
  EXPECT_EQ(result.field_index, 3u);
}

// S-26: it passes, but who reads the message may be shown what nobody signed.
TEST(Verifier, NamesFieldsThatCameAfterTheSignature) {
  Message message = signed_plain();
  EXPECT_TRUE(sample::verify(message, sample::zone()).at(0).added_fields.empty());
  message.header.insert(message.header.begin(), HeaderField("Subject: another"));
  const SignatureResult result = sample::verify(message, sample::zone()).at(0);
  expect(result, Result::pass, Reason::valid);
  EXPECT_EQ(result.added_fields, std::vector<std::string_view>{"Subject"});
}

TEST(Verifier, S26VerifiesNothingOverAHeaderThatWasCut) {
  const Message message = signed_plain();
  Verifier verifier(message.header, Limits{}, {.header_is_cut = true});
  verifier.body(message.body);
  std::size_t asked = 0;
  const auto results = dns::run_with(std::move(verifier).finish(sample::signing_time),
                                     [&asked](const dns::Question& question) {
                                       ++asked;
                                       return sample::zone().answer(question);
                                     });
  ASSERT_EQ(results.size(), 1U);
  expect(results[0], Result::policy, Reason::limit_exceeded);
  EXPECT_EQ(asked, 0U);
}

// RFC 8463 §A.3: the example with an Ed25519 and an RSA signature.
TEST(Verifier, AcceptsTheExampleOfRfc8463) {
  const Message message = sample::message(
      "DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;\n"
      " d=football.example.com; i=@football.example.com;\n"
      " q=dns/txt; s=brisbane; t=1528637909; h=from : to :\n"
      " subject : date : message-id : from : subject : date;\n"
      " bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\n"
      " b=/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus\n"
      " Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==\n"
      "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;\n"
      " d=football.example.com; i=@football.example.com;\n"
      " q=dns/txt; s=test; t=1528637909; h=from : to : subject :\n"
      " date : message-id : from : subject : date;\n"
      " bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\n"
      " b=F45dVWDfMbQDGHJFlXUNB2HKfbCeLRyhDXgFpEL8GwpsRe0IeIixNTe3\n"
      " DhCVlUrSjV4BwcVcOF6+FF3Zo9Rpo1tFOeS9mPYQTnGdaSGsgeefOsk2Jz\n"
      " dA+L10TeYt9BgDfQNZtKdN1WO//KgIqXP7OdEFE4LjFYNcUxZQ4FADY+8=\n"
      "From: Joe SixPack <joe@football.example.com>\n"
      "To: Suzie Q <suzie@shopping.example.net>\n"
      "Subject: Is dinner ready?\n"
      "Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\n"
      "Message-ID: <20030712040037.46341.5F8J@football.example.com>\n"
      "\n"
      "Hi.\n"
      "\n"
      "We lost the game.  Are you hungry yet?\n"
      "\n"
      "Joe.\n");
  dns::Zone zone;
  zone.add_txt("brisbane._domainkey.football.example.com",
               "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=");
  zone.add_txt("test._domainkey.football.example.com",
               "v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWR"
               "iGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/byYzCNb3W91y3FutAC"
               "DfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3"
               "Ip3G+2kryOTIKT+l/K4w3QIDAQAB");
  const Results results = sample::verify(message, zone);
  ASSERT_EQ(results.size(), 2u);
  for (const SignatureResult& result : results) expect(result, Result::pass, Reason::valid);
}

TEST(Verifier, SaysWhatIsWrongWithAField) {
  const SignatureResult unreadable =
      sample::verify(tampered(signed_plain(), "v=1", "v=2"), sample::zone()).at(0);
  expect(unreadable, Result::permerror, Reason::bad_signature_field);
  EXPECT_FALSE(unreadable.signature.has_value());
  EXPECT_EQ(unreadable.detail, "v= is not 1 (RFC 6376 §3.5), at octet 3");
  expect(sample::verify(tampered(signed_plain(), "rsa-sha256", "rsa-md5"), sample::zone()).at(0),
         Result::permerror, Reason::unsupported_algorithm);
}

// RFC 8301 §3.1: however right it is.
TEST(Verifier, S24NeverAcceptsSha1) {
  const Message message = tampered(signed_plain(), "rsa-sha256", "rsa-sha1");
  const SignatureResult result = sample::verify(message, sample::zone()).at(0);
  expect(result, Result::policy, Reason::rsa_sha1);
  EXPECT_TRUE(result.signature.has_value());
}

TEST(Verifier, S24NeverAcceptsShortKeys) {
  const Message message = signed_plain();
  Limits limits;
  limits.rsa_verify_bits_min = 1'025;
  Verifier verifier(message.header, limits);
  verifier.body(message.body);
  const SignatureResult result =
      sample::zone().run(std::move(verifier).finish(sample::signing_time)).at(0);
  expect(result, Result::policy, Reason::key_too_short);
  EXPECT_EQ(result.key_bits, 1'024u);
}

// The bound of RSA keys says nothing about Ed25519.
TEST(Verifier, AcceptsEd25519KeysUnderAnyBoundForRsa) {
  const Message message =
      sample::signed_message(sample::message(plain), {sample::identity(sample::ed25519_key())});
  Limits limits;
  limits.rsa_verify_bits_min = 4'096;
  Verifier verifier(message.header, limits);
  verifier.body(message.body);
  expect(sample::zone().run(std::move(verifier).finish(sample::signing_time)).at(0), Result::pass,
         Reason::valid);
}

TEST(Verifier, S28AllowsForClocksThatDiffer) {
  SigningIdentity identity = sample::identity(sample::rsa_key());
  identity.lifetime = seconds{1'000};
  const Message message = sample::signed_message(sample::message(plain), {identity});
  const auto reason_at = [&](seconds after) {
    return sample::verify(message, sample::zone(), {}, sample::signing_time + after).at(0).reason;
  };
  EXPECT_EQ(reason_at(seconds{-301}), Reason::signed_in_future);
  EXPECT_EQ(reason_at(seconds{-300}), Reason::valid);
  EXPECT_EQ(reason_at(seconds{0}), Reason::valid);
  EXPECT_EQ(reason_at(seconds{1'300}), Reason::valid);
  EXPECT_EQ(reason_at(seconds{1'301}), Reason::expired);
  EXPECT_EQ(reason_at(std::chrono::years{40}), Reason::expired);
}

TEST(Verifier, S28SaysThatAnExpiredSignatureIsAnError) {
  SigningIdentity identity = sample::identity(sample::rsa_key());
  identity.lifetime = seconds{1};
  const Message message = sample::signed_message(sample::message(plain), {identity});
  expect(sample::verify(message, sample::zone()).at(0), Result::permerror, Reason::expired);
  expect(sample::verify(message, sample::zone(), {}, std::chrono::sys_seconds{seconds{-1}}).at(0),
         Result::permerror, Reason::signed_in_future);
}

TEST(Verifier, JudgesWhatTheKeyRecordAllows) {
  const std::string record = sample::key_record(sample::rsa_key());
  expect(with_record(record), Result::pass, Reason::valid);
  expect(with_record("h=sha1; " + record), Result::permerror, Reason::hash_not_allowed);
  expect(with_record(sample::key_record(sample::ed25519_key())), Result::permerror,
         Reason::key_type_mismatch);
  expect(with_record("p="), Result::permerror, Reason::key_revoked);
  expect(with_record("k=rsa"), Result::permerror, Reason::bad_key_record);
  expect(with_record("s=tlsrpt; " + record), Result::permerror, Reason::bad_key_record);
  EXPECT_TRUE(with_record("t=y; " + record).key_testing);
}

// RFC 6376 §3.6.1: t=y makes a signature neither better nor worse.
TEST(Verifier, S30TreatsTestingKeysAsAnyOther) {
  expect(with_record("t=y; " + sample::key_record(sample::rsa_key())), Result::pass, Reason::valid);
}

TEST(Verifier, S29HoldsStrictKeysToTheDomainItself) {
  const std::string record = "t=s; " + sample::key_record(sample::rsa_key());
  SigningIdentity identity = sample::identity(sample::rsa_key());
  expect(with_record(record, identity), Result::pass, Reason::valid);
  identity.auid = "joe@EXAMPLE.com";
  expect(with_record(record, identity), Result::pass, Reason::valid);
  identity.auid = "joe@mail.example.com";
  expect(with_record(record, identity), Result::permerror, Reason::auid_not_allowed);
  expect(with_record(sample::key_record(sample::rsa_key()), identity), Result::pass, Reason::valid);
}

TEST(Verifier, TellsAWrongKeyFromAChangedBody) {
  const auto other = crypto::PrivateKey::generate(crypto::KeyType::rsa, 1'024, Limits{});
  expect(with_record(sample::key_record(*other)), Result::fail, Reason::signature_mismatch);
  Message message = signed_plain();
  message.body = "Hello!\r\n";
  expect(sample::verify(message, sample::zone()).at(0), Result::fail, Reason::body_hash_mismatch);
}

Message partly_signed(std::uint64_t length) {
  SigningIdentity identity = sample::identity(sample::rsa_key());
  identity.body_length_max = length;
  return sample::signed_message(sample::message(plain), {identity});
}

TEST(Verifier, NeverVouchesForABodyThatIsPartlySigned) {
  const SignatureResult lenient = sample::verify(partly_signed(5), sample::zone()).at(0);
  expect(lenient, Result::pass, Reason::body_partly_signed);
  EXPECT_EQ(lenient.body_octets_signed, 5u);
  EXPECT_EQ(lenient.body_octets_total, 8u);
  EXPECT_EQ(lenient.detail, "5 of 8 octets are signed");
  expect(
      sample::verify(partly_signed(5), sample::zone(), {.accept_partly_signed_body = false}).at(0),
      Result::policy, Reason::body_partly_signed);
  expect(sample::verify(partly_signed(0), sample::zone()).at(0), Result::pass,
         Reason::body_partly_signed);
  expect(sample::verify(partly_signed(8), sample::zone()).at(0), Result::pass, Reason::valid);
}

TEST(Verifier, ReportsAnAppendedText) {
  Message message = partly_signed(1'000);
  message.body += "Send money.\r\n";
  expect(sample::verify(message, sample::zone()).at(0), Result::pass, Reason::body_partly_signed);
}

TEST(Verifier, RefusesALengthThatTheBodyDoesNotHave) {
  Message message = partly_signed(8);
  message.body = "Hell\r\n";
  expect(sample::verify(message, sample::zone()).at(0), Result::permerror,
         Reason::body_length_too_large);
}

TEST(Verifier, AsksForAllKeysAtOnceAndForEachOnce) {
  const SigningIdentity rsa = sample::identity(sample::rsa_key());
  const SigningIdentity ed = sample::identity(sample::ed25519_key());
  const Message message = sample::signed_message(sample::message(plain), {rsa, ed, rsa, ed});
  Verifier verifier(message.header, Limits{});
  verifier.body(message.body);
  dns::Asking<Results> asking = std::move(verifier).finish(sample::signing_time);
  const std::vector<dns::OpenQuestion> questions = asking.take_questions();
  ASSERT_EQ(questions.size(), 2u);
  EXPECT_EQ(questions[0].question, (dns::Question{rsa_at, dns::RecordType::txt}));
  EXPECT_EQ(questions[1].question.name, "ed._domainkey.example.com");
  const dns::Zone zone = sample::zone();
  for (const dns::OpenQuestion& open : {questions[1], questions[0]}) {
    EXPECT_FALSE(asking.done());
    asking.answer(open.id, zone.answer(open.question));
  }
  ASSERT_TRUE(asking.done());
  const Results results = asking.take();
  ASSERT_EQ(results.size(), 4u);
  for (const SignatureResult& result : results) expect(result, Result::pass, Reason::valid);
}

TEST(Verifier, AsksNothingWhenNoKeyCanHelp) {
  Message changed = signed_plain();
  changed.body += "more";
  for (const Message& message : {changed, tampered(signed_plain(), "rsa-sha256", "rsa-sha1"),
                                 tampered(signed_plain(), "t=1700000000", "t=1800000000"),
                                 tampered(signed_plain(), "d=example.com", "d=example.com("),
                                 tampered(signed_plain(), "s=rsa", "s=r sa")}) {
    Verifier verifier(message.header, Limits{});
    verifier.body(message.body);
    dns::Asking<Results> asking = std::move(verifier).finish(sample::signing_time);
    EXPECT_TRUE(asking.take_questions().empty()) << message.header.front().raw();
    EXPECT_TRUE(asking.done());
  }
}

TEST(Verifier, CanBeDroppedWhileItAsks) {
  const Message message = signed_plain();
  Verifier verifier(message.header, Limits{});
  verifier.body(message.body);
  dns::Asking<Results> asking = std::move(verifier).finish(sample::signing_time);
  EXPECT_EQ(asking.take_questions().size(), 1u);
}

TEST(Verifier, SaysWhatDnsSaid) {
  dns::Zone zone;
  zone.fail(rsa_at, dns::RecordType::txt, dns::AnswerStatus::servfail);
  const SignatureResult result = sample::verify(signed_plain(), zone).at(0);
  expect(result, Result::temperror, Reason::key_unavailable);
  EXPECT_EQ(result.detail, "SERVFAIL for rsa._domainkey.example.com");
  expect(sample::verify(signed_plain(), dns::Zone{}).at(0), Result::permerror,
         Reason::key_not_found);
}

TEST(Verifier, KnowsWhetherDnssecValidatedTheKey) {
  const Message message = signed_plain();
  Verifier verifier(message.header, Limits{});
  verifier.body(message.body);
  const dns::Text record{{sample::key_record(sample::rsa_key())}};
  const Results results =
      dns::run_with(std::move(verifier).finish(sample::signing_time), [&](const dns::Question&) {
        return dns::Answer{
            .status = dns::AnswerStatus::records, .authenticated = true, .records = {record}};
      });
  EXPECT_TRUE(results.at(0).key_authenticated);
}

// --- limits ---

SigningIdentity identity_of(std::string_view domain) {
  SigningIdentity identity = sample::identity(sample::ed25519_key());
  identity.sdid = sample::name(domain);
  return identity;
}

Results verify_with_limit(const Message& message, std::size_t signatures_max,
                          std::vector<std::string>* asked = nullptr) {
  Limits limits;
  limits.signatures_max = signatures_max;
  Verifier verifier(message.header, limits);
  verifier.body(message.body);
  const dns::Text record{{sample::key_record(sample::ed25519_key())}};
  return dns::run_with(
      std::move(verifier).finish(sample::signing_time), [&](const dns::Question& question) {
        if (asked != nullptr) asked->push_back(question.name);
        return dns::Answer{.status = dns::AnswerStatus::records, .records = {record}};
      });
}

std::vector<Reason> reasons(const Results& results) {
  std::vector<Reason> list;
  for (const SignatureResult& result : results) list.push_back(result.reason);
  return list;
}

// S-31: the author's own signatures first, then those above or below, then strangers' from the top.
TEST(Verifier, S31LooksAtTheSignaturesOfTheAuthorFirst) {
  const Message message = sample::signed_message(
      sample::message(plain), {identity_of("example.net"), identity_of("mail.example.com"),
                               identity_of("notexample.com"), identity_of("example.com")});
  constexpr auto over = Reason::limit_exceeded;
  constexpr auto valid = Reason::valid;
  EXPECT_EQ(reasons(verify_with_limit(message, 4)), (std::vector{valid, valid, valid, valid}));
  EXPECT_EQ(reasons(verify_with_limit(message, 3)), (std::vector{valid, valid, over, valid}));
  EXPECT_EQ(reasons(verify_with_limit(message, 2)), (std::vector{over, valid, over, valid}));
  std::vector<std::string> asked;
  EXPECT_EQ(reasons(verify_with_limit(message, 1, &asked)), (std::vector{over, over, over, valid}));
  EXPECT_EQ(asked, std::vector<std::string>{"ed._domainkey.example.com"});
  expect(verify_with_limit(message, 1).at(0), Result::policy, Reason::limit_exceeded);
}

TEST(Verifier, CountsOnlySignaturesThatMayPass) {
  Message message = sample::signed_message(sample::message(plain), {identity_of("example.com")});
  for (int i = 0; i < 20; ++i)
    message.header.insert(message.header.begin(),
                          HeaderField("DKIM-Signature: v=1; d=" + std::to_string(i)));
  const Results results = verify_with_limit(message, 1);
  ASSERT_EQ(results.size(), 21u);
  expect(results.back(), Result::pass, Reason::valid);
}

TEST(Verifier, TakesAuthorsThatCannotBeToldForNone) {
  const Message message =
      sample::signed_message(sample::message("From: x\nFrom: y\n\n"),
                             {identity_of("a.example"), identity_of("b.example")});
  EXPECT_EQ(reasons(verify_with_limit(message, 1)),
            (std::vector{Reason::valid, Reason::limit_exceeded}));
}

// --- hostile text ---

TEST(Verifier, NeverPrintsAStrangersOctets) {
  using std::string_literals::operator""s;
  for (const std::string& value :
       {"v=1; d=\x1b[31mevil"s, "v=1;\0"s, "\xFF=\xFE"s, "v=\"2\r\n 3\"; a=\x07"s, "v=1; v=1"s}) {
    const Header header = {HeaderField("DKIM-Signature: " + value),
                           HeaderField("From: a@b.example")};
    Verifier verifier(header, Limits{});
    const SignatureResult result =
        dns::Zone{}.run(std::move(verifier).finish(sample::signing_time)).at(0);
    EXPECT_EQ(result.result, Result::permerror);
    for (const char c : result.detail) EXPECT_FALSE(text::is_ctl(c)) << result.detail;
  }
}

TEST(Verifier, S31BoundsItsWorkOnAHeaderFullOfSignatures) {
  Header header;
  std::string names = "from";
  for (std::size_t i = 1; i < Limits{}.signed_fields_max; ++i) names += ":x";
  for (int i = 0; i < 1'000; ++i)
    header.push_back(HeaderField("DKIM-Signature: v=1; a=rsa-sha256; d=d" + std::to_string(i) +
                                 ".example; s=s; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; "
                                 "c=relaxed/relaxed; b=YQ==; h=" +
                                 names));
  for (int i = 0; i < 1'000; ++i) header.push_back(HeaderField("X: " + std::to_string(i)));
  Verifier verifier(header, Limits{});
  std::size_t asked = 0;
  const dns::Text record{{sample::key_record(sample::rsa_key())}};
  const Results results =
      dns::run_with(std::move(verifier).finish(sample::signing_time), [&](const dns::Question&) {
        ++asked;
        return dns::Answer{.status = dns::AnswerStatus::records, .records = {record}};
      });
  EXPECT_EQ(results.size(), 1'000u);
  EXPECT_EQ(asked, Limits{}.signatures_max);
  expect(results.front(), Result::fail, Reason::signature_mismatch);
  expect(results.back(), Result::policy, Reason::limit_exceeded);
}

TEST(Summarize, TakesTheBestResult) {
  const auto of = [](std::initializer_list<Result> list) {
    Results results;
    for (const Result result : list) results.push_back({.result = result});
    return summarize(results);
  };
  EXPECT_EQ(of({}), Result::none);
  EXPECT_EQ(of({Result::fail, Result::pass, Result::temperror}), Result::pass);
  EXPECT_EQ(of({Result::fail, Result::permerror, Result::temperror}), Result::temperror);
  EXPECT_EQ(of({Result::fail, Result::policy, Result::permerror}), Result::policy);
  EXPECT_EQ(of({Result::permerror, Result::fail}), Result::fail);
  EXPECT_EQ(of({Result::permerror, Result::neutral}), Result::neutral);
  EXPECT_EQ(of({Result::permerror}), Result::permerror);
}

}  // namespace
}  // namespace countersign::dkim
