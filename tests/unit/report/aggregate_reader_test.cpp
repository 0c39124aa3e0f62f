// SPDX-License-Identifier: Apache-2.0
//
// Aggregate reports as others write them: what is overlooked, with its note, and what is not.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "countersign/report/aggregate_xml.hpp"
#include "tests/support/exact.hpp"

namespace countersign::report {
namespace {

using Codes = std::vector<LeniencyCode>;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

/// A report of RFC 9990 with one record; what a test changes is found by its text.
constexpr std::string_view report = R"(<feedback xmlns="urn:ietf:params:xml:ns:dmarc-2.0">
<version>1.0</version>
<report_metadata><org_name>Org</org_name><email>a@b.example</email><report_id>1</report_id>
<date_range><begin>1000</begin><end>2000</end></date_range></report_metadata>
<policy_published><domain>example.com</domain><p>none</p></policy_published>
<record><row><source_ip>192.0.2.1</source_ip><count>1</count><policy_evaluated>
<disposition>none</disposition><dkim>pass</dkim><spf>fail</spf></policy_evaluated></row>
<identifiers><header_from>example.com</header_from></identifiers><auth_results>
<dkim><domain>example.com</domain><selector>s</selector><result>pass</result></dkim>
<spf><domain>example.org</domain><result>fail</result></spf>
</auth_results></record></feedback>)";

std::string with(std::string_view from, std::string_view to) {
  std::string text(report);
  const std::size_t at = text.find(from);
  EXPECT_NE(at, text.npos) << from;
  return text.replace(at, from.size(), to);
}

Result<ReadAggregate, AggregateError> read(std::string_view xml, const Limits& limits = {}) {
  return parse_aggregate(test::exact(xml).view(), limits);
}

/// Reads a report with that changed, and checks that this and nothing else was noted.
Aggregate lenient(std::string_view from, std::string_view to, const Codes& codes) {
  const auto found = read(with(from, to));
  EXPECT_TRUE(found) << to;
  if (!found) return {};
  Codes noted;
  for (const Leniency& one : found->leniencies) {
    noted.push_back(one.code);
    EXPECT_FALSE(to_string(one.code).empty());
    EXPECT_FALSE(name_of(one.code).empty());
  }
  EXPECT_EQ(noted, codes) << to;
  return found->aggregate;
}

void bad(std::string_view xml, AggregateErrorCode code) {
  const auto found = read(xml);
  ASSERT_FALSE(found) << xml;
  EXPECT_EQ(found.error().code, code) << xml;
  EXPECT_FALSE(to_string(found.error()).empty());
}

TEST(AggregateReader, ReadsAReport) {
  const auto found = read(report);
  ASSERT_TRUE(found);
  EXPECT_THAT(found->leniencies, IsEmpty());
  EXPECT_EQ(found->aggregate.report_metadata.date_range, (DateRange{1000, 2000}));
  ASSERT_EQ(found->aggregate.record.size(), 1U);
  const Record& record = found->aggregate.record[0];
  EXPECT_EQ(record.row.source_ip->to_string(), "192.0.2.1");
  EXPECT_EQ(record.auth_results.dkim[0].selector, "s");
  EXPECT_EQ(record.auth_results.spf[0].scope, std::nullopt);
}

TEST(AggregateReader, TakesAnyNamespaceAndPrefix) {
  constexpr std::string_view ns = R"( xmlns="urn:ietf:params:xml:ns:dmarc-2.0")";
  lenient(ns, "", {LeniencyCode::no_namespace});
  lenient(ns, R"( xmlns="http://dmarc.org/dmarc-xml/0.1")", {LeniencyCode::other_namespace});
  std::string prefixed;
  for (const char c : std::string(report)) {
    prefixed += c;
    if (c == '<') prefixed += "d:";
  }
  for (std::size_t at = 0; (at = prefixed.find("<d:/", at)) != prefixed.npos;)
    prefixed.replace(at, 4, "</d:");
  prefixed.replace(prefixed.find("xmlns="), 6, "xmlns:d=");
  const auto found = read(prefixed);
  ASSERT_TRUE(found);
  EXPECT_THAT(found->leniencies, IsEmpty());
  EXPECT_EQ(found->aggregate, read(report)->aggregate);
}

TEST(AggregateReader, StepsOverExtensionsAndWhatNobodyKnows) {
  lenient("<record>",
          R"(<extension><x xmlns="urn:x"><domain>evil</domain></x></extension><record>)", {});
  lenient("</row>", R"(</row><x:row xmlns:x="urn:x"><count>9</count></x:row>)", {});
  const Aggregate one = lenient("<p>none</p>", R"(<p xmlns="urn:x">reject</p><p>none</p>)", {});
  EXPECT_EQ(one.policy_published.p, dmarc::AssessmentPolicy::none);
  lenient("<count>", "<colour>blue</colour><count>", {LeniencyCode::unknown});
}

TEST(AggregateReader, NotesWhatIsMissing) {
  lenient("<version>1.0</version>", "", {LeniencyCode::other_version});
  lenient("<org_name>Org</org_name>", "<org_name/>", {LeniencyCode::missing});
  lenient("<selector>s</selector>", "", {LeniencyCode::missing});
  lenient("<p>none</p>", "", {LeniencyCode::missing});
  lenient("<source_ip>192.0.2.1</source_ip>", "", {LeniencyCode::missing});
  lenient("<header_from>example.com</header_from>", "", {LeniencyCode::missing});
}

TEST(AggregateReader, NotesValuesThatNoDocumentHas) {
  EXPECT_EQ(lenient("<p>none</p>", "<p>maybe</p>", {LeniencyCode::bad_value}).policy_published.p,
            std::nullopt);
  lenient("<disposition>none", "<disposition>held", {LeniencyCode::bad_value});
  lenient("192.0.2.1", "192.0.2.01", {LeniencyCode::bad_value});
  lenient("<result>pass</result>", "<result>hardfail</result>", {LeniencyCode::bad_value});
  const Aggregate odd =
      lenient("<header_from>example.com", "<header_from>a b", {LeniencyCode::bad_value});
  EXPECT_EQ(odd.record[0].identifiers.header_from, "a b");
  EXPECT_EQ(lenient("<p>none</p>", "<p> Reject\n</p>", {}).policy_published.p,
            dmarc::AssessmentPolicy::reject);
}

TEST(AggregateReader, KnowsRfc7489) {
  const Aggregate old = lenient("<p>none</p>", "<p>none</p><pct>50</pct>", {LeniencyCode::removed});
  EXPECT_EQ(old.policy_published.pct, "50");
  const Aggregate forwarded = lenient(
      "</spf></policy_evaluated>",
      "</spf><reason><type>forwarded</type><comment>x</comment></reason></policy_evaluated>",
      {LeniencyCode::removed});
  const PolicyOverride reason = forwarded.record[0].row.policy_evaluated.reason.at(0);
  EXPECT_EQ(reason, (PolicyOverride{OverrideReason::other, "forwarded: x"}));
  const Aggregate helo = lenient(
      "<spf><domain>example.org",
      "<spf><domain>h.example</domain><scope>helo</scope><result>pass</result></spf><spf><domain>"
      "example.org",
      {LeniencyCode::removed, LeniencyCode::removed});
  EXPECT_EQ(helo.record[0].auth_results.spf.size(), 2U);
}

TEST(AggregateReader, TakesTheFirstOfTwo) {
  const Aggregate one =
      lenient("<count>1</count>", "<count>1</count><count>9</count>", {LeniencyCode::repeated});
  EXPECT_EQ(one.record[0].row.count, 1U);
}

TEST(AggregateReader, S46TextIsUtf8InTheEnd) {
  const Aggregate one = lenient(">Org<", ">S\xF6hne<", {LeniencyCode::not_utf8});
  EXPECT_EQ(one.report_metadata.org_name, "S\xC3\xB6hne");
}

TEST(AggregateReader, S46LongTextIsCut) {
  const Limits limits;
  const Aggregate one =
      lenient(">Org<", ">" + std::string(limits.report_text_bytes_max + 1, 'x') + "<",
              {LeniencyCode::too_long});
  EXPECT_EQ(one.report_metadata.org_name.size(), limits.report_text_bytes_max);
}

TEST(AggregateReader, S48NumbersHaveSense) {
  for (const char* count :
       {"", "-1", "1.5", "0x1", "+1", "1e3", "99999999999999999999", "1000000000001", "one"})
    bad(with("<count>1<", "<count>" + std::string(count) + "<"), AggregateErrorCode::bad_count);
  EXPECT_EQ(lenient("<count>1<", "<count> 1000000000000 <", {}).record[0].row.count,
            1'000'000'000'000U);
  for (const char* begin : {"", "-5", "2001", "99999999999", "yesterday"})
    bad(with("<begin>1000<", "<begin>" + std::string(begin) + "<"),
        AggregateErrorCode::bad_date_range);
  lenient("<end>2000", "<end>1000", {LeniencyCode::odd_period});
  lenient("<end>2000", "<end>3000000", {LeniencyCode::odd_period});
}

TEST(AggregateReader, RefusesWhatIsNoReport) {
  bad("<feedbacks/>", AggregateErrorCode::no_feedback);
  bad("plain text", AggregateErrorCode::bad_xml);
  bad("<!DOCTYPE feedback [<!ENTITY a \"b\">]>" + std::string(report), AggregateErrorCode::bad_xml);
  bad(with("</row>", ""), AggregateErrorCode::bad_xml);
  bad(with("<report_id>1<", "<report_id><"), AggregateErrorCode::no_report_id);
  bad(with("<domain>example.com</domain><p>", "<p>"), AggregateErrorCode::no_domain);
  EXPECT_THAT(to_string(read("<!DOCTYPE a><a/>").error()), HasSubstr("DOCTYPE"));
}

TEST(AggregateReader, S46RecordsAndListsAreBounded) {
  Limits limits;
  limits.report_records_max = 1;
  EXPECT_TRUE(read(report, limits));
  const std::string two =
      with("</feedback>", "<record><row><count>1</count></row></record></feedback>");
  const auto refused = read(two, limits);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, AggregateErrorCode::too_many_records);
  std::string many;
  for (std::size_t i = 0; i <= limits.report_signatures_max; ++i)
    many += "<dkim><domain>a.example</domain><selector>s</selector><result>fail</result></dkim>";
  const Aggregate cut =
      lenient("<auth_results>", "<auth_results>" + many, {LeniencyCode::too_long});
  EXPECT_EQ(cut.record[0].auth_results.dkim.size(), limits.report_signatures_max);
}

}  // namespace
}  // namespace countersign::report
