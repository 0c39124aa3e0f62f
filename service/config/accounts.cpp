// SPDX-License-Identifier: Apache-2.0

#include "service/config/accounts.hpp"

#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <set>

// The look-ups of the C library share a buffer, so they are made in the one thread that reads
// settings.
// NOLINTBEGIN(concurrency-mt-unsafe)
namespace countersign::service::config {
namespace {

std::optional<std::uint32_t> to_number(const std::string& text) {
  std::uint32_t number = 0;
  const char* last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, number);
  if (error != std::errc() || end != last) return std::nullopt;
  return number;
}

User to_user(const passwd& entry) {
  User user{.name = entry.pw_name, .uid = entry.pw_uid, .gid = entry.pw_gid};
  int count = 64;
  user.groups.resize(static_cast<std::size_t>(count));
  if (::getgrouplist(entry.pw_name, entry.pw_gid, user.groups.data(), &count) < 0) {
    user.groups.resize(static_cast<std::size_t>(count));
    ::getgrouplist(entry.pw_name, entry.pw_gid, user.groups.data(), &count);
  }
  user.groups.resize(static_cast<std::size_t>(std::max(count, 0)));
  return user;
}

}  // namespace

User SystemAccounts::current() const {
  const uid_t uid = ::geteuid();
  if (const passwd* entry = ::getpwuid(uid)) return to_user(*entry);
  return User{.name = std::to_string(uid), .uid = uid, .gid = ::getegid(), .groups = {getegid()}};
}

std::optional<User> SystemAccounts::find_user(const std::string& name) const {
  if (const passwd* entry = ::getpwnam(name.c_str())) return to_user(*entry);
  const std::optional<std::uint32_t> uid = to_number(name);
  if (!uid) return std::nullopt;
  if (const passwd* entry = ::getpwuid(*uid)) return to_user(*entry);
  return std::nullopt;
}

std::optional<std::uint32_t> SystemAccounts::find_group(const std::string& name) const {
  if (const group* entry = ::getgrnam(name.c_str())) return entry->gr_gid;
  return to_number(name);
}

std::string SystemAccounts::user_name(std::uint32_t uid) const {
  const passwd* entry = ::getpwuid(uid);
  return entry ? entry->pw_name : std::to_string(uid);
}

std::string SystemAccounts::group_name(std::uint32_t gid) const {
  const group* entry = ::getgrgid(gid);
  return entry ? entry->gr_name : std::to_string(gid);
}

std::vector<std::string> SystemAccounts::members(std::uint32_t gid) const {
  std::set<std::string> names;
  ::setpwent();
  while (const passwd* entry = ::getpwent()) {
    if (entry->pw_gid == gid) names.insert(entry->pw_name);
  }
  ::endpwent();
  if (const group* entry = ::getgrgid(gid)) {
    for (char** name = entry->gr_mem; *name != nullptr; ++name) names.insert(*name);
  }
  return {names.begin(), names.end()};
}

}  // namespace countersign::service::config
// NOLINTEND(concurrency-mt-unsafe)
