// SPDX-License-Identifier: Apache-2.0
//
// Evaluations as octets: what goes in comes out, whatever strangers wrote, and nothing else does.

#include "service/store/record.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "countersign/text/utf8.hpp"
#include "tests/support/evaluations.hpp"

namespace countersign::service::store {
namespace {

using namespace std::string_literals;
using report::Evaluation;
using test::evaluation;

constexpr Day day{std::chrono::days(20'000)};

std::vector<Evaluation> examples() {
  std::vector<Evaluation> all{evaluation(), evaluation("example.org", "2001:db8::1"), Evaluation{}};
  Evaluation bare = evaluation();
  bare.published.sp.reset();
  bare.published.np.reset();
  bare.published.rua.clear();
  bare.envelope_from.reset();
  bare.envelope_to.reset();
  bare.spf.reset();
  bare.dkim.clear();
  bare.reasons.clear();
  all.push_back(bare);
  bare.envelope_from = "";  // The null path is not the same as none.
  all.push_back(bare);
  Evaluation hostile = evaluation();
  hostile.header_from = "nul\0and \xff\xfe'; DROP TABLE evaluation; --"s;
  hostile.dkim[0].selector = "\n\t\x1b[31m\"\\";
  hostile.reasons[0].comment = "\xf0\x9f\x98\x80 \xed\xa0\x80";
  all.push_back(hostile);
  return all;
}

TEST(StoreRecord, EvaluationsComeBackAsTheyWere) {
  for (const Evaluation& one : examples()) {
    const RowKey key = row_key(one, day);
    EXPECT_EQ(evaluation_of(key), one);
    EXPECT_EQ(decode_policy(key.policy), one.published);
  }
}

TEST(StoreRecord, DifferentEvaluationsHaveDifferentKeys) {
  const std::vector<Evaluation> all = examples();
  for (const Evaluation& one : all) {
    for (const Evaluation& other : all) {
      EXPECT_EQ(row_key(one, day) == row_key(other, day), one == other);
    }
  }
  EXPECT_NE(row_key(all[0], day), row_key(all[0], day + std::chrono::days(1)));
}

TEST(StoreRecord, EveryMemberCounts) {
  const Evaluation usual = evaluation();
  std::vector<Evaluation> others(16, usual);
  others[0].published.p = dmarc::AssessmentPolicy::none;
  others[1].published.sp = dmarc::AssessmentPolicy::none;
  others[2].published.np.reset();
  others[3].published.adkim = dmarc::Alignment::relaxed;
  others[4].published.aspf = dmarc::Alignment::strict;
  others[5].published.testing = false;
  others[6].published.fo = "0";
  others[7].published.discovery_method = report::DiscoveryMethod::treewalk;
  others[8].published.rua.pop_back();
  others[9].disposition = report::ActionDisposition::pass;
  others[10].dkim_aligned = false;
  others[11].spf_aligned = true;
  others[12].reasons[0].type = report::OverrideReason::trusted_forwarder;
  others[13].dkim[1].human_result = "";
  others[14].spf->result = "pass";
  others[15].envelope_to = "other.example";
  for (const Evaluation& other : others) {
    EXPECT_NE(row_key(other, day), row_key(usual, day));
    EXPECT_EQ(evaluation_of(row_key(other, day)), other);
  }
}

TEST(StoreRecord, HugeTextsAndListsAreCut) {
  Evaluation huge = evaluation();
  huge.header_from = std::string(1'000'000, 'a');
  huge.dkim.assign(1'000, {std::string(10'000, 'd'), "s", "pass", ""});
  huge.published.rua.assign(1'000, std::string(10'000, 'u'));
  const RowKey key = row_key(huge, day);
  EXPECT_LT(key.identity.size() + key.policy.size(), 200'000U);
  const Evaluation kept = evaluation_of(key).value();
  EXPECT_EQ(kept.header_from, std::string(text_octets_max, 'a'));
  EXPECT_EQ(kept.dkim.size(), list_items_max);
  EXPECT_EQ(kept.published.rua.size(), list_items_max);
  EXPECT_EQ(row_key(kept, day), key) << "what was cut once is not cut again";
}

TEST(StoreRecord, AnyPrefixAndAnyExtraOctetIsRefused) {
  const RowKey key = row_key(evaluation(), day);
  for (std::size_t size = 0; size < key.identity.size(); ++size) {
    EXPECT_FALSE(evaluation_of({day, key.policy, key.source, key.identity.substr(0, size)}));
  }
  for (std::size_t size = 0; size < key.policy.size(); ++size) {
    EXPECT_FALSE(decode_policy(key.policy.substr(0, size)));
  }
  EXPECT_FALSE(evaluation_of({day, key.policy, key.source, key.identity + '\0'}));
  EXPECT_FALSE(decode_policy(key.policy + '\0'));
  EXPECT_FALSE(evaluation_of({day, key.policy, "12345", key.identity}));
  EXPECT_FALSE(evaluation_of(
      {day, key.policy, std::string(10, '\0') + "\xff\xff" + key.source, key.identity}))
      << "an IPv4-mapped address is written as IPv4";
  std::string newer = key.policy;
  newer[0] = 2;
  EXPECT_FALSE(decode_policy(newer));
}

TEST(StoreRecord, CountsComeBackAsTheyWere) {
  Counts counts;
  std::uint64_t number = 0;
  for (const Evaluation& one : examples()) counts[row_key(one, day)] = ++number;
  counts[row_key(evaluation(), Day(std::chrono::days(-1)))] = ~0ULL;
  const std::string octets = encode_counts(counts);
  EXPECT_EQ(decode_counts(octets), counts);
  EXPECT_EQ(decode_counts(encode_counts({})), Counts());
  EXPECT_EQ(decode_counts(octets, {{counts.begin()->first, 77}}), counts) << "one is known";
  for (std::size_t size = 0; size < octets.size(); ++size) {
    EXPECT_FALSE(decode_counts(std::string_view(octets).substr(0, size))) << size;
  }
  EXPECT_FALSE(decode_counts(octets + "x"));
}

TEST(StoreRecord, RowsThatComeTwiceAreRefused) {
  const std::string one = encode_counts({{row_key(evaluation(), day), 1}});
  const std::string twice = std::string("\0\0\0\2", 4) + one.substr(4) + one.substr(4);
  EXPECT_FALSE(decode_counts(twice));
}

TEST(StoreRecord, StorableTextIsShortUtf8WithoutNul) {
  const std::string replacement = "\xef\xbf\xbd";
  EXPECT_EQ(storable_text("mailto:a@example.org"), "mailto:a@example.org");
  EXPECT_EQ(storable_text(std::string_view("a\0b\xff", 4)), "a" + replacement + "b" + replacement);
  for (const std::string& text : {std::string(5'000, '\xff'), std::string(5'000, '\0'),
                                  std::string(1'023, 'a') + "\xc3\xa4", std::string(5'000, 'x')}) {
    const std::string kept = storable_text(text);
    EXPECT_LE(kept.size(), text_octets_max);
    EXPECT_GT(kept.size(), text_octets_max - 4);
    EXPECT_TRUE(text::is_utf8(kept));
    EXPECT_EQ(kept.find('\0'), std::string::npos);
    EXPECT_EQ(storable_text(kept), kept);
  }
}

}  // namespace
}  // namespace countersign::service::store
