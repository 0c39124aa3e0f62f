// SPDX-License-Identifier: Apache-2.0
//
// Report mails: their names, and that the report comes out of them as it went in.

#include "countersign/report/aggregate_mail.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "countersign/encoding/archive.hpp"
#include "countersign/message/splitter.hpp"
#include "countersign/report/aggregate_xml.hpp"
#include "countersign/text/base64.hpp"
#include "tests/support/reports.hpp"

namespace countersign::report {
namespace {

using testing::HasSubstr;

Aggregate fixed_report() {
  Aggregate aggregate = sample::report().aggregate;
  aggregate.report_metadata.report_id = "a-1.b@mx.example.net";
  return aggregate;
}

ReportMail envelope() {
  return {.from = {"dmarc", sample::name("mx.example.net")},
          .to = {{"reports", sample::name("example.com")}},
          .date = std::chrono::sys_seconds(std::chrono::seconds(1'700'010'000)),
          .message_id = {}};
}

TEST(AggregateMail, NamesFollowRfc9990) {
  EXPECT_EQ(report_file_name(fixed_report(), sample::name("mx.example.net")),
            "mx.example.net!example.com!1699920000!1700006399!a1b.xml.gz");
  EXPECT_EQ(report_subject(fixed_report(), sample::name("mx.example.net")),
            "Report Domain: example.com Submitter: mx.example.net "
            "Report-ID: <a-1.b@mx.example.net>");
}

TEST(AggregateMail, TheReportComesOutAsItWentIn) {
  const std::string xml = *format_aggregate(fixed_report());
  const auto text =
      format_report_mail(fixed_report(), sample::reporter(), envelope(), encoding::gzip(xml));
  ASSERT_TRUE(text) << to_string(text.error());
  const auto message = split_message(*text, Limits{});
  ASSERT_TRUE(message);
  EXPECT_EQ(find_field(message->header, "Message-ID")->value(), " <a-1.b@mx.example.net>");
  EXPECT_EQ(count_fields(message->header, "Subject"), 1U);
  EXPECT_THAT(*text, HasSubstr("Content-Type: application/gzip;"));
  EXPECT_THAT(*text, HasSubstr("filename=\"mx.example.net!example.com!1699920000!1700006399!a1b"));
  EXPECT_THAT(*text, HasSubstr("Domain:    example.com\r\n"));
  const std::size_t begin = text->find("\r\n\r\n", text->find("filename")) + 4;
  const auto packed = text::decode_base64(text->substr(begin, text->rfind("\r\n--") - begin));
  ASSERT_TRUE(packed);
  EXPECT_EQ(encoding::unpack_files(*packed, Limits{})->files.at(0), xml);
}

TEST(AggregateMail, AnIdentifierWithoutADomainGetsOurs) {
  Aggregate aggregate = fixed_report();
  aggregate.report_metadata.report_id = "plain";
  const auto text = format_report_mail(aggregate, sample::reporter(), envelope(), "x");
  ASSERT_TRUE(text);
  EXPECT_THAT(*text, HasSubstr("Message-ID: <plain@mx.example.net>\r\n"));
  ReportMail second = envelope();
  second.message_id = "other@mx.example.net";
  EXPECT_THAT(*format_report_mail(aggregate, sample::reporter(), second, "x"),
              HasSubstr("Message-ID: <other@mx.example.net>\r\n"));
}

TEST(AggregateMail, S50AHostileDomainWritesNoField) {
  Aggregate aggregate = fixed_report();
  aggregate.policy_published.domain = "x\r\nBcc: eve@example.org";
  const auto text = format_report_mail(aggregate, sample::reporter(), envelope(), "x");
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error(), ComposeErrorCode::bad_subject);
}

}  // namespace
}  // namespace countersign::report
