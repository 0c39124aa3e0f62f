// SPDX-License-Identifier: Apache-2.0
//
// Aggregate reports as we write them: octet by octet, and what is never written.

#include "countersign/report/aggregate_xml.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "tests/support/reports.hpp"

namespace countersign::report {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr std::string_view golden = R"(<?xml version="1.0" encoding="UTF-8"?>
<feedback xmlns="urn:ietf:params:xml:ns:dmarc-2.0">
  <version>1.0</version>
  <report_metadata>
    <org_name>Example Ltd. &amp; Söhne</org_name>
    <email>postmaster@example.net</email>
    <extra_contact_info>https://example.net/dmarc</extra_contact_info>
    <report_id>fixed@mx.example.net</report_id>
    <date_range>
      <begin>1699920000</begin>
      <end>1700006399</end>
    </date_range>
    <generator>countersign/1.0</generator>
  </report_metadata>
  <policy_published>
    <domain>example.com</domain>
    <adkim>s</adkim>
    <aspf>r</aspf>
    <p>reject</p>
    <sp>quarantine</sp>
    <np>reject</np>
    <fo>1:d</fo>
    <testing>n</testing>
    <discovery_method>treewalk</discovery_method>
  </policy_published>
  <record>
    <row>
      <source_ip>192.0.2.1</source_ip>
      <count>3</count>
      <policy_evaluated>
        <disposition>pass</disposition>
        <dkim>pass</dkim>
        <spf>fail</spf>
      </policy_evaluated>
    </row>
    <identifiers>
      <envelope_to>example.net</envelope_to>
      <envelope_from>bounce.example.org</envelope_from>
      <header_from>example.com</header_from>
    </identifiers>
    <auth_results>
      <dkim>
        <domain>example.com</domain>
        <selector>s1</selector>
        <result>pass</result>
      </dkim>
      <dkim>
        <domain>example.org</domain>
        <selector>x</selector>
        <result>fail</result>
        <human_result>the body was changed</human_result>
      </dkim>
      <spf>
        <domain>bounce.example.org</domain>
        <scope>mfrom</scope>
        <result>softfail</result>
      </spf>
    </auth_results>
  </record>
  <record>
    <row>
      <source_ip>fd00:db8::25</source_ip>
      <count>2</count>
      <policy_evaluated>
        <disposition>none</disposition>
        <dkim>fail</dkim>
        <spf>fail</spf>
        <reason>
          <type>trusted_forwarder</type>
          <comment>arc=pass &lt;as[1]&gt;</comment>
        </reason>
        <reason>
          <type>local_policy</type>
        </reason>
      </policy_evaluated>
    </row>
    <identifiers>
      <envelope_from></envelope_from>
      <header_from>news.example.com</header_from>
    </identifiers>
    <auth_results>
      <spf>
        <domain>forwarder.example</domain>
        <scope>mfrom</scope>
        <result>pass</result>
      </spf>
    </auth_results>
  </record>
</feedback>
)";

Aggregate fixed_report() {
  Aggregate aggregate = sample::report().aggregate;
  aggregate.report_metadata.report_id = "fixed@mx.example.net";
  return aggregate;
}

TEST(AggregateXml, WritesTheReport) {
  const auto xml = format_aggregate(fixed_report());
  ASSERT_TRUE(xml) << to_string(xml.error());
  EXPECT_EQ(*xml, golden);
}

TEST(AggregateXml, WhatItWritesReadsBackEqual) {
  const Aggregate written = fixed_report();
  const auto read = parse_aggregate(*format_aggregate(written), Limits{});
  ASSERT_TRUE(read) << to_string(read.error());
  EXPECT_EQ(read->aggregate, written);
  EXPECT_EQ(read->xml_namespace, aggregate_namespace);
  EXPECT_TRUE(read->leniencies.empty());
}

