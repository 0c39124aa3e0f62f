// SPDX-License-Identifier: Apache-2.0
//
// The store of judged messages: counts by day, policy, client and identity. The daemon's recorder
// puts them in, batch by batch; whoever makes reports reads them out, policy by policy, and keeps
// in the report ledger what became of each report.
//
//   Store store(settings.store);
//   for (const StoredPolicy& policy : store.policies({day})) {
//     store.read({day}, policy.id, [&](const CountedEvaluation& row) { …; return true; });
//   }
//
// A day is told in editions. The first is what had come when it was closed; what comes later, from
// a host that was away, is counted in the next one, so that reports can tell of it and never tell
// of anything twice. To an edition that is closed nothing is added.
//
// A Store is one connection and belongs to one thread; any number of them may be open, also in
// other processes and, with PostgreSQL, on other hosts. Whatever fails throws StoreError.

#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "countersign/report/evaluation.hpp"
#include "service/config/settings.hpp"
#include "service/store/record.hpp"
#include "service/store/store_error.hpp"

namespace countersign::service::store {

class Database;

/// A moment, in seconds.
using Time = std::chrono::sys_seconds;

/// The number by which a store knows a policy: one that was published is never changed, and one
/// with another value anywhere is another.
using PolicyId = std::int64_t;

/// A policy that was applied.
struct StoredPolicy {
  PolicyId id = 0;
  report::PublishedPolicy published;
  std::uint64_t messages = 0;  ///< of the edition
};

/// Where a row stands among those of one policy of an edition.
struct RowPosition {
  std::string source;         ///< the address: 4 or 16 octets; empty is before all
  std::int64_t identity = 0;  ///< the number by which the store knows it

  friend auto operator<=>(const RowPosition&, const RowPosition&) = default;
};

/// Equal evaluations of an edition.
struct CountedEvaluation {
  report::Evaluation evaluation;
  std::uint64_t messages = 0;
  RowPosition position;
};

/// Where in which segment of a spool a batch stands, so that what comes twice is recognised. A
/// segment's batches come in order and without a gap.
struct SpoolPosition {
  std::string segment;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

/// What became of a batch.
struct AppendResult {
  bool is_new = false;    ///< it was added; else it, or a part of it, is there already
  std::uint64_t end = 0;  ///< how far the store has the segment
};

/// Editions of a day to which nothing is added any more.
struct ClosedEditions {
  std::int64_t count = 0;
  bool is_new = false;  ///< the last of them was closed by this call
};

/// What a store was made of.
struct StoreSize {
  std::uint64_t rows = 0;        ///< of counts
  std::uint64_t messages = 0;    ///< that they count
  std::uint64_t policies = 0;    ///< kept once each
  std::uint64_t identities = 0;  ///< likewise
};

/// One connection to the store.
class Store {
 public:
  /// Opens what the settings name and brings its schema up to date. A schema that is newer than we
  /// know is refused, so that an old program does no harm to it.
  explicit Store(const config::StoreSettings& settings);
  ~Store();
  Store(Store&&) noexcept;
  Store& operator=(Store&&) noexcept;

  /// Adds counts, all or none, and once however often they come. Days that have expired are left
  /// out. Of a batch whose beginning is there already nothing is added: what is left of it, from
  /// AppendResult::end on, is to come as a batch of its own.
  [[nodiscard]] AppendResult append(const Counts& counts, const SpoolPosition& position, Time now);
  /// Forgets a segment whose batches will not come again.
  void forget(std::string_view segment);

  /// The first day after that one that has counts.
  [[nodiscard]] std::optional<Day> next_day(Day after);
  /// Closes the edition of a day that is open, if it has counts and none was closed at `since` or
  /// later.
  ClosedEditions close_edition(Day day, Time since, Time now);
  /// How many editions of a day are closed. The open one is the next.
  [[nodiscard]] std::int64_t closed_editions(Day day);
  /// Days before that one whose open edition has counts.
  [[nodiscard]] std::vector<Day> open_days(Day before);
  /// Policies that have counts in an edition, in the order of their numbers, from the one after
  /// `after` on.
  [[nodiscard]] std::vector<StoredPolicy> policies(const Edition& edition, PolicyId after = 0,
                                                   std::size_t most = 1'000);
  /// Hands out what is counted of one policy in one edition, a row at a time, until it is told
  /// false. No two rows are alike, and they come in the order of their positions, of an edition
  /// that is closed the same rows each time.
  ///
  /// after        begin behind that one.
  void read(const Edition& edition, PolicyId policy,
            const std::function<bool(const CountedEvaluation&)>& on_row,
            const RowPosition& after = {});

  /// What no other store is called: the numbers of policies are this store's own.
  [[nodiscard]] std::string name();
  /// The first day that is kept.
  [[nodiscard]] Day kept_from(Time now) const;
  /// Removes what is older, in steps that hold nobody up.
  /// goes_on      asked before each step; nothing given, all of them are made.
  /// Returns      true when nothing older is left, false when it was told to leave off.
  bool expire(Time now, const std::function<bool()>& goes_on = nullptr);
  /// Counts what is there; reads all of it.
  [[nodiscard]] StoreSize size();

  /// The schema that this program knows.
  [[nodiscard]] static int schema_version();
  /// The connection, for the report ledger.
  [[nodiscard]] Database& database() { return *database_; }

 private:
  void check_schema();
  [[nodiscard]] Edition open_edition(Day day);
  [[nodiscard]] std::size_t expire_counts(std::int64_t before);

  std::unique_ptr<Database> database_;
  std::chrono::seconds retention_;
};

/// Brings the schema of a data base up to that version, for those who test the way from there on.
void migrate(Database& database, int to_version);

}  // namespace countersign::service::store
