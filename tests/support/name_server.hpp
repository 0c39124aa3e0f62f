// SPDX-License-Identifier: Apache-2.0
//
// A real name server on loopback: Debian's unbound, serving zone files of the test. What the
// daemon's resolver says is then compared with something that we did not write.

#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>

namespace countersign::test {

/// A folder for the files of one test, removed with the object.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  /// Where it is.
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  /// Writes a file in it and returns its path.
  std::string write(const std::string& name, std::string_view text) const;

 private:
  std::filesystem::path path_;
};

/// A free port of 127.0.0.1 for UDP and TCP, as far as a moment tells.
[[nodiscard]] std::uint16_t free_port();

/// unbound on a free port of 127.0.0.1, authoritative for some zones; stopped with the object.
class NameServer {
 public:
  /// Zone texts by their origin, each with its SOA record, in the form of a master file.
  using Zones = std::map<std::string, std::string>;

  /// Starts it and waits until it answers.
  ///
  /// settings     more lines of the server: clause of unbound.conf(5).
  /// Throws std::runtime_error when unbound is not installed or does not start, with its own words.
  explicit NameServer(const Zones& zones, const std::string& settings = {});
  ~NameServer();
  NameServer(const NameServer&) = delete;
  NameServer& operator=(const NameServer&) = delete;

  /// "127.0.0.1@port", as the resolver's options name a server.
  [[nodiscard]] std::string address() const { return "127.0.0.1@" + std::to_string(port_); }

 private:
  void start(const std::string& configuration);
  [[nodiscard]] bool is_up() const;

  TemporaryFolder folder_;
  std::uint16_t port_ = 0;
  pid_t process_ = -1;
};

}  // namespace countersign::test
