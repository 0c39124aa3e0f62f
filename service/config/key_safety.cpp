// SPDX-License-Identifier: Apache-2.0

#include "service/config/key_safety.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "countersign/text/abnf.hpp"

namespace countersign::service::config {
namespace {

constexpr std::uint32_t owner_may_write = 0200;
constexpr std::uint32_t group_may_read_or_write = 0060;
constexpr std::uint32_t group_may_write = 0020;
constexpr std::uint32_t others_may_read_or_write = 0006;
constexpr std::uint32_t others_may_write = 0002;
constexpr std::uint32_t group_or_others_may_enter = 0011;
constexpr std::uint32_t sticky = 01000;

constexpr text::CharClass is_plain = text::is_alnum | text::CharClass("_./@%+=:,-");

// The path as an operator can paste it into a shell.
std::string shell_quoted(const std::string& path) {
  if (is_plain.all_of(path)) return path;
  std::string quoted = "'";
  for (const char c : path) quoted += c == '\'' ? "'\\''" : std::string(1, c);
  return quoted + "'";
}

// A file or directory on the way from the root to the key.
struct Node {
  std::string path;
  FileStatus status;

  [[nodiscard]] bool is_directory() const { return status.kind == FileStatus::Kind::directory; }
  [[nodiscard]] bool has(std::uint32_t bits) const { return (status.mode & bits) != 0; }
};

// From "/" down to the file itself; ends early where a status cannot be read.
std::vector<Node> nodes_of(const KeyFile& key) {
  std::vector<Node> nodes;
  for (std::size_t end = 0;; end = key.path.find('/', end + 1)) {
    std::string path = end == 0 ? "/" : key.path.substr(0, end);
    const auto status = key.files.status(path);
    if (!status) break;
    nodes.push_back({std::move(path), *status});
    if (end == std::string::npos) break;
  }
  return nodes;
}

std::string describe(const KeyFile& key, const Node& node) {
  return fmt::format("{}{} (mode {:04o}, owner {})", node.is_directory() ? "the directory " : "",
                     node.path, node.status.mode, key.accounts.user_name(node.status.uid));
}

// A member of the group who is neither the user nor root.
std::optional<std::string> stranger_in_group(const KeyFile& key, std::uint32_t gid) {
  for (const std::string& name : key.accounts.members(gid)) {
    if (name != key.user.name && name != key.accounts.user_name(0)) return name;
  }
  return std::nullopt;
}

bool belongs_to_us(const KeyFile& key, const Node& node) {
  return node.status.uid == 0 || node.status.uid == key.user.uid;
}

void check_group(const KeyFile& key, const Node& node, std::vector<KeyFinding>& findings) {
  const std::optional<std::string> stranger = stranger_in_group(key, node.status.gid);
  if (!stranger) return;
  findings.push_back(
      {describe(key, node) + " can be " + (node.is_directory() ? "changed" : "read or changed") +
           " by group " + key.accounts.group_name(node.status.gid) + ", to which " + *stranger +
           " belongs",
       (node.is_directory() ? "chmod g-w " : "chmod g-rwx ") + shell_quoted(node.path)});
}

void check_file(const KeyFile& key, const Node& node, std::vector<KeyFinding>& findings) {
  if (!belongs_to_us(key, node)) {
    findings.push_back({describe(key, node) + " belongs to neither " + key.user.name + " nor root",
                        "chown " + key.user.name + " " + shell_quoted(node.path)});
  }
  if (node.has(group_may_read_or_write)) check_group(key, node, findings);
  if (node.has(others_may_read_or_write)) {
    findings.push_back({describe(key, node) + " can be read or changed by everybody",
                        "chmod o-rwx " + shell_quoted(node.path)});
  }
}

// next   what is in it on the way to the key; in a sticky directory, as /tmp, only its owner and
//        the directory's can replace it.
void check_directory(const KeyFile& key, const Node& node, const Node* next,
                     std::vector<KeyFinding>& findings) {
  if (node.has(owner_may_write) && !belongs_to_us(key, node)) {
    findings.push_back({describe(key, node) + " can be changed by its owner, so the key can be "
                                              "replaced",
                        "chown root " + shell_quoted(node.path)});
  }
  if (node.has(sticky) && next != nullptr && belongs_to_us(key, *next)) return;
  if (node.has(group_may_write)) check_group(key, node, findings);
  if (node.has(others_may_write)) {
    findings.push_back({describe(key, node) + " can be changed by everybody, so the key can be "
                                              "replaced",
                        node.has(sticky) ? "keep the key in a directory of its own"
                                         : "chmod o-w " + shell_quoted(node.path)});
  }
}

// The bits of read, write and enter that the user has.
std::uint32_t bits_for(const User& user, const FileStatus& status) {
  if (user.uid == status.uid) return status.mode >> 6 & 7;
  if (std::ranges::find(user.groups, status.gid) != user.groups.end()) return status.mode >> 3 & 7;
  return status.mode & 7;
}

KeyFinding unreadable(const KeyFile& key, const Node& node) {
  const std::string& user = key.user.name;
  const std::string path = shell_quoted(node.path);
  if (node.is_directory()) {
    const std::string group = key.accounts.group_name(key.user.gid);
    return {"user " + user + " cannot enter " + describe(key, node),
            "chgrp " + group + " " + path + " && chmod g+x " + path};
  }
  return {"user " + user + " cannot read " + describe(key, node),
          "chown " + user + " " + path + " && chmod u+r " + path};
}

}  // namespace

std::vector<KeyFinding> find_unsafe(const KeyFile& key) {
  std::vector<KeyFinding> findings;
  const std::vector<Node> nodes = nodes_of(key);
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const Node& node = nodes[i];
    if (!node.is_directory()) {
      check_file(key, node, findings);
      continue;
    }
    check_directory(key, node, i + 1 < nodes.size() ? &nodes[i + 1] : nullptr, findings);
    const bool hidden = belongs_to_us(key, node) && !node.has(group_or_others_may_enter);
    if (hidden) break;
  }
  return findings;
}

std::optional<KeyFinding> find_unreadable(const KeyFile& key) {
  if (key.user.uid == 0) return std::nullopt;
  constexpr std::uint32_t may_enter = 1;
  constexpr std::uint32_t may_read = 4;
  for (const Node& node : nodes_of(key)) {
    const std::uint32_t needed = node.is_directory() ? may_enter : may_read;
    if ((bits_for(key.user, node.status) & needed) == 0) return unreadable(key, node);
  }
  return std::nullopt;
}

}  // namespace countersign::service::config
