// SPDX-License-Identifier: Apache-2.0

#include "service/store/report_ledger.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "service/store/database.hpp"

namespace countersign::service::store {
namespace {

constexpr std::array<std::string_view, 7> state_words{"due",    "claimed",   "sending",   "sent",
                                                      "failed", "uncertain", "suppressed"};

std::int64_t number_of(Day day) { return day.time_since_epoch().count(); }
std::int64_t number_of(Time time) { return time.time_since_epoch().count(); }

ReportState state_of(std::string_view word) {
  const auto found = std::ranges::find(state_words, word);
  if (found == state_words.end()) {
    throw StoreError(Remedy::operate, "the store has a report in a state that is none");
  }
  return static_cast<ReportState>(found - state_words.begin());
}

/// The columns of a key as a statement takes them; keeps the texts that they view.
struct KeyColumns {
  explicit KeyColumns(const ReportKey& key)
      : day(number_of(key.day)),
        policy(key.policy),
        destination(storable_text(key.destination)),
        edition(key.edition) {}

  std::int64_t day;
  std::int64_t policy;
  std::string destination;
  std::int64_t edition;
};

/// The key in the first columns of a row.
ReportKey key_in(const Row& row) {
  return {.day = Day(std::chrono::days(row.number(0))),
          .policy = row.number(1),
          .destination = row.text(2),
          .edition = row.number(3)};
}

/// A statement about one report: $1 to $4 are the key.
std::string of_report(std::string_view set) {
  return std::string(set) + " WHERE day = $1 AND policy = $2 AND destination = $3 AND edition = $4";
}

/// One that changes a report in the hands of its claimant: $5 and $6 are the claim.
std::string held_by_claimant(std::string_view set, std::string_view and_if) {
  return of_report(set) + " AND owner = $5 AND attempts = $6" + std::string(and_if);
}

/// The rows of what became uncertain by it.
std::vector<Row> mark_abandoned(Database& database, Time now) {
  return database.rows(
      "UPDATE report SET state = 'uncertain', changed = $1,"
      " detail = 'whoever sent it ended before saying how it went'"
      " WHERE state = 'sending' AND lease_until <= $1 RETURNING day, policy, destination, edition",
      {number_of(now)});
}

}  // namespace

std::string_view to_string(ReportState state) {
  return state_words[static_cast<std::size_t>(state)];
}

void ReportLedger::add_due(const std::vector<ReportKey>& keys, Time now) {
  Transaction transaction(database_);
  for (const ReportKey& key : keys) {
    const KeyColumns columns(key);
    database_.run(
        "INSERT INTO report (day, policy, destination, edition, state, changed)"
        " VALUES ($1, $2, $3, $4, 'due', $5)"
        " ON CONFLICT (day, policy, destination, edition) DO NOTHING",
        {columns.day, columns.policy, std::string_view(columns.destination), columns.edition,
         number_of(now)});
  }
  transaction.commit();
}

std::vector<ReportKey> ReportLedger::find_abandoned(Time now) {
  Transaction transaction(database_);
  std::vector<ReportKey> keys;
  for (const Row& row : mark_abandoned(database_, now)) keys.push_back(key_in(row));
  transaction.commit();
  return keys;
}

std::vector<Claim> ReportLedger::claim(std::string_view owner, Time now, std::chrono::seconds lease,
                                       std::size_t most) {
  const std::string name = storable_text(owner);
  Transaction transaction(database_);
  static_cast<void>(mark_abandoned(database_, now));
  database_.run(
      "UPDATE report SET state = 'due', owner = '', changed = $1"
      " WHERE state = 'claimed' AND lease_until <= $1",
      {number_of(now)});
  const std::string sql =
      "SELECT day, policy, destination, edition, attempts, parts, division FROM report r"
      " WHERE state = 'due' AND next_attempt <= $1 AND NOT EXISTS"
      " (SELECT 1 FROM destination d WHERE d.uri = r.destination AND d.unusable_until > $1)"
      " ORDER BY day, policy, destination, edition LIMIT $2" +
      std::string(database_.skip_locked());
  std::vector<Claim> claims;
  for (const Row& row : database_.rows(sql, {number_of(now), static_cast<std::int64_t>(most)})) {
    claims.push_back({.key = key_in(row),
                      .owner = name,
                      .attempt = row.number(4) + 1,
                      .parts_sent = row.number(5),
                      .division = row.text(6)});
    database_.run(
        of_report("UPDATE report SET state = 'claimed', owner = $5, attempts = $6,"
                  " lease_until = $7, changed = $8"),
        {row.number(0), row.number(1), std::string_view(row.text(2)), row.number(3),
         std::string_view(name), claims.back().attempt, number_of(now + lease), number_of(now)});
  }
  transaction.commit();
  return claims;
}

bool ReportLedger::extend(const Claim& claim, Time now, std::chrono::seconds lease) {
  const KeyColumns key(claim.key);
  Transaction transaction(database_);
  const std::uint64_t changed = database_.run(
      held_by_claimant("UPDATE report SET lease_until = $7",
                       " AND state IN ('claimed', 'sending') AND lease_until > $8"),
      {key.day, key.policy, std::string_view(key.destination), key.edition,
       std::string_view(claim.owner), claim.attempt, number_of(now + lease), number_of(now)});
  transaction.commit();
  return changed > 0;
}

Permission ReportLedger::begin_sending(const Claim& claim, std::string_view report_id,
                                       std::uint64_t cap, Time now) {
  const KeyColumns key(claim.key);
  const std::string id = storable_text(report_id);
  const Day today = std::chrono::floor<std::chrono::days>(now);
  const std::uint64_t representable = std::numeric_limits<std::int64_t>::max();
  Transaction transaction(database_);
  const std::uint64_t sending = database_.run(
      held_by_claimant("UPDATE report SET state = 'sending', report_id = $7, changed = $8",
                       " AND state = 'claimed' AND lease_until > $8"),
      {key.day, key.policy, std::string_view(key.destination), key.edition,
       std::string_view(claim.owner), claim.attempt, std::string_view(id), number_of(now)});
  if (sending == 0) return Permission::lost;
  const std::uint64_t counted = database_.run(
      "INSERT INTO destination (uri, day, begun, changed) SELECT $1, $2, 1, $3 WHERE $4 > 0"
      " ON CONFLICT (uri) DO UPDATE SET day = excluded.day, changed = excluded.changed,"
      " begun = CASE WHEN destination.day = excluded.day THEN destination.begun + 1 ELSE 1 END"
      " WHERE destination.day <> excluded.day OR destination.begun < $4",
      {std::string_view(key.destination), number_of(today), number_of(now),
       static_cast<std::int64_t>(std::min(cap, representable))});
  if (counted == 0) {
    database_.run(of_report("UPDATE report SET state = 'due', owner = '', next_attempt = $5,"
                            " changed = $6,"
                            " detail = 'its destination got as many reports as it gets a day'"),
                  {key.day, key.policy, std::string_view(key.destination), key.edition,
                   number_of(Time(today + std::chrono::days(1))), number_of(now)});
  }
  transaction.commit();
  return counted == 0 ? Permission::capped : Permission::granted;
}

bool ReportLedger::part_left(const Claim& claim, std::int64_t parts, std::string_view division,
                             Time now, std::chrono::seconds lease) {
  const KeyColumns key(claim.key);
  const std::string kept = storable_text(division);
  Transaction transaction(database_);
  const std::uint64_t changed = database_.run(
      held_by_claimant("UPDATE report SET parts = $7, division = $8, lease_until = $9",
                       " AND state IN ('sending', 'uncertain')"),
      {key.day, key.policy, std::string_view(key.destination), key.edition,
       std::string_view(claim.owner), claim.attempt, parts, std::string_view(kept),
       number_of(now + lease)});
  transaction.commit();
  return changed > 0;
}

bool ReportLedger::finish(const Claim& claim, const SendingResult& result, Time now) {
  const KeyColumns key(claim.key);
  const std::string detail = storable_text(result.detail);
  Transaction transaction(database_);
  // What was never begun cannot have been sent.
  const std::uint64_t changed = database_.run(
      held_by_claimant(
          "UPDATE report SET state = $7, detail = $8, next_attempt = $9, changed = $10",
          " AND (state IN ('sending', 'uncertain') OR (state = 'claimed' AND $7 <> 'sent'))"),
      {key.day, key.policy, std::string_view(key.destination), key.edition,
       std::string_view(claim.owner), claim.attempt, to_string(result.state),
       std::string_view(detail), number_of(result.next_attempt), number_of(now)});
  transaction.commit();
  return changed > 0;
}

bool ReportLedger::resolve(const ReportKey& key, ReportState state, std::string_view detail,
                           Time now) {
  const KeyColumns columns(key);
  const std::string words = storable_text(detail);
  Transaction transaction(database_);
  const std::uint64_t changed = database_.run(
      of_report("UPDATE report SET state = $5, detail = $6, owner = '', next_attempt = 0,"
                " changed = $7") +
          " AND state NOT IN ('claimed', 'sending')",
      {columns.day, columns.policy, std::string_view(columns.destination), columns.edition,
       to_string(state), std::string_view(words), number_of(now)});
  transaction.commit();
  return changed > 0;
}

std::optional<ReportState> ReportLedger::state(const ReportKey& key) {
  const KeyColumns columns(key);
  Transaction transaction(database_, Access::reading);
  const std::vector<Row> found = database_.rows(
      of_report("SELECT state FROM report"),
      {columns.day, columns.policy, std::string_view(columns.destination), columns.edition});
  if (found.empty()) return std::nullopt;
  return state_of(found.front().text(0));
}

WaitingReports ReportLedger::waiting(Time now) {
  Transaction transaction(database_, Access::reading);
  const std::vector<Row> found = database_.rows(
      "SELECT count(*), min(CASE WHEN d.unusable_until > r.next_attempt THEN d.unusable_until"
      " ELSE r.next_attempt END)"
      " FROM report r LEFT JOIN destination d ON d.uri = r.destination"
      " WHERE r.state = 'due' AND (r.next_attempt > $1 OR d.unusable_until > $1)",
      {number_of(now)});
  return {.count = static_cast<std::uint64_t>(found.front().number(0)),
          .next_attempt = Time(std::chrono::seconds(found.front().number(1)))};
}

std::vector<ReportRecord> ReportLedger::records(const ReportFilter& filter) {
  const ReportKey before_all{.day = Day(std::chrono::days(-1)), .destination = "", .edition = 0};
  const KeyColumns after(filter.after.value_or(before_all));
  const std::string_view state = filter.state ? to_string(*filter.state) : "";
  Transaction transaction(database_, Access::reading);
  std::vector<ReportRecord> records;
  for (const Row& row :
       database_.rows("SELECT day, policy, destination, edition, state, attempts, report_id,"
                      " changed, detail FROM report"
                      " WHERE (day, policy, destination, edition) > ($1, $2, $3, $4)"
                      " AND ($5 = '' OR state = $5)"
                      " ORDER BY day, policy, destination, edition LIMIT $6",
                      {after.day, after.policy, std::string_view(after.destination), after.edition,
                       state, static_cast<std::int64_t>(filter.most)})) {
    records.push_back({.key = key_in(row),
                       .state = state_of(row.text(4)),
                       .attempts = row.number(5),
                       .report_id = row.text(6),
                       .changed = Time(std::chrono::seconds(row.number(7))),
                       .detail = row.text(8)});
  }
  return records;
}

// --- destinations --------------------------------------------------------------------------------

Time ReportLedger::destination_failed(std::string_view destination, std::string_view detail,
                                      Time now, const BackOff& back_off) {
  const std::string uri = storable_text(destination);
  const std::string words = storable_text(detail);
  Transaction transaction(database_);
  const std::vector<Row> counted = database_.rows(
      "INSERT INTO destination (uri, failures, detail, changed) VALUES ($1, 1, $2, $3)"
      " ON CONFLICT (uri) DO UPDATE SET failures = destination.failures + 1,"
      " detail = excluded.detail, changed = excluded.changed RETURNING failures",
      {std::string_view(uri), std::string_view(words), number_of(now)});
  std::chrono::seconds pause = back_off.first;
  for (std::int64_t i = 1; i < counted.front().number(0) && pause < back_off.most; ++i) pause *= 2;
  const Time until = now + std::min(pause, back_off.most);
  database_.run("UPDATE destination SET unusable_until = $2 WHERE uri = $1",
                {std::string_view(uri), number_of(until)});
  transaction.commit();
  return until;
}

void ReportLedger::destination_worked(std::string_view destination, Time now) {
  const std::string uri = storable_text(destination);
  Transaction transaction(database_);
  database_.run(
      "UPDATE destination SET failures = 0, unusable_until = 0, detail = '', changed = $2"
      " WHERE uri = $1",
      {std::string_view(uri), number_of(now)});
  transaction.commit();
}

std::optional<Time> ReportLedger::unusable_until(std::string_view destination, Time now) {
  const std::string uri = storable_text(destination);
  Transaction transaction(database_, Access::reading);
  const std::vector<Row> found = database_.rows(
      "SELECT unusable_until FROM destination WHERE uri = $1 AND unusable_until > $2",
      {std::string_view(uri), number_of(now)});
  if (found.empty()) return std::nullopt;
  return Time(std::chrono::seconds(found.front().number(0)));
}

}  // namespace countersign::service::store
