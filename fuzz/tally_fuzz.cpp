// SPDX-License-Identifier: Apache-2.0
//
// Rows made of the input, one a line of words, tallied in two orders: the reports are the same,
// every message is in one of them or counted as dropped, and each report is written, read back
// equal, and put into a mail.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "countersign/assert.hpp"
#include "countersign/encoding/archive.hpp"
#include "countersign/report/aggregate_mail.hpp"
#include "countersign/report/aggregate_xml.hpp"
#include "countersign/report/tally.hpp"

namespace {

using namespace countersign;
using namespace countersign::report;

std::string_view take_until(std::string_view& input, char end) {
  const std::size_t length = std::min(input.find(end), input.size());
  const std::string_view taken = input.substr(0, length);
  input.remove_prefix(std::min(length + 1, input.size()));
  return taken;
}

/// A row of the words of a line, the first octet of which decides what has no words.
CountedEvaluation row_of(std::string_view line) {
  const unsigned bits = line.empty() ? 0U : static_cast<unsigned char>(line.front());
  CountedEvaluation row{.count = bits % 5U};
  Evaluation& one = row.evaluation;
  one.published.p = static_cast<dmarc::AssessmentPolicy>(bits % 3U);
  one.published.testing = (bits & 4U) != 0;
  one.disposition = static_cast<ActionDisposition>(bits % 4U);
  one.dkim_aligned = (bits & 8U) != 0;
  if ((bits & 16U) != 0) one.envelope_from = "";
  one.source_ip = IpAddress::from_octets({192, 0, 2, static_cast<std::uint8_t>(bits)}, true);
  const auto domain = DomainName::parse(take_until(line, ' '));
  one.published.domain = domain ? domain->text() : "example.com";
  one.header_from = std::string(take_until(line, ' '));
  const std::string result(take_until(line, ' '));
  one.dkim.push_back({std::string(take_until(line, ' ')), "s", result, std::string(line)});
  if ((bits & 32U) != 0) one.spf = SpfAuthResult{"example.org", result, ""};
  if (!line.empty()) one.reasons.push_back({OverrideReason::other, std::string(line)});
  return row;
}

void check(const Report& report, const Reporter& reporter) {
  const auto xml = format_aggregate(report.aggregate);
  COUNTERSIGN_ASSERT(xml.has_value());
  const auto read = parse_aggregate(*xml, Limits{});
  COUNTERSIGN_ASSERT(read && read->aggregate.record.size() == report.aggregate.record.size());
  const ReportMail mail{.from = {"dmarc", reporter.submitter},
                        .to = {{"rua", reporter.submitter}},
                        .date = std::chrono::sys_seconds(std::chrono::seconds(86'400))};
  COUNTERSIGN_ASSERT(
      format_report_mail(report.aggregate, reporter, mail, encoding::gzip(*xml)).has_value());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string octets(data, data + size);
  std::string_view input = octets;
  std::vector<CountedEvaluation> rows;
  std::uint64_t given = 0;
  while (!input.empty() && rows.size() < 64) {
    rows.push_back(row_of(take_until(input, '\n')));
    given += rows.back().count;
  }
  const TallyRequest request{.reporter = {.submitter = *DomainName::parse("mx.example.net"),
                                          .org_name = "x",
                                          .email = "a@example.net"},
                             .period = {0, 86'399},
                             .run = "fuzz",
                             .packed_bytes_max = 900};
  const Tally made = tally(rows, request, Limits{});
  std::ranges::reverse(rows);
  COUNTERSIGN_ASSERT(tally(rows, request, Limits{}).reports == made.reports);
  std::uint64_t counted = made.dropped;
  for (const Report& report : made.reports) {
    check(report, request.reporter);
    for (const Record& record : report.aggregate.record) counted += record.row.count;
  }
  COUNTERSIGN_ASSERT(counted == given);
  return 0;
}
