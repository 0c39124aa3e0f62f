// SPDX-License-Identifier: Apache-2.0
//
// Any octets as an aggregate report. What is read is bounded and is UTF-8; what can be written of
// it reads back equal and without a note.

#include <cstddef>
#include <cstdint>
#include <string>

#include "countersign/assert.hpp"
#include "countersign/report/aggregate_xml.hpp"
#include "countersign/text/utf8.hpp"

namespace {

using namespace countersign;
using namespace countersign::report;

void check_text(const std::string& text, const Limits& limits) {
  COUNTERSIGN_ASSERT(text::is_utf8(text));
  COUNTERSIGN_ASSERT(text.size() <= limits.report_text_bytes_max);
}

void check(const ReadAggregate& read, const Limits& limits) {
  const Aggregate& aggregate = read.aggregate;
  check_text(aggregate.report_metadata.org_name, limits);
  check_text(aggregate.report_metadata.report_id, limits);
  COUNTERSIGN_ASSERT(!aggregate.report_metadata.report_id.empty());
  COUNTERSIGN_ASSERT(!aggregate.policy_published.domain.empty());
  const DateRange& range = aggregate.report_metadata.date_range;
  COUNTERSIGN_ASSERT(range.begin >= 0 && range.end >= range.begin);
  COUNTERSIGN_ASSERT(read.leniencies.size() <= limits.report_leniencies_max);
  COUNTERSIGN_ASSERT(aggregate.record.size() <= limits.report_records_max);
  for (const Record& record : aggregate.record) {
    COUNTERSIGN_ASSERT(record.auth_results.dkim.size() <= limits.report_signatures_max);
    COUNTERSIGN_ASSERT(record.row.policy_evaluated.reason.size() <= limits.report_reasons_max);
    check_text(record.identifiers.header_from, limits);
  }
}

/// True for text that XML gives back as it is.
bool is_plain(const std::string& text) {
  for (const char c : text)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) return false;
  return text.size() <= Limits{}.report_text_bytes_max && !text.contains("\xEF\xBF");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string octets(data, data + size);
  const Limits limits;
  const auto read = parse_aggregate(octets, limits);
  if (!read) {
    COUNTERSIGN_ASSERT(!to_string(read.error()).empty());
    COUNTERSIGN_ASSERT(read.error().xml.offset <= size);
    return 0;
  }
  check(*read, limits);
  const auto written = format_aggregate(read->aggregate);
  if (!written) return 0;
  const auto again = parse_aggregate(*written, limits);
  COUNTERSIGN_ASSERT(again.has_value());
  COUNTERSIGN_ASSERT(again->aggregate.record.size() == read->aggregate.record.size());
  COUNTERSIGN_ASSERT(again->xml_namespace == aggregate_namespace);
  if (is_plain(read->aggregate.report_metadata.org_name))
    COUNTERSIGN_ASSERT(again->aggregate.report_metadata.org_name ==
                       read->aggregate.report_metadata.org_name);
  // What was written and needed no leniency is written the same for ever.
  if (again->leniencies.empty())
    COUNTERSIGN_ASSERT(*format_aggregate(again->aggregate) == *written);
  return 0;
}
