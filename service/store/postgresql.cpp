// SPDX-License-Identifier: Apache-2.0
//
// PostgreSQL as a Database. Counts go over in three statements a batch, whose parameters are
// arrays: policies, identities, and the counts joined to both. A connection that was lost is made
// again by the next transaction. No call waits longer than a few deadlines say, so that a server
// that is away is noticed.

#include <libpq-fe.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <map>
#include <utility>

#include "service/store/database.hpp"
#include "service/store/migrations_table.hpp"

namespace countersign::service::store {
namespace {

// Types of the protocol, as pg_type has them.
constexpr Oid type_bytea = 17;
constexpr Oid type_int8 = 20;
constexpr Oid type_int2 = 21;
constexpr Oid type_int4 = 23;
constexpr Oid type_text = 25;
constexpr Oid type_bytea_array = 1001;
constexpr Oid type_text_array = 1009;
constexpr Oid type_int8_array = 1016;
constexpr int binary = 1;
// Any number: what all nodes of a fleet lock when they look at the schema.
constexpr std::int64_t schema_lock = 0x636f756e74657273;
// Longer than the server's own deadline for a statement, which is set to 15 s.
constexpr std::chrono::seconds answer_timeout{20};
// A large table may be written anew.
constexpr std::chrono::hours migration_patience{12};
constexpr std::string_view rows_a_fetch = "1000";

struct ClearResult {
  void operator()(PGresult* result) const { PQclear(result); }
};
using Answer = std::unique_ptr<PGresult, ClearResult>;
struct FinishConnection {
  void operator()(PGconn* connection) const { PQfinish(connection); }
};

void append_big_endian(std::string& out, std::uint64_t value, unsigned octets) {
  for (unsigned i = octets; i-- > 0;) {
    out += static_cast<char>(static_cast<unsigned char>(value >> (8 * i)));
  }
}

std::int64_t read_big_endian(const char* octets, int size) {
  // The sign is in the first octet.
  std::int64_t value = static_cast<signed char>(octets[0]);
  for (int i = 1; i < size; ++i) value = value * 256 + static_cast<unsigned char>(octets[i]);
  return value;
}

/// An array in the protocol's binary form: its head, then each element behind its length.
class Array {
 public:
  explicit Array(Oid element) : element_(element) {}
  void add(std::string_view octets) {
    append_big_endian(elements_, octets.size(), 4);
    elements_ += octets;
    ++count_;
  }
  void add(std::uint64_t number) {
    append_big_endian(elements_, 8, 4);
    append_big_endian(elements_, number, 8);
    ++count_;
  }
  [[nodiscard]] std::string take() {
    std::string head;
    append_big_endian(head, 1, 4);  // One dimension,
    append_big_endian(head, 0, 4);  // no NULL,
    append_big_endian(head, element_, 4);
    append_big_endian(head, count_, 4);
    append_big_endian(head, 1, 4);  // counted from one.
    return head + std::exchange(elements_, {});
  }

 private:
  Oid element_;
  std::uint64_t count_ = 0;
  std::string elements_;
};

/// Parameters as libpq takes them.
class Parameters {
 public:
  void add(Oid type, std::string octets) {
    types_.push_back(type);
    octets_.push_back(std::move(octets));
    is_null_.push_back(false);
  }
  void add(const Parameter& parameter) {
    if (const auto* value = std::get_if<std::int64_t>(&parameter)) {
      std::string octets;
      append_big_endian(octets, static_cast<std::uint64_t>(*value), 8);
      add(type_int8, std::move(octets));
    } else if (const auto* text = std::get_if<std::string_view>(&parameter)) {
      add(type_text, std::string(*text));
    } else if (const auto* blob = std::get_if<Octets>(&parameter)) {
      add(type_bytea, std::string(blob->octets));
    } else {
      add(0, {});
      is_null_.back() = true;
    }
  }
  /// Sends a statement with them; false when that fails at once.
  [[nodiscard]] bool send(PGconn* connection, const std::string& sql) const {
    std::vector<const char*> values;
    std::vector<int> lengths;
    for (std::size_t i = 0; i < octets_.size(); ++i) {
      values.push_back(is_null_[i] ? nullptr : octets_[i].data());
      lengths.push_back(static_cast<int>(octets_[i].size()));
    }
    const std::vector<int> formats(octets_.size(), binary);
    return PQsendQueryParams(connection, sql.c_str(), static_cast<int>(octets_.size()),
                             types_.data(), values.data(), lengths.data(), formats.data(),
                             binary) == 1;
  }

