// SPDX-License-Identifier: Apache-2.0

#include "service/store/history_import.hpp"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include "countersign/crypto/digest.hpp"

namespace countersign::service::store {
namespace {

// What one transaction adds.
constexpr std::size_t block_records = 1'000;
// Clocks of hosts differ, and days begin elsewhere earlier.
constexpr std::chrono::days ahead_max{1};

/// The store's name of a block. Segments of spools have random names of 16 octets.
std::string segment_of(std::uint64_t number, std::string_view first_record) {
  const std::string octets = std::to_string(number) + "\n" + std::string(first_record);
  return "history " + std::string(crypto::as_octets(crypto::sha256(octets)));
}

}  // namespace

HistoryImport::HistoryImport(Store& store, Time now, OnRefused on_refused)
    : store_(store), now_(now), on_refused_(std::move(on_refused)), reader_(Limits{}) {}

void HistoryImport::body(std::string_view chunk) {
  for (report::HistoryItem& item : reader_.body(chunk)) take(std::move(item));
}

HistoryImportCounts HistoryImport::finish() {
  for (report::HistoryItem& item : reader_.finish()) take(std::move(item));
  const auto last = std::ranges::find_if(block_.rbegin(), block_.rend(),
                                         [](const Place& place) { return !place.is_refused; });
  add_block(static_cast<std::size_t>(block_.rend() - last));
  return counts_;
}

void HistoryImport::take(report::HistoryItem item) {
  ++counts_.records;
  // Not before the next has come: the last records of a file are another matter.
  if (block_.size() == block_records) add_block(block_.size());
  if (block_.empty()) segment_ = segment_of(blocks_, item.text);
  block_.push_back(place_of(item));
}

HistoryImport::Place HistoryImport::place_of(const report::HistoryItem& item) {
  const auto refused = [this](const report::HistoryError& error) {
    ++counts_.refused;
    on_refused_(error);
    return Place{.is_refused = true, .row = std::nullopt};
  };
  if (!item.record) return refused(item.record.error());
  if (!*item.record) {
    ++counts_.uncounted;
    return {};
  }
  const Time received{std::chrono::seconds((*item.record)->received)};
  if (received > now_ + ahead_max)
    return refused({report::HistoryErrorCode::bad_number, item.line, "received"});
  const Day day = std::chrono::floor<std::chrono::days>(received);
  if (day < store_.kept_from(now_)) {
    ++counts_.expired;
    return {};
  }
  return {.is_refused = false, .row = row_key((*item.record)->evaluation, day)};
}

/// Adds the block as far as the store does not have it.
void HistoryImport::add_block(std::size_t end) {
  std::size_t begin = 0;
  while (begin < end) {
    Counts counts;
    std::uint64_t messages = 0;
    for (std::size_t i = begin; i < end; ++i) {
      if (!block_[i].row) continue;
      ++counts[*block_[i].row];
      ++messages;
    }
    const AppendResult result =
        store_.append(counts, {.segment = segment_, .begin = begin, .end = end}, now_);
    if (result.is_new) {
      counts_.added += messages;
      break;
    }
    const std::size_t there = std::min<std::uint64_t>(result.end, end);
    for (; begin < there; ++begin) counts_.known += block_[begin].row ? 1 : 0;
  }
  block_.clear();
  ++blocks_;
}

}  // namespace countersign::service::store
