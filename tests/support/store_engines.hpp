// SPDX-License-Identifier: Apache-2.0
//
// The engines of the store for tests that hold for both of them: each test runs once on a SQLite
// file and once on a real PostgreSQL server.

#pragma once

#include <gtest/gtest.h>

#include <string>

#include "service/store/database.hpp"
#include "service/store/store.hpp"
#include "tests/support/folder.hpp"
#include "tests/support/postgresql_server.hpp"

namespace countersign::test {

using service::config::StoreEngine;

/// A test of a store that is empty when it begins.
class StoreTest : public testing::TestWithParam<StoreEngine> {
 protected:
  StoreTest() {
    settings_.engine = GetParam();
    settings_.path = folder_ / "store.sqlite";
    if (GetParam() == StoreEngine::postgresql) {
      PostgresqlServer& server = PostgresqlServer::shared();
      settings_.connection = server.connection(server.new_schema());
    }
    settings_.spool_directory = folder_ / "spool";
  }

  /// A connection of its own.
  [[nodiscard]] service::store::Store open() const { return service::store::Store(settings_); }
  /// The same without a look at the schema.
  [[nodiscard]] std::unique_ptr<service::store::Database> open_database() const {
    return GetParam() == StoreEngine::sqlite
               ? service::store::open_sqlite(settings_.path)
               : service::store::open_postgresql(settings_.connection);
  }

  Folder folder_;
  service::config::StoreSettings settings_;
};

/// The name of an engine in the name of a test.
[[nodiscard]] inline std::string engine_name(const testing::TestParamInfo<StoreEngine>& info) {
  return info.param == StoreEngine::sqlite ? "Sqlite" : "Postgresql";
}

}  // namespace countersign::test

/// Runs the tests of a fixture on both engines.
#define COUNTERSIGN_ON_BOTH_ENGINES(fixture)                                                       \
  INSTANTIATE_TEST_SUITE_P(Engines, fixture,                                                       \
                           testing::Values(countersign::service::config::StoreEngine::sqlite,      \
                                           countersign::service::config::StoreEngine::postgresql), \
                           countersign::test::engine_name)
