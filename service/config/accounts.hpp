// SPDX-License-Identifier: Apache-2.0
//
// Users and groups as configuration sees them, behind an interface like files.hpp: who may read a
// private key depends on them.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace countersign::service::config {

/// A user by name and numbers.
struct User {
  std::string name;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;              ///< of the primary group
  std::vector<std::uint32_t> groups;  ///< all groups, the primary one included
};

/// Looks users and groups up.
class Accounts {
 public:
  virtual ~Accounts() = default;

  /// The user that this process runs as.
  [[nodiscard]] virtual User current() const = 0;
  /// A user by name, or by number in digits; nothing when there is none.
  [[nodiscard]] virtual std::optional<User> find_user(const std::string& name) const = 0;
  /// The number of a group by name, or by number in digits; nothing when there is none.
  [[nodiscard]] virtual std::optional<std::uint32_t> find_group(const std::string& name) const = 0;
  /// The user's name, or the number when it has none.
  [[nodiscard]] virtual std::string user_name(std::uint32_t uid) const = 0;
  /// The group's name, or the number when it has none.
  [[nodiscard]] virtual std::string group_name(std::uint32_t gid) const = 0;
  /// The names of all users in the group, whether as their primary group or as its members.
  [[nodiscard]] virtual std::vector<std::string> members(std::uint32_t gid) const = 0;
};

/// The users and groups of this machine.
class SystemAccounts final : public Accounts {
 public:
  [[nodiscard]] User current() const override;
  [[nodiscard]] std::optional<User> find_user(const std::string& name) const override;
  [[nodiscard]] std::optional<std::uint32_t> find_group(const std::string& name) const override;
  [[nodiscard]] std::string user_name(std::uint32_t uid) const override;
  [[nodiscard]] std::string group_name(std::uint32_t gid) const override;
  [[nodiscard]] std::vector<std::string> members(std::uint32_t gid) const override;
};

}  // namespace countersign::service::config
