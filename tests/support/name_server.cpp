// SPDX-License-Identifier: Apache-2.0
//
// Starts and stops unbound.

#include "tests/support/name_server.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <csignal>

#include <array>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <thread>

namespace countersign::test {
namespace {

constexpr const char* unbound_program = "/usr/sbin/unbound";

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

// The port that a socket of that type gets when it wants that one; 0 when it cannot have it.
std::uint16_t bind_port(int type, std::uint16_t wanted) {
  const int descriptor = socket(AF_INET, type | SOCK_CLOEXEC, 0);
  sockaddr_in address = loopback(wanted);
  socklen_t length = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  const bool bound =
      bind(descriptor, generic, length) == 0 && getsockname(descriptor, generic, &length) == 0;
  close(descriptor);
  return bound ? ntohs(address.sin_port) : std::uint16_t{0};
}

std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

TemporaryFolder::TemporaryFolder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "countersign-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("cannot make " + pattern);
  path_ = pattern;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string TemporaryFolder::write(const std::string& name, std::string_view text) const {
  const std::filesystem::path path = path_ / name;
  std::ofstream(path, std::ios::binary) << text;
  return path.string();
}

std::uint16_t free_port() {
  for (int attempt = 0; attempt < 100; ++attempt) {
    const std::uint16_t port = bind_port(SOCK_STREAM, 0);
    if (port != 0 && bind_port(SOCK_DGRAM, port) == port) return port;
  }
  throw std::runtime_error("no port of 127.0.0.1 is free");
}

NameServer::NameServer(const Zones& zones, const std::string& settings) {
  if (access(unbound_program, X_OK) != 0)
    throw std::runtime_error(std::string(unbound_program) +
                             " is missing; install it with scripts/install-deps test");
  std::string configuration =
      "server:\n do-daemonize: no\n username: \"\"\n chroot: \"\"\n pidfile: \"\"\n"
      " use-syslog: no\n verbosity: 1\n module-config: \"iterator\"\n num-threads: 1\n"
      " interface: 127.0.0.1\n access-control: 127.0.0.0/8 allow\n directory: \"" +
      folder_.path().string() + "\"\n" + settings + "remote-control:\n control-enable: no\n";
  for (const auto& [origin, text] : zones)
    configuration += "auth-zone:\n name: \"" + origin + "\"\n for-upstream: no\n zonefile: \"" +
                     folder_.write("zone." + origin, text) + "\"\n";
  start(configuration);
}

NameServer::~NameServer() {
  if (process_ <= 0) return;
  kill(process_, SIGKILL);
  waitpid(process_, nullptr, 0);
}

// Another process may take the free port first; a few attempts are enough.
void NameServer::start(const std::string& configuration) {
  const std::filesystem::path log = folder_.path() / "log";
  for (int attempt = 0; attempt < 5; ++attempt) {
    port_ = free_port();
    const std::string file = folder_.write(
        "unbound.conf", configuration + "server:\n port: " + std::to_string(port_) + "\n");
    process_ = fork();
    if (process_ == 0) {
      const int output = open(log.c_str(), O_CREAT | O_WRONLY | O_TRUNC, 0600);
      dup2(output, 1);
      dup2(output, 2);
      execl(unbound_program, unbound_program, "-d", "-c", file.c_str(), nullptr);
      _exit(127);
    }
    if (is_up()) return;
    kill(process_, SIGKILL);
    waitpid(process_, nullptr, 0);
    process_ = -1;
  }
  throw std::runtime_error("unbound does not start:\n" + read_file(log));
}

// True once it takes TCP connections, which it does last.
bool NameServer::is_up() const {
  for (int attempt = 0; attempt < 500; ++attempt) {
    const int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in address = loopback(port_);
    const bool connected =
        connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    close(descriptor);
    if (connected) return true;
    if (waitpid(process_, nullptr, WNOHANG) != 0) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return false;
}

}  // namespace countersign::test
