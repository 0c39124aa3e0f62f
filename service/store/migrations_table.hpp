// SPDX-License-Identifier: Apache-2.0
//
// The schema of the store, as the steps that led to it. A step that was released is never changed:
// data bases have taken it. To change the schema, add a step to both lists.

#pragma once

#include <span>

namespace countersign::service::store {

/// Steps for SQLite; the first leads from nothing to version 1.
[[nodiscard]] std::span<const char* const> sqlite_migrations();
/// The same steps for PostgreSQL.
[[nodiscard]] std::span<const char* const> postgresql_migrations();

}  // namespace countersign::service::store
