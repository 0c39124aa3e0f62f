// SPDX-License-Identifier: Apache-2.0
//
// DMARC records: what is read, what is dropped and where, and when a record asks for nothing.

#include "countersign/dmarc/record.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/exact.hpp"

namespace countersign::dmarc {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using enum RecordProblemCode;

Record ok(std::string_view text) {
  auto record = parse_record(test::exact(text).view(), Limits{});
  EXPECT_TRUE(record.has_value()) << text;
  return record.value_or(Record{});
}

void bad(std::string_view text, RecordErrorCode code, std::size_t offset) {
  const auto record = parse_record(test::exact(text).view(), Limits{});
  ASSERT_FALSE(record.has_value()) << text;
  EXPECT_EQ(to_string(record.error().code), to_string(code)) << text;
  EXPECT_EQ(record.error().offset, offset) << text;
}

// The one problem of a record that is otherwise read.
void has_problem(std::string_view text, const RecordProblem& problem) {
  EXPECT_THAT(ok(text).problems, ElementsAre(problem)) << text;
}

TEST(ParseDmarcRecord, HasDefaultsForAllThatIsAbsent) {
  const Record record = ok("v=DMARC1; p=reject");
  EXPECT_EQ(record.p, AssessmentPolicy::reject);
  EXPECT_EQ(record.sp, std::nullopt);
  EXPECT_EQ(record.np, std::nullopt);
  EXPECT_FALSE(record.testing);
  EXPECT_EQ(record.psd, Psd::u);
  EXPECT_EQ(record.adkim, Alignment::relaxed);
  EXPECT_EQ(record.aspf, Alignment::relaxed);
  EXPECT_THAT(record.rua, IsEmpty());
  EXPECT_THAT(record.ruf, IsEmpty());
  EXPECT_EQ(to_string(record.fo), "0");
  EXPECT_THAT(record.problems, IsEmpty());
}

TEST(ParseDmarcRecord, ReadsEveryTag) {
  const Record record =
      ok("v=DMARC1; p=quarantine; sp=reject; np=none; t=y; psd=n; adkim=s; aspf=s; "
         "rua=mailto:a@example.com,https://example.com/r; ruf=mailto:f@example.com; fo=1:d:s");
  EXPECT_EQ(record.p, AssessmentPolicy::quarantine);
  EXPECT_EQ(record.sp, AssessmentPolicy::reject);
  EXPECT_EQ(record.np, AssessmentPolicy::none);
  EXPECT_TRUE(record.testing);
  EXPECT_EQ(to_string(record.psd), "n");
  EXPECT_EQ(to_string(record.adkim), "s");
  EXPECT_EQ(to_string(record.aspf), "s");
  EXPECT_THAT(record.rua, ElementsAre("mailto:a@example.com", "https://example.com/r"));
  EXPECT_THAT(record.ruf, ElementsAre("mailto:f@example.com"));
  EXPECT_EQ(to_string(record.fo), "1:d:s");
  EXPECT_THAT(record.problems, IsEmpty());
}

TEST(ParseDmarcRecord, TakesTagsInAnyOrderAndAnyCase) {
  const Record record = ok("V\t= DMARC1 ;; SP=None ;rua=MAILTO:a@example.com\t; P = Reject ; ; ");
  EXPECT_EQ(record.p, AssessmentPolicy::reject);
  EXPECT_EQ(record.sp, AssessmentPolicy::none);
  EXPECT_THAT(record.rua, ElementsAre("MAILTO:a@example.com"));
  EXPECT_THAT(record.problems, IsEmpty());
}

TEST(ParseDmarcRecord, DropsLineEndsThatWerePasted) {
  EXPECT_EQ(ok("v=DMARC1; p=reject\r\n").p, AssessmentPolicy::reject);
  EXPECT_EQ(ok("v=DMARC1;\n p=reject;\n").p, AssessmentPolicy::reject);
}

TEST(ParseDmarcRecord, WantsItsVersionFirstAndExact) {
  for (const std::string_view text :
       {"", ";", "v", "v=", "v=dmarc1; p=none", "v=DMARC12", "v=DMARC1 p=none", "v=DMARC1,p=none",
        "p=none; v=DMARC1", " v=DMARC1; p=none", "\nv=DMARC1", ";v=DMARC1", "v=spf1 -all",
        "x=DMARC1", "v=\"DMARC1\""})
    bad(text, RecordErrorCode::no_version, 0);
  ok("v=DMARC1");
}

TEST(ParseDmarcRecord, IsBounded) {
  const Limits limits;
  const std::string head = "v=DMARC1; p=reject; rua=";
  std::string longest = head + "mailto:";
  longest.append(limits.dmarc_record_bytes_max - longest.size() - 10, 'x').append("@a.example");
  EXPECT_EQ(ok(longest).rua.size(), 1u);
  bad(longest + "s", RecordErrorCode::too_long, limits.dmarc_record_bytes_max);

  std::string many = "v=DMARC1";
  for (std::size_t i = 1; i < limits.tags_max; ++i) many += ";a=b";
  ok(many);
  bad(many + ";p=none", RecordErrorCode::too_many_tags, many.size() + 1);
}

TEST(ParseDmarcRecord, DropsAMalformedTagAndGoesOn) {
  has_problem("v=DMARC1; bogus; p=reject", {bad_tag, "bogus", 10});
  has_problem("v=DMARC1; =x; p=reject", {bad_tag, "", 10});
  has_problem("v=DMARC1; a-b=x; p=reject", {bad_tag, "", 10});
  has_problem("v=DMARC1; x\x01=y; p=reject", {bad_tag, "", 10});
  has_problem("v=DMARC1; n=caf\xC3\xA9; p=reject", {bad_tag, "n", 10});
  has_problem("v=DMARC1; p=reject; adkim=", {bad_tag, "adkim", 20});
  has_problem("v=DMARC1; p=; rua=mailto:a@a.example", {bad_tag, "p", 10});
  EXPECT_EQ(ok("v=DMARC1; bogus; p=reject").p, AssessmentPolicy::reject);
}

TEST(ParseDmarcRecord, GivesTheDefaultForABadValue) {
  has_problem("v=DMARC1; p=reject; adkim=x", {bad_value, "adkim", 26});
  has_problem("v=DMARC1; p=reject; aspf=strict", {bad_value, "aspf", 25});
  has_problem("v=DMARC1; p=reject; t=1", {bad_value, "t", 22});
  has_problem("v=DMARC1; p=reject; psd=x", {bad_value, "psd", 24});
  EXPECT_EQ(ok("v=DMARC1; p=reject; adkim=x").adkim, Alignment::relaxed);
  EXPECT_EQ(ok("v=DMARC1; p=reject; psd=x").psd, Psd::u);
}

TEST(ParseDmarcRecord, NamesTagsThatNobodyReads) {
  has_problem("v=DMARC1; p=none; pct=50", {removed_tag, "pct", 18});
  has_problem("v=DMARC1; p=none; RI=3600", {removed_tag, "ri", 18});
  has_problem("v=DMARC1; p=none; rf=afrf", {removed_tag, "rf", 18});
  has_problem("v=DMARC1; p=none; foo=bar", {unknown_tag, "foo", 18});
  has_problem("v=DMARC1; p=none; fo=1", {unused_tag, "fo", 0});
}

TEST(ParseDmarcRecord, TakesNoValueOfARepeatedTag) {
  has_problem("v=DMARC1; p=none; adkim=s; adkim=s", {repeated_tag, "adkim", 27});
  EXPECT_EQ(ok("v=DMARC1; p=none; adkim=s; adkim=s").adkim, Alignment::relaxed);
  EXPECT_EQ(ok("v=DMARC1; p=none; psd=y; psd=n").psd, Psd::u);
  EXPECT_FALSE(ok("v=DMARC1; p=none; t=y; t=n").testing);
  EXPECT_EQ(ok("v=DMARC1; p=none; v=DMARC1").p, AssessmentPolicy::none);
  EXPECT_FALSE(ok("v=DMARC1; p=none; p=reject").is_usable());
  EXPECT_FALSE(ok("v=DMARC1; p=none; P=none").is_usable());
  EXPECT_FALSE(
      ok("v=DMARC1; p=none; rua=mailto:a@a.example; rua=mailto:b@a.example; sp=x").is_usable());
}

TEST(ParseDmarcRecord, ReadsReportUris) {
  const auto rua = [](std::string_view list) {
    return ok("v=DMARC1; p=none; rua=" + std::string(list)).rua;
  };
  EXPECT_THAT(rua("mailto:a@a.example , mailto:b@a.example!10m"),
              ElementsAre("mailto:a@a.example", "mailto:b@a.example"));
  EXPECT_THAT(rua("mailto:a%21b@a.example?subject=x"),
              ElementsAre("mailto:a%21b@a.example?subject=x"));
  for (const std::string_view one :
       {"bogus", ":", "mailto:", "mailto:a", "mailto:@a.example", "mailto:a@", "mailto:a@a..b",
        "1x:y", "mailto:a b@a.example", "mailto:a%2@a.example", "mailto:a@a.example!",
        "mailto:a@a.example!10p", "mailto:a@a.example!m", "mailto:a@a.example!-1",
        "mailto:a@a.example!999999999999999999999", "mailto:<a@a.example>"})
    EXPECT_THAT(rua(one), IsEmpty()) << one;
  EXPECT_THAT(rua("bogus,mailto:a@a.example,"), ElementsAre("mailto:a@a.example"));
  has_problem("v=DMARC1; p=none; rua=mailto:a@b.c,x", {bad_uri, "rua", 35});
  has_problem("v=DMARC1; p=none; rua=mailto:a@b.c!10M", {obsolete_size, "rua", 34});
}

TEST(ParseDmarcRecord, BoundsTheReportUris) {
  const Limits limits;
  std::string list = "mailto:a@a.example";
  for (std::size_t i = 0; i < limits.report_uris_max; ++i) list += ",mailto:a@a.example";
  const Record record = ok("v=DMARC1; p=none; rua=" + list);
  EXPECT_EQ(record.rua.size(), limits.report_uris_max);
  EXPECT_THAT(record.problems, ElementsAre(RecordProblem{too_many_uris, "rua", 22}));
}

TEST(ParseDmarcRecord, ReadsFailureOptions) {
  const auto fo = [](std::string_view list) {
    return to_string(ok("v=DMARC1; p=none; ruf=mailto:a@a.example; fo=" + std::string(list)).fo);
  };
  EXPECT_EQ(fo("0"), "0");
  EXPECT_EQ(fo("1"), "1");
  EXPECT_EQ(fo("d"), "d");
  EXPECT_EQ(fo("s"), "s");
  EXPECT_EQ(fo("s:d"), "d:s");
  EXPECT_EQ(fo("0:s"), "0:s");
  EXPECT_EQ(fo("s : D : 1"), "1:d:s");
  for (const std::string_view one : {"01", "0:1", "1:1", "d:d", "s:s", "x", "1:", ":", "1:d:s:x"})
    EXPECT_EQ(fo(one), "0") << one;
}

TEST(DmarcRecord, IsUsableWithAPolicyOrWithAnAddress) {
  EXPECT_TRUE(ok("v=DMARC1; p=none").is_usable());
  EXPECT_TRUE(ok("v=DMARC1; rua=mailto:a@a.example").is_usable());
  EXPECT_FALSE(ok("v=DMARC1; sp=reject").is_usable());
  EXPECT_FALSE(ok("v=DMARC1; rua=bogus").is_usable());
  EXPECT_FALSE(ok("v=DMARC1; p").is_usable());
  for (const std::string_view policy :
       {"p=x", "p=", "p=reject; sp=x", "p=reject; np=x", "p=reject; sp=none; sp=reject"}) {
    const std::string text = "v=DMARC1; " + std::string(policy);
    EXPECT_FALSE(ok(text).is_usable()) << text;
    const Record monitoring = ok(text + "; rua=mailto:a@a.example");
    EXPECT_TRUE(monitoring.is_usable()) << text;
    EXPECT_EQ(policy_for_domain(monitoring), AssessmentPolicy::none) << text;
    EXPECT_EQ(policy_for_subdomains(monitoring), AssessmentPolicy::none) << text;
    EXPECT_EQ(policy_for_nonexistent(monitoring), AssessmentPolicy::none) << text;
  }
}

TEST(DmarcRecord, PassesPoliciesOn) {
  const auto policies = [](std::string_view text) {
    const Record record = ok(text);
    return std::vector{policy_for_domain(record), policy_for_subdomains(record),
                       policy_for_nonexistent(record)};
  };
  using enum AssessmentPolicy;
  EXPECT_THAT(policies("v=DMARC1; p=reject"), ElementsAre(reject, reject, reject));
  EXPECT_THAT(policies("v=DMARC1; p=none; sp=reject"), ElementsAre(none, reject, reject));
  EXPECT_THAT(policies("v=DMARC1; p=none; np=reject"), ElementsAre(none, none, reject));
  EXPECT_THAT(policies("v=DMARC1; p=reject; sp=quarantine; np=none"),
              ElementsAre(reject, quarantine, none));
  EXPECT_THAT(policies("v=DMARC1; sp=reject; rua=mailto:a@a.example"),
              ElementsAre(none, reject, reject));
}

TEST(DmarcRecordWords, AreTheWordsOfTheRecord) {
  EXPECT_EQ(to_string(AssessmentPolicy::none), "none");
  EXPECT_EQ(to_string(AssessmentPolicy::quarantine), "quarantine");
  EXPECT_EQ(to_string(AssessmentPolicy::reject), "reject");
  EXPECT_EQ(to_string(Alignment::relaxed), "r");
  EXPECT_EQ(to_string(Psd::y), "y");
  EXPECT_EQ(to_string(Psd::u), "u");
}

TEST(DmarcRecordWords, NameTheSectionOfEveryProblem) {
  for (int i = 0; i <= static_cast<int>(unused_tag); ++i) {
    const auto code = static_cast<RecordProblemCode>(i);
    EXPECT_THAT(to_string(code), testing::HasSubstr("(RFC 9989 §")) << i;
    EXPECT_THAT(name_of(code), testing::MatchesRegex("[a-z_]+")) << i;
    EXPECT_NE(name_of(code), "unknown") << i;
  }
}

}  // namespace
}  // namespace countersign::dmarc
