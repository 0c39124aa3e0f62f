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

/// A key before that of any report.
ReportKey before_all() {
  return {.day = Day(std::chrono::days(-1)), .destination = "", .edition = 0};
}

/// A statement about one report: $1 to $4 are the key.
std::string of_report(std::string_view set) {
  return std::string(set) + " WHERE day = $1 AND policy = $2 AND destination = $3 AND edition = $4";
}

/// One that changes a report in the hands of its claimant: $5 and $6 are the claim.
std::string held_by_claimant(std::string_view set, std::string_view and_if) {
  return of_report(set) + " AND owner = $5 AND claims = $6" + std::string(and_if);
}

/// The columns that read_claim() reads, of the table r.
constexpr std::string_view claim_columns =
    "SELECT r.day, r.policy, r.destination, r.edition, r.attempts, r.claims, r.parts, r.division"
    " FROM report r";

/// What keeps a due report from being claimed at $1, and who asks: for the domain $2 alone, if any.
constexpr std::string_view may_be_claimed =
    " AND NOT EXISTS"
    " (SELECT 1 FROM report_mailbox m JOIN destination d ON d.uri = m.mailbox"
    "  WHERE m.day = r.day AND m.policy = r.policy AND m.edition = r.edition"
    "  AND m.destination = r.destination AND d.unusable_until > $1)"
    " AND ($2 = '' OR EXISTS (SELECT 1 FROM policy p WHERE p.id = r.policy AND p.domain = $2))";

/// The claim that comes next to a report.
Claim read_claim(const Row& row) {
  return {.key = key_in(row),
          .owner = {},
          .number = row.number(5) + 1,
          .attempt = row.number(4) + 1,
          .parts_sent = row.number(6),
          .division = row.text(7),
          .mailboxes = {}};
}

std::vector<std::string> mailboxes_of(Database& database, const KeyColumns& key) {
  std::vector<std::string> mailboxes;
  for (const Row& row :
       database.rows(of_report("SELECT mailbox FROM report_mailbox") + " ORDER BY mailbox",
                     {key.day, key.policy, std::string_view(key.destination), key.edition}))
    mailboxes.push_back(row.text(0));
  return mailboxes;
}

