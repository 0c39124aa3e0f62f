// SPDX-License-Identifier: Apache-2.0
//
// Listening sockets as settings name them: bound before privileges are dropped, given to the mail
// user, removed at the end.

#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "service/config/socket_spec.hpp"
#include "service/run/descriptor.hpp"

namespace countersign::service {

/// A listening socket that does not block. The file of a unix socket goes with it, in the process
/// that made it and unless somebody put another in its place.
class ListeningSocket {
 public:
  explicit ListeningSocket(Descriptor socket) : socket_(std::move(socket)) {}
  ~ListeningSocket() { close(); }
  ListeningSocket(ListeningSocket&& other) noexcept;
  ListeningSocket& operator=(ListeningSocket&&) = delete;
  ListeningSocket(const ListeningSocket&) = delete;
  ListeningSocket& operator=(const ListeningSocket&) = delete;

  /// The descriptor; negative after close().
  [[nodiscard]] int descriptor() const { return socket_.get(); }
  /// The socket was bound to this file, which is to be removed with it.
  void owns_file(std::string path);
  /// Closes the socket and removes its file. Connections that wait to be accepted are refused.
  void close();

 private:
  Descriptor socket_;
  std::string path_;  // Empty for inet and inet6.
  dev_t device_ = 0;  // Of the file, with its inode.
  ino_t inode_ = 0;
  pid_t maker_ = 0;
};

/// All listening sockets of the daemon, by what is spoken there.
struct ListeningSockets {
  std::vector<ListeningSocket> milter;
  std::vector<ListeningSocket> policy;
  std::vector<ListeningSocket> metrics;  ///< HTTP
  std::vector<ListeningSocket> control;  ///< one, or none

  /// Closes all; whoever waits to be accepted is refused.
  void close();
};

/// Who is to own the file of a unix socket, and who may connect.
struct SocketOwner {
  uid_t uid = 0;
  gid_t gid = 0;
  std::optional<mode_t> mode = std::nullopt;  ///< besides the umask; none: all that it leaves
};

/// Opens all sockets that a text like inet:8891@localhost stands for: a name may have several
/// addresses. The file of a unix socket that nobody answers at is replaced; its mode follows the
/// umask; it is given to `owner` when root binds it, and a set-gid directory keeps its group.
/// Throws StartError with a remedy when an address or path cannot be had.
[[nodiscard]] std::vector<ListeningSocket> open_listening_sockets(const config::SocketSpec& spec,
                                                                  const SocketOwner& owner);

}  // namespace countersign::service
