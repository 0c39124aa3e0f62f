// SPDX-License-Identifier: Apache-2.0
//
// LMDB data sets (mdb:), read whole when settings are read: the only file that knows the library.

#include <lmdb.h>

#include <memory>

#include "service/config/files.hpp"

namespace countersign::service::config {
namespace {

using Entries = std::vector<std::pair<std::string, std::string>>;

std::unexpected<std::string> lmdb_error(int code) {
  return std::unexpected(std::string(mdb_strerror(code)));
}

// Tools that store C strings store their final NUL octet too.
std::string to_text(const MDB_val& value) {
  std::string text(static_cast<const char*>(value.mv_data), value.mv_size);
  if (text.ends_with('\0')) text.pop_back();
  return text;
}

std::expected<Entries, std::string> read_all(MDB_txn* transaction) {
  MDB_dbi database{};
  if (const int code = mdb_dbi_open(transaction, nullptr, 0, &database)) return lmdb_error(code);
  MDB_cursor* raw_cursor = nullptr;
  if (const int code = mdb_cursor_open(transaction, database, &raw_cursor)) {
    return lmdb_error(code);
  }
  const std::unique_ptr<MDB_cursor, decltype(&mdb_cursor_close)> cursor(raw_cursor,
                                                                        &mdb_cursor_close);
  Entries entries;
  std::size_t octets = 0;
  MDB_val key{};
  MDB_val value{};
  int code = MDB_SUCCESS;
  while ((code = mdb_cursor_get(cursor.get(), &key, &value, MDB_NEXT)) == MDB_SUCCESS) {
    octets += key.mv_size + value.mv_size;
    if (octets > file_octets_max) return std::unexpected("it is larger than 256 MiB");
    entries.emplace_back(to_text(key), to_text(value));
  }
  if (code != MDB_NOTFOUND) return lmdb_error(code);
  return entries;
}

}  // namespace

std::expected<Entries, std::string> SystemFiles::read_lmdb(const std::string& path) const {
  const auto found = status(path);
  if (!found) return std::unexpected(found.error());
  MDB_env* raw_environment = nullptr;
  if (const int code = mdb_env_create(&raw_environment)) return lmdb_error(code);
  const std::unique_ptr<MDB_env, decltype(&mdb_env_close)> environment(raw_environment,
                                                                       &mdb_env_close);
  // Without a lock file: the data base may be on a read-only mount, and a snapshot is enough.
  unsigned flags = MDB_RDONLY | MDB_NOLOCK;
  if (found->kind == FileStatus::Kind::regular) flags |= MDB_NOSUBDIR;
  if (const int code = mdb_env_open(environment.get(), path.c_str(), flags, 0)) {
    return lmdb_error(code);
  }
  MDB_txn* raw_transaction = nullptr;
  if (const int code = mdb_txn_begin(environment.get(), nullptr, MDB_RDONLY, &raw_transaction)) {
    return lmdb_error(code);
  }
  const std::unique_ptr<MDB_txn, decltype(&mdb_txn_abort)> transaction(raw_transaction,
                                                                       &mdb_txn_abort);
  return read_all(transaction.get());
}

}  // namespace countersign::service::config
