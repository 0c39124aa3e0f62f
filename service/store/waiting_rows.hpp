// SPDX-License-Identifier: Apache-2.0
//
// Judged messages between the workers and the writer, equal ones once with their number, as far as
// one look finds them. Nothing here locks.
//
// A row that is done with keeps its memory, and whoever adds a new row takes that of an old one
// away: what workers have allocated workers free, and the rows are not moved about while they grow.

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "countersign/report/evaluation.hpp"
#include "service/store/record.hpp"

namespace countersign::service::store {

/// Messages of a day that are equal.
struct WaitingRow {
  std::size_t hash = 0;
  Day day;
  std::uint64_t messages = 0;
  report::Evaluation evaluation;
};

/// Of what differs most between messages; the rest is compared. Equal ones have equal hashes.
[[nodiscard]] std::size_t hash_of(const report::Evaluation& evaluation);

/// The rows that one round of the writer takes.
class WaitingRows {
 public:
  WaitingRows();

  /// Counts a message. In exchange the evaluation is afterwards that of a row which is done with,
  /// for the caller to free, or what it was.
  void add(std::size_t hash, Day day, report::Evaluation& evaluation);
  /// Messages since the last clear().
  [[nodiscard]] std::uint64_t messages() const { return messages_; }
  /// The rows since the last clear(), in the order of their first messages.
  [[nodiscard]] std::span<const WaitingRow> rows() const { return {rows_.data(), used_}; }
  /// The rows are done with. Frees what a burst of them took.
  void clear();
  /// Rows that there is memory for.
  [[nodiscard]] std::size_t capacity() const { return rows_.capacity(); }

 private:
  std::vector<WaitingRow> rows_;  // The first used_ wait, the others are done with.
  std::size_t used_ = 0;
  std::uint64_t messages_ = 0;
  std::vector<std::uint32_t> places_;  // Counted from 1, of the last row of a hash.
};

}  // namespace countersign::service::store
