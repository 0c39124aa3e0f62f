// SPDX-License-Identifier: Apache-2.0
//
// A log that a test reads while others still write to it, from any thread or process.

#pragma once

#include <unistd.h>

#include <cstdio>
#include <stdexcept>
#include <string>
#include <string_view>

#include "service/log/log.hpp"

namespace countersign::test {

/// A file without a name, with a Log that writes to it.
class LogFile {
 public:
  explicit LogFile(service::LogLevel level = service::LogLevel::debug)
      : file_(std::tmpfile()), log_({.stderr_stream = file_, .level = level}) {
    if (file_ == nullptr) throw std::runtime_error("cannot make a temporary file");
  }
  ~LogFile() { static_cast<void>(std::fclose(file_)); }
  LogFile(const LogFile&) = delete;
  LogFile& operator=(const LogFile&) = delete;

  [[nodiscard]] service::Log& log() { return log_; }
  /// The file, for those who write to it otherwise.
  [[nodiscard]] int descriptor() const { return ::fileno(file_); }

  /// All that was written so far.
  [[nodiscard]] std::string text() const {
    std::string text(1'000'000, '\0');
    const ssize_t got = ::pread(::fileno(file_), text.data(), text.size(), 0);
    text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return text;
  }
  /// True when a line holds the text.
  [[nodiscard]] bool has(std::string_view part) const {
    return text().find(part) != std::string::npos;
  }
  /// How often the text was written.
  [[nodiscard]] int count(std::string_view part) const {
    const std::string all = text();
    int count = 0;
    for (std::size_t at = all.find(part); at != std::string::npos; at = all.find(part, at + 1)) {
      ++count;
    }
    return count;
  }

 private:
  std::FILE* file_;
  service::Log log_;
};

}  // namespace countersign::test
