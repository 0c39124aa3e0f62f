// SPDX-License-Identifier: Apache-2.0
//
// Files, users and groups in memory, for tests and fuzzers of the configuration.

#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "service/config/accounts.hpp"
#include "service/config/files.hpp"

namespace countersign::test {

/// A file system in memory. Directories need not be made: they exist as soon as a file is in them,
/// with mode 0755 and root as their owner.
class MemoryFiles final : public service::config::Files {
 public:
  using Status = service::config::FileStatus;
  using Pairs = std::vector<std::pair<std::string, std::string>>;

  /// Makes files of one text: the first has the name that is given, and each line "@file NAME"
  /// begins another.
  [[nodiscard]] static MemoryFiles cut(const std::string& first, std::string_view text) {
    constexpr std::string_view mark = "@file ";
    MemoryFiles files;
    std::string name = first;
    std::string octets;
    while (!text.empty()) {
      const std::size_t end = std::min(text.find('\n'), text.size() - 1) + 1;
      const std::string_view line = text.substr(0, end);
      text.remove_prefix(end);
      if (!line.starts_with(mark)) {
        octets += line;
        continue;
      }
      files.add(name, std::exchange(octets, {}));
      name = line.substr(mark.size(), line.size() - mark.size() - (line.ends_with('\n') ? 1 : 0));
    }
    return files.add(name, std::move(octets));
  }

  /// Puts a file, by default one that only root may read.
  MemoryFiles& add(const std::string& path, std::string octets, Status status = {}) {
    octets_[path] = std::move(octets);
    statuses_[path] = status;
    for (std::size_t end = path.rfind('/'); end != std::string::npos && end > 0;
         end = path.rfind('/', end - 1)) {
      statuses_.try_emplace(path.substr(0, end), Status{Status::Kind::directory, 0755, 0, 0});
    }
    statuses_.try_emplace("/", Status{Status::Kind::directory, 0755, 0, 0});
    return *this;
  }
  /// Sets permissions and owner of a file or directory that is there.
  MemoryFiles& set(const std::string& path, std::uint32_t mode, std::uint32_t uid = 0,
                   std::uint32_t gid = 0) {
    statuses_[path].mode = mode;
    statuses_[path].uid = uid;
    statuses_[path].gid = gid;
    return *this;
  }
  /// Puts an LMDB environment.
  MemoryFiles& add_lmdb(const std::string& path, Pairs pairs) {
    databases_[path] = std::move(pairs);
    return *this;
  }
  /// Makes one path stand for another.
  MemoryFiles& link(const std::string& path, const std::string& target) {
    links_[path] = target;
    return *this;
  }

  [[nodiscard]] std::expected<std::string, std::string> read(
      const std::string& path) const override {
    const auto found = octets_.find(follow(path));
    if (found == octets_.end()) return std::unexpected("No such file or directory");
    return found->second;
  }
  [[nodiscard]] std::expected<Status, std::string> status(const std::string& path) const override {
    const auto found = statuses_.find(follow(path));
    if (found == statuses_.end()) return std::unexpected("No such file or directory");
    return found->second;
  }
  [[nodiscard]] std::expected<std::string, std::string> resolve(
      const std::string& path) const override {
    if (!statuses_.contains(follow(path))) return std::unexpected("No such file or directory");
    return follow(path);
  }
  [[nodiscard]] std::expected<std::vector<std::string>, std::string> list(
      const std::string& path) const override {
    const std::string prefix = path.ends_with('/') ? path : path + "/";
    std::vector<std::string> names;
    for (const auto& [name, status] : statuses_) {
      if (!name.starts_with(prefix) || name.size() == prefix.size()) continue;
      if (name.find('/', prefix.size()) == std::string::npos) {
        names.push_back(name.substr(prefix.size()));
      }
    }
    if (names.empty()) return std::unexpected("No such file or directory");
    return names;
  }
  [[nodiscard]] std::expected<Pairs, std::string> read_lmdb(
      const std::string& path) const override {
    const auto found = databases_.find(path);
    if (found == databases_.end()) return std::unexpected("No such file or directory");
    return found->second;
  }

 private:
  [[nodiscard]] std::string follow(const std::string& path) const {
    const auto found = links_.find(path);
    return found == links_.end() ? path : found->second;
  }

  std::map<std::string, std::string> octets_;
  std::map<std::string, Status> statuses_;
  std::map<std::string, std::string> links_;
  std::map<std::string, Pairs> databases_;
};

/// Users and groups in memory: root (0), opendkim (110, group 110), postfix (105, group 105), bob
/// (1000, group 1000). Groups have the name of their user.
class MemoryAccounts final : public service::config::Accounts {
 public:
  using User = service::config::User;

  /// Makes a user a member of a further group.
  MemoryAccounts& join(const std::string& user, std::uint32_t gid) {
    for (User& one : users_) {
      if (one.name == user) one.groups.push_back(gid);
    }
    return *this;
  }

  [[nodiscard]] User current() const override { return users_.front(); }
  [[nodiscard]] std::optional<User> find_user(const std::string& name) const override {
    for (const User& user : users_) {
      if (user.name == name || std::to_string(user.uid) == name) return user;
    }
    return std::nullopt;
  }
  [[nodiscard]] std::optional<std::uint32_t> find_group(const std::string& name) const override {
    const std::optional<User> user = find_user(name);
    return user ? std::optional(user->gid) : std::nullopt;
  }
  [[nodiscard]] std::string user_name(std::uint32_t uid) const override {
    const std::optional<User> user = find_user(std::to_string(uid));
    return user ? user->name : std::to_string(uid);
  }
  [[nodiscard]] std::string group_name(std::uint32_t gid) const override { return user_name(gid); }
  [[nodiscard]] std::vector<std::string> members(std::uint32_t gid) const override {
    std::vector<std::string> names;
    for (const User& user : users_) {
      if (std::ranges::find(user.groups, gid) != user.groups.end()) names.push_back(user.name);
    }
    return names;
  }

 private:
  std::vector<User> users_{{"root", 0, 0, {0}},
                           {"opendkim", 110, 110, {110}},
                           {"postfix", 105, 105, {105}},
                           {"bob", 1000, 1000, {1000}}};
};

}  // namespace countersign::test
