// SPDX-License-Identifier: Apache-2.0

#include "service/milter/listening_socket.hpp"

#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

#include "service/run/start_error.hpp"

namespace countersign::service {
namespace {

using config::SocketSpec;

[[noreturn]] void fail(const SocketSpec& spec, const std::string& why) {
  throw StartError(fmt::format("cannot listen on {}: {}", to_string(spec), why), EX_UNAVAILABLE);
}

ListeningSocket make_socket(const SocketSpec& spec, int family) {
  Descriptor socket(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket) fail(spec, std::strerror(errno));
  return ListeningSocket(std::move(socket));
}

void switch_on(const ListeningSocket& socket, int level, int option) {
  const int on = 1;
  ::setsockopt(socket.descriptor(), level, option, &on, sizeof on);
}

void listen_on(const SocketSpec& spec, const ListeningSocket& socket) {
  if (::listen(socket.descriptor(), SOMAXCONN) != 0) fail(spec, std::strerror(errno));
}

sockaddr_un unix_address(const SocketSpec& spec) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (spec.path.size() >= sizeof address.sun_path) {
    fail(spec, fmt::format("the path is longer than {} octets", sizeof address.sun_path - 1));
  }
  std::memcpy(address.sun_path, spec.path.data(), spec.path.size());
  return address;
}

const sockaddr* generic(const sockaddr_un& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

/// Removes the file of a daemon that ended without removing it. A living daemon's file stays.
void remove_stale_file(const SocketSpec& spec, const sockaddr_un& address) {
  struct stat file{};
  if (::lstat(spec.path.c_str(), &file) != 0) return;
  if (!S_ISSOCK(file.st_mode)) fail(spec, "there is a file of that name that is no socket");
  // EAGAIN: the queue of a living one is full.
  const ListeningSocket probe = make_socket(spec, AF_UNIX);
  const bool lives = ::connect(probe.descriptor(), generic(address), sizeof address) == 0 ||
                     errno == EAGAIN || errno == EINPROGRESS;
  if (lives) fail(spec, "another program answers there; stop it, or name another socket");
  if (errno == ECONNREFUSED) ::unlink(spec.path.c_str());
}

void give_away(const SocketSpec& spec, const SocketOwner& owner) {
  if (::geteuid() != 0) return;
  const std::size_t slash = spec.path.rfind('/');
  const std::string directory = slash == std::string::npos ? "." : spec.path.substr(0, slash + 1);
  struct stat parent{};
  const bool keeps_group = ::stat(directory.c_str(), &parent) == 0 && (parent.st_mode & S_ISGID);
  const gid_t group = keeps_group ? static_cast<gid_t>(-1) : owner.gid;
  if (::lchown(spec.path.c_str(), owner.uid, group) != 0) fail(spec, std::strerror(errno));
}

ListeningSocket open_unix(const SocketSpec& spec, const SocketOwner& owner) {
  const sockaddr_un address = unix_address(spec);
  remove_stale_file(spec, address);
  ListeningSocket socket = make_socket(spec, AF_UNIX);
  // The file gets the mode of the socket, so it is never open to more than that.
  if (owner.mode && ::fchmod(socket.descriptor(), *owner.mode) != 0)
    fail(spec, std::strerror(errno));
  if (::bind(socket.descriptor(), generic(address), sizeof address) != 0) {
    fail(spec, fmt::format("{}; {}", std::strerror(errno),
                           errno == EADDRINUSE ? "remove the file, which this user may not try"
                                               : "make the directory, and let this user write to "
                                                 "it"));
  }
  socket.owns_file(spec.path);
  give_away(spec, owner);
  listen_on(spec, socket);
  return socket;
}

using AddressList = std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)>;

AddressList look_up(const SocketSpec& spec) {
  addrinfo hints{};
  hints.ai_family = spec.family == SocketSpec::Family::inet6 ? AF_INET6 : AF_INET;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  addrinfo* found = nullptr;
  const std::string port = std::to_string(spec.port);
  const int error =
      ::getaddrinfo(spec.host.empty() ? nullptr : spec.host.c_str(), port.c_str(), &hints, &found);
  if (error != 0) fail(spec, ::gai_strerror(error));
  return {found, &::freeaddrinfo};
}

/// /etc/hosts may give a name the same address twice, as it does for localhost.
bool is_listed_before(const addrinfo& first, const addrinfo& address) {
  for (const addrinfo* one = &first; one != &address; one = one->ai_next) {
    if (one->ai_addrlen == address.ai_addrlen &&
        std::memcmp(one->ai_addr, address.ai_addr, address.ai_addrlen) == 0) {
      return true;
    }
  }
  return false;
}

ListeningSocket open_inet(const SocketSpec& spec, const addrinfo& address) {
  ListeningSocket socket = make_socket(spec, address.ai_family);
  switch_on(socket, SOL_SOCKET, SO_REUSEADDR);
  switch_on(socket, IPPROTO_TCP, TCP_NODELAY);  // Inherited by what is accepted: replies are small.
  if (address.ai_family == AF_INET6) switch_on(socket, IPPROTO_IPV6, IPV6_V6ONLY);
  if (::bind(socket.descriptor(), address.ai_addr, address.ai_addrlen) != 0) {
    fail(spec, errno == EADDRINUSE ? "the port is busy; stop the program that has it (ss -ltnp "
                                     "shows it), or name another port"
                                   : std::strerror(errno));
  }
  listen_on(spec, socket);
  return socket;
}

}  // namespace

ListeningSocket::ListeningSocket(ListeningSocket&& other) noexcept
    : socket_(std::move(other.socket_)),
      path_(std::exchange(other.path_, {})),
      device_(other.device_),
      inode_(other.inode_),
      maker_(other.maker_) {}

void ListeningSocket::owns_file(std::string path) {
  struct stat file{};
  if (::lstat(path.c_str(), &file) != 0) return;
  path_ = std::move(path);
  device_ = file.st_dev;
  inode_ = file.st_ino;
  maker_ = ::getpid();
}

void ListeningSocket::close() {
  const std::string path = std::exchange(path_, {});
  struct stat file{};
  const bool is_ours = !path.empty() && maker_ == ::getpid() && ::lstat(path.c_str(), &file) == 0 &&
                       file.st_dev == device_ && file.st_ino == inode_;
  if (is_ours) ::unlink(path.c_str());
  socket_.close();
}

void ListeningSockets::close() {
  for (std::vector<ListeningSocket>* sockets : {&milter, &policy, &metrics, &control}) {
    for (ListeningSocket& socket : *sockets) socket.close();
  }
}

std::vector<ListeningSocket> open_listening_sockets(const SocketSpec& spec,
                                                    const SocketOwner& owner) {
  std::vector<ListeningSocket> sockets;
  if (spec.family == SocketSpec::Family::unix) {
    sockets.push_back(open_unix(spec, owner));
    return sockets;
  }
  const AddressList addresses = look_up(spec);
  for (const addrinfo* one = addresses.get(); one != nullptr; one = one->ai_next) {
    if (!is_listed_before(*addresses, *one)) sockets.push_back(open_inet(spec, *one));
  }
  return sockets;
}

}  // namespace countersign::service
