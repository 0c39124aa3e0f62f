// SPDX-License-Identifier: Apache-2.0

#include "service/milter/listener.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <cstring>
#include <string>

#include "service/log/log.hpp"

namespace countersign::service {
namespace {

namespace asio = boost::asio;
constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

// After an error that is not the peer's: no descriptors, no memory. The next try may do.
constexpr std::chrono::milliseconds pause_after_error{200};
// While all sessions are taken; connection_ended() cuts it short.
constexpr std::chrono::seconds pause_while_full{1};

bool is_out_of_resources(int error) {
  return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

}  // namespace

Listener::Listener(asio::io_context& context, const std::vector<int>& sockets,
                   std::size_t connections_max, Log& log, std::function<void(int)> on_connection)
    : context_(context),
      connections_max_(connections_max),
      log_(log),
      on_connection_(std::move(on_connection)) {
  for (const int socket : sockets) {
    doors_.emplace_back(asio::posix::stream_descriptor(context, socket),
                        asio::steady_timer(context));
  }
}

Listener::~Listener() {
  for (Door& door : doors_) door.socket.release();
}

void Listener::start() {
  for (Door& door : doors_) asio::co_spawn(context_, accept_at(door), asio::detached);
}

void Listener::stop() {
  stopping_ = true;
  for (Door& door : doors_) {
    door.socket.cancel();
    door.pause.cancel();
  }
}

void Listener::connection_ended() {
  open_.fetch_sub(1);
  if (!full_.load()) return;
  asio::post(context_, [this] {
    for (Door& door : doors_) door.pause.cancel();
  });
}

asio::awaitable<void> Listener::accept_at(Door& door) {
  while (!stopping_) {
    const auto [error] =
        co_await door.socket.async_wait(asio::posix::stream_descriptor::wait_read, as_result);
    if (error || stopping_) co_return;
    bool more = true;
    while (more && !stopping_) {
      if (open_.load() >= connections_max_) {
        co_await wait_for_room(door);
        continue;
      }
      more = accept_one(door);
      if (!more && is_out_of_resources(errno)) {
        door.pause.expires_after(pause_after_error);
        const auto [pause_error] = co_await door.pause.async_wait(as_result);
        static_cast<void>(pause_error);  // stop() cuts the pause short.
      }
    }
  }
}

asio::awaitable<void> Listener::wait_for_room(Door& door) {
  if (!full_.exchange(true)) {
    log_.write(LogLevel::warning, "all sessions are taken; new connections wait",
               {{"sessions_max", std::to_string(connections_max_)}});
  }
  while (!stopping_ && open_.load() >= connections_max_) {
    door.pause.expires_after(pause_while_full);
    const auto [error] = co_await door.pause.async_wait(as_result);
    static_cast<void>(error);  // connection_ended() and stop() cut the pause short.
  }
  full_ = false;
}

bool Listener::accept_one(Door& door) {
  const int socket =
      ::accept4(door.socket.native_handle(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (socket < 0) {
    const int error = errno;
    if (is_out_of_resources(error)) {
      log_.write(LogLevel::error, "cannot accept a connection", {{"error", std::strerror(error)}});
    }
    errno = error;
    return error == EINTR || error == ECONNABORTED;
  }
  // Replies are small and awaited; on a unix socket this fails and does not matter.
  const int on = 1;
  static_cast<void>(::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on));
  open_.fetch_add(1);
  on_connection_(socket);
  return true;
}

}  // namespace countersign::service