 private:
  std::vector<Oid> types_;
  std::vector<std::string> octets_;
  std::vector<bool> is_null_;
};

class Postgresql final : public Database {
 public:
  explicit Postgresql(std::string connection) : settings_(std::move(connection)) { connect(); }

  std::uint64_t run(std::string_view sql, std::span<const Parameter> parameters,
                    const OnRow& on_row) override {
    Parameters sent;
    for (const Parameter& parameter : parameters) sent.add(parameter);
    const Answer answer = ask(std::string(sql), sent);
    if (on_row) hand_out(answer.get(), on_row);
    return changed_by(answer.get());
  }

  void stream(std::string_view sql, std::span<const Parameter> parameters,
              const OnRow& on_row) override {
    run("DECLARE streamed NO SCROLL CURSOR FOR " + std::string(sql), parameters, {});
    const std::string fetch = "FETCH " + std::string(rows_a_fetch) + " FROM streamed";
    for (bool goes_on = true; goes_on;) {
      const Answer answer = ask(fetch, {});
      goes_on = PQntuples(answer.get()) > 0 && hand_out(answer.get(), on_row);
    }
    run_script("CLOSE streamed");
  }

  void run_script(const std::string& sql) override {
    static_cast<void>(checked(answer_to(PQsendQuery(connection_.get(), sql.c_str()) == 1)));
  }

  void begin(Access access) override {
    if (is_lost_ || PQstatus(connection_.get()) != CONNECTION_OK) connect();
    patience_ = answer_timeout;
    run_script(access == Access::reading ? "BEGIN READ ONLY" : "BEGIN");
  }
  void commit() override {
    const Answer answer = ask("COMMIT", {});
    // A transaction that has failed is undone, and the server calls that a success.
    if (std::string_view(PQcmdStatus(answer.get())) != "COMMIT") fail("it was undone");
  }
  void rollback() noexcept override {
    // Without its connection a transaction is undone by the server.
    if (is_lost_ || PQtransactionStatus(connection_.get()) == PQTRANS_IDLE) return;
    try {
      run_script("ROLLBACK");
    } catch (const StoreError&) {
      is_lost_ = true;
    }
  }

  void add(std::span<const Counts::const_iterator> rows, const Edition& edition) override {
    const std::int64_t day_number = edition.day.time_since_epoch().count();
    std::map<std::string_view, std::string> policies;
    std::map<std::string_view, std::string> identities;
    for (const Counts::const_iterator& row : rows) {
      digest_once(policies, row->first.policy);
      digest_once(identities, row->first.identity);
    }
    add_policies(policies, day_number);
    add_identities(identities, day_number);
    Parameters sent;
    sent.add(Parameter(day_number));
    sent.add(Parameter(edition.number));
    Array policy(type_bytea);
    Array source(type_bytea);
    Array identity(type_bytea);
    Array messages(type_int8);
    for (const Counts::const_iterator& row : rows) {
      policy.add(policies.at(row->first.policy));
      source.add(row->first.source);
      identity.add(identities.at(row->first.identity));
      messages.add(row->second);
    }
    sent.add(type_bytea_array, policy.take());
    sent.add(type_bytea_array, source.take());
    sent.add(type_bytea_array, identity.take());
    sent.add(type_int8_array, messages.take());
    const Answer answer =
        ask("INSERT INTO evaluation (day, edition, policy, source, identity, messages)"
            " SELECT $1, $2, p.id, t.source, i.id, t.messages"
            " FROM unnest($3, $4, $5, $6) AS t (policy, source, identity, messages)"
            " JOIN policy p ON p.digest = t.policy JOIN identity i ON i.digest = t.identity"
            " ORDER BY p.id, t.source, i.id"
            " ON CONFLICT (day, edition, policy, source, identity)"
            " DO UPDATE SET messages = evaluation.messages + excluded.messages",
            sent);
    if (changed_by(answer.get()) != rows.size()) fail("counts were lost on the way");
  }

