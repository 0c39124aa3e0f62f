// SPDX-License-Identifier: Apache-2.0

#include "service/run/privileges.hpp"

#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>

#include "service/run/start_error.hpp"

namespace countersign::service {
namespace {

std::optional<unsigned> to_number(const std::string& text) {
  unsigned number = 0;
  const char* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || stopped != end) return std::nullopt;
  return number;
}

gid_t find_group(const std::string& name) {
  if (const group* found = ::getgrnam(name.c_str())) return found->gr_gid;
  if (const std::optional<unsigned> number = to_number(name)) return *number;
  throw StartError(fmt::format("there is no group '{}': create it, or name another group", name),
                   EX_NOUSER);
}

}  // namespace

Account find_account(const std::string& user_and_group) {
  const std::size_t colon = user_and_group.find(':');
  const std::string user = user_and_group.substr(0, colon);
  const passwd* found = ::getpwnam(user.c_str());
  if (found == nullptr) {
    if (const std::optional<unsigned> number = to_number(user)) found = ::getpwuid(*number);
  }
  if (found == nullptr) {
    throw StartError(
        fmt::format("there is no user '{}': create it (adduser --system --group {}), or name "
                    "another user",
                    user, user),
        EX_NOUSER);
  }
  Account account{.name = found->pw_name, .uid = found->pw_uid, .gid = found->pw_gid};
  if (colon != std::string::npos) account.gid = find_group(user_and_group.substr(colon + 1));
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
  const bool changed = ::initgroups(account.name.c_str(), account.gid) == 0 &&
                       ::setgid(account.gid) == 0 && ::setuid(account.uid) == 0;
  if (!changed) {
    throw StartError(fmt::format("cannot become user '{}': {}", account.name, std::strerror(errno)),
                     EX_NOPERM);
  }
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

}  // namespace countersign::service
