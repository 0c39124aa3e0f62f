// SPDX-License-Identifier: Apache-2.0

#include "service/config/files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <system_error>

namespace countersign::service::config {
namespace {

std::unexpected<std::string> system_error() {
  return std::unexpected(std::generic_category().message(errno));
}

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int number() const { return number_; }

 private:
  int number_;
};

FileStatus to_status(const struct stat& raw) {
  FileStatus status{.mode = raw.st_mode & 07777u,
                    .uid = raw.st_uid,
                    .gid = raw.st_gid,
                    .modified = raw.st_mtim.tv_sec};
  status.kind = S_ISREG(raw.st_mode)   ? FileStatus::Kind::regular
                : S_ISDIR(raw.st_mode) ? FileStatus::Kind::directory
                                       : FileStatus::Kind::other;
  return status;
}

}  // namespace

std::expected<std::string, std::string> SystemFiles::read(const std::string& path) const {
  // O_NONBLOCK: a FIFO in place of a file must not stop the start of the daemon.
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.number() < 0) return system_error();
  struct stat raw{};
  if (::fstat(file.number(), &raw) != 0) return system_error();
  if (!S_ISREG(raw.st_mode)) return std::unexpected("it is no regular file");
  std::string octets;
  std::array<char, 65'536> buffer{};
  for (;;) {
    const ssize_t got = ::read(file.number(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_error();
    if (got == 0) return octets;
    octets.append(buffer.data(), static_cast<std::size_t>(got));
    if (octets.size() > file_octets_max) return std::unexpected("it is larger than 256 MiB");
  }
}

std::expected<FileStatus, std::string> SystemFiles::status(const std::string& path) const {
  struct stat raw{};
  if (::stat(path.c_str(), &raw) != 0) return system_error();
  return to_status(raw);
}

std::expected<std::string, std::string> SystemFiles::resolve(const std::string& path) const {
  const std::unique_ptr<char, decltype(&std::free)> real(::realpath(path.c_str(), nullptr),
                                                         &std::free);
  if (!real) return system_error();
  return std::string(real.get());
}

std::expected<std::vector<std::string>, std::string> SystemFiles::list(
    const std::string& path) const {
  std::error_code error;
  std::vector<std::string> names;
  std::filesystem::directory_iterator entry(path, error);
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    names.push_back(entry->path().filename().string());
  }
  if (error) return std::unexpected(error.message());
  std::ranges::sort(names);
  return names;
}

BasedFiles::BasedFiles(const Files& files, const std::string& base)
    : files_(files), base_(base.empty() || base.ends_with('/') ? base : base + "/") {}

std::string BasedFiles::based(const std::string& path) const {
  return path.starts_with('/') ? path : base_ + path;
}

std::expected<std::string, std::string> BasedFiles::read(const std::string& path) const {
  return files_.read(based(path));
}

std::expected<FileStatus, std::string> BasedFiles::status(const std::string& path) const {
  return files_.status(based(path));
}

std::expected<std::string, std::string> BasedFiles::resolve(const std::string& path) const {
  return files_.resolve(based(path));
}

std::expected<std::vector<std::string>, std::string> BasedFiles::list(
    const std::string& path) const {
  return files_.list(based(path));
}

std::expected<std::vector<std::pair<std::string, std::string>>, std::string> BasedFiles::read_lmdb(
    const std::string& path) const {
  return files_.read_lmdb(based(path));
}

}  // namespace countersign::service::config
