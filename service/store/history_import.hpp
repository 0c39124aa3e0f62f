// SPDX-License-Identifier: Apache-2.0
//
// A HistoryFile of OpenDMARC on its way into the store, each record once, however often the file
// comes and however it has grown meanwhile.
//
// Records are added in blocks of a fixed number. The store knows a block by its number and its
// first record and keeps how far it has it, as it does with segments of the spool. So what comes
// again is recognised, and of a block that has grown only the rest is added. Records that are
// refused keep their places; at the end of a file they do not, as such a record may only have
// begun.

#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "countersign/report/history.hpp"
#include "service/store/store.hpp"

namespace countersign::service::store {

/// What became of the records.
struct HistoryImportCounts {
  std::uint64_t records = 0;    ///< all that were found
  std::uint64_t added = 0;      ///< to the store
  std::uint64_t known = 0;      ///< of which the store had been told before
  std::uint64_t uncounted = 0;  ///< no report counts them: no DMARC record, or put off
  std::uint64_t expired = 0;    ///< older than store.retention
  std::uint64_t refused = 0;    ///< could not be read, or are of days to come
};

/// Adds what one file holds.
class HistoryImport {
 public:
  /// Told of each record that is refused.
  using OnRefused = std::function<void(const report::HistoryError&)>;

  HistoryImport(Store& store, Time now, OnRefused on_refused);

  /// Takes octets of the file, in chunks of any size. Throws StoreError.
  void body(std::string_view chunk);
  /// Takes its end. Throws StoreError.
  [[nodiscard]] HistoryImportCounts finish();

 private:
  /// What a record of the block is to the store.
  struct Place {
    bool is_refused = false;
    std::optional<RowKey> row;  ///< nothing when it adds nothing
  };

  void take(report::HistoryItem item);
  [[nodiscard]] Place place_of(const report::HistoryItem& item);
  void add_block(std::size_t end);

  Store& store_;
  Time now_;
  OnRefused on_refused_;
  report::HistoryReader reader_;
  HistoryImportCounts counts_;
  std::uint64_t blocks_ = 0;  // That were added.
  std::string segment_;       // The store's name of the block.
  std::vector<Place> block_;
};

}  // namespace countersign::service::store
