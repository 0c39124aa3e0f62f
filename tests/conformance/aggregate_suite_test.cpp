// SPDX-License-Identifier: Apache-2.0
//
// Aggregate reports that others have sent: each is unpacked and read, and says what it should.

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "countersign/encoding/archive.hpp"
#include "countersign/report/aggregate_xml.hpp"
#include "countersign/text/base64.hpp"
#include "tests/support/conformance.hpp"
#include "tests/support/exact.hpp"

namespace countersign::report {
namespace {

using boost::json::object;
using boost::json::value;
using test::ConformanceCase;

class AggregateSamples : public testing::TestWithParam<ConformanceCase> {};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(AggregateSamples);

/// The one attachment of a mail that is nothing else: base64 behind the last empty line.
std::string attachment_of(const std::string& mail) {
  std::string text;
  for (const char c : mail)
    if (c != '\r') text += c;
  const std::size_t base64 = text.rfind("base64");
  EXPECT_NE(base64, text.npos);
  const std::size_t begin = text.find("\n\n", base64);
  EXPECT_NE(begin, text.npos);
  const std::size_t end = std::min(text.find("\n--", begin), text.size());
  const auto octets = text::decode_base64(text.substr(begin, end - begin));
  EXPECT_TRUE(octets);
  return octets.value_or("");
}

std::string text_or_empty(const value& given) {
  return given.is_string() ? std::string(given.as_string()) : "";
}

template <class T>
std::string word_of(const std::optional<T>& word) {
  return word ? std::string(to_string(*word)) : "";
}

void compare_policy(const PolicyPublished& policy, const object& expect) {
  EXPECT_EQ(policy.domain, text_or_empty(expect.at("domain")));
  EXPECT_EQ(word_of(policy.p), text_or_empty(expect.at("p")));
  EXPECT_EQ(word_of(policy.sp), text_or_empty(expect.at("sp")));
  EXPECT_EQ(word_of(policy.np), text_or_empty(expect.at("np")));
  EXPECT_EQ(word_of(policy.adkim), text_or_empty(expect.at("adkim")));
  EXPECT_EQ(word_of(policy.aspf), text_or_empty(expect.at("aspf")));
  EXPECT_EQ(policy.pct, text_or_empty(expect.at("pct")));
  EXPECT_EQ(policy.fo, text_or_empty(expect.at("fo")));
  EXPECT_EQ(word_of(policy.discovery_method), text_or_empty(expect.at("discovery_method")));
  const std::string testing = policy.testing ? (*policy.testing ? "y" : "n") : "";
  EXPECT_EQ(testing, text_or_empty(expect.at("testing")));
}

void compare_record(const Record& record, const object& expect) {
  const auto& ip = record.row.source_ip;
  EXPECT_EQ(ip ? ip->to_string() : "", text_or_empty(expect.at("source_ip")));
  EXPECT_EQ(record.row.count, expect.at("count").to_number<std::uint64_t>());
  const PolicyEvaluated& evaluated = record.row.policy_evaluated;
  EXPECT_EQ(word_of(evaluated.disposition), text_or_empty(expect.at("disposition")));
  EXPECT_EQ(word_of(evaluated.dkim), text_or_empty(expect.at("dkim")));
  EXPECT_EQ(word_of(evaluated.spf), text_or_empty(expect.at("spf")));
  EXPECT_EQ(record.identifiers.header_from, text_or_empty(expect.at("header_from")));
  EXPECT_EQ(record.identifiers.envelope_from.value_or(""),
            text_or_empty(expect.at("envelope_from")));
}

void compare(const ReadAggregate& read, const object& expect) {
  const Aggregate& aggregate = read.aggregate;
  EXPECT_EQ(aggregate.version, text_or_empty(expect.at("version")));
  const ReportMetadata& metadata = aggregate.report_metadata;
  EXPECT_EQ(metadata.org_name, text_or_empty(expect.at("org_name")));
  EXPECT_EQ(metadata.email, text_or_empty(expect.at("email")));
  EXPECT_EQ(metadata.report_id, text_or_empty(expect.at("report_id")));
  EXPECT_EQ(metadata.date_range.begin, expect.at("begin").to_number<std::int64_t>());
  EXPECT_EQ(metadata.date_range.end, expect.at("end").to_number<std::int64_t>());
  compare_policy(aggregate.policy_published, expect);
  ASSERT_EQ(aggregate.record.size(), expect.at("records").to_number<std::size_t>());
  std::uint64_t messages = 0;
  for (const Record& record : aggregate.record) messages += record.row.count;
  EXPECT_EQ(messages, expect.at("messages").to_number<std::uint64_t>());
  compare_record(aggregate.record.front(), expect.at("first_record").as_object());
}

TEST_P(AggregateSamples, SayWhatTheyShould) {
  const object& expect = GetParam().data().at("expect").as_object();
  std::vector<std::string> layers = test::strings_of(expect.at("containers"));
  std::string octets = test::read_conformance_file("aggregate/" + GetParam().text("file"));
  ASSERT_EQ(octets.size(), GetParam().data().at("octets").to_number<std::size_t>());
  if (layers.front() == "eml") {
    octets = attachment_of(octets);
    layers.erase(layers.begin());
  }
  const auto files = encoding::unpack_files(test::exact(octets).view(), Limits{});
  ASSERT_TRUE(files) << to_string(files.error());
  layers.pop_back();  // The XML itself.
  std::vector<std::string> found;
  for (const encoding::ArchiveForm form : files->layers)
    if (form != encoding::ArchiveForm::plain) found.emplace_back(to_string(form));
  EXPECT_EQ(found, layers);
  ASSERT_EQ(files->files.size(), 1U);
  EXPECT_EQ(files->files[0].size(), expect.at("xml_bytes").to_number<std::size_t>());

  const auto read = parse_aggregate(test::exact(files->files[0]).view(), Limits{});
  ASSERT_EQ(read.has_value(), expect.at("well_formed").as_bool());
  if (!read) {
    EXPECT_EQ(read.error().code, AggregateErrorCode::bad_xml) << to_string(read.error());
    return;
  }
  EXPECT_EQ(read->xml_namespace, text_or_empty(expect.at("namespace")));
  EXPECT_FALSE(read->leniencies.empty()) << "none of them is of RFC 9990 to the letter";
  compare(*read, expect.at("report").as_object());
}

INSTANTIATE_TEST_SUITE_P(All, AggregateSamples,
                         testing::ValuesIn(test::conformance_cases("aggregate/index.json")),
                         test::conformance_test_name);

}  // namespace
}  // namespace countersign::report