/// Counts a report that a mailbox gets on a day; false when it has had as many as the cap.
bool count_begun(Database& database, std::string_view mailbox, std::uint64_t cap, Time now) {
  const std::uint64_t representable = std::numeric_limits<std::int64_t>::max();
  return database.run(
             "INSERT INTO destination (uri, day, begun, changed) SELECT $1, $2, 1, $3 WHERE $4 > 0"
             " ON CONFLICT (uri) DO UPDATE SET day = excluded.day, changed = excluded.changed,"
             " begun = CASE WHEN destination.day = excluded.day THEN destination.begun + 1 ELSE 1"
             " END WHERE destination.day <> excluded.day OR destination.begun < $4",
             {mailbox, number_of(std::chrono::floor<std::chrono::days>(now)), number_of(now),
              static_cast<std::int64_t>(std::min(cap, representable))}) > 0;
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

std::vector<ReportKey> ReportLedger::keys(const Edition& edition, PolicyId first, PolicyId last) {
  Transaction transaction(database_, Access::reading);
  std::vector<ReportKey> keys;
  for (const Row& row : database_.rows("SELECT day, policy, destination, edition FROM report"
                                       " WHERE day = $1 AND edition = $2"
                                       " AND policy >= $3 AND policy <= $4",
                                       {number_of(edition.day), edition.number, first, last}))
    keys.push_back(key_in(row));
  return keys;
}

std::vector<ReportKey> ReportLedger::find_abandoned(Time now) {
  Transaction transaction(database_);
  std::vector<ReportKey> keys;
  for (const Row& row : mark_abandoned(database_, now)) keys.push_back(key_in(row));
  transaction.commit();
  return keys;
}

std::vector<Claim> ReportLedger::claim(std::string_view owner, Time now, std::chrono::seconds lease,
                                       std::size_t most, std::string_view only_domain) {
  const std::string name = storable_text(owner);
  const std::string domain = storable_text(only_domain);
  Transaction transaction(database_);
  static_cast<void>(mark_abandoned(database_, now));
  database_.run(
      "UPDATE report SET state = 'due', owner = '', changed = $1"
      " WHERE state = 'claimed' AND lease_until <= $1",
      {number_of(now)});
  const std::string sql =
      std::string(claim_columns) + " WHERE r.state = 'due' AND r.next_attempt <= $1" +
      std::string(may_be_claimed) + " ORDER BY r.day, r.policy, r.destination, r.edition LIMIT $3" +
      std::string(database_.skip_locked());
  std::vector<Claim> claims;
  for (const Row& row : database_.rows(
           sql, {number_of(now), std::string_view(domain), static_cast<std::int64_t>(most)})) {
    Claim& claim = claims.emplace_back(read_claim(row));
    claim.owner = name;
    claim.lease = lease;
    const KeyColumns key(claim.key);
    claim.mailboxes = mailboxes_of(database_, key);
    database_.run(of_report("UPDATE report SET state = 'claimed', owner = $5, claims = $6,"
                            " lease_until = $7, changed = $8"),
                  {key.day, key.policy, std::string_view(key.destination), key.edition,
                   std::string_view(name), claim.number, number_of(now + lease), number_of(now)});
  }
  transaction.commit();
  return claims;
}

std::vector<Claim> ReportLedger::claimable(Time now, std::string_view only_domain,
                                           const std::optional<ReportKey>& after,
                                           std::size_t most) {
  const std::string domain = storable_text(only_domain);
  const KeyColumns behind(after.value_or(before_all()));
  const std::string sql = std::string(claim_columns) +
                          " WHERE ((r.state = 'due' AND r.next_attempt <= $1)"
                          " OR (r.state = 'claimed' AND r.lease_until <= $1))" +
                          std::string(may_be_claimed) +
                          " AND (r.day, r.policy, r.destination, r.edition) > ($3, $4, $5, $6)"
                          " ORDER BY r.day, r.policy, r.destination, r.edition LIMIT $7";
  Transaction transaction(database_, Access::reading);
  std::vector<Claim> claims;
  for (const Row& row : database_.rows(sql, {number_of(now), std::string_view(domain), behind.day,
                                             behind.policy, std::string_view(behind.destination),
                                             behind.edition, static_cast<std::int64_t>(most)}))
    claims.push_back(read_claim(row));
  return claims;
}

bool ReportLedger::extend(const Claim& claim, Time now, std::chrono::seconds lease) {
  const KeyColumns key(claim.key);
  Transaction transaction(database_);
  const std::uint64_t changed = database_.run(
      held_by_claimant("UPDATE report SET lease_until = $7",
                       " AND state IN ('claimed', 'sending') AND lease_until > $8"),
      {key.day, key.policy, std::string_view(key.destination), key.edition,
       std::string_view(claim.owner), claim.number, number_of(now + lease), number_of(now)});
  transaction.commit();
  return changed > 0;
}

Permission ReportLedger::take_mailboxes(Claim& claim, std::vector<std::string> mailboxes,
                                        Time now) {
  const KeyColumns key(claim.key);
  // Whoever enters the same ones enters them in the same order.
  for (std::string& one : mailboxes) one = storable_text(one);
  std::ranges::sort(mailboxes);
  Transaction transaction(database_);
  const std::uint64_t held =
      database_.run(held_by_claimant("UPDATE report SET changed = $7",
                                     " AND state = 'claimed' AND lease_until > $7"),
                    {key.day, key.policy, std::string_view(key.destination), key.edition,
                     std::string_view(claim.owner), claim.number, number_of(now)});
  if (held == 0) return Permission::lost;
  database_.run(of_report("DELETE FROM report_mailbox"),
                {key.day, key.policy, std::string_view(key.destination), key.edition});
  for (const std::string& one : mailboxes)
    database_.run(
        "INSERT INTO report_mailbox (day, policy, destination, edition, mailbox)"
        " VALUES ($1, $2, $3, $4, $5) ON CONFLICT (day, policy, edition, mailbox) DO NOTHING",
        {key.day, key.policy, std::string_view(key.destination), key.edition,
         std::string_view(one)});
  claim.mailboxes = mailboxes_of(database_, key);
  const std::uint64_t left_alone = database_.run(
      held_by_claimant("UPDATE report SET state = 'due', owner = '', changed = $7",
                       " AND EXISTS (SELECT 1 FROM report_mailbox m"
                       "  JOIN destination d ON d.uri = m.mailbox"
                       "  WHERE m.day = report.day AND m.policy = report.policy"
                       "  AND m.edition = report.edition AND m.destination = report.destination"
                       "  AND d.unusable_until > $7)"),
      {key.day, key.policy, std::string_view(key.destination), key.edition,
       std::string_view(claim.owner), claim.number, number_of(now)});
  transaction.commit();
  return left_alone > 0 ? Permission::left_alone : Permission::granted;
}

Permission ReportLedger::begin_sending(const Claim& claim, const Departure& departure,
                                       std::uint64_t cap, Time now) {
  const KeyColumns key(claim.key);
  const std::string id = storable_text(departure.report_id);
  const std::string division = storable_text(departure.division);
  {
    Transaction transaction(database_);
    const std::uint64_t sending = database_.run(
        held_by_claimant(
            "UPDATE report SET state = 'sending', attempts = attempts + 1, report_id = $7,"
            " parts_in_all = $8, division = $9, changed = $10, lease_until = $11",
            " AND state = 'claimed' AND lease_until > $10"),
        {key.day, key.policy, std::string_view(key.destination), key.edition,
         std::string_view(claim.owner), claim.number, std::string_view(id), departure.parts,
         std::string_view(division), number_of(now), number_of(now + claim.lease)});
    if (sending == 0) return Permission::lost;
    const bool is_counted = std::ranges::all_of(claim.mailboxes, [&](const std::string& one) {
      return count_begun(database_, one, cap, now);
    });
    if (is_counted) {
      transaction.commit();
      return Permission::granted;
    }
  }
  // It is undone for all of its mailboxes.
  const Time tomorrow = std::chrono::floor<std::chrono::days>(now) + std::chrono::days(1);
  Transaction transaction(database_);
  database_.run(held_by_claimant("UPDATE report SET state = 'due', owner = '', next_attempt = $7,"
                                 " changed = $8,"
                                 " detail = 'its mailbox got as many reports as it gets a day'",
                                 " AND state = 'claimed'"),
                {key.day, key.policy, std::string_view(key.destination), key.edition,
                 std::string_view(claim.owner), claim.number, number_of(tomorrow), number_of(now)});
  transaction.commit();
  return Permission::capped;
}

bool ReportLedger::part_left(const Claim& claim, std::int64_t parts, std::string_view next_id,
                             Time now) {
  const KeyColumns key(claim.key);
  const std::string id = storable_text(next_id);
  Transaction transaction(database_);
  const std::uint64_t changed = database_.run(
      held_by_claimant("UPDATE report SET parts = $7, report_id = $8, lease_until = $9",
                       " AND state IN ('sending', 'uncertain')"),
      {key.day, key.policy, std::string_view(key.destination), key.edition,
       std::string_view(claim.owner), claim.number, parts, std::string_view(id),
       number_of(now + claim.lease)});
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
          "UPDATE report SET state = $7, detail = $8, next_attempt = $9, changed = $10,"
          " attempts = CASE WHEN state = 'claimed' THEN attempts + 1 ELSE attempts END",
          " AND (state IN ('sending', 'uncertain') OR (state = 'claimed' AND $7 <> 'sent'))"),
      {key.day, key.policy, std::string_view(key.destination), key.edition,
       std::string_view(claim.owner), claim.number, to_string(result.state),
       std::string_view(detail), number_of(result.next_attempt), number_of(now)});
  transaction.commit();
  return changed > 0;
}

