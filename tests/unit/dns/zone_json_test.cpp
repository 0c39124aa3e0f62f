// SPDX-License-Identifier: Apache-2.0
//
// Zones in JSON: every type, every octet, every failure, and what is said of broken ones.

#include <gtest/gtest.h>

#include <string>

#include "countersign/dns/zone.hpp"
#include "tests/support/exact.hpp"

namespace countersign::dns {
namespace {

constexpr auto txt = RecordType::txt;

Result<Zone, ZoneError> parse(std::string_view text) {
  const test::Exact copy = test::exact(text);
  return Zone::parse_json(copy.view(), Limits{});
}

Zone ok(std::string_view text) {
  auto zone = parse(text);
  if (zone) return *std::move(zone);
  ADD_FAILURE() << zone.error().message << "\nin:\n" << text;
  return {};
}

void bad(std::string_view text, std::string_view part_of_message) {
  const auto zone = parse(text);
  ASSERT_FALSE(zone.has_value()) << text;
  EXPECT_EQ(zone.error().line, 0u);
  EXPECT_NE(zone.error().message.find(part_of_message), std::string::npos) << text << '\n'
                                                                           << zone.error().message;
}

std::string record(std::string_view members) {
  return R"({"records": [{"name": "a.example", )" + std::string(members) + "}]}";
}

template <class Data>
Data first(const Zone& zone, std::string name, RecordType type) {
  const Answer answer = zone.answer({std::move(name), type});
  if (answer.status == AnswerStatus::records)
    if (const Data* data = std::get_if<Data>(&answer.records.at(0))) return *data;
  ADD_FAILURE() << to_string(type) << ' ' << to_string(answer.status);
  return {};
}

TEST(ZoneJson, ReadsEveryType) {
  const Zone zone = ok(R"({"records": [
    {"name": "A.example", "type": "A", "data": "192.0.2.1"},
    {"name": "a.example", "type": "AAAA", "data": "CAFE:BABE::1"},
    {"name": "a.example", "type": "MX", "preference": 0, "data": "."},
    {"name": "a.example", "type": "TXT", "strings": ["one", "two", ""]},
    {"name": "b.example", "type": "CNAME", "data": "A.Example"},
    {"name": "c.example", "type": "PTR", "data": "Host.example"},
    {"name": "d.example", "type": "SPF", "strings": ["v=spf1 -all"]}
  ]})");
  EXPECT_EQ(first<Address>(zone, "a.example", RecordType::a).octets[3], 1);
  EXPECT_EQ(first<Address>(zone, "a.example", RecordType::aaaa).octets[0], 0xCA);
  EXPECT_EQ(first<MailExchange>(zone, "a.example", RecordType::mx).exchange, ".");
  EXPECT_EQ(first<Text>(zone, "b.example", txt).strings,
            (std::vector<std::string>{"one", "two", ""}));
  EXPECT_EQ(first<NameData>(zone, "c.example", RecordType::ptr).name, "host.example");
  EXPECT_EQ(zone.answer({"d.example", txt}).status, AnswerStatus::nodata);
  EXPECT_EQ(zone.answer({"a.example", txt}).ttl, std::chrono::seconds{60});
}

TEST(ZoneJson, GivesOneOctetForEachCodePoint) {
  for (int octet = 0; octet < 256; ++octet) {
    constexpr std::string_view digits = "0123456789abcdef";
    const std::string escape = {'\\',
                                'u',
                                '0',
                                '0',
                                digits[static_cast<std::size_t>(octet) / 16],
                                digits[static_cast<std::size_t>(octet) % 16]};
    const Zone zone = ok(record(R"("type": "TXT", "strings": [")" + escape + "\"]"));
    EXPECT_EQ(first<Text>(zone, "a.example", txt).strings.at(0),
              std::string(1, static_cast<char>(octet)));
  }
  const Zone raw = ok(record("\"type\": \"TXT\", \"strings\": [\"\xc3\xa9\"]"));
  EXPECT_EQ(first<Text>(raw, "a.example", txt).strings.at(0), "\xe9");
}

