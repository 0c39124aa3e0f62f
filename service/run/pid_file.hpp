// SPDX-License-Identifier: Apache-2.0
//
// The file that tells scripts which process to signal.

#pragma once

#include <sys/types.h>

#include <string>

namespace countersign::service {

/// Writes this process's id to a file and removes the file at the end of its life, if it still
/// names this process.
///
/// The file stays the property of whoever starts the daemon: scripts that run as root signal the
/// process that it names, so the mail user must not be able to name another. It is removed at the
/// end when the mail user may write to its directory.
class PidFile {
 public:
  /// Writes nothing for an empty path. Throws StartError(EX_CANTCREAT) when the file cannot be
  /// written, or is something other than a file of its own: a link that somebody laid there must
  /// not make root write elsewhere.
  explicit PidFile(std::string path);
  ~PidFile();
  PidFile(const PidFile&) = delete;
  PidFile& operator=(const PidFile&) = delete;

 private:
  std::string path_;
  pid_t pid_;
};

}  // namespace countersign::service