std::optional<ReportState> ReportLedger::resolve(const ReportKey& key, ReportState state,
                                                 std::string_view detail, Time now) {
  const KeyColumns columns(key);
  const std::string words = storable_text(detail);
  Transaction transaction(database_);
  const auto decide = [&](std::string_view set, std::string_view and_if, ReportState into) {
    return database_.run(
               of_report("UPDATE report SET state = $5, detail = $6, owner = '',"
                         " next_attempt = 0, changed = $7" +
                         std::string(set)) +
                   std::string(and_if),
               {columns.day, columns.policy, std::string_view(columns.destination), columns.edition,
                to_string(into), std::string_view(words), number_of(now)}) > 0;
  };
  std::optional<ReportState> decided;
  // With the part in doubt the report has not left yet.
  if (state == ReportState::sent &&
      decide(", parts = parts + 1", " AND state = 'uncertain' AND parts + 1 < parts_in_all",
             ReportState::due))
    decided = ReportState::due;
  else if (decide("", " AND state NOT IN ('claimed', 'sending')", state))
    decided = state;
  transaction.commit();
  return decided;
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
      "SELECT count(*), min(CASE WHEN u.until > r.next_attempt THEN u.until"
      " ELSE r.next_attempt END)"
      " FROM report r LEFT JOIN"
      " (SELECT m.day, m.policy, m.edition, m.destination, max(d.unusable_until) AS until"
      "  FROM report_mailbox m JOIN destination d ON d.uri = m.mailbox"
      "  WHERE d.unusable_until > $1 GROUP BY m.day, m.policy, m.edition, m.destination) u"
      " ON u.day = r.day AND u.policy = r.policy AND u.edition = r.edition"
      " AND u.destination = r.destination"
      " WHERE r.state = 'due' AND (r.next_attempt > $1 OR u.until > $1)",
      {number_of(now)});
  return {.count = static_cast<std::uint64_t>(found.front().number(0)),
          .next_attempt = Time(std::chrono::seconds(found.front().number(1)))};
}