  [[nodiscard]] std::span<const char* const> migrations() const override {
    return postgresql_migrations();
  }
  void lock_schema() override {
    run_script("SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0");
    patience_ = migration_patience;
    run("SELECT pg_advisory_xact_lock($1)", {schema_lock});
  }
  [[nodiscard]] std::string_view skip_locked() const override { return " FOR UPDATE SKIP LOCKED"; }
  [[nodiscard]] std::string_view keep_unchanged() const override { return " FOR SHARE"; }

  using Database::run;

 private:
  void connect() {
    // What stands in the setting goes over what stands before it.
    const std::array<const char*, 9> keys{
        "application_name",    "connect_timeout",  "keepalives_idle",
        "keepalives_interval", "keepalives_count", "tcp_user_timeout",
        "client_encoding",     "dbname",           nullptr};
    const std::array<const char*, 9> values{
        "countersign", "5", "10", "5", "3", "15000", "UTF8", settings_.c_str(), nullptr};
    connection_.reset(PQconnectdbParams(keys.data(), values.data(), 1));
    if (PQstatus(connection_.get()) != CONNECTION_OK) {
      fail(PQerrorMessage(connection_.get()));
    }
    is_lost_ = false;
    PQsetnonblocking(connection_.get(), 1);
    PQsetNoticeProcessor(connection_.get(), [](void*, const char*) {}, nullptr);
    run_script(
        "SET statement_timeout = '15s'; SET lock_timeout = '10s';"
        "SET idle_in_transaction_session_timeout = '60s'; SET standard_conforming_strings = on");
  }

  /// The answer to one statement.
  Answer ask(const std::string& sql, const Parameters& parameters) {
    return checked(answer_to(parameters.send(connection_.get(), sql)));
  }

  /// Waits for the answer to what was sent. A server that does not answer at all is given up, with
  /// its connection: its host may be there and take octets for ever.
  Answer answer_to(bool was_sent) {
    if (!was_sent) fail(PQerrorMessage(connection_.get()));
    const auto end = std::chrono::steady_clock::now() + patience_;
    Answer last;
    for (;;) {
      const bool has_more_to_send = PQflush(connection_.get()) == 1;
      while (!has_more_to_send && PQisBusy(connection_.get()) == 0) {
        Answer next(PQgetResult(connection_.get()));
        if (!next) return last;
        last = std::move(next);
        if (PQresultStatus(last.get()) == PGRES_FATAL_ERROR) is_lost_ = is_broken();
      }
      wait_for_socket(has_more_to_send, end);
      if (PQconsumeInput(connection_.get()) == 0) fail(PQerrorMessage(connection_.get()));
    }
  }

  [[nodiscard]] bool is_broken() const { return PQstatus(connection_.get()) != CONNECTION_OK; }

  void wait_for_socket(bool may_write, std::chrono::steady_clock::time_point end) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
    pollfd socket{.fd = PQsocket(connection_.get()),
                  .events = static_cast<short>(may_write ? POLLIN | POLLOUT : POLLIN),
                  .revents = 0};
    const int ready = ::poll(&socket, 1, static_cast<int>(std::max<long>(left.count(), 0)));
    if (ready > 0 || (ready < 0 && errno == EINTR)) return;
    is_lost_ = true;
    fail("the server does not answer");
  }

  [[noreturn]] void fail(std::string words, Remedy remedy = Remedy::wait) const {
    for (char& c : words) {
      if (c == '\n') c = ' ';
    }
    while (words.ends_with(' ')) words.pop_back();
    throw StoreError(remedy, "PostgreSQL: " + words + "; see store.connection");
  }

