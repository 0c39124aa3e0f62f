// SPDX-License-Identifier: Apache-2.0
//
// Who can read or replace a private key: the file itself and every directory above it count,
// because whoever may write to a directory may put another file in its place. OpenDKIM's
// RequireSafeKeys judges alike and says "key data is not secure"; here each finding says which
// file, whose it is, who is let in, and the command that mends it.

#pragma once

#include <optional>
#include <string>
#include <vector>

#include "service/config/accounts.hpp"
#include "service/config/files.hpp"

namespace countersign::service::config {

/// One thing that is wrong with the permissions of a key.
struct KeyFinding {
  std::string message;  ///< "/etc/keys/a.private (mode 0644, owner root) can be read by everybody"
  std::string remedy;   ///< "chmod o-rwx /etc/keys/a.private"
};

/// A key file as it is judged.
struct KeyFile {
  std::string path;  ///< absolute, symbolic links resolved
  const User& user;  ///< whom the daemon runs as
  const Files& files;
  const Accounts& accounts;
};

/// Everything that lets somebody other than the user and root read or replace the key.
/// Leniency     a directory that only its owner may enter hides what is in it, so what is below it
///              may have any permissions; OpenDKIM says so in a comment but goes on all the same.
[[nodiscard]] std::vector<KeyFinding> find_unsafe(const KeyFile& key);

/// Why the user cannot read the key; nothing when he can. Only permission bits are looked at.
[[nodiscard]] std::optional<KeyFinding> find_unreadable(const KeyFile& key);

}  // namespace countersign::service::config
