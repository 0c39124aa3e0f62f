// SPDX-License-Identifier: Apache-2.0
//
// What becomes of each report: who of a fleet sends it, whether it has left, and which destinations
// cannot be used. A report is what one destination gets about one policy of one edition of a day.
//
//   due ── claim() ──► claimed ── begin_sending() ──► sending ── finish() ──► sent | failed | due
//
// A claim is a lease: who holds it has the report for a while, alone. A holder that dies before it
// began to send has harmed nobody, and the report is due again. One that dies after that may have
// sent it: the report is then uncertain, and nobody sends it again unless an operator says so with
// resolve(). So each report leaves at most once, and what is not known is said. A report that is
// divided leaves part by part: those that have left are counted, and another attempt begins behind
// them.
//
// Times are the caller's clock. In a fleet, clocks must agree to much less than a lease.

#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "service/store/store.hpp"

namespace countersign::service::store {

/// Which report.
struct ReportKey {
  Day day;
  PolicyId policy = 0;
  std::string destination;   ///< as in rua=, without what RFC 9989 lets stand behind "!"
  std::int64_t edition = 1;  ///< of the day

  friend auto operator<=>(const ReportKey&, const ReportKey&) = default;
};

/// What became of a report.
enum class ReportState : std::uint8_t {
  due,         ///< to be sent by whoever claims it
  claimed,     ///< somebody makes it
  sending,     ///< somebody sends it
  sent,        ///< it has left
  failed,      ///< it could not be sent and will not be tried again
  uncertain,   ///< it may have left
  suppressed,  ///< it is not to be sent
};

/// The enumerator itself.
[[nodiscard]] std::string_view to_string(ReportState state);

/// A report that is ours for a while.
struct Claim {
  ReportKey key;
  std::string owner;
  std::int64_t attempt = 1;     ///< counted from 1; of two claims of one owner the later is greater
  std::int64_t parts_sent = 0;  ///< parts that have left at earlier attempts, the first ones
  std::string division;         ///< how it was divided then, as part_left() was told
};

/// Whether a claimed report may leave.
enum class Permission : std::uint8_t {
  granted,
  lost,    ///< the lease is over: somebody else may have the report
  capped,  ///< its destination got enough today; it is due again tomorrow
};

/// How sending ended.
struct SendingResult {
  /// sent, failed, uncertain or suppressed; due for another attempt.
  ReportState state = ReportState::sent;
  std::string detail;  ///< how it left, or why not, in words that may be a stranger's
  Time next_attempt;   ///< with due
};

/// A line of the ledger.
struct ReportRecord {
  ReportKey key;
  ReportState state = ReportState::due;
  std::int64_t attempts = 0;
  std::string report_id;  ///< of the last attempt to send
  Time changed;           ///< when it came into this state
  std::string detail;
};

/// Reports that are due and may not be sent yet.
struct WaitingReports {
  std::uint64_t count = 0;
  Time next_attempt;  ///< of the first of them; with a count
};

/// How long a destination is left alone after a failure; twice as long after each further one.
struct BackOff {
  std::chrono::seconds first = std::chrono::hours(1);
  std::chrono::seconds most = std::chrono::days(7);
};

/// Which lines of the ledger are wanted; lines come in the order of their keys.
struct ReportFilter {
  std::optional<ReportState> state;
  std::optional<ReportKey> after;  ///< begin behind this one
  std::size_t most = 1'000;
};

/// The ledger of a store.
class ReportLedger {
 public:
  /// Uses the connection of the store, which must outlive it.
  explicit ReportLedger(Store& store) : database_(store.database()) {}

  /// Enters reports; those that are in the ledger already stay as they are.
  void add_due(const std::vector<ReportKey>& keys, Time now);
  /// What somebody was sending when his lease ended becomes uncertain: he has died, and it may have
  /// left.
  /// Returns      what became so, so that a person can be told.
  [[nodiscard]] std::vector<ReportKey> find_abandoned(Time now);
  /// Claims reports that are due and whose destinations can be used. What others have left lying
  /// becomes due or uncertain first.
  ///
  /// owner        a name that no other process ever had.
  [[nodiscard]] std::vector<Claim> claim(std::string_view owner, Time now,
                                         std::chrono::seconds lease, std::size_t most);
  /// Makes the lease longer; false when it is over.
  [[nodiscard]] bool extend(const Claim& claim, Time now, std::chrono::seconds lease);
  /// The last step before a report leaves. Only with `granted` may it leave.
  ///
  /// cap          reports that a destination gets a day.
  [[nodiscard]] Permission begin_sending(const Claim& claim, std::string_view report_id,
                                         std::uint64_t cap, Time now);
  /// Says that one more part has left, of a report that is divided, and makes the lease longer.
  ///
  /// parts        that have left by now, the first ones.
  /// division     what no other division of the report has: only of the same one can further parts
  ///              be sent at another attempt.
  /// Returns      false when somebody else has the report.
  [[nodiscard]] bool part_left(const Claim& claim, std::int64_t parts, std::string_view division,
                               Time now, std::chrono::seconds lease);
  /// Says how it ended. Who held the claim may say so late, as long as nobody else has it.
  /// Returns      false when somebody else has it.
  [[nodiscard]] bool finish(const Claim& claim, const SendingResult& result, Time now);
  /// Decides, as an operator, what becomes of a report that is in none's hands: due, sent, failed
  /// or suppressed.
  /// Returns      false when it is unknown or in somebody's hands.
  [[nodiscard]] bool resolve(const ReportKey& key, ReportState state, std::string_view detail,
                             Time now);
  /// What became of one report by now; nothing when it was never entered.
  [[nodiscard]] std::optional<ReportState> state(const ReportKey& key);
  /// What is due and cannot be claimed yet: it was deferred, or its destination is left alone.
  [[nodiscard]] WaitingReports waiting(Time now);
  /// Lines of the ledger.
  [[nodiscard]] std::vector<ReportRecord> records(const ReportFilter& filter);

  /// A destination refused; it is left alone for a while.
  /// Returns      until when.
  Time destination_failed(std::string_view destination, std::string_view detail, Time now,
                          const BackOff& back_off = {});
  /// A destination took a report: its failures are forgotten.
  void destination_worked(std::string_view destination, Time now);
  /// Until when a destination is left alone; nothing when it can be used.
  [[nodiscard]] std::optional<Time> unusable_until(std::string_view destination, Time now);

 private:
  Database& database_;
};

}  // namespace countersign::service::store
