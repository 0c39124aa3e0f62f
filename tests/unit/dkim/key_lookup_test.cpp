// SPDX-License-Identifier: Apache-2.0
//
// The question for a key, and every answer to it.

#include "countersign/dkim/key_lookup.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "tests/support/dkim.hpp"

namespace countersign::dkim {
namespace {

using dns::AnswerStatus;

constexpr const char* key_at = "rsa._domainkey.example.com";

KeyLookup with_answer(const dns::Answer& answer) {
  return dns::run_with(look_up_key(key_at, Limits{}), [&](const dns::Question& question) {
    EXPECT_EQ(question, (dns::Question{key_at, dns::RecordType::txt}));
    return answer;
  });
}

KeyLookup with_texts(const std::vector<std::string>& texts) {
  dns::Answer answer{.status = AnswerStatus::records};
  for (const std::string& text : texts) answer.records.emplace_back(dns::Text{{text}});
  return with_answer(answer);
}

void expect(const KeyLookup& lookup, Result result, Reason reason) {
  EXPECT_FALSE(lookup.record.has_value());
  EXPECT_EQ(lookup.result, result) << to_string(lookup.result);
  EXPECT_EQ(lookup.reason, reason) << to_string(lookup.reason);
  EXPECT_NE(lookup.detail.find(key_at), std::string::npos) << lookup.detail;
}

TEST(KeyName, JoinsSelectorAndDomain) {
  EXPECT_EQ(key_name(sample::name("June.2024"), sample::name("Example.com")),
            "june.2024._domainkey.example.com");
}

TEST(LookUpKey, ReadsTheRecord) {
  const KeyLookup lookup = with_texts({sample::key_record(sample::rsa_key())});
  ASSERT_TRUE(lookup.record.has_value());
  EXPECT_EQ(lookup.record->key.bits(), 1'024u);
  EXPECT_FALSE(lookup.authenticated);
}

TEST(LookUpKey, JoinsTheStringsOfARecord) {
  const std::string text = sample::key_record(sample::rsa_key());
  const dns::Text record{{text.substr(0, 10), text.substr(10)}};
  EXPECT_TRUE(with_answer({.status = AnswerStatus::records, .records = {record}}).record);
}

TEST(LookUpKey, KnowsWhetherDnssecValidatedIt) {
  const dns::Text record{{sample::key_record(sample::rsa_key())}};
  EXPECT_TRUE(
      with_answer({.status = AnswerStatus::records, .authenticated = true, .records = {record}})
          .authenticated);
  EXPECT_TRUE(with_answer({.status = AnswerStatus::nxdomain, .authenticated = true}).authenticated);
}

TEST(LookUpKey, TakesAbsenceForAnErrorForGood) {
  expect(with_answer({.status = AnswerStatus::nxdomain}), Result::permerror, Reason::key_not_found);
  expect(with_answer({.status = AnswerStatus::nodata}), Result::permerror, Reason::key_not_found);
  expect(with_answer({.status = AnswerStatus::records, .records = {dns::NameData{"example.com"}}}),
         Result::permerror, Reason::key_not_found);
}

TEST(LookUpKey, TakesAFailureForAnErrorForNow) {
  for (const AnswerStatus status : {AnswerStatus::servfail, AnswerStatus::refused,
                                    AnswerStatus::timeout, AnswerStatus::malformed})
    expect(with_answer({.status = status}), Result::temperror, Reason::key_unavailable);
  expect(with_answer({.status = AnswerStatus::bogus}), Result::temperror, Reason::key_not_trusted);
}

TEST(LookUpKey, SaysWhatIsWrongWithTheRecord) {
  expect(with_texts({"v=DKIM1; p="}), Result::permerror, Reason::key_revoked);
  expect(with_texts({"v=DKIM2; p=YQ=="}), Result::permerror, Reason::bad_key_record);
  expect(with_texts({""}), Result::permerror, Reason::bad_key_record);
  EXPECT_EQ(with_texts({"v=DKIM2; p=YQ=="}).record_error, KeyRecordErrorCode::bad_version);
  EXPECT_EQ(with_texts({"v=DKIM1; p="}).record_error, KeyRecordErrorCode::revoked);
  EXPECT_EQ(with_answer({.status = AnswerStatus::nodata}).record_error, std::nullopt);
  EXPECT_EQ(with_texts({"k=rsa; p=*"}).detail,
            "p= of the key record is no base64 (RFC 6376 §3.6.1), at octet 9 of the record at "
            "rsa._domainkey.example.com");
}

TEST(LookUpKey, S30NeverChoosesAmongKeys) {
  const std::string record = sample::key_record(sample::rsa_key());
  expect(with_texts({record, record}), Result::permerror, Reason::several_key_records);
  expect(with_texts({record, "v=DKIM1; p="}), Result::permerror, Reason::several_key_records);
}

TEST(LookUpKey, LeavesOtherRecordsOutOfAccount) {
  const std::string record = sample::key_record(sample::rsa_key());
  EXPECT_TRUE(with_texts({"v=spf1 -all", record, "google-site-verification=x"}).record);
  EXPECT_TRUE(with_texts({"v=DKIM1; " + record, "v=TLSRPTv1; p=x"}).record);
  expect(with_texts({"v=spf1 -all", "some text"}), Result::permerror, Reason::key_not_found);
}

TEST(LookUpKey, S22AsksNothingThatDnsCannotHold) {
  const std::string label(63, 'a');
  const DomainName selector = sample::name(label + "." + label + "." + label);
  const std::string name = key_name(selector, sample::name(label + ".example.com"));
  ASSERT_GT(name.size(), 253u);
  dns::Asking<KeyLookup> asking = look_up_key(name, Limits{});
  EXPECT_TRUE(asking.take_questions().empty());
  ASSERT_TRUE(asking.done());
  const KeyLookup lookup = asking.take();
  EXPECT_EQ(lookup.result, Result::permerror);
  EXPECT_EQ(lookup.reason, Reason::key_not_found);
}

TEST(LookUpKey, TakesAKeyThatIsDecodedAlready) {
  dns::Answer answer{.status = AnswerStatus::records, .authenticated = true};
  answer.records.emplace_back(dns::Text{{sample::key_record(sample::rsa_key())}});
  const auto answer_read = [&](const dns::Question& question) {
    answer.parsed = question.reader(question, answer, Limits{});
    return dns::Answer{.status = answer.status, .records = {}, .parsed = answer.parsed};
  };
  const KeyLookup lookup = dns::run_with(look_up_key(key_at, Limits{}), answer_read);
  ASSERT_TRUE(lookup.record.has_value());
  EXPECT_EQ(lookup.record->key.bits(), 1'024u);
  EXPECT_TRUE(lookup.authenticated);
  EXPECT_GT(answer.parsed.octets, 2'000u);
}

}  // namespace
}  // namespace countersign::dkim
