// SPDX-License-Identifier: Apache-2.0
//
// SQLite as a Database: one file, in WAL mode, so that readers (a report, a page, a backup) and the
// one writer do not wait for one another.

#include <sqlite3.h>

#include <map>
#include <utility>

#include "countersign/crypto/digest.hpp"
#include "service/store/database.hpp"
#include "service/store/migrations_table.hpp"

namespace countersign::service::store {
namespace {

// Another process may be writing: an expiry of a large day takes seconds.
constexpr int busy_milliseconds = 10'000;

struct CloseDatabase {
  void operator()(sqlite3* database) const { sqlite3_close_v2(database); }
};
struct FinalizeStatement {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Statement = std::unique_ptr<sqlite3_stmt, FinalizeStatement>;

Remedy remedy_of(int code) {
  switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_FULL:
    case SQLITE_IOERR:
    case SQLITE_NOMEM:
    case SQLITE_INTERRUPT:
      return Remedy::wait;
    default:
      return Remedy::operate;
  }
}

class Sqlite final : public Database {
 public:
  explicit Sqlite(const std::string& path) : path_(path) {
    constexpr int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    sqlite3* opened = nullptr;
    const int code = sqlite3_open_v2(path.c_str(), &opened, flags, nullptr);
    database_.reset(opened);
    if (code != SQLITE_OK) fail(code);
    sqlite3_extended_result_codes(opened, 1);
    sqlite3_busy_timeout(opened, busy_milliseconds);
    // A commit is durable when it returns: the spool forgets what was committed.
    run_script("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY;");
  }

  std::uint64_t run(std::string_view sql, std::span<const Parameter> parameters,
                    const OnRow& on_row) override {
    sqlite3_stmt* statement = prepare(sql);
    for (std::size_t i = 0; i < parameters.size(); ++i) bind(statement, i + 1, parameters[i]);
    const Reset reset{statement};
    const auto changed_before = sqlite3_total_changes64(database_.get());
    for (;;) {
      const int code = sqlite3_step(statement);
      if (code == SQLITE_DONE) break;
      if (code != SQLITE_ROW) fail(code);
      // A statement that changes rows is run to its end, whoever wants to see them.
      if (on_row && !on_row(row_of(statement)) && sqlite3_stmt_readonly(statement) != 0) break;
    }
    return static_cast<std::uint64_t>(sqlite3_total_changes64(database_.get()) - changed_before);
  }

  void stream(std::string_view sql, std::span<const Parameter> parameters,
              const OnRow& on_row) override {
    run(sql, parameters, on_row);
  }

  void run_script(const std::string& sql) override {
    const int code = sqlite3_exec(database_.get(), sql.c_str(), nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) fail(code);
  }

