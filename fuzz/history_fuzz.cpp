// SPDX-License-Identifier: Apache-2.0
//
// Any octets as a HistoryFile of OpenDMARC. However they are divided, the same records are found;
// each is bounded and can be written, in lines of visible ASCII, and reads back as a record again.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "countersign/assert.hpp"
#include "countersign/report/history.hpp"

namespace {

using namespace countersign;
using namespace countersign::report;

std::vector<HistoryItem> read(std::string_view text, std::size_t chunk) {
  HistoryReader reader{Limits{}};
  std::vector<HistoryItem> items;
  const auto take = [&items](std::vector<HistoryItem> more) {
    for (HistoryItem& item : more) items.push_back(std::move(item));
  };
  for (std::size_t at = 0; at < text.size(); at += chunk) take(reader.body(text.substr(at, chunk)));
  take(reader.finish());
  return items;
}

void check(const HistoryRecord& record) {
  const Limits limits;
  const Evaluation& row = record.evaluation;
  COUNTERSIGN_ASSERT(DomainName::parse(row.header_from).has_value());
  COUNTERSIGN_ASSERT(DomainName::parse(row.published.domain).has_value());
  COUNTERSIGN_ASSERT(row.dkim.size() <= limits.report_signatures_max);
  COUNTERSIGN_ASSERT(row.published.rua.size() <= limits.report_uris_max);
  for (const DkimAuthResult& one : row.dkim)
    COUNTERSIGN_ASSERT(!one.domain.empty() && !one.selector.empty() && !one.result.empty());
  const std::string text = format_history(record);
  COUNTERSIGN_ASSERT(
      std::ranges::all_of(text, [](char c) { return c == '\n' || (c >= ' ' && c <= '~'); }));
  const std::vector<HistoryItem> again = read(text, text.size());
  COUNTERSIGN_ASSERT(again.size() == 1 && again.front().text == text);
  COUNTERSIGN_ASSERT(again.front().record && *again.front().record);
  const HistoryRecord& second = **again.front().record;
  COUNTERSIGN_ASSERT(second.received == record.received);
  COUNTERSIGN_ASSERT(second.evaluation.published == row.published);
  COUNTERSIGN_ASSERT(second.evaluation.dkim == row.dkim && second.evaluation.spf == row.spf);
  // From then on nothing changes any more.
  COUNTERSIGN_ASSERT(format_history(second) == text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string octets(data, data + size);
  const std::vector<HistoryItem> items = read(octets, 4'096);
  for (const std::size_t chunk : {std::size_t{1}, std::size_t{7}, size + 1})
    COUNTERSIGN_ASSERT(read(octets, chunk) == items);
  const auto lines = static_cast<std::uint64_t>(std::ranges::count(octets, '\n')) + 1;
  for (const HistoryItem& item : items) {
    COUNTERSIGN_ASSERT(item.text.size() <= Limits{}.history_record_bytes_max);
    COUNTERSIGN_ASSERT(item.line >= 1 && item.line <= lines);
    if (!item.record) {
      COUNTERSIGN_ASSERT(item.record.error().line >= item.line);
      COUNTERSIGN_ASSERT(item.record.error().line <= lines);
    } else if (*item.record) {
      check(**item.record);
    }
  }
  return 0;
}
