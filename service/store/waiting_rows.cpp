// SPDX-License-Identifier: Apache-2.0

#include "service/store/waiting_rows.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <functional>
#include <string_view>
#include <utility>

namespace countersign::service::store {
namespace {

// Few rows of a round share one, and those that do are added up all the same, by the writer. So a
// stranger who makes hashes collide wins a copy.
constexpr std::size_t hash_places = 16'384;
// Half a second of a host that judges 8,000 messages a second, no two of them equal: 3 MB.
constexpr std::size_t kept_rows = 4'096;

}  // namespace

std::size_t hash_of(const report::Evaluation& evaluation) {
  constexpr std::size_t odd = 0x9e3779b97f4a7c15U;
  std::size_t hash = evaluation.source_ip.bits();
  const auto add = [&hash](std::size_t number) { hash = std::rotl(hash * odd, 29) ^ number; };
  const auto add_text = [&add](std::string_view text) { add(std::hash<std::string_view>()(text)); };
  using Halves = std::array<std::uint64_t, 2>;
  for (const std::uint64_t half : std::bit_cast<Halves>(evaluation.source_ip.octets())) add(half);
  add_text(evaluation.header_from);
  for (const auto& domain : {&evaluation.envelope_from, &evaluation.envelope_to})
    add_text(*domain ? std::string_view(**domain) : "?");
  add(static_cast<std::size_t>(evaluation.disposition) << 2U |
      static_cast<std::size_t>(evaluation.dkim_aligned) << 1U |
      static_cast<std::size_t>(evaluation.spf_aligned));
  return hash;
}

WaitingRows::WaitingRows() : places_(hash_places) {}

void WaitingRows::add(std::size_t hash, Day day, report::Evaluation& evaluation) {
  ++messages_;
  std::uint32_t& place = places_[hash % hash_places];
  if (place > 0) {
    WaitingRow& row = rows_[place - 1];
    if (row.hash == hash && row.day == day && row.evaluation == evaluation) {
      ++row.messages;
      return;
    }
  }
  if (used_ == rows_.size()) rows_.emplace_back();
  WaitingRow& row = rows_[used_++];
  row.hash = hash;
  row.day = day;
  row.messages = 1;
  std::swap(row.evaluation, evaluation);
  place = static_cast<std::uint32_t>(used_);
}

void WaitingRows::clear() {
  if (rows_.size() > kept_rows) {
    rows_.resize(kept_rows);
    rows_.shrink_to_fit();
  }
  used_ = 0;
  messages_ = 0;
  std::ranges::fill(places_, 0);
}

}  // namespace countersign::service::store
