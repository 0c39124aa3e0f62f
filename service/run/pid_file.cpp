// SPDX-License-Identifier: Apache-2.0

#include "service/run/pid_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>

#include "service/run/start_error.hpp"

namespace countersign::service {

PidFile::PidFile(std::string path, uid_t owner) : path_(std::move(path)), pid_(::getpid()) {
  if (path_.empty()) return;
  // A link laid there by somebody else must not make root write elsewhere.
  const int file =
      ::open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
  const std::string text = fmt::format("{}\n", pid_);
  const bool written =
      file >= 0 && ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  if (!written) {
    const std::string why = std::strerror(errno);
    if (file >= 0) ::close(file);
    throw StartError(fmt::format("cannot write the pid file {}: {}; make its directory, or set "
                                 "another path",
                                 path_, why),
                     EX_CANTCREAT);
  }
  if (::geteuid() == 0 && owner != 0 && ::fchown(file, owner, static_cast<gid_t>(-1)) != 0) {
    // The file stays root's and remains at the end: harmless, the next start overwrites it.
  }
  ::close(file);
}

PidFile::~PidFile() {
  if (path_.empty() || ::getpid() != pid_) return;
  long recorded = 0;
  std::ifstream(path_) >> recorded;
  if (recorded != pid_) return;
  if (::unlink(path_.c_str()) != 0) {
    // The directory is no longer ours to write: leave an empty file, which names nobody.
    std::ofstream(path_, std::ios::trunc).flush();
  }
}

}  // namespace countersign::service
