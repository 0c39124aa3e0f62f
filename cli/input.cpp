// SPDX-License-Identifier: Apache-2.0

#include "cli/input.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "cli/failure.hpp"

namespace countersign::cli {
namespace {

/// A descriptor that is closed with the scope; standard input is left open.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ > STDERR_FILENO) ::close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int number() const { return number_; }

 private:
  int number_;
};

[[noreturn]] void fail_reading(const std::string& path) {
  throw Failure(exit_no_input, fmt::format("cannot read {}: {}", path, std::strerror(errno)));
}

}  // namespace

void read_in_chunks(const std::string& path,
                    const std::function<bool(std::string_view)>& on_chunk) {
  const Descriptor file(path == "-" ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.number() < 0) fail_reading(path);
  std::vector<char> buffer(65'536);
  for (;;) {
    const ssize_t got = ::read(file.number(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail_reading(path);
    if (got == 0) return;
    if (!on_chunk({buffer.data(), static_cast<std::size_t>(got)})) return;
  }
}

std::string read_whole_input(const std::string& path, std::size_t octets_max) {
  std::string text;
  read_in_chunks(path, [&text, &path, octets_max](std::string_view chunk) {
    if (text.size() + chunk.size() > octets_max) {
      throw Failure(exit_data, fmt::format("{} is larger than {} MiB; is it the right file?", path,
                                           octets_max >> 20));
    }
    text += chunk;
    return true;
  });
  return text;
}

std::string read_small_input(const std::string& path) {
  return read_whole_input(path, small_input_bytes_max);
}

void write_file(const std::string& path, std::string_view text, unsigned mode, bool overwrite) {
  const int flags = O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | (overwrite ? O_TRUNC : O_EXCL);
  const Descriptor file(::open(path.c_str(), flags, mode));
  if (file.number() < 0 && errno == EEXIST) {
    throw Failure(exit_cannot_create,
                  fmt::format("{} exists already; move it away, or say --force", path));
  }
  if (file.number() >= 0) ::fchmod(file.number(), mode);
  while (file.number() >= 0 && !text.empty()) {
    const ssize_t put = ::write(file.number(), text.data(), text.size());
    if (put < 0) break;
    text.remove_prefix(static_cast<std::size_t>(put));
  }
  if (file.number() < 0 || !text.empty()) {
    throw Failure(exit_cannot_create,
                  fmt::format("cannot write {}: {}", path, std::strerror(errno)));
  }
}

}  // namespace countersign::cli
