// SPDX-License-Identifier: Apache-2.0
//
// The file system as configuration sees it, behind an interface, so that tests and fuzzers feed it
// from memory.

#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <utility>
#include <vector>

namespace countersign::service::config {

/// Octets of one file that are read: a table of a million lines is smaller.
inline constexpr std::size_t file_octets_max = 256u << 20;

/// What stat(2) says of a file.
struct FileStatus {
  /// What kind of file it is.
  enum class Kind : std::uint8_t { regular, directory, other };

  Kind kind = Kind::regular;
  std::uint32_t mode = 0600;  ///< permission bits
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::int64_t modified = 0;  ///< seconds since 1970 UTC
};

/// Reads files. Errors are the system's words: "No such file or directory".
class Files {
 public:
  virtual ~Files() = default;

  /// The octets of a file.
  [[nodiscard]] virtual std::expected<std::string, std::string> read(
      const std::string& path) const = 0;
  /// Kind, permissions and owner of a file, symbolic links followed.
  [[nodiscard]] virtual std::expected<FileStatus, std::string> status(
      const std::string& path) const = 0;
  /// The absolute path without symbolic links.
  [[nodiscard]] virtual std::expected<std::string, std::string> resolve(
      const std::string& path) const = 0;
  /// The names in a directory, sorted.
  [[nodiscard]] virtual std::expected<std::vector<std::string>, std::string> list(
      const std::string& path) const = 0;
  /// Keys and values of an LMDB environment, a directory or a file, sorted by key.
  [[nodiscard]] virtual std::expected<std::vector<std::pair<std::string, std::string>>, std::string>
  read_lmdb(const std::string& path) const = 0;
};

/// The files of this machine.
class SystemFiles final : public Files {
 public:
  [[nodiscard]] std::expected<std::string, std::string> read(
      const std::string& path) const override;
  [[nodiscard]] std::expected<FileStatus, std::string> status(
      const std::string& path) const override;
  [[nodiscard]] std::expected<std::string, std::string> resolve(
      const std::string& path) const override;
  [[nodiscard]] std::expected<std::vector<std::string>, std::string> list(
      const std::string& path) const override;
  [[nodiscard]] std::expected<std::vector<std::pair<std::string, std::string>>, std::string>
  read_lmdb(const std::string& path) const override;
};

/// The files of another object, relative paths beginning at a base directory that the process
/// enters only later.
class BasedFiles final : public Files {
 public:
  /// base   empty: relative paths stay as they are. `files` must outlive this object.
  BasedFiles(const Files& files, const std::string& base);

  [[nodiscard]] std::expected<std::string, std::string> read(
      const std::string& path) const override;
  [[nodiscard]] std::expected<FileStatus, std::string> status(
      const std::string& path) const override;
  [[nodiscard]] std::expected<std::string, std::string> resolve(
      const std::string& path) const override;
  [[nodiscard]] std::expected<std::vector<std::string>, std::string> list(
      const std::string& path) const override;
  [[nodiscard]] std::expected<std::vector<std::pair<std::string, std::string>>, std::string>
  read_lmdb(const std::string& path) const override;

 private:
  [[nodiscard]] std::string based(const std::string& path) const;

  const Files& files_;
  std::string base_;
};

}  // namespace countersign::service::config
