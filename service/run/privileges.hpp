// SPDX-License-Identifier: Apache-2.0
//
// From root to the mail user: looked up while names can still be resolved, carried out once, before
// the first thread.

#pragma once

#include <sys/types.h>

#include <string>

#include "service/config/accounts.hpp"

namespace countersign::service {

/// A user to run as, with numbers instead of names.
struct Account {
  std::string name;
  uid_t uid = 0;
  gid_t gid = 0;  ///< of the group that was named, else the user's own
};

/// Looks up "user" or "user:group"; names or numbers. Throws StartError(EX_NOUSER) when there is no
/// such user or group.
[[nodiscard]] Account find_account(const std::string& user_and_group,
                                   const config::Accounts& accounts);

/// Changes the root directory and the working directory to it. Throws StartError when that fails.
void change_root(const std::string& directory);

/// Becomes the account with its groups for good, and keeps this process from gaining privileges
/// again. Does nothing when the process runs as that user already. Throws StartError(EX_NOPERM)
/// when it is neither root nor that user.
void become(const Account& account);

}  // namespace countersign::service
