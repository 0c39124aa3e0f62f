// SPDX-License-Identifier: Apache-2.0
//
// What a zone answers: absence, failures, aliases and wildcards.

#include "countersign/dns/zone.hpp"

#include <gtest/gtest.h>

#include <string>

namespace countersign::dns {
namespace {

constexpr auto txt = RecordType::txt;

AnswerStatus status(const Zone& zone, std::string name, RecordType type = txt) {
  return zone.answer({std::move(name), type}).status;
}

std::string text_of(const Zone& zone, std::string name) {
  const Answer answer = zone.answer({std::move(name), txt});
  return answer.status == AnswerStatus::records ? std::get<Text>(answer.records.at(0)).joined()
                                                : std::string(to_string(answer.status));
}

TEST(Zone, TellsAbsentNamesFromAbsentTypes) {
  Zone zone;
  zone.add_txt("a.b.Example.COM.", "text");
  EXPECT_EQ(text_of(zone, "A.b.example.com"), "text");
  EXPECT_EQ(status(zone, "a.b.example.com", RecordType::a), AnswerStatus::nodata);
  EXPECT_EQ(status(zone, "b.example.com"), AnswerStatus::nodata);  // Only a name below it.
  EXPECT_EQ(status(zone, "com"), AnswerStatus::nodata);
  EXPECT_EQ(status(zone, "x.example.com"), AnswerStatus::nxdomain);
  EXPECT_EQ(status(zone, "x.a.b.example.com"), AnswerStatus::nxdomain);
  EXPECT_EQ(status(zone, "xb.example.com"), AnswerStatus::nxdomain);  // No label boundary.
  EXPECT_EQ(status(zone, "org"), AnswerStatus::nxdomain);
  EXPECT_EQ(status(zone, "b.example.com-x"), AnswerStatus::nxdomain);
}

TEST(Zone, AnEmptyZoneKnowsNoName) {
  EXPECT_EQ(status(Zone(), "example.com"), AnswerStatus::nxdomain);
}

TEST(Zone, AnswersAllRecordsOfATypeWithTheLeastTtl) {
  Zone zone;
  zone.add("x.example", RecordType::mx, MailExchange{10, "a.example"}, std::chrono::seconds{300});
  zone.add("X.example", RecordType::mx, MailExchange{20, "b.example"}, std::chrono::seconds{30});
  const Answer answer = zone.answer({"x.example", RecordType::mx});
  EXPECT_EQ(answer.records.size(), 2u);
  EXPECT_EQ(answer.ttl, std::chrono::seconds{30});
  EXPECT_FALSE(answer.authenticated);
}

TEST(Zone, FailsForTheTypeOrForAllThatHasNoRecord) {
  Zone zone;
  zone.add_txt("x.example", "text");
  zone.fail_all("x.example", AnswerStatus::timeout);
  EXPECT_EQ(text_of(zone, "x.example"), "text");
  EXPECT_EQ(status(zone, "x.example", RecordType::mx), AnswerStatus::timeout);
  zone.fail("x.example", txt, AnswerStatus::servfail);
  EXPECT_EQ(status(zone, "x.example"), AnswerStatus::servfail);

  zone.fail("a.y.example", RecordType::a, AnswerStatus::refused);
  EXPECT_EQ(status(zone, "a.y.example", RecordType::a), AnswerStatus::refused);
  EXPECT_EQ(status(zone, "a.y.example"), AnswerStatus::nodata);  // The name exists by its failure.
  EXPECT_EQ(status(zone, "y.example"), AnswerStatus::nodata);    // And so do its ancestors.
}

TEST(Zone, FollowsAliasesWithTheLeastTtl) {
  Zone zone;
  zone.add("www.example", RecordType::cname, NameData{"Host.Example."}, std::chrono::seconds{20});
  zone.add_txt("host.example", "here");
  zone.add("gone.example", RecordType::cname, NameData{"nowhere.example"});
  const Answer answer = zone.answer({"www.example", txt});
  EXPECT_EQ(answer.status, AnswerStatus::records);
  EXPECT_EQ(answer.ttl, std::chrono::seconds{20});
  EXPECT_EQ(status(zone, "www.example", RecordType::a), AnswerStatus::nodata);
  EXPECT_EQ(status(zone, "www.example", RecordType::cname), AnswerStatus::records);
  EXPECT_EQ(status(zone, "gone.example"), AnswerStatus::nxdomain);
}

TEST(Zone, StopsAtAliasLoopsAndLongChains) {
  Zone zone;
  zone.add("a.example", RecordType::cname, NameData{"b.example"});
  zone.add("b.example", RecordType::cname, NameData{"a.example"});
  EXPECT_EQ(status(zone, "a.example"), AnswerStatus::servfail);
  for (int i = 0; i < 17; ++i)
    zone.add("c" + std::to_string(i) + ".example", RecordType::cname,
             NameData{"c" + std::to_string(i + 1) + ".example"});
  zone.add_txt("c17.example", "end");
  EXPECT_EQ(text_of(zone, "c1.example"), "end");  // Sixteen aliases.
  EXPECT_EQ(status(zone, "c0.example"), AnswerStatus::servfail);
}

// The zone and the questions of RFC 4592 §2.2.1 and §2.2.2, as far as types here go.
TEST(Zone, SynthesizesFromWildcards) {
  Zone zone;
  zone.add_txt("*.example", "this is a wildcard");
  zone.add("*.example", RecordType::mx, MailExchange{10, "host1.example"});
  zone.add_txt("sub.*.example", "this is not a wildcard");
  zone.add("host1.example", RecordType::a, Address{});
  zone.add_txt("_ssh._tcp.host1.example", "srv");
  EXPECT_EQ(status(zone, "host3.example", RecordType::mx), AnswerStatus::records);
  EXPECT_EQ(status(zone, "host3.example", RecordType::a), AnswerStatus::nodata);
  EXPECT_EQ(text_of(zone, "foo.bar.example"), "this is a wildcard");
  EXPECT_EQ(status(zone, "host1.example", RecordType::mx), AnswerStatus::nodata);
  EXPECT_EQ(status(zone, "sub.*.example", RecordType::mx), AnswerStatus::nodata);
  EXPECT_EQ(status(zone, "_telnet._tcp.host1.example"), AnswerStatus::nxdomain);
  EXPECT_EQ(status(zone, "ghost.*.example", RecordType::mx), AnswerStatus::nxdomain);
  EXPECT_EQ(text_of(zone, "*.example"), "this is a wildcard");
}

TEST(Zone, CutsLongTextsIntoStrings) {
  Zone zone;
  zone.add_txt("x.example", std::string(600, 'a'));
  zone.add_txt("e.example", "");
  const Answer answer = zone.answer({"x.example", txt});
  const Text& text = std::get<Text>(answer.records.at(0));
  ASSERT_EQ(text.strings.size(), 3u);
  EXPECT_EQ(text.strings[2].size(), 90u);
  EXPECT_EQ(std::get<Text>(zone.answer({"e.example", txt}).records.at(0)).strings.size(), 1u);
}

TEST(Zone, AnswersTheRoot) {
  Zone zone;
  zone.add_txt(".", "root");
  EXPECT_EQ(text_of(zone, "."), "root");
  EXPECT_EQ(text_of(zone, ""), "root");
  EXPECT_EQ(status(zone, "example"), AnswerStatus::nxdomain);
}

Asking<std::string> ask_text(std::string name) {
  const Answer answer = co_await ask({std::move(name), txt});
  co_return std::get<Text>(answer.records.at(0)).joined();
}

TEST(Zone, DrivesAnEvaluation) {
  Zone zone;
  zone.add_txt("x.example", "driven");
  EXPECT_EQ(zone.run(ask_text("x.example")), "driven");
}

TEST(Zone, TellsTheFormsApart) {
  const Limits limits;
  const auto json = Zone::parse(" \r\n\t{\"records\": []}", limits);
  EXPECT_TRUE(json.has_value());
  const auto master = Zone::parse("x TXT text", limits, "example");
  ASSERT_TRUE(master.has_value());
  EXPECT_EQ(text_of(*master, "x.example"), "text");
  EXPECT_TRUE(Zone::parse("", limits).has_value());
  EXPECT_TRUE(Zone::parse(" \n", limits).has_value());
}

}  // namespace
}  // namespace countersign::dns
