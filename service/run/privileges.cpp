// SPDX-License-Identifier: Apache-2.0

#include "service/run/privileges.hpp"

#include <fmt/format.h>
#include <grp.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>

#include "service/run/start_error.hpp"

namespace countersign::service {

Account find_account(const std::string& user_and_group, const config::Accounts& accounts) {
  const std::size_t colon = user_and_group.find(':');
  const std::string name = user_and_group.substr(0, colon);
  const std::optional<config::User> user = accounts.find_user(name);
  if (!user) {
    throw StartError(
        fmt::format("there is no user '{}': create it (adduser --system --group {}), or name "
                    "another user",
                    name, name),
        EX_NOUSER);
  }
  Account account{.name = user->name, .uid = user->uid, .gid = user->gid};
  if (colon == std::string::npos) return account;
  const std::string group_name = user_and_group.substr(colon + 1);
  const std::optional<std::uint32_t> group = accounts.find_group(group_name);
  if (!group) {
    throw StartError(
        fmt::format("there is no group '{}': create it, or name another group", group_name),
        EX_NOUSER);
  }
  account.gid = *group;
  return account;
}

void change_root(const std::string& directory) {
  if (::chroot(directory.c_str()) != 0 || ::chdir("/") != 0) {
    throw StartError(
        fmt::format("cannot change the root directory to {}: {}", directory, std::strerror(errno)),
        EX_OSERR);
  }
}

void become(const Account& account) {
  if (::geteuid() == account.uid && ::getuid() == account.uid) return;
  if (::geteuid() != 0) {
    throw StartError(
        fmt::format("cannot become user '{}': start as root or as that user", account.name),
        EX_NOPERM);
  }
  // In this order: each step needs the privilege that the last one gives up.
  const bool changed = ::initgroups(account.name.c_str(), account.gid) == 0 &&
                       ::setgid(account.gid) == 0 && ::setuid(account.uid) == 0;
  if (!changed) {
    throw StartError(fmt::format("cannot become user '{}': {}", account.name, std::strerror(errno)),
                     EX_NOPERM);
  }
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

}  // namespace countersign::service
