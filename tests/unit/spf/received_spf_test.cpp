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

// RFC 7208 §9.1
TEST(ReceivedSpf, NamesTheDefaultWhereNoMechanismMatches) {
  EXPECT_TRUE(
      unfolded(field_for(request(), "v=spf1 ip4:10.0.0.1")).ends_with(" mechanism=default;"));
  EXPECT_TRUE(unfolded(field_for(request(), "v=spf1 ?all")).ends_with(" mechanism=?all;"));
  EXPECT_FALSE(unfolded(field_for(request(), "no record")).contains("mechanism="));
}

// RFC 8616 §4
TEST(ReceivedSpf, WritesDomainsAsALabels) {
  CheckHost given = request();
  given.helo =
      "b\xC3\xBC"
      "cher.example";
  given.mail_from =
      "b\xC3\xBC@b\xC3\xBC"
      "cher.example";
  const std::string field = unfolded(format_received_spf(given, Outcome{}));
  EXPECT_TRUE(field.contains(" helo=xn--bcher-kva.example; ")) << field;
  EXPECT_TRUE(field.contains(" envelope-from=\"b??@xn--bcher-kva.example\";")) << field;
  given.mail_from = "\xC3\xBC";
  EXPECT_TRUE(unfolded(format_received_spf(given, Outcome{})).contains(" envelope-from="));
}

// RFC 5322 §2.1.1
TEST(ReceivedSpf, LeavesOutWhatFitsNoLine) {
  const auto field_from = [](std::size_t octets) {
    CheckHost given = request();
    given.mail_from = std::string(octets, 'x') + "@example.com";
    return field_for(given, "v=spf1 -all");
  };
  constexpr std::size_t around = std::string_view("envelope-from=\"@example.com\";").size();
  const std::string whole = field_from(997 - around);
  EXPECT_TRUE(whole.contains("\r\n\tenvelope-from=\"xx")) << whole;
  EXPECT_FALSE(field_from(998 - around).contains("envelope-from=")) << whole;
  EXPECT_TRUE(field_from(998 - around).contains("mechanism=-all;")) << whole;
  for (const std::string& field : {whole, field_from(10'000)}) {
    for (std::size_t begin = 0; begin < field.size();) {
      const std::size_t end = std::min(field.find("\r\n", begin), field.size());
      EXPECT_LE(end - begin, 998u);
      begin = end + 2;
    }
  }
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
