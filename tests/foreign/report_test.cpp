// SPDX-License-Identifier: Apache-2.0
//
// Our reports, read by programs that are not ours: xmllint with a schema of RFC 9990, Mail::DMARC
// of Perl, dmarc-cat, which is written in Go, and Python's mail library. A reader that is not
// installed fails its test.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "countersign/encoding/archive.hpp"
#include "countersign/report/aggregate_mail.hpp"
#include "countersign/report/aggregate_xml.hpp"
#include "countersign/report/failure.hpp"
#include "tests/support/reports.hpp"

namespace countersign::report {
namespace {

using testing::HasSubstr;

std::string source_file(const std::string& name) {
  const char* const source = std::getenv("COUNTERSIGN_SOURCE");
  return std::string(source == nullptr ? "." : source) + "/tests/foreign/" + name;
}

/// A file, in a folder of its own, that is gone with the object.
class File {
 public:
  explicit File(const std::string& content, const std::string& name = "report")
      : folder_(std::filesystem::temp_directory_path() /
                ("countersign-report." + std::to_string(::getpid()))),
        path_(folder_ / name) {
    std::filesystem::create_directory(folder_);
    std::ofstream(path_, std::ios::binary) << content;
  }
  ~File() { std::filesystem::remove_all(folder_); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  [[nodiscard]] std::string path() const { return path_.string(); }

 private:
  std::filesystem::path folder_;
  std::filesystem::path path_;
};

/// What a command prints, both ways, and whether it ended well.
std::pair<std::string, bool> run(const std::string& command) {
  std::string printed;
  std::FILE* const pipe = ::popen((command + " 2>&1").c_str(), "r");
  if (pipe == nullptr) return {"cannot run " + command, false};
  std::array<char, 4096> block{};
  while (const std::size_t size = std::fread(block.data(), 1, block.size(), pipe))
    printed.append(block.data(), size);
  return {printed, ::pclose(pipe) == 0};
}

std::pair<std::string, bool> validate(const std::string& xml) {
  const File file(xml);
  return run("xmllint --noout --schema " + source_file("aggregate.xsd") + " " + file.path());
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, text.npos) << from;
  return text.replace(at, from.size(), to);
}

ReportMail envelope() {
  return {.from = {"dmarc", sample::name("mx.example.net")},
          .to = {{"reports", sample::name("example.com")}},
          .date = std::chrono::sys_seconds(std::chrono::seconds(1'700'010'000)),
          .message_id = {}};
}

TEST(ForeignReaders, XmllintFindsOurReportsValid) {
  Aggregate aggregate = sample::report().aggregate;
  aggregate.report_metadata.error = "several records";
  aggregate.report_metadata.org_name = "odd \x01 & <b>\xFF";
  const auto xml = format_aggregate(aggregate);
  ASSERT_TRUE(xml);
  const auto [printed, is_valid] = validate(*xml);
  EXPECT_TRUE(is_valid) << printed << *xml;
}

TEST(ForeignReaders, XmllintTakesEveryAddressAndPolicy) {
  std::vector<CountedEvaluation> rows;
  for (const char* address :
       {"0.0.0.1", "255.255.255.255", "::1", "1::", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6::", "1::7:8",
        "1:0:3:4:5:6:7:8", "::3:4:5:6:7:8", "1:2:3::7:8", "::ffff:192.0.2.7", "::192.0.2.8",
        "64:ff9b::192.0.2.9", "1::4:5:6:7:8"})
    rows.push_back({sample::passed_row(address), 1});
  for (CountedEvaluation& row : rows) row.evaluation.published.sp = std::nullopt;
  for (CountedEvaluation& row : rows) row.evaluation.published.np = std::nullopt;
  const Tally made = tally(rows, sample::tally_request(), Limits{});
  ASSERT_EQ(made.reports.size(), 1U);
  ASSERT_EQ(made.reports.front().aggregate.record.size(), rows.size());
  const auto xml = format_aggregate(made.reports.front().aggregate);
  ASSERT_TRUE(xml);
  const auto [printed, is_valid] = validate(*xml);
  EXPECT_TRUE(is_valid) << printed << *xml;
}

TEST(ForeignReaders, XmllintSeesWhatIsNotValid) {
  const std::string xml = *format_aggregate(sample::report().aggregate);
  for (const auto& [from, to] : {std::pair{"<version>1.0<", "<version>2.0<"},
                                 {"dmarc-2.0\"", "dmarc-1.0\""},
                                 {"<selector>s1</selector>", ""},
                                 {"<scope>mfrom<", "<scope>helo<"},
                                 {"<type>trusted_forwarder<", "<type>forwarded<"},
                                 {"<count>3<", "<count>-3<"},
                                 {"<count>3</count>", ""},
                                 {">192.0.2.1<", ">192.0.2.256<"},
                                 {">fd00:db8::25<", ">fd00:db8::25::1<"},
                                 {">fd00:db8::25<", ">::ffff:192.0.2.1<"},
                                 {"<sp>quarantine</sp>", ""},
                                 {"<p>reject</p>", ""}}) {
    const auto [printed, is_valid] = validate(replaced(xml, from, to));
    EXPECT_FALSE(is_valid) << to;
    EXPECT_THAT(printed, HasSubstr("valid")) << "and not that xmllint is missing";
  }
}

TEST(ForeignReaders, PerlsMailDmarcReadsOurMail) {
  const Aggregate aggregate = sample::report().aggregate;
  const auto mail = format_report_mail(aggregate, sample::reporter(), envelope(),
                                       encoding::gzip(*format_aggregate(aggregate)));
  ASSERT_TRUE(mail);
  const File file(*mail);
  const auto [printed, is_read] = run("perl " + source_file("read_report.pl") + " " + file.path());
  ASSERT_TRUE(is_read) << printed;
  for (const std::string& line :
       {std::string("type: aggregate"), std::string("org_name: Example Ltd. & S\xC3\xB6hne"),
        "report_id: " + aggregate.report_metadata.report_id, std::string("begin: 1699920000"),
        std::string("end: 1700006399"), std::string("domain: example.com"),
        std::string("p: reject"), std::string("sp: quarantine"), std::string("adkim: s"),
        std::string("record: 192.0.2.1 3 none pass fail example.com"),
        std::string("record: fd00:db8::25 2 none fail fail news.example.com"),
        // It takes every signature of a record for the first.
        std::string("dkim: example.com s1 pass"),
        std::string("spf: bounce.example.org mfrom softfail")})
    EXPECT_THAT(printed, HasSubstr(line + "\n"));
}

/// What dmarc-cat makes of a report that is attached under its name, and whether it could read it.
/// Each run of spaces is one. With more than one job its own race prints a row under the address of
/// another now and then.
std::pair<std::string, bool> read_by_dmarc_cat(const Aggregate& aggregate, const std::string& xml) {
  const File file(encoding::gzip(xml), report_file_name(aggregate, sample::reporter().submitter));
  auto [printed, is_read] = run("TZ=UTC dmarc-cat -j 1 -N '" + file.path() + "'");
  std::string plain;
  for (const char c : printed)
    if (c != ' ' || !plain.ends_with(' ')) plain += c;
  return {plain, is_read};
}

TEST(ForeignReaders, GosDmarcCatReadsOurAttachment) {
  const Aggregate aggregate = sample::report().aggregate;
  const auto [printed, is_read] = read_by_dmarc_cat(aggregate, *format_aggregate(aggregate));
  ASSERT_TRUE(is_read) << printed;
  // Of several signatures it shows the last.
  for (const std::string line :
       {"Reporting by: Example Ltd. & S\xC3\xB6hne \xE2\x80\x94 postmaster@example.net",
        "From 2023-11-14 00:00:00 +0000 UTC to 2023-11-14 23:59:59 +0000 UTC",
        "Domain: example.com", "Policy: p=reject; dkim=s; spf=r",
        "Reports(2):", "192.0.2.1 3 example.com example.org fail softfail ",
        "fd00:db8::25 2 news.example.com forwarder.example pass "})
    EXPECT_THAT(printed, HasSubstr(line + "\n"));
}

TEST(ForeignReaders, DmarcCatGetsEveryRowOfALargeReport) {
  std::vector<CountedEvaluation> rows;
  std::uint64_t messages = 0;
  for (std::uint64_t i = 1; i <= 250; ++i) {
    rows.push_back({sample::passed_row("198.51.100." + std::to_string(i)), i * 1'000});
    messages += rows.back().count;
  }
  const Tally made = tally(rows, sample::tally_request(), Limits{});
  ASSERT_EQ(made.reports.size(), 1U);
  const Aggregate& aggregate = made.reports.front().aggregate;
  const auto [printed, is_read] = read_by_dmarc_cat(aggregate, *format_aggregate(aggregate));
  ASSERT_TRUE(is_read) << printed;
  EXPECT_THAT(printed, HasSubstr("Reports(250):\n"));
  std::uint64_t told = 0;
  std::istringstream lines(printed);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string address;
    std::uint64_t count = 0;
    if (line.starts_with("198.51.100.") && words >> address >> count) told += count;
  }
  EXPECT_EQ(told, messages);
}

TEST(ForeignReaders, S47AStrangersTextIsTextToThemToo) {
  Evaluation row = sample::passed_row();
  row.header_from = "<script>'; DROP TABLE x; --&amp;]]>";
  row.dkim = {{"\"><!DOCTYPE x>", "</selector>\r\n\x1b", "pass", "\xE2\x80\xAE &#0; <![CDATA["}};
  const Tally made = tally({{row, 7}}, sample::tally_request(), Limits{});
  ASSERT_EQ(made.reports.size(), 1U);
  const Aggregate& aggregate = made.reports.front().aggregate;
  const auto xml = format_aggregate(aggregate);
  ASSERT_TRUE(xml) << to_string(xml.error());
  const auto [validated, is_valid] = validate(*xml);
  EXPECT_TRUE(is_valid) << validated << *xml;
  const auto [printed, is_read] = read_by_dmarc_cat(aggregate, *xml);
  ASSERT_TRUE(is_read) << printed;
  EXPECT_THAT(printed, HasSubstr("192.0.2.1 7 <script>'; DROP TABLE x; --&amp;]]> "
                                 "\"><!DOCTYPE x> pass softfail \n"));
}

TEST(ForeignReaders, DmarcCatSeesWhatIsNoReport) {
  const Aggregate aggregate = sample::report().aggregate;
  std::string xml = *format_aggregate(aggregate);
  xml.resize(xml.size() / 2);
  const auto [printed, is_read] = read_by_dmarc_cat(aggregate, xml);
  EXPECT_FALSE(is_read);
  EXPECT_THAT(printed, HasSubstr("XML syntax error")) << "and not that dmarc-cat is missing";
}

TEST(ForeignReaders, PythonReadsOurFailureReport) {
  const FailedMessage message{.policy_domain = sample::name("example.com"),
                              .author_domain = sample::name("example.com"),
                              .mail_from = "alice@example.com",
                              .header = sample::message("From: a@example.com\n\nx\n").header};
  const FailureMail how{.redaction_key = "key",
                        .reporter = sample::reporter(),
                        .from = envelope().from,
                        .to = envelope().to,
                        .date = envelope().date,
                        .message_id = "f@mx.example.net"};
  const auto mail = format_failure_report(message, how, Limits{});
  ASSERT_TRUE(mail);
  const File file(*mail);
  const auto [printed, is_read] =
      run("python3 -c 'import email, email.policy, sys\n"
          "m = email.message_from_binary_file(open(sys.argv[1], \"rb\"), "
          "policy=email.policy.default)\n"
          "print(m.get_content_type(), m[\"Content-Type\"].params[\"report-type\"])\n"
          "for p in m.iter_parts(): print(p.get_content_type())\n"
          "print(not m.defects, m[\"From\"].addresses[0].display_name)' " +
          file.path());
  ASSERT_TRUE(is_read) << printed;
  EXPECT_EQ(printed,
            "multipart/report feedback-report\ntext/plain\nmessage/feedback-report\n"
            "text/rfc822-headers\nTrue Example Ltd. & S\xC3\xB6hne\n");
}

}  // namespace
}  // namespace countersign::report
