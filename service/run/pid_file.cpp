// SPDX-License-Identifier: Apache-2.0

#include "service/run/pid_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>

#include "service/run/descriptor.hpp"
#include "service/run/start_error.hpp"

namespace countersign::service {
namespace {

[[noreturn]] void fail(const std::string& path, const std::string& why) {
  throw StartError(fmt::format("cannot write the pid file {}: {}; make its directory, or set "
                               "another path",
                               path, why),
                   EX_CANTCREAT);
}

bool is_plain_file(const Descriptor& file) {
  struct stat status{};
  return ::fstat(file.get(), &status) == 0 && S_ISREG(status.st_mode) && status.st_nlink == 1;
}

}  // namespace

PidFile::PidFile(std::string path) : path_(std::move(path)), pid_(::getpid()) {
  if (path_.empty()) return;
  constexpr int flags = O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
  const Descriptor file(::open(path_.c_str(), flags, 0644));
  if (!file) fail(path_, errno == ELOOP ? "it is a link" : std::strerror(errno));
  if (!is_plain_file(file)) fail(path_, "there is something else of that name");
  const std::string text = fmt::format("{}\n", pid_);
  const bool written =
      ::ftruncate(file.get(), 0) == 0 &&
      ::write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
  if (!written) fail(path_, std::strerror(errno));
}

PidFile::~PidFile() {
  if (path_.empty() || ::getpid() != pid_) return;
  long recorded = 0;
  std::ifstream(path_) >> recorded;
  if (recorded == pid_) ::unlink(path_.c_str());
}

}  // namespace countersign::service
