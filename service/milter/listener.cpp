// SPDX-License-Identifier: Apache-2.0

#include "service/milter/listener.hpp"

#include <sys/socket.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <cstring>
#include <exception>

#include "service/log/log.hpp"

namespace countersign::service {
namespace {

namespace asio = boost::asio;
using asio::posix::stream_descriptor;

// Waits end with an error when somebody wakes the door; what for is in the listener's members.
constexpr auto or_awake = asio::as_tuple(asio::use_awaitable);

// After an error that is not the peer's: no descriptors, no memory. The next try may do.
constexpr std::chrono::milliseconds pause_after_error{200};
constexpr std::chrono::seconds between_equal_lines{60};

/// Errors of accept(2) that are about the one connection, or about none.
bool is_over_with(int error) {
  switch (error) {
    case EAGAIN:
#if EWOULDBLOCK != EAGAIN
    case EWOULDBLOCK:
#endif
    case EINTR:
    case ECONNABORTED:
    case ENETDOWN:
    case EPROTO:
    case ENOPROTOOPT:
    case EHOSTDOWN:
    case ENONET:
    case EHOSTUNREACH:
    case EOPNOTSUPP:
    case ENETUNREACH:
      return true;
    default:
      return false;
  }
}

}  // namespace

bool Listener::Seldom::is_due() {
  const auto now = std::chrono::steady_clock::now();
  if (last_ && now - *last_ < between_equal_lines) return false;
  last_ = now;
  return true;
}

Listener::Listener(asio::io_context& context, const std::vector<int>& sockets,
                   std::size_t connections_max, Log& log,
                   std::function<void(Descriptor)> on_connection)
    : context_(context),
      connections_max_(connections_max),
      log_(log),
      on_connection_(std::move(on_connection)) {
  for (const int socket : sockets) {
    doors_.emplace_back(stream_descriptor(context, socket), asio::steady_timer(context));
  }
}

Listener::~Listener() { stop(); }

void Listener::start() {
  for (Door& door : doors_) {
    asio::co_spawn(context_, accept_at(door), [](const std::exception_ptr& error) {
      if (error) std::rethrow_exception(error);  // A daemon without a door must not live on.
    });
  }
}

void Listener::stop() {
  stopping_ = true;
  for (Door& door : doors_) {
    if (door.socket.is_open()) static_cast<void>(door.socket.release());
  }
  wake_doors();
}

void Listener::allow(std::size_t connections_max) {
  connections_max_ = connections_max;
  wake_doors();
}

void Listener::wake_doors() {
  for (Door& door : doors_) door.pause.cancel();
}

void Listener::connection_ended() {
  open_.fetch_sub(1);
  // A door counts itself before it looks at the number of connections. So either it sees the new
  // number, or we see the door.
  if (doors_waiting_.load() > 0) asio::post(context_, [this] { wake_doors(); });
}

asio::awaitable<void> Listener::accept_at(Door& door) {
  while (!stopping_) {
    if (is_full()) {
      co_await wait_for_room(door);
      continue;
    }
    switch (accept_one(door)) {
      case Accepted::one:
        break;
      case Accepted::none:
        co_await door.socket.async_wait(stream_descriptor::wait_read, or_awake);
        break;
      case Accepted::failed:
        door.pause.expires_after(pause_after_error);
        co_await door.pause.async_wait(or_awake);
        break;
    }
  }
}

asio::awaitable<void> Listener::wait_for_room(Door& door) {
  doors_waiting_.fetch_add(1);
  if (is_full() && full_.is_due()) {
    log_.write(LogLevel::warning, "all sessions are taken; new connections wait",
               {{"sessions_max", std::to_string(connections_max_)}});
  }
  while (!stopping_ && is_full()) {
    door.pause.expires_at(std::chrono::steady_clock::time_point::max());
    co_await door.pause.async_wait(or_awake);
  }
  doors_waiting_.fetch_sub(1);
}

Listener::Accepted Listener::accept_one(Door& door) {
  Descriptor socket(
      ::accept4(door.socket.native_handle(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (!socket) return is_over_with(errno) ? Accepted::none : fail(std::strerror(errno));
  open_.fetch_add(1);
  try {
    on_connection_(std::move(socket));
  } catch (const std::exception& error) {
    open_.fetch_sub(1);
    return fail(error.what());
  }
  return Accepted::one;
}

Listener::Accepted Listener::fail(const std::string& why) {
  if (failed_.is_due()) {
    log_.write(LogLevel::error, "cannot accept connections; they wait", {{"error", why}});
  }
  return Accepted::failed;
}

}  // namespace countersign::service