TEST(ZoneJson, ReadsFailures) {
  const Zone zone = ok(R"({"records": [{"name": "a.example", "type": "TXT", "strings": ["x"]}],
    "errors": [{"name": "a.example", "type": "*", "rcode": "TIMEOUT"},
               {"name": "B.example", "type": "MX", "rcode": "REFUSED"},
               {"name": "x.c.example", "type": "TXT", "rcode": "SERVFAIL"}]})");
  const auto status = [&zone](std::string name, RecordType type) {
    return zone.answer({std::move(name), type}).status;
  };
  EXPECT_EQ(status("a.example", txt), AnswerStatus::records);
  EXPECT_EQ(status("a.example", RecordType::a), AnswerStatus::timeout);
  EXPECT_EQ(status("b.example", RecordType::mx), AnswerStatus::refused);
  EXPECT_EQ(status("b.example", txt), AnswerStatus::nodata);
  EXPECT_EQ(status("x.c.example", txt), AnswerStatus::servfail);
  EXPECT_EQ(status("c.example", txt), AnswerStatus::nodata);
}

TEST(ZoneJson, SaysWhereAnErrorIs) {
  bad("", "octet 0");
  bad("{", "octet 1");
  bad("{} x", "octet 3");
  bad("{\"records\": [], }", "malformed");
  bad("[]", "object with \"records\"");
  bad("{}", "object with \"records\"");
  bad(R"({"records": 5})", "\"records\": write an array");
  bad(R"({"records": [5]})", "\"records\", item 1: write an object");
  bad(R"({"errors": [{"name": "a", "type": "*", "rcode": "TIMEOUT"}, {}]})", "item 2: \"name\"");
  bad(record(R"("type": "TXTT", "strings": ["x"])"), "no record type");
  bad(record(R"("type": 16, "strings": ["x"])"), "\"type\" must be a string");
  bad(record(R"("type": "TXT")"), "needs \"strings\"");
  bad(record(R"("type": "TXT", "strings": [])"), "needs \"strings\"");
  bad(record(R"("type": "TXT", "strings": [1])"), "each of \"strings\"");
  bad(record(R"("type": "TXT", "strings": ["\u0100"])"), "each of \"strings\"");
  bad(record(R"("type": "TXT", "strings": [")" + std::string(256, 'x') + "\"]"), "at most 255");
  bad(record(R"("type": "A", "data": "2001:db8::1")"), "no address");
  bad(record(R"("type": "A")"), "\"data\" must be a string");
  bad(record(R"("type": "MX", "data": "b.example")"), "needs \"preference\"");
  bad(record(R"("type": "MX", "preference": 65536, "data": "b.example")"), "needs \"preference\"");
  bad(record(R"("type": "MX", "preference": -1, "data": "b.example")"), "needs \"preference\"");
  bad(R"({"errors": [{"name": "a", "type": "*", "rcode": "NXDOMAIN"}]})", "\"rcode\" must be");
  bad(R"({"errors": [{"name": "a", "type": "SPF", "rcode": "TIMEOUT"}]})", "record type");
  bad(std::string(100, '[') + std::string(100, ']'), "malformed");
}

TEST(ZoneJson, BoundsRecords) {
  Limits limits;
  limits.zone_records_max = 1;
  const auto zone = Zone::parse_json(
      R"({"records": [{"name": "a", "type": "TXT", "strings": ["x"]}],
          "errors": [{"name": "b", "type": "TXT", "rcode": "TIMEOUT"}]})",
      limits);
  ASSERT_FALSE(zone.has_value());
  EXPECT_NE(zone.error().message.find("more than 1 records"), std::string::npos);
}

}  // namespace
}  // namespace countersign::dns
