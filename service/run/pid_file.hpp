// SPDX-License-Identifier: Apache-2.0
//
// The file that tells scripts which process to signal.

#pragma once

#include <sys/types.h>

#include <string>

namespace countersign::service {

/// Writes this process's id to a file and removes the file at the end of its life, if it still
/// names this process.
class PidFile {
 public:
  /// Nothing is written for an empty path. Throws StartError(EX_CANTCREAT) when the file cannot be
  /// written. owner   the user who may remove the file later; it is given the file, so that a
  /// dropped privilege does not leave it.
  PidFile(std::string path, uid_t owner);
  ~PidFile();
  PidFile(const PidFile&) = delete;
  PidFile& operator=(const PidFile&) = delete;

 private:
  std::string path_;
  pid_t pid_;
};

}  // namespace countersign::service
