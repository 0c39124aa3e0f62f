// SPDX-License-Identifier: Apache-2.0

#include "cli/report_store.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "cli/json_output.hpp"
#include "service/config/accounts.hpp"
#include "service/run/privileges.hpp"

namespace countersign::cli {
namespace {

namespace config = service::config;

void require_store(const config::StoreSettings& settings) {
  if (!settings.is_on())
    throw Failure(exit_config,
                  "nothing is stored, so there is nothing to report: set store.path, or "
                  "store.engine and store.connection");
}

bool is_missing_file(const config::StoreSettings& settings) {
  std::error_code ignored;
  return settings.engine == config::StoreEngine::sqlite &&
         !std::filesystem::exists(settings.path, ignored);
}

/// The daemon opens the file as its own user, and root has just made it.
void give_to_daemon(const config::Settings& settings) {
  if (settings.daemon.user.empty() || ::geteuid() != 0) return;
  const service::Account account =
      service::find_account(settings.daemon.user, config::SystemAccounts());
  if (::chown(settings.store.path.c_str(), account.uid, account.gid) != 0)
    throw Failure(exit_unavailable, fmt::format("{}: cannot be given to the daemon's user {}",
                                                json_text(settings.store.path), account.name));
}

}  // namespace

service::store::Store open_report_store(const config::Settings& settings) {
  require_store(settings.store);
  if (is_missing_file(settings.store))
    throw Failure(exit_unavailable,
                  fmt::format("{}: there is no such store yet; the daemon makes it when it starts. "
                              "Is store.path what the daemon has?",
                              json_text(settings.store.path)));
  return service::store::Store(settings.store);
}

service::store::Store make_report_store(const config::Settings& settings) {
  require_store(settings.store);
  const bool is_new = is_missing_file(settings.store);
  service::store::Store made(settings.store);
  if (is_new && settings.store.engine == config::StoreEngine::sqlite) give_to_daemon(settings);
  return made;
}

}  // namespace countersign::cli
