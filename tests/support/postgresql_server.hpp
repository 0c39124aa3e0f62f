// SPDX-License-Identifier: Apache-2.0
//
// A real PostgreSQL server of the tests: a data directory of its own, reached over a unix socket in
// it and not over any network.

#pragma once

#include <sys/types.h>

#include <string>

#include "tests/support/folder.hpp"

namespace countersign::test {

/// PostgreSQL; runs from its construction to its end, and can be stopped and started between.
class PostgresqlServer {
 public:
  /// Makes a data directory, starts the server and waits until it answers. Root, as which the
  /// server does not run, becomes the user postgres for it.
  /// Throws std::runtime_error, with the server's own words, when it is missing or does not start.
  PostgresqlServer();
  ~PostgresqlServer();
  PostgresqlServer(const PostgresqlServer&) = delete;
  PostgresqlServer& operator=(const PostgresqlServer&) = delete;

  /// The one server of a test program, started when it is first asked for.
  [[nodiscard]] static PostgresqlServer& shared();

  /// How to reach it, with what is said in SQL's search_path.
  [[nodiscard]] std::string connection(const std::string& schema = "public") const;
  /// A place for tables that nobody else uses.
  [[nodiscard]] std::string new_schema();
  /// Runs statements as psql does; what it prints, unaligned and without headers.
  std::string psql(const std::string& sql) const;

  /// Starts it after stop().
  void start();
  /// Ends it at once, as a failure does.
  void stop();
  /// Makes it deaf, and lets it hear again: SIGSTOP and SIGCONT for all of its processes.
  void pause(bool is_paused) const;

 private:
  [[nodiscard]] std::string data() const { return folder_ / "data"; }
  [[nodiscard]] std::string run_as_server(const std::string& command) const;

  Folder folder_;
  pid_t process_ = -1;
  int schemas_ = 0;
};

}  // namespace countersign::test
