// SPDX-License-Identifier: Apache-2.0
//
// Master files as people and opendkim-genkey write them, and what the reader says of broken ones.

#include <gtest/gtest.h>

#include <string>

#include "countersign/dns/zone.hpp"
#include "tests/support/exact.hpp"

namespace countersign::dns {
namespace {

using std::chrono::seconds;

/// One line for each record of the answer, or the status.
std::string show(const Answer& answer) {
  if (answer.status != AnswerStatus::records) return std::string(to_string(answer.status));
  std::string shown;
  for (const RecordData& record : answer.records) {
    if (!shown.empty()) shown += '\n';
    if (const auto* text = std::get_if<Text>(&record)) {
      for (const std::string& string : text->strings) shown += '[' + string + ']';
    } else if (const auto* mx = std::get_if<MailExchange>(&record)) {
      shown += std::to_string(mx->preference) + ' ' + mx->exchange;
    } else if (const auto* name = std::get_if<NameData>(&record)) {
      shown += name->name;
    } else if (const auto* address = std::get_if<Address>(&record)) {
      for (int i = 0; i < address->length; ++i)
        shown += (i == 0 ? "" : ".") + std::to_string(address->octets.at(static_cast<size_t>(i)));
    }
  }
  return shown;
}

Zone ok(std::string_view text, std::string_view origin = {}) {
  const test::Exact copy = test::exact(text);
  auto zone = Zone::parse_master(copy.view(), Limits{}, origin);
  if (zone) return *std::move(zone);
  ADD_FAILURE() << "line " << zone.error().line << ": " << zone.error().message << "\nin:\n"
                << text;
  return {};
}

std::string answer(const Zone& zone, std::string name, RecordType type = RecordType::txt) {
  return show(zone.answer({std::move(name), type}));
}

void bad(std::string_view text, std::size_t line, std::string_view part_of_message,
         std::string_view origin = {}) {
  const test::Exact copy = test::exact(text);
  const auto zone = Zone::parse_master(copy.view(), Limits{}, origin);
  ASSERT_FALSE(zone.has_value()) << text;
  EXPECT_EQ(zone.error().line, line) << text << '\n' << zone.error().message;
  EXPECT_NE(zone.error().message.find(part_of_message), std::string::npos) << text << '\n'
                                                                           << zone.error().message;
}

TEST(ZoneMaster, ReadsEveryTypeThatIsAskedFor) {
  const Zone zone = ok(R"(
$ORIGIN example.com.
@       IN  A      192.0.2.1
@       IN  AAAA   2001:db8::1
@       IN  MX     10 mail
@       IN  MX     20 mx.example.net.
@       IN  TXT    "v=spf1 -all"
null    IN  MX     0 .
www     IN  CNAME  @
1       IN  PTR    Host.Example.ORG.
sub     IN  NS     ns1.sub
mapped  IN  AAAA   ::ffff:192.0.2.9
)");
  EXPECT_EQ(answer(zone, "example.com", RecordType::a), "192.0.2.1");
  EXPECT_EQ(answer(zone, "example.com", RecordType::aaaa), "32.1.13.184.0.0.0.0.0.0.0.0.0.0.0.1");
  EXPECT_EQ(answer(zone, "example.com", RecordType::mx), "10 mail.example.com\n20 mx.example.net");
  EXPECT_EQ(answer(zone, "example.com"), "[v=spf1 -all]");
  EXPECT_EQ(answer(zone, "null.example.com", RecordType::mx), "0 .");
  EXPECT_EQ(answer(zone, "www.example.com"), "[v=spf1 -all]");
  EXPECT_EQ(answer(zone, "1.example.com", RecordType::ptr), "host.example.org");
  EXPECT_EQ(answer(zone, "sub.example.com", RecordType::ns), "ns1.sub.example.com");
  EXPECT_EQ(answer(zone, "mapped.example.com", RecordType::aaaa),
            "0.0.0.0.0.0.0.0.0.0.255.255.192.0.2.9");
}

// The layout that opendkim-genkey writes, tabs and the comment at the end included.
TEST(ZoneMaster, ReadsWhatGenkeyWrites) {
  constexpr std::string_view key =
      "mail._domainkey\tIN\tTXT\t( \"v=DKIM1; h=sha256; k=rsa; \"\n"
      "\t  \"p=MIIBIjANBgkq\"\n"
      "\t  \"hkiG9w0B\" )  ; ----- DKIM key mail for example.com\n";
  constexpr std::string_view shown = "[v=DKIM1; h=sha256; k=rsa; ][p=MIIBIjANBgkq][hkiG9w0B]";
  for (const std::string_view origin : {"example.com", "Example.COM."})
    EXPECT_EQ(answer(ok(key, origin), "mail._domainkey.example.com"), shown);
  const Zone stated = ok("$ORIGIN example.com.\n" + std::string(key));
  EXPECT_EQ(answer(stated, "mail._domainkey.example.com"), shown);
  bad(key, 1, "$ORIGIN example.com.");
}

// RFC 1035 §5.3, with class and TTL in the orders of §5.1.
TEST(ZoneMaster, ReadsTheExampleOfTheStandard) {
  const Zone zone = ok(R"(
@   IN  SOA     VENERA      Action\.domains (
                                 20     ; SERIAL
                                 7200   ; REFRESH
                                 600    ; RETRY
                                 3600000; EXPIRE
                                 60)    ; MINIMUM

        NS      A.ISI.EDU.
        NS      VENERA
        MX      10      VENERA
        MX      20      VAXA
A       A       26.3.0.103
VENERA  A       10.1.0.52
        A       128.9.0.32
)",
                       "isi.edu");
  EXPECT_EQ(answer(zone, "isi.edu", RecordType::ns), "a.isi.edu\nvenera.isi.edu");
  EXPECT_EQ(answer(zone, "isi.edu", RecordType::mx), "10 venera.isi.edu\n20 vaxa.isi.edu");
  EXPECT_EQ(answer(zone, "venera.isi.edu", RecordType::a), "10.1.0.52\n128.9.0.32");
  EXPECT_EQ(answer(zone, "isi.edu", RecordType::soa), "NODATA");
}

TEST(ZoneMaster, TakesClassAndTtlInEitherOrder) {
  const Zone zone =
      ok("a 5 IN TXT x\nb IN 6 TXT x\nc TXT x\n"  // The third takes the last TTL stated.
         "$TTL 2h\nd TXT x\ne in 1D txt x\nf TXT x\ng 1h30M5s TXT x\nh 0 TXT x\n",
         "example");
  const auto ttl = [&zone](std::string name) {
    return zone.answer({std::move(name) + ".example", RecordType::txt}).ttl;
  };
  EXPECT_EQ(ttl("a"), seconds{5});
  EXPECT_EQ(ttl("b"), seconds{6});
  EXPECT_EQ(ttl("c"), seconds{6});
  EXPECT_EQ(ttl("d"), seconds{7'200});
  EXPECT_EQ(ttl("e"), seconds{86'400});
  EXPECT_EQ(ttl("f"), seconds{7'200});
  EXPECT_EQ(ttl("g"), seconds{5'405});
  EXPECT_EQ(ttl("h"), seconds{0});
  EXPECT_EQ(ok("x TXT y", "example").answer({"x.example", RecordType::txt}).ttl, seconds{60});
}

TEST(ZoneMaster, BelongsBlankLinesToTheLastOwner) {
  const Zone zone = ok("a.example. TXT 1\n\n  ; comment\n\tTXT 2\n   MX 5 b.example.\n");
  EXPECT_EQ(answer(zone, "a.example"), "[1]\n[2]");
  EXPECT_EQ(answer(zone, "a.example", RecordType::mx), "5 b.example");
  bad("\n TXT x", 2, "begins with a blank");
}

TEST(ZoneMaster, OriginChangesAndIsRelativeItself) {
  const Zone zone = ok(
      "$ORIGIN example.\na TXT 1\n$ORIGIN sub\na TXT 2\n@ TXT 3\n$ORIGIN .\nb.example TXT 4\n@ TXT "
      "5\n");
  EXPECT_EQ(answer(zone, "a.example"), "[1]");
  EXPECT_EQ(answer(zone, "a.sub.example"), "[2]");
  EXPECT_EQ(answer(zone, "sub.example"), "[3]");
  EXPECT_EQ(answer(zone, "b.example"), "[4]");
  EXPECT_EQ(answer(zone, "."), "[5]");
}

TEST(ZoneMaster, UnescapesStringsAndNames) {
  const Zone zone =
      ok("a.example. TXT \"semi;colon (paren) \\\"quoted\\\" \\\\ \\065\\255\" plain\\;word\\032x\n"
         "b\\ c.example. TXT y \"\"\n");
  EXPECT_EQ(answer(zone, "a.example"), "[semi;colon (paren) \"quoted\" \\ A\xff][plain;word x]");
  EXPECT_EQ(answer(zone, "b c.example"), "[y][]");
}

TEST(ZoneMaster, KeepsAllOctetsOfAString) {
  for (int octet = 0; octet < 256; ++octet) {
    const std::string digits = std::to_string(1000 + octet).substr(1);
    const std::string expected = "[" + std::string(1, static_cast<char>(octet)) + "]";
    EXPECT_EQ(answer(ok("a.example. TXT \\" + digits), "a.example"), expected) << octet;
    if (octet == '"' || octet == '\\' || octet == '\n') continue;
    const std::string raw = "a.example. TXT \"" + std::string(1, static_cast<char>(octet)) + "\"";
    EXPECT_EQ(answer(ok(raw), "a.example"), expected) << octet;
  }
}

TEST(ZoneMaster, TakesBothLineEndsAndNoneAtTheEnd) {
  const Zone zone =
      ok("$TTL 60\r\na.example. TXT x\r\n  TXT ( y\r\n z )\r\nb.example. A 192.0.2.1");
  EXPECT_EQ(answer(zone, "a.example"), "[x]\n[y][z]");
  EXPECT_EQ(answer(zone, "b.example", RecordType::a), "192.0.2.1");
}

TEST(ZoneMaster, ReadsOverTypesThatAreNeverAskedFor) {
  const Zone zone =
      ok("a.example. SRV 0 0 25 b\nc.example. TYPE65534 \\# 4 0A000001\nd.example. SPF \"v=spf1\"\n"
         "e.example. DNSKEY 257 3 13 ( aaaa\n bbbb )\nf.example. TYPE16 text\n");
  EXPECT_EQ(answer(zone, "a.example"), "NODATA");
  EXPECT_EQ(answer(zone, "c.example"), "NODATA");
  EXPECT_EQ(answer(zone, "d.example"), "NODATA");
  EXPECT_EQ(answer(zone, "e.example"), "NODATA");
  EXPECT_EQ(answer(zone, "f.example"), "[text]");
}

TEST(ZoneMaster, WildcardsAnswerForNamesBelow) {
  const Zone zone = ok("* TXT any\na TXT own", "example");
  EXPECT_EQ(answer(zone, "b.example"), "[any]");
  EXPECT_EQ(answer(zone, "a.example"), "[own]");
}

TEST(ZoneMaster, SaysWhatToDoAboutAnError) {
  bad("$INCLUDE keys.txt\n", 1, "$INCLUDE is not read");
  bad("a.example. TXT x\n$GENERATE 1-9 a$ A 192.0.2.$\n", 2, "write the records out");
  bad("$ORIGIN\n", 1, "one word after");
  bad("$TTL 1x\n", 1, "$TTL takes");
  bad("$TTL 99999999999999999999\n", 1, "$TTL takes");
  bad("$TTL 25000w\n", 1, "$TTL takes");
  bad("a TXT x\n", 1, "is relative");
  bad("a.example. CNAME b\n", 1, "is relative");
  bad("a.example. TXTT x\n", 1, "is no record type");
  bad("Received: from a by b\n", 1, "is no record type", "example");
  bad("a.example.\n", 1, "has no type");
  bad("a.example. \"TXT\" x\n", 1, "has no type");
  bad("a.example. 5 6 TXT x\n", 1, "two TTLs");
  bad("a.example. 5z TXT x\n", 1, "is no TTL");
  bad("a.example. IN IN TXT x\n", 1, "two classes");
  bad("a.example. CH TXT x\n", 1, "only class IN");
  bad("a.example. TXT\n", 1, "no data");
  bad("a.example. A 192.0.2\n", 1, "is no IPv4 address");
  bad("a.example. A 2001:db8::1\n", 1, "is no IPv4 address");
  bad("a.example. AAAA 192.0.2.1\n", 1, "is no IPv6 address");
  bad("a.example. AAAA [2001:db8::1]\n", 1, "is no IPv6 address");
  bad("a.example. A 192.0.2.1 192.0.2.2\n", 1, "is too much");
  bad("a.example. MX mail.example.\n", 1, "10 mail.example.com.");
  bad("a.example. MX 65536 mail.example.\n", 1, "10 mail.example.com.");
  bad("a.example. MX 10 mail.example. x\n", 1, "10 mail.example.com.");
  bad("a.example. TYPE16 \\# 2 0161\n", 1, "\\#");
  bad("a.example. TXT \"x\n\"\n", 1, "does not end on its line");
  bad("a.example. TXT \"x", 1, "does not end on its line");
  bad("a.example. TXT \"x\\\n", 1, "does not end on its line");
  bad("a.example. TXT x\\\n", 1, "a backslash needs");
  bad("a.example. TXT x\\25\n", 1, "a backslash needs");
  bad("a.example. TXT x\\256\n", 1, "a backslash needs");
  bad("a.example. TXT (x\ny\n", 1, "never closed");
  bad("a.example. TXT x\n)\n", 2, "closes nothing");
  bad("a.example. TXT (\n\"" + std::string(256, 'x') + "\")\n", 2, "more than 255 octets");
  bad("a..example. TXT x\n", 1, "empty label");
  bad(".example. TXT x\n", 1, "empty label");
  bad(std::string(64, 'a') + ".example. TXT x\n", 1, "63 octets");
  bad("a." + std::string(200, 'b') + "." + std::string(60, 'c') + ". TXT x\n", 1, "253 octets");
  bad("a\\.b.example. TXT x\n", 1, "escaped dots");
  bad("\"a.example.\" TXT x\n", 1, "without quotes");
}

TEST(ZoneMaster, BoundsRecordsAndTheirData) {
  Limits limits;
  limits.zone_records_max = 2;
  EXPECT_TRUE(Zone::parse_master("a. TXT 1\nb. TXT 2\n", limits).has_value());
  const auto zone = Zone::parse_master("a. TXT 1\nb. TXT 2\nc. TXT 3\n", limits);
  ASSERT_FALSE(zone.has_value());
  EXPECT_EQ(zone.error().line, 3u);
  std::string text = "a.example. TXT";
  for (int i = 0; i < 256; ++i) text += ' ' + std::string(255, 'x');
  bad(text, 1, "more than 65535 octets");
}

TEST(ZoneMaster, TakesTheLongestNames) {
  const std::string label(63, 'a');
  const std::string name =
      label + '.' + label + '.' + label + '.' + std::string(61, 'b');  // 253 octets
  EXPECT_EQ(answer(ok(name + ". TXT x"), name), "[x]");
}

}  // namespace
}  // namespace countersign::dns