  Answer checked(Answer answer) const {
    const ExecStatusType status = PQresultStatus(answer.get());
    if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) return answer;
    const char* const state = answer ? PQresultErrorField(answer.get(), PG_DIAG_SQLSTATE) : nullptr;
    // Connections, resources, operators, deadlocks and deadlines pass; the rest is a matter of what
    // was asked.
    constexpr std::array<std::string_view, 6> passing{"08", "40", "53", "55", "57", "58"};
    bool passes = state == nullptr;
    for (const std::string_view one : passing) {
      if (state != nullptr && std::string_view(state).starts_with(one)) passes = true;
    }
    fail(PQerrorMessage(connection_.get()), passes ? Remedy::wait : Remedy::operate);
  }

  static std::uint64_t changed_by(PGresult* answer) {
    return std::strtoull(PQcmdTuples(answer), nullptr, 10);
  }

  static bool hand_out(PGresult* answer, const OnRow& on_row) {
    const int count = PQntuples(answer);
    for (int i = 0; i < count; ++i) {
      if (!on_row(row_of(answer, i))) return false;
    }
    return true;
  }

  static Row row_of(PGresult* answer, int row) {
    std::vector<Field> fields(static_cast<std::size_t>(PQnfields(answer)));
    for (std::size_t i = 0; i < fields.size(); ++i) {
      const int column = static_cast<int>(i);
      if (PQgetisnull(answer, row, column) != 0) continue;
      const Oid type = PQftype(answer, column);
      const char* const octets = PQgetvalue(answer, row, column);
      const int size = PQgetlength(answer, row, column);
      if (type == type_int8 || type == type_int4 || type == type_int2) {
        fields[i] = read_big_endian(octets, size);
      } else {
        fields[i] = std::string(octets, static_cast<std::size_t>(size));
      }
    }
    return Row(std::move(fields));
  }

  static void digest_once(std::map<std::string_view, std::string>& digests, std::string_view body) {
    std::string& digest = digests[body];
    if (digest.empty()) digest = digest_of(body);
  }

  // A row that is there is locked and not written, unless this is its first use on that day: so it
  // cannot expire before the counts refer to it.
  void add_policies(const std::map<std::string_view, std::string>& policies, std::int64_t day) {
    Array digests(type_bytea);
    Array domains(type_text);
    Array bodies(type_bytea);
    for (const auto& [body, digest] : policies) {
      digests.add(digest);
      domains.add(storable_text(decode_policy(body).value_or(report::PublishedPolicy{}).domain));
      bodies.add(body);
    }
    Parameters sent;
    sent.add(type_bytea_array, digests.take());
    sent.add(type_text_array, domains.take());
    sent.add(type_bytea_array, bodies.take());
    sent.add(Parameter(day));
    static_cast<void>(ask(
        "INSERT INTO policy (digest, domain, body, last_day)"
        " SELECT t.digest, t.domain, t.body, $4 FROM unnest($1, $2, $3) AS t (digest, domain, body)"
        " ORDER BY t.digest"
        " ON CONFLICT (digest) DO UPDATE SET last_day = excluded.last_day"
        " WHERE policy.last_day < excluded.last_day",
        sent));
  }

  void add_identities(const std::map<std::string_view, std::string>& identities, std::int64_t day) {
    Array digests(type_bytea);
    Array bodies(type_bytea);
    for (const auto& [body, digest] : identities) {
      digests.add(digest);
      bodies.add(body);
    }
    Parameters sent;
    sent.add(type_bytea_array, digests.take());
    sent.add(type_bytea_array, bodies.take());
    sent.add(Parameter(day));
    static_cast<void>(
        ask("INSERT INTO identity (digest, body, last_day)"
            " SELECT t.digest, t.body, $3 FROM unnest($1, $2) AS t (digest, body) ORDER BY t.digest"
            " ON CONFLICT (digest) DO UPDATE SET last_day = excluded.last_day"
            " WHERE identity.last_day < excluded.last_day",
            sent));
  }

  std::string settings_;
  std::unique_ptr<PGconn, FinishConnection> connection_;
  bool is_lost_ = false;  // Nothing more is asked over this connection.
  std::chrono::seconds patience_ = answer_timeout;
};

}  // namespace

std::unique_ptr<Database> open_postgresql(const std::string& connection) {
  return std::make_unique<Postgresql>(connection);
}

}  // namespace countersign::service::store
