// SPDX-License-Identifier: Apache-2.0
//
// A data base as the store needs it: statements with parameters, transactions, and the few things
// that SQLite and PostgreSQL do so differently that a statement for both would serve neither. What
// the store does stands in store.cpp and report_ledger.cpp, once, in the SQL that both read.
//
// Every value is a parameter, $1, $2, …; no statement is ever put together from a value.

#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "service/config/settings.hpp"
#include "service/store/record.hpp"
#include "service/store/store_error.hpp"

namespace countersign::service::store {

/// Octets that are no text.
struct Octets {
  std::string_view octets;
};

/// A parameter of a statement; a text must be what storable_text() gives.
using Parameter = std::variant<std::monostate, std::int64_t, std::string_view, Octets>;

/// A column of a result; texts and octets alike are strings.
using Field = std::variant<std::monostate, std::int64_t, std::string>;

/// A row of a result.
class Row {
 public:
  explicit Row(std::vector<Field> fields) : fields_(std::move(fields)) {}

  /// A number; 0 for NULL.
  [[nodiscard]] std::int64_t number(std::size_t column) const {
    const auto* value = std::get_if<std::int64_t>(&fields_[column]);
    return value ? *value : 0;
  }
  /// A text or octets; empty for NULL.
  [[nodiscard]] const std::string& text(std::size_t column) const {
    static const std::string none;
    const auto* value = std::get_if<std::string>(&fields_[column]);
    return value ? *value : none;
  }
  /// True for NULL.
  [[nodiscard]] bool is_null(std::size_t column) const { return fields_[column].index() == 0; }

 private:
  std::vector<Field> fields_;
};

/// Takes one row; false when no more are wanted.
using OnRow = std::function<bool(const Row&)>;

/// What a transaction does.
enum class Access : std::uint8_t { reading, writing };

/// One connection to a data base, for one thread. Whatever fails throws StoreError.
class Database {
 public:
  virtual ~Database() = default;

  /// Runs one statement and hands out its rows.
  /// Returns      how many rows were changed.
  virtual std::uint64_t run(std::string_view sql, std::span<const Parameter> parameters,
                            const OnRow& on_row) = 0;
  /// Runs one query within a transaction without ever holding all rows in memory.
  virtual void stream(std::string_view sql, std::span<const Parameter> parameters,
                      const OnRow& on_row) = 0;
  /// Runs statements without parameters.
  virtual void run_script(const std::string& sql) = 0;
  /// Begins a transaction; connects again when the connection was lost. One that reads holds no
  /// writer up.
  virtual void begin(Access access) = 0;
  /// Makes what it did last.
  virtual void commit() = 0;
  /// Undoes what it did.
  virtual void rollback() noexcept = 0;

  /// Adds counts of one day to an edition of it, within a transaction.
  virtual void add(std::span<const Counts::const_iterator> rows, const Edition& edition) = 0;
  /// The scripts that lead from one version of the schema to the next, the first from nothing to 1.
  [[nodiscard]] virtual std::span<const char* const> migrations() const = 0;
  /// Keeps others from migrating until the transaction ends, whose statements take the time that
  /// they need.
  virtual void lock_schema() = 0;
  /// What lets a query within a transaction pass over rows that another node is changing.
  [[nodiscard]] virtual std::string_view skip_locked() const = 0;
  /// What keeps others from changing the rows that a query within a transaction has found.
  [[nodiscard]] virtual std::string_view keep_unchanged() const = 0;

  /// Runs one statement whose rows, if any, do not matter.
  std::uint64_t run(std::string_view sql, std::initializer_list<Parameter> parameters = {}) {
    return run(sql, std::span(parameters.begin(), parameters.size()), {});
  }
  /// Runs one statement and gives its rows, of which there are few.
  [[nodiscard]] std::vector<Row> rows(std::string_view sql,
                                      std::initializer_list<Parameter> parameters = {}) {
    std::vector<Row> found;
    run(sql, std::span(parameters.begin(), parameters.size()), [&](const Row& row) {
      found.push_back(row);
      return true;
    });
    return found;
  }
};

/// A transaction that is undone unless it is committed.
class Transaction {
 public:
  explicit Transaction(Database& database, Access access = Access::writing) : database_(database) {
    database_.begin(access);
  }
  ~Transaction() {
    if (!committed_) database_.rollback();
  }
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  /// Makes what was done last.
  void commit() {
    database_.commit();
    committed_ = true;
  }

 private:
  Database& database_;
  bool committed_ = false;
};

/// The digest under which a data base finds a policy or an identity.
[[nodiscard]] std::string digest_of(std::string_view octets);

/// Opens SQLite's file, which is made if need be.
[[nodiscard]] std::unique_ptr<Database> open_sqlite(const std::string& path);
/// Connects to PostgreSQL.
[[nodiscard]] std::unique_ptr<Database> open_postgresql(const std::string& connection);

}  // namespace countersign::service::store
