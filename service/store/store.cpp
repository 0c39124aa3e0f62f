// SPDX-License-Identifier: Apache-2.0

#include "service/store/store.hpp"

#include <algorithm>
#include <utility>

#include "service/store/database.hpp"
#include "service/store/migrations_table.hpp"

namespace countersign::service::store {
namespace {

// Rows that one statement removes: a fraction of a second, on either engine.
constexpr std::int64_t rows_a_step = 20'000;

std::int64_t number_of(Day day) { return day.time_since_epoch().count(); }
std::int64_t number_of(Time time) { return time.time_since_epoch().count(); }

std::unique_ptr<Database> open(const config::StoreSettings& settings) {
  return settings.engine == config::StoreEngine::sqlite ? open_sqlite(settings.path)
                                                        : open_postgresql(settings.connection);
}

/// 0 when nothing is there.
int version_of(Database& database) {
  const std::vector<Row> found = database.rows("SELECT version FROM schema_version");
  return found.empty() ? 0 : static_cast<int>(found.front().number(0));
}

[[noreturn]] void refuse(int version) {
  throw StoreError(Remedy::operate,
                   "the store has schema " + std::to_string(version) +
                       ", which a newer countersign made; this one knows schemas up to " +
                       std::to_string(Store::schema_version()) +
                       ": upgrade it, or give it another store");
}

}  // namespace

void migrate(Database& database, int to_version) {
  Transaction transaction(database);
  database.lock_schema();
  database.run_script("CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL)");
  const int found = version_of(database);
  if (found > Store::schema_version()) refuse(found);
  if (found >= to_version) return;
  const auto steps = database.migrations();
  for (int version = found; version < to_version; ++version) {
    database.run_script(steps[static_cast<std::size_t>(version)]);
  }
  database.run("DELETE FROM schema_version");
  database.run("INSERT INTO schema_version (version) VALUES ($1)", {std::int64_t{to_version}});
  transaction.commit();
}

int Store::schema_version() { return static_cast<int>(sqlite_migrations().size()); }

Store::Store(const config::StoreSettings& settings)
    : database_(open(settings)), retention_(settings.retention) {
  migrate(*database_, schema_version());
}

Store::~Store() = default;
Store::Store(Store&&) noexcept = default;
Store& Store::operator=(Store&&) noexcept = default;

/// Another node may have brought the schema up while we were at work.
void Store::check_schema() {
  const int version = version_of(*database_);
  if (version > schema_version()) refuse(version);
  if (version < schema_version()) {
    throw StoreError(Remedy::wait,
                     "the store was put back to an earlier schema; it is opened anew");
  }
}

Day Store::kept_from(Time now) const {
  return std::chrono::floor<std::chrono::days>(now - retention_);
}

// --- counts --------------------------------------------------------------------------------------

AppendResult Store::append(const Counts& counts, const SpoolPosition& position, Time now) {
  Transaction transaction(*database_);
  check_schema();
  const std::uint64_t is_new = database_->run(
      "INSERT INTO spool (id, position, seen) VALUES ($1, $3, $4)"
      " ON CONFLICT (id) DO UPDATE SET position = excluded.position, seen = excluded.seen"
      " WHERE spool.position <= $2",
      {Octets{position.segment}, static_cast<std::int64_t>(position.begin),
       static_cast<std::int64_t>(position.end), number_of(now)});
  if (is_new == 0) {
    const std::vector<Row> found =
        database_->rows("SELECT position FROM spool WHERE id = $1", {Octets{position.segment}});
    return {false, static_cast<std::uint64_t>(found.front().number(0))};
  }
  std::vector<Counts::const_iterator> of_day;
  const Day first = kept_from(now);
  for (auto row = counts.begin(); row != counts.end(); ++row) {
    if (row->first.day < first) continue;
    of_day.push_back(row);
    const auto next = std::next(row);
    if (next != counts.end() && next->first.day == row->first.day) continue;
    database_->add(of_day, open_edition(row->first.day));
    of_day.clear();
  }
  transaction.commit();
  return {true, position.end};
}

/// The edition that counts go into. Nobody closes it before the transaction ends.
Edition Store::open_edition(Day day) {
  const std::string sql =
      "SELECT closed FROM edition WHERE day = $1" + std::string(database_->keep_unchanged());
  std::vector<Row> found = database_->rows(sql, {number_of(day)});
  if (found.empty()) {
    database_->run(
        "INSERT INTO edition (day, closed, closed_at) VALUES ($1, 0, 0)"
        " ON CONFLICT (day) DO NOTHING",
        {number_of(day)});
    found = database_->rows(sql, {number_of(day)});
  }
  return {day, found.front().number(0) + 1};
}

void Store::forget(std::string_view segment) {
  Transaction transaction(*database_);
  database_->run("DELETE FROM spool WHERE id = $1", {Octets{segment}});
  transaction.commit();
}

// --- editions ------------------------------------------------------------------------------------

ClosedEditions Store::close_edition(Day day, Time since, Time now) {
  Transaction transaction(*database_);
  check_schema();
  // Whoever is adding to it holds the line; it is closed with what he adds.
  const std::uint64_t closed = database_->run(
      "UPDATE edition SET closed = closed + 1, closed_at = $3 WHERE day = $1 AND closed_at < $2"
      " AND EXISTS (SELECT 1 FROM evaluation e"
      "  WHERE e.day = edition.day AND e.edition = edition.closed + 1)",
      {number_of(day), number_of(since), number_of(now)});
  const std::vector<Row> found =
      database_->rows("SELECT closed FROM edition WHERE day = $1", {number_of(day)});
  transaction.commit();
  return {.count = found.empty() ? 0 : found.front().number(0), .is_new = closed > 0};
}

std::int64_t Store::closed_editions(Day day) {
  Transaction transaction(*database_, Access::reading);
  const std::vector<Row> found =
      database_->rows("SELECT closed FROM edition WHERE day = $1", {number_of(day)});
  return found.empty() ? 0 : found.front().number(0);
}

std::vector<Day> Store::open_days(Day before) {
  Transaction transaction(*database_, Access::reading);
  std::vector<Day> days;
  for (const Row& row :
       database_->rows("SELECT day FROM edition WHERE day < $1 AND EXISTS"
                       " (SELECT 1 FROM evaluation e"
                       "  WHERE e.day = edition.day AND e.edition = edition.closed + 1)"
                       " ORDER BY day",
                       {number_of(before)}))
    days.emplace_back(std::chrono::days(row.number(0)));
  return days;
}

// --- reading -------------------------------------------------------------------------------------

std::optional<Day> Store::next_day(Day after) {
  Transaction transaction(*database_, Access::reading);
  const std::vector<Row> found =
      database_->rows("SELECT min(day) FROM evaluation WHERE day > $1", {number_of(after)});
  if (found.empty() || found.front().is_null(0)) return std::nullopt;
  return Day(std::chrono::days(found.front().number(0)));
}

std::vector<StoredPolicy> Store::policies(const Edition& edition, PolicyId after,
                                          std::size_t most) {
  Transaction transaction(*database_, Access::reading);
  std::vector<StoredPolicy> found;
  const std::vector<Row> rows = database_->rows(
      "SELECT p.id, p.body, s.messages FROM"
      " (SELECT policy, CAST(sum(messages) AS bigint) AS messages FROM evaluation"
      "  WHERE day = $1 AND edition = $2 AND policy > $3"
      "  GROUP BY policy ORDER BY policy LIMIT $4) s"
      " JOIN policy p ON p.id = s.policy ORDER BY p.id",
      {number_of(edition.day), edition.number, after, static_cast<std::int64_t>(most)});
  for (const Row& row : rows) {
    std::optional<report::PublishedPolicy> policy = decode_policy(row.text(1));
    if (!policy) {
      throw StoreError(Remedy::operate, "policy " + std::to_string(row.number(0)) +
                                            " of the store cannot be read; restore a backup");
    }
    found.push_back({row.number(0), *std::move(policy), static_cast<std::uint64_t>(row.number(2))});
  }
  return found;
}

void Store::read(const Edition& edition, PolicyId policy,
                 const std::function<bool(const CountedEvaluation&)>& on_row,
                 const RowPosition& after) {
  Transaction transaction(*database_, Access::reading);
  const std::initializer_list<Parameter> parameters{number_of(edition.day), edition.number, policy,
                                                    Octets{after.source}, after.identity};
  database_->stream(
      "SELECT p.body, e.source, i.body, e.messages, e.identity FROM evaluation e"
      " JOIN policy p ON p.id = e.policy JOIN identity i ON i.id = e.identity"
      " WHERE e.day = $1 AND e.edition = $2 AND e.policy = $3"
      " AND (e.source, e.identity) > ($4, $5) ORDER BY e.source, e.identity",
      std::span(parameters.begin(), parameters.size()), [&](const Row& row) {
        const RowKey key{edition.day, row.text(0), row.text(1), row.text(2)};
        std::optional<report::Evaluation> evaluation = evaluation_of(key);
        if (!evaluation) {
          throw StoreError(Remedy::operate, "policy " + std::to_string(policy) +
                                                " of the store has a row that cannot be read; "
                                                "restore a backup");
        }
        return on_row({.evaluation = *std::move(evaluation),
                       .messages = static_cast<std::uint64_t>(row.number(3)),
                       .position = {row.text(1), row.number(4)}});
      });
}

std::string Store::name() {
  Transaction transaction(*database_, Access::reading);
  const std::vector<Row> found = database_->rows("SELECT name FROM store_name");
  if (found.size() != 1)
    throw StoreError(Remedy::operate, "the store has lost its name; restore a backup");
  return found.front().text(0);
}

StoreSize Store::size() {
  Transaction transaction(*database_, Access::reading);
  const std::vector<Row> found = database_->rows(
      "SELECT count(*), CAST(sum(messages) AS bigint), (SELECT count(*) FROM policy),"
      " (SELECT count(*) FROM identity) FROM evaluation");
  const auto column = [&](std::size_t number) {
    return static_cast<std::uint64_t>(found.front().number(number));
  };
  return {column(0), column(1), column(2), column(3)};
}

// --- expiry --------------------------------------------------------------------------------------

/// Removes some of the oldest counts, of whatever edition; how many.
std::size_t Store::expire_counts(std::int64_t before) {
  Transaction transaction(*database_);
  const std::vector<Row> oldest = database_->rows("SELECT min(day) FROM evaluation");
  if (oldest.front().is_null(0) || oldest.front().number(0) >= before) return 0;
  const std::int64_t day = oldest.front().number(0);
  const std::vector<Row> last = database_->rows(
      "SELECT edition, policy FROM evaluation WHERE day = $1"
      " ORDER BY edition, policy LIMIT 1 OFFSET $2",
      {day, rows_a_step});
  const std::size_t removed =
      last.empty() ? database_->run("DELETE FROM evaluation WHERE day = $1", {day})
                   : database_->run(
                         "DELETE FROM evaluation WHERE day = $1 AND (edition, policy) <= ($2, $3)",
                         {day, last.front().number(0), last.front().number(1)});
  transaction.commit();
  return removed;
}

bool Store::expire(Time now, const std::function<bool()>& goes_on) {
  const std::int64_t before = number_of(kept_from(now));
  const std::int64_t before_time = number_of(Time(kept_from(now)));
  const auto all = [&](const std::function<std::uint64_t()>& remove_some) {
    for (;;) {
      if (goes_on && !goes_on()) return false;
      if (remove_some() == 0) return true;
    }
  };
  const auto remove = [&](std::string_view sql, std::int64_t bound) {
    return all([&] {
      Transaction transaction(*database_);
      const std::uint64_t removed = database_->run(sql, {bound, rows_a_step});
      transaction.commit();
      return removed;
    });
  };
  // What counts refer to was used on their day, so it is at least as young as they are. The bound
  // stands twice: a row may be used again between being found and being removed.
  return all([&] { return expire_counts(before); }) &&
         remove(
             "DELETE FROM report WHERE day < $1 AND (day, policy, destination, edition) IN"
             " (SELECT day, policy, destination, edition FROM report WHERE day < $1 LIMIT $2)",
             before) &&
         remove(
             "DELETE FROM edition WHERE day < $1 AND day IN"
             " (SELECT day FROM edition WHERE day < $1 LIMIT $2)",
             before) &&
         remove(
             "DELETE FROM policy WHERE last_day < $1 AND id IN"
             " (SELECT id FROM policy WHERE last_day < $1 LIMIT $2)",
             before) &&
         remove(
             "DELETE FROM identity WHERE last_day < $1 AND id IN"
             " (SELECT id FROM identity WHERE last_day < $1 LIMIT $2)",
             before) &&
         // A segment that comes back after that long has only days that append() leaves out.
         remove(
             "DELETE FROM spool WHERE seen < $1 AND id IN"
             " (SELECT id FROM spool WHERE seen < $1 LIMIT $2)",
             before_time) &&
         remove(
             "DELETE FROM destination WHERE changed < $1 AND uri IN"
             " (SELECT uri FROM destination WHERE changed < $1 LIMIT $2)",
             before_time);
}

}  // namespace countersign::service::store