  // A transaction that begins by reading cannot always begin to write later.
  void begin(Access access) override {
    run_script(access == Access::reading ? "BEGIN" : "BEGIN IMMEDIATE");
  }
  void commit() override { run_script("COMMIT"); }
  void rollback() noexcept override {
    sqlite3_exec(database_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
  }

  void add(std::span<const Counts::const_iterator> rows, const Edition& edition) override {
    std::map<std::string_view, std::int64_t> policies;
    const std::int64_t day_number = edition.day.time_since_epoch().count();
    for (const Counts::const_iterator& row : rows) {
      const RowKey& key = row->first;
      std::int64_t& policy = policies[key.policy];  // Few, and the same for many rows.
      if (policy == 0) policy = policy_id(key.policy, day_number);
      run("INSERT INTO evaluation (day, edition, policy, source, identity, messages)"
          " VALUES ($1, $2, $3, $4, $5, $6)"
          " ON CONFLICT (day, edition, policy, source, identity)"
          " DO UPDATE SET messages = messages + excluded.messages",
          {day_number, edition.number, policy, Octets{key.source},
           identity_id(key.identity, day_number), static_cast<std::int64_t>(row->second)});
    }
  }

  [[nodiscard]] std::span<const char* const> migrations() const override {
    return sqlite_migrations();
  }
  void lock_schema() override {}  // BEGIN IMMEDIATE has locked the file.
  [[nodiscard]] std::string_view skip_locked() const override { return ""; }
  [[nodiscard]] std::string_view keep_unchanged() const override { return ""; }

  using Database::run;

 private:
  struct Reset {
    sqlite3_stmt* statement;
    ~Reset() {
      sqlite3_reset(statement);
      sqlite3_clear_bindings(statement);  // What was bound lives no longer than the call.
    }
  };

  [[noreturn]] void fail(int code) const {
    const char* const words = database_ ? sqlite3_errmsg(database_.get()) : sqlite3_errstr(code);
    throw StoreError(remedy_of(code), "the store " + path_ + ": " + words +
                                          "; see store.path, and who may write to its folder");
  }

  sqlite3_stmt* prepare(std::string_view sql) {
    const auto found = statements_.find(sql);
    if (found != statements_.end()) return found->second.get();
    sqlite3_stmt* prepared = nullptr;
    const int code = sqlite3_prepare_v3(database_.get(), sql.data(), static_cast<int>(sql.size()),
                                        SQLITE_PREPARE_PERSISTENT, &prepared, nullptr);
    if (code != SQLITE_OK) fail(code);
    return statements_.emplace(std::string(sql), prepared).first->second.get();
  }

  void bind(sqlite3_stmt* statement, std::size_t number, const Parameter& parameter) const {
    // To SQLite "$1" is a name, and names are numbered as they come.
    const std::string name = "$" + std::to_string(number);
    const int at = sqlite3_bind_parameter_index(statement, name.c_str());
    int code = SQLITE_OK;
    if (const auto* value = std::get_if<std::int64_t>(&parameter)) {
      code = sqlite3_bind_int64(statement, at, *value);
    } else if (const auto* text = std::get_if<std::string_view>(&parameter)) {
      code = sqlite3_bind_text64(statement, at, text->empty() ? "" : text->data(), text->size(),
                                 SQLITE_STATIC, SQLITE_UTF8);
    } else if (const auto* blob = std::get_if<Octets>(&parameter)) {
      const std::string_view octets = blob->octets;
      code = sqlite3_bind_blob64(statement, at, octets.empty() ? "" : octets.data(), octets.size(),
                                 SQLITE_STATIC);
    }
    if (code != SQLITE_OK) fail(code);
  }

  static Row row_of(sqlite3_stmt* statement) {
    std::vector<Field> fields(static_cast<std::size_t>(sqlite3_column_count(statement)));
    for (std::size_t i = 0; i < fields.size(); ++i) {
      const int column = static_cast<int>(i);
      const int type = sqlite3_column_type(statement, column);
      if (type == SQLITE_INTEGER) {
        fields[i] = std::int64_t{sqlite3_column_int64(statement, column)};
      } else if (type == SQLITE_TEXT || type == SQLITE_BLOB) {
        const auto* octets = static_cast<const char*>(sqlite3_column_blob(statement, column));
        const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement, column));
        fields[i] = octets ? std::string(octets, size) : std::string();
      }
    }
    return Row(std::move(fields));
  }

  std::int64_t policy_id(std::string_view body, std::int64_t day) {
    const std::string digest = digest_of(body);
    const std::int64_t known = touch("policy", digest, day);
    if (known != 0) return known;
    const std::string domain =
        storable_text(decode_policy(body).value_or(report::PublishedPolicy{}).domain);
    return rows(
               "INSERT INTO policy (digest, domain, body, last_day) VALUES ($1, $2, $3, $4)"
               " RETURNING id",
               {Octets{digest}, std::string_view(domain), Octets{body}, day})
        .front()
        .number(0);
  }

  std::int64_t identity_id(std::string_view body, std::int64_t day) {
    const std::string digest = digest_of(body);
    const std::int64_t known = touch("identity", digest, day);
    if (known != 0) return known;
    return rows("INSERT INTO identity (digest, body, last_day) VALUES ($1, $2, $3) RETURNING id",
                {Octets{digest}, Octets{body}, day})
        .front()
        .number(0);
  }

  /// The row of that digest, which is used on that day; 0 when there is none.
  std::int64_t touch(std::string_view table, const std::string& digest, std::int64_t day) {
    const bool is_policy = table == "policy";
    const std::vector<Row> found =
        rows(is_policy ? "SELECT id, last_day FROM policy WHERE digest = $1"
                       : "SELECT id, last_day FROM identity WHERE digest = $1",
             {Octets{digest}});
    if (found.empty()) return 0;
    const std::int64_t id = found.front().number(0);
    if (found.front().number(1) < day) {
      run(is_policy ? "UPDATE policy SET last_day = $2 WHERE id = $1"
                    : "UPDATE identity SET last_day = $2 WHERE id = $1",
          {id, day});
    }
    return id;
  }

  std::string path_;
  std::unique_ptr<sqlite3, CloseDatabase> database_;
  std::map<std::string, Statement, std::less<>> statements_;
};

}  // namespace

std::string digest_of(std::string_view octets) {
  // Half of SHA-256: two values that somebody makes on purpose to share it cost 2^64 attempts, and
  // all that they win is to be counted as one.
  return std::string(crypto::as_octets(crypto::sha256(octets)).substr(0, 16));
}

std::unique_ptr<Database> open_sqlite(const std::string& path) {
  return std::make_unique<Sqlite>(path);
}

}  // namespace countersign::service::store
