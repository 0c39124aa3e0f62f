// SPDX-License-Identifier: Apache-2.0
//
// Mail that we write: its form, and that nobody's text becomes a field, a line or a recipient.

#include "countersign/message/compose.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "countersign/message/splitter.hpp"
#include "countersign/text/base64.hpp"
#include "tests/support/dkim.hpp"

namespace countersign {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

Mail mail() {
  return {.from_name = "Reports",
          .from = {"dmarc", sample::name("mx.example.net")},
          .to = {{"reports", sample::name("example.com")}},
          .subject = "A subject",
          .date = std::chrono::sys_seconds(std::chrono::seconds(1'700'000'000)),
          .message_id = "id.1@mx.example.net",
          .more_fields = {},
          .multipart = "mixed",
          .parts = {{.content_type = "text/plain", .file_name = {}, .content = "Hi\nyou"}}};
}

std::string composed(const Mail& written) {
  const auto text = compose(written);
  EXPECT_TRUE(text) << (text ? "" : to_string(text.error()));
  return text.value_or("");
}

void bad(const std::function<void(Mail&)>& change, ComposeErrorCode code) {
  Mail written = mail();
  change(written);
  const auto text = compose(written);
  ASSERT_FALSE(text) << *text;
  EXPECT_EQ(text.error(), code) << to_string(text.error());
}

TEST(Compose, WritesAMail) {
  EXPECT_EQ(composed(mail()),
            "From: \"Reports\" <dmarc@mx.example.net>\r\n"
            "To: reports@example.com\r\n"
            "Subject: A subject\r\n"
            "Date: Tue, 14 Nov 2023 22:13:20 +0000\r\n"
            "Message-ID: <id.1@mx.example.net>\r\n"
            "Auto-Submitted: auto-generated\r\n"
            "MIME-Version: 1.0\r\n"
            "Content-Type: text/plain; charset=us-ascii\r\n"
            "Content-Transfer-Encoding: 7bit\r\n"
            "\r\n"
            "Hi\r\nyou\r\n");
}

TEST(Compose, WritesSeveralParts) {
  Mail written = mail();
  const std::string octets(300, '\xFE');
  written.parts.push_back({"application/gzip", "a!b.gz", octets, false});
  const std::string text = composed(written);
  EXPECT_THAT(text, HasSubstr("Content-Type: multipart/mixed; boundary=\"=_id_1\"\r\n"));
  EXPECT_THAT(text, HasSubstr("\r\n--=_id_1\r\nContent-Type: application/gzip; name=\"a!b.gz\"\r\n"
                              "Content-Transfer-Encoding: base64\r\n"
                              "Content-Disposition: attachment; filename=\"a!b.gz\"\r\n\r\n"));
  EXPECT_THAT(text, EndsWith("\r\n--=_id_1--\r\n"));
  const std::size_t begin = text.find("\r\n\r\n", text.find("filename")) + 4;
  const auto decoded = text::decode_base64(text.substr(begin, text.rfind("\r\n--") - begin));
  ASSERT_TRUE(decoded);
  EXPECT_EQ(*decoded, octets);
}

TEST(Compose, NoPartHasTheBoundary) {
  Mail written = mail();
  written.parts[0].content = "--=_id_1\n--=_id_1x";
  written.parts.push_back(written.parts[0]);
  EXPECT_THAT(composed(written), HasSubstr("boundary=\"=_id_1xx\""));
}

TEST(Compose, TextThatNotEverySystemPassesIsBase64) {
  for (const std::string& text : {std::string("S\xC3\xB6hne"), std::string(999, 'x'),
                                  std::string("a\0b", 3), std::string("a\rb")}) {
    Mail written = mail();
    written.parts[0].content = text;
    const std::string out = composed(written);
    EXPECT_THAT(out, HasSubstr("charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n"));
  }
  Mail written = mail();
  written.parts[0].content = std::string(998, 'x');
  EXPECT_THAT(composed(written), HasSubstr("7bit"));
}

TEST(Compose, NamesAreQuotedOrEncoded) {
  Mail written = mail();
  written.from_name = "A \"B\" \\ C";
  EXPECT_THAT(composed(written), HasSubstr("From: \"A \\\"B\\\" \\\\ C\" <dmarc@"));
  written.from_name = "S\xC3\xB6hne " + std::string(60, 'x');
  const std::string text = composed(written);
  EXPECT_THAT(text, HasSubstr("From: =?utf-8?B?"));
  EXPECT_THAT(text, Not(HasSubstr("S\xC3\xB6hne")));
  written.from_name.clear();
  EXPECT_THAT(composed(written), HasSubstr("From: dmarc@mx.example.net\r\n"));
  written.from.local_part = "a b";
  EXPECT_THAT(composed(written), HasSubstr("From: \"a b\"@mx.example.net\r\n"));
}

TEST(Compose, FoldsLongFields) {
  Mail written = mail();
  written.subject.clear();
  for (int i = 0; i < 30; ++i) written.subject += "word" + std::to_string(i) + " ";
  for (int i = 0; i < 20; ++i) written.to.push_back({"r" + std::to_string(i), mail().to[0].domain});
  const std::string text = composed(written);
  std::size_t begin = 0;
  for (std::size_t end = 0; (end = text.find("\r\n", begin)) != text.npos; begin = end + 2)
    EXPECT_LE(end - begin, 78U);
  const auto read = split_message(text, Limits{});
  ASSERT_TRUE(read);
  EXPECT_EQ(parse_mailbox_list(find_field(read->header, "To")->value())->size(), 21U);
}

TEST(Compose, S50NobodysTextBecomesAField) {
  using C = ComposeErrorCode;
  for (const char* text : {"a\r\nBcc: b@c.example", "a\nb", "a\rb", "a\x7F", "a\xC3\xA4"}) {
    bad([text](Mail& one) { one.subject = text; }, C::bad_subject);
    bad([text](Mail& one) { one.to[0].local_part = text; }, C::bad_address);
    bad([text](Mail& one) { one.from.local_part = text; }, C::bad_address);
    bad([text](Mail& one) { one.message_id = std::string(text) + "@x"; }, C::bad_message_id);
    bad([text](Mail& one) { one.parts[0].file_name = text; }, C::bad_part);
    bad([text](Mail& one) { one.more_fields = {{"X", text}}; }, C::bad_field);
    bad([text](Mail& one) { one.more_fields = {{text, "x"}}; }, C::bad_field);
  }
  bad([](Mail& one) { one.from_name = "a\r\nBcc: b"; }, C::bad_display_name);
  bad([](Mail& one) { one.from_name = "\xFF"; }, C::bad_display_name);
  bad([](Mail& one) { one.parts[0].file_name = "../a"; }, C::bad_part);
  bad([](Mail& one) { one.parts[0].file_name = "a\"b"; }, C::bad_part);
}

TEST(Compose, RefusesWhatIsNoMail) {
  using C = ComposeErrorCode;
  bad([](Mail& one) { one.to.clear(); }, C::no_recipient);
  bad([](Mail& one) { one.parts.clear(); }, C::bad_part);
  bad([](Mail& one) { one.to[0].local_part.clear(); }, C::bad_address);
  bad([](Mail& one) { one.to[0].local_part = std::string(65, 'x'); }, C::bad_address);
  bad([](Mail& one) { one.message_id = "nowhere"; }, C::bad_message_id);
  bad([](Mail& one) { one.message_id = "a@b@c"; }, C::bad_message_id);
  bad([](Mail& one) { one.date = std::chrono::sys_seconds(std::chrono::seconds(-1)); },
      C::bad_date);
}

TEST(Compose, KnowsTheCalendar) {
  const auto date = [](std::int64_t seconds) {
    return format_date(std::chrono::sys_seconds(std::chrono::seconds(seconds)));
  };
  EXPECT_EQ(date(0), "Thu, 01 Jan 1970 00:00:00 +0000");
  EXPECT_EQ(date(951'782'399), "Mon, 28 Feb 2000 23:59:59 +0000");
  EXPECT_EQ(date(951'782'400), "Tue, 29 Feb 2000 00:00:00 +0000");
  EXPECT_EQ(date(1'795'651'200), "Thu, 26 Nov 2026 00:00:00 +0000");
}

}  // namespace
}  // namespace countersign
