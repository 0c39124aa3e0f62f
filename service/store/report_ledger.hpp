// SPDX-License-Identifier: Apache-2.0
//
// What becomes of each report: who of a fleet sends it, whether it has left, and which mailboxes
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
// A destination is a URI as it was published. Which mailboxes it stands for only DNS tells, and
// many URIs may stand for one: what is counted by day, and what is left alone, are mailboxes, and
// each gets a report once.
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
  std::int64_t number = 1;   ///< of the claims to this report, counted from 1: no two share it
  std::int64_t attempt = 1;  ///< to send, counted from 1, if it comes to one
  std::chrono::seconds lease{0};
  std::int64_t parts_sent = 0;         ///< parts that have left at earlier attempts, the first ones
  std::string division;                ///< how it was divided then, as begin_sending() was told
  std::vector<std::string> mailboxes;  ///< that it is for, as take_mailboxes() found last
};

/// What is about to leave.
struct Departure {
  std::string report_id;   ///< of the first part that leaves
  std::int64_t parts = 1;  ///< in all
  /// What no other division of the report has: only of the same one can further parts be sent at
  /// another attempt.
  std::string division;
};

/// Whether a claimed report may leave.
enum class Permission : std::uint8_t {
  granted,
  lost,        ///< the lease is over: somebody else may have the report
  capped,      ///< a mailbox of it got enough today; it is due again tomorrow
  left_alone,  ///< a mailbox of it refused lately; it is due again when that can be used
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
  std::int64_t parts_sent = 0;  ///< that have left, the first ones
  std::int64_t parts = 0;       ///< in all; 0 when it was never begun to be sent
};

/// Reports that are due and may not be sent yet.
struct WaitingReports {
  std::uint64_t count = 0;
  Time next_attempt;  ///< of the first of them; with a count
};

/// How long a mailbox is left alone after a failure; twice as long after each further one.
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
  /// The reports of an edition that are in the ledger.
  ///
  /// first, last  about policies of these numbers and those between.
  [[nodiscard]] std::vector<ReportKey> keys(const Edition& edition, PolicyId first, PolicyId last);
  /// What somebody was sending when his lease ended becomes uncertain: he has died, and it may have
  /// left.
  /// Returns      what became so, so that a person can be told.
  [[nodiscard]] std::vector<ReportKey> find_abandoned(Time now);
  /// Claims reports that are due and whose mailboxes, as far as they are known, can be used. What
  /// others have left lying becomes due or uncertain first.
  ///
  /// owner        a name that no other process ever had.
  /// only_domain  about this policy domain alone; empty for all.
  [[nodiscard]] std::vector<Claim> claim(std::string_view owner, Time now,
                                         std::chrono::seconds lease, std::size_t most,
                                         std::string_view only_domain = {});
  /// What claim() would give now, in its order, without claiming it.
  ///
  /// after        begin behind that one.
  [[nodiscard]] std::vector<Claim> claimable(Time now, std::string_view only_domain,
                                             const std::optional<ReportKey>& after,
                                             std::size_t most);
  /// Makes the lease longer; false when it is over.
  [[nodiscard]] bool extend(const Claim& claim, Time now, std::chrono::seconds lease);
  /// Says which mailboxes a claimed report is for, and leaves out of the claim those that get it by
  /// another destination. It may leave for none.
  ///
  /// mailboxes    each in a form that all its spellings share.
  /// Returns      granted, lost or left_alone.
  [[nodiscard]] Permission take_mailboxes(Claim& claim, std::vector<std::string> mailboxes,
                                          Time now);
  /// The last step before a report leaves, from which on its lease counts anew. Only with `granted`
  /// may it leave, and only then it is an attempt.
  ///
  /// cap          reports that a mailbox gets a day.
  /// Returns      granted, lost or capped.
  [[nodiscard]] Permission begin_sending(const Claim& claim, const Departure& departure,
                                         std::uint64_t cap, Time now);
  /// Says that one more part has left, of a report that is divided, and counts its lease anew.
  ///
  /// parts        that have left by now, the first ones.
  /// next_id      the identifier of the part that leaves next.
  /// Returns      false when somebody else has the report.
  [[nodiscard]] bool part_left(const Claim& claim, std::int64_t parts, std::string_view next_id,
                               Time now);
  /// Says how it ended, which is an attempt even if sending was not begun. Who held the claim may
  /// say so late, as long as nobody else has it.
  /// Returns      false when somebody else has it.
  [[nodiscard]] bool finish(const Claim& claim, const SendingResult& result, Time now);
  /// Decides, as an operator, what becomes of a report that is in none's hands: due, sent, failed
  /// or suppressed. Of an uncertain report that is divided, `sent` says that the part in doubt has
  /// left; with parts behind it, it is due for those.
  /// Returns      what it is now; nothing when it is unknown or in somebody's hands.
  [[nodiscard]] std::optional<ReportState> resolve(const ReportKey& key, ReportState state,
                                                   std::string_view detail, Time now);
  /// What became of one report by now; nothing when it was never entered.
  [[nodiscard]] std::optional<ReportState> state(const ReportKey& key);
  /// What is due and cannot be claimed yet: it was deferred, or a mailbox of it is left alone.
  [[nodiscard]] WaitingReports waiting(Time now);
  /// Lines of the ledger.
  [[nodiscard]] std::vector<ReportRecord> records(const ReportFilter& filter);

  /// The mailboxes that one line is for; none before somebody has asked DNS.
  [[nodiscard]] std::vector<std::string> mailboxes(const ReportKey& key);
  /// By which destination a mailbox gets that report; empty when by none so far.
  [[nodiscard]] std::string destination_of(const Edition& edition, PolicyId policy,
                                           std::string_view mailbox);
  /// A mailbox refused; it is left alone for a while.
  /// Returns      until when.
  Time mailbox_failed(std::string_view mailbox, std::string_view detail, Time now,
                      const BackOff& back_off = {});
  /// A mailbox took a report: its failures are forgotten.
  void mailbox_worked(std::string_view mailbox, Time now);
  /// Until when a mailbox is left alone; nothing when it can be used.
  [[nodiscard]] std::optional<Time> unusable_until(std::string_view mailbox, Time now);
  /// Reports that were begun to be sent to a mailbox on the day of that time.
  [[nodiscard]] std::uint64_t begun_today(std::string_view mailbox, Time now);

 private:
  Database& database_;
};

}  // namespace countersign::service::store
