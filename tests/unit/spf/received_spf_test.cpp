// SPDX-License-Identifier: Apache-2.0
//
// Received-SPF fields, and what strangers try to put into them.

#include "countersign/spf/received_spf.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "countersign/text/abnf.hpp"
#include "tests/support/spf.hpp"

namespace countersign::spf {
namespace {

using sample::check_record;
using sample::request;

std::string unfolded(std::string field) {
  std::erase(field, '\r');
  std::erase(field, '\n');
  std::ranges::replace(field, '\t', ' ');
  return field;
}

std::string field_for(const CheckHost& given, std::string_view record) {
  return format_received_spf(given, check_record(given, record));
}

TEST(ReceivedSpf, SaysAllThatTheResultRestsOn) {
  CheckHost given = request();
  given.receiver = "mx.example.org";
  EXPECT_EQ(unfolded(field_for(given, "v=spf1 ip4:192.0.2.0/24 -all")),
            "Received-SPF: pass (mx.example.org: a mechanism of the record matched the client "
            "\\(RFC 7208 section 4.6.2\\)) receiver=mx.example.org; identity=mailfrom; "
            "client-ip=192.0.2.1; helo=mail.example.net; envelope-from=\"bob@example.com\"; "
            "mechanism=\"ip4:192.0.2.0/24\";");
}

TEST(ReceivedSpf, QuotesWhatIsNoAtom) {
  CheckHost given = request("2001:db8::1");
  given.helo = "[IPv6:2001:db8::1]";
  given.mail_from = "";
  const std::string field = unfolded(format_received_spf(given, Outcome{}));
  EXPECT_TRUE(field.contains("client-ip=\"2001:db8::1\";")) << field;
  EXPECT_TRUE(field.contains("helo=\"[IPv6:2001:db8::1]\";")) << field;
  EXPECT_TRUE(field.contains("envelope-from=\"\";")) << field;
  EXPECT_FALSE(field.contains("mechanism=")) << field;
}

TEST(ReceivedSpf, NamesTheProblem) {
  const std::string field = unfolded(field_for(request(), "v=spf1 moo"));
  EXPECT_TRUE(field.starts_with("Received-SPF: permerror (")) << field;
  EXPECT_TRUE(field.contains("problem=\"no mechanism has this name")) << field;
}

// S-16
TEST(ReceivedSpf, LetsNobodyWriteFields) {
  CheckHost given = request();
  given.helo = "a\r\nX-Evil: yes\r\n\"; identity=helo; (\\";
  given.mail_from = "b\"\r\n\xFF)x@example.com";
  given.receiver = "mx) (\\";
  const std::string field = format_received_spf(given, Outcome{});
  for (std::size_t i = 0; i < field.size(); ++i) {
    EXPECT_FALSE(text::is_8bit(field[i]));
    if (field[i] == '\r') EXPECT_TRUE(field.substr(i).starts_with("\r\n\t")) << field;
    if (field[i] == '\n') EXPECT_EQ(field[i - 1], '\r') << field;
  }
  EXPECT_TRUE(unfolded(field).contains(R"(helo="a??X-Evil: yes??\"; identity=helo; (\\";)"))
      << field;
  EXPECT_TRUE(unfolded(field).contains(R"((mx\) \(\\: )")) << field;
}

TEST(ReceivedSpf, FoldsItsLines) {
  const std::string field = field_for(request(), "v=spf1 -all");
  std::string_view rest = field;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find("\r\n"), rest.size());
    EXPECT_LE(end, 78u) << field;
    rest.remove_prefix(std::min(end + 2, rest.size()));
  }
}

}  // namespace
}  // namespace countersign::spf