TEST(AggregateXml, NeverWritesWhatRfc9990HasNoMore) {
  Aggregate old = fixed_report();
  old.version = "2.0";
  old.policy_published.pct = "100";
  const auto xml = format_aggregate(old);
  ASSERT_TRUE(xml);
  EXPECT_EQ(*xml, golden);
}

TEST(AggregateXml, S47NoTextBecomesMarkup) {
  Aggregate hostile = fixed_report();
  hostile.report_metadata.org_name = "</org_name><script>\r\n";
  hostile.record[0].row.policy_evaluated.reason = {{OverrideReason::other, "]]>\xFF<!DOCTYPE x>"}};
  const auto xml = format_aggregate(hostile);
  ASSERT_TRUE(xml);
  EXPECT_THAT(*xml, Not(HasSubstr("<script>")));
  EXPECT_THAT(*xml, Not(HasSubstr("<!DOCTYPE")));
  EXPECT_TRUE(parse_aggregate(*xml, Limits{}));
}

void refused(const std::function<void(Aggregate&)>& change, AggregateFault fault) {
  Aggregate aggregate = fixed_report();
  change(aggregate);
  const auto xml = format_aggregate(aggregate);
  ASSERT_FALSE(xml);
  EXPECT_EQ(xml.error(), fault) << to_string(xml.error());
  EXPECT_THAT(std::string(to_string(fault)), HasSubstr("RFC 9990"));
}

TEST(AggregateXml, RefusesWhatTheSchemaDoesNotHave) {
  using F = AggregateFault;
  refused([](Aggregate& one) { one.report_metadata.org_name.clear(); }, F::bad_metadata);
  refused([](Aggregate& one) { one.report_metadata.email.clear(); }, F::bad_metadata);
  refused([](Aggregate& one) { one.policy_published.domain.clear(); }, F::bad_metadata);
  refused([](Aggregate& one) { one.report_metadata.report_id = "a b"; }, F::bad_report_id);
  refused([](Aggregate& one) { one.report_metadata.date_range.end = 5; }, F::bad_date_range);
  refused([](Aggregate& one) { one.report_metadata.date_range.begin = -1; }, F::bad_date_range);
  refused([](Aggregate& one) { one.policy_published.p.reset(); }, F::no_policy);
  refused([](Aggregate& one) { one.record.clear(); }, F::no_record);
  refused([](Aggregate& one) { one.record[0].row.source_ip.reset(); }, F::bad_row);
  refused([](Aggregate& one) { one.record[0].row.count = 0; }, F::bad_row);
  refused([](Aggregate& one) { one.record[1].identifiers.header_from.clear(); }, F::bad_row);
  refused([](Aggregate& one) { one.record[0].row.policy_evaluated.dkim.reset(); }, F::bad_row);
  refused([](Aggregate& one) { one.record[0].auth_results.dkim[0].selector.clear(); },
          F::bad_result);
  refused([](Aggregate& one) { one.record[0].auth_results.dkim[0].result = "softfail"; },
          F::bad_result);
  refused([](Aggregate& one) { one.record[0].auth_results.spf[0].result = "maybe"; },
          F::bad_result);
  refused([](Aggregate& one) { one.record[0].auth_results.spf[0].scope = SpfScope::helo; },
          F::several_spf);
  refused(
      [](Aggregate& one) {
        one.record[0].auth_results.spf.push_back(one.record[0].auth_results.spf[0]);
      },
      F::several_spf);
}

TEST(AggregateXml, AnIdentifierIsOneOrTwoDotAtoms) {
  for (const char* good : {"a", "a.b", "1!x@example.com", "{}@a"}) EXPECT_TRUE(is_report_id(good));
  for (const char* bad : {"", "@", "a@", "@a", ".a", "a.", "a..b", "a@b@c", "a b", "<a>", "a\r\n",
                          "\"a\"@b", "\xC3\xA4"})
    EXPECT_FALSE(is_report_id(bad)) << bad;
}

}  // namespace
}  // namespace countersign::report
