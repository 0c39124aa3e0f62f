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

bool write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t put = ::write(descriptor, text.data(), text.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(put));
  }
  return true;
}

[[noreturn]] void fail_reading(const std::string& path) {
  throw Failure(exit_no_input,
                fmt::format("cannot read {}: {}", input_name(path), std::strerror(errno)));
}

}  // namespace

std::string input_name(const std::string& path) { return path == "-" ? "standard input" : path; }

void read_in_chunks(const std::string& path,
                    const std::function<bool(std::string_view)>& on_chunk) {
  const Descriptor file(path == "-" ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.number() < 0) fail_reading(path);
  if (file.number() == STDIN_FILENO && ::isatty(STDIN_FILENO) == 1) {
    fmt::print(stderr, "reading standard input; end it with Ctrl-D\n");
  }
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
      throw Failure(exit_data, fmt::format("{} is larger than {} MiB; is it the right file?",
                                           input_name(path), octets_max >> 20));
    }
    text += chunk;
    return true;
  });
  return text;
}

std::string read_small_input(const std::string& path) {
  return read_whole_input(path, small_input_bytes_max);
}

void write_file(const std::string& path, std::string_view text, NewFile file) {
  // A file that is replaced is replaced whole: it is written under another name first, with its
  // final permissions, so that neither half a key nor a key for everybody is ever to be seen.
  const std::string working_path = file.overwrite ? path + ".new" : path;
  if (file.overwrite) ::unlink(working_path.c_str());
  const Descriptor descriptor(::open(working_path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
                                     file.mode.value_or(0666)));
  if (descriptor.number() < 0 && errno == EEXIST) {
    throw Failure(exit_cannot_create,
                  fmt::format("{} exists already; move it away, or say --force", path));
  }
  bool done = descriptor.number() >= 0 &&
              (!file.mode || ::fchmod(descriptor.number(), *file.mode) == 0) &&
              write_all(descriptor.number(), text);
  if (done && file.overwrite) done = ::rename(working_path.c_str(), path.c_str()) == 0;
  if (done) return;
  const int reason = errno;
  if (descriptor.number() >= 0) ::unlink(working_path.c_str());
  throw Failure(exit_cannot_create,
                fmt::format("cannot write {}: {}", path, std::strerror(reason)));
}

}  // namespace countersign::cli