std::vector<ReportRecord> ReportLedger::records(const ReportFilter& filter) {
  const KeyColumns after(filter.after.value_or(before_all()));
  const std::string_view state = filter.state ? to_string(*filter.state) : "";
  Transaction transaction(database_, Access::reading);
  std::vector<ReportRecord> records;
  for (const Row& row :
       database_.rows("SELECT day, policy, destination, edition, state, attempts, report_id,"
                      " changed, detail, parts, parts_in_all FROM report"
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
                       .detail = row.text(8),
                       .parts_sent = row.number(9),
                       .parts = row.number(10)});
  }
  return records;
}

// --- mailboxes -----------------------------------------------------------------------------------

std::vector<std::string> ReportLedger::mailboxes(const ReportKey& key) {
  Transaction transaction(database_, Access::reading);
  return mailboxes_of(database_, KeyColumns(key));
}

std::string ReportLedger::destination_of(const Edition& edition, PolicyId policy,
                                         std::string_view mailbox) {
  const std::string name = storable_text(mailbox);
  Transaction transaction(database_, Access::reading);
  const std::vector<Row> found = database_.rows(
      "SELECT destination FROM report_mailbox"
      " WHERE day = $1 AND policy = $2 AND edition = $3 AND mailbox = $4",
      {number_of(edition.day), policy, edition.number, std::string_view(name)});
  return found.empty() ? "" : found.front().text(0);
}

Time ReportLedger::mailbox_failed(std::string_view mailbox, std::string_view detail, Time now,
                                  const BackOff& back_off) {
  const std::string name = storable_text(mailbox);
  const std::string words = storable_text(detail);
  Transaction transaction(database_);
  const std::vector<Row> counted = database_.rows(
      "INSERT INTO destination (uri, failures, detail, changed) VALUES ($1, 1, $2, $3)"
      " ON CONFLICT (uri) DO UPDATE SET failures = destination.failures + 1,"
      " detail = excluded.detail, changed = excluded.changed RETURNING failures",
      {std::string_view(name), std::string_view(words), number_of(now)});
  std::chrono::seconds pause = back_off.first;
  for (std::int64_t i = 1; i < counted.front().number(0) && pause < back_off.most; ++i) pause *= 2;
  const Time until = now + std::min(pause, back_off.most);
  database_.run("UPDATE destination SET unusable_until = $2 WHERE uri = $1",
                {std::string_view(name), number_of(until)});
  transaction.commit();
  return until;
}

void ReportLedger::mailbox_worked(std::string_view mailbox, Time now) {
  const std::string name = storable_text(mailbox);
  Transaction transaction(database_);
  database_.run(
      "UPDATE destination SET failures = 0, unusable_until = 0, detail = '', changed = $2"
      " WHERE uri = $1",
      {std::string_view(name), number_of(now)});
  transaction.commit();
}

std::optional<Time> ReportLedger::unusable_until(std::string_view mailbox, Time now) {
  const std::string name = storable_text(mailbox);
  Transaction transaction(database_, Access::reading);
  const std::vector<Row> found = database_.rows(
      "SELECT unusable_until FROM destination WHERE uri = $1 AND unusable_until > $2",
      {std::string_view(name), number_of(now)});
  if (found.empty()) return std::nullopt;
  return Time(std::chrono::seconds(found.front().number(0)));
}

std::uint64_t ReportLedger::begun_today(std::string_view mailbox, Time now) {
  const std::string name = storable_text(mailbox);
  Transaction transaction(database_, Access::reading);
  const std::vector<Row> found = database_.rows(
      "SELECT begun FROM destination WHERE uri = $1 AND day = $2",
      {std::string_view(name), number_of(std::chrono::floor<std::chrono::days>(now))});
  return found.empty() ? 0 : static_cast<std::uint64_t>(found.front().number(0));
}

}  // namespace countersign::service::store
