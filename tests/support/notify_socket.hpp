// SPDX-License-Identifier: Apache-2.0
//
// The end of systemd in sd_notify(3).

#pragma once

#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <string>

#include "service/run/descriptor.hpp"
#include "tests/support/folder.hpp"

namespace countersign::test {

/// A socket that NOTIFY_SOCKET names as long as it lives.
class NotifySocket {
 public:
  NotifySocket() : socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string path = folder_ / "notify";
    std::memcpy(address.sun_path, path.data(), path.size());
    ::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
    ::setenv("NOTIFY_SOCKET", path.c_str(), 1);
  }
  ~NotifySocket() { ::unsetenv("NOTIFY_SOCKET"); }
  NotifySocket(const NotifySocket&) = delete;
  NotifySocket& operator=(const NotifySocket&) = delete;

  /// The next message; empty when there is none.
  [[nodiscard]] std::string take() const {
    std::array<char, 4'096> buffer{};
    const ssize_t got = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
    return {buffer.data(), got > 0 ? static_cast<std::size_t>(got) : 0};
  }

 private:
  Folder folder_;
  service::Descriptor socket_;
};

}  // namespace countersign::test
