// SPDX-License-Identifier: Apache-2.0
//
// The doors: accepts connections on all listening sockets and hands them to the workers in turn, up
// to a number of sessions.
// Over that number new connections wait in the kernel's queue: mail waits then, it is not lost.

#pragma once

#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstddef>
#include <functional>
#include <list>
#include <vector>

namespace countersign::service {

class Log;

/// Accepts on any number of listening sockets. Lives on one thread, that of its context;
/// connection_ended() is for all.
class Listener {
 public:
  /// sockets       listening sockets that do not block; they are not closed here: a supervisor may
  ///               own them.
  /// on_connection called with each accepted socket, which does not block.
  Listener(boost::asio::io_context& context, const std::vector<int>& sockets,
           std::size_t connections_max, Log& log, std::function<void(int)> on_connection);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  /// Begins to accept.
  void start();
  /// Accepts no more; connections that were handed over go on.
  void stop();
  /// A connection that was handed over has ended. May be called from any thread.
  void connection_ended();
  /// Connections that were handed over and have not ended.
  [[nodiscard]] std::size_t connections() const { return open_.load(); }

 private:
  struct Door {
    boost::asio::posix::stream_descriptor socket;
    boost::asio::steady_timer pause;
  };
  boost::asio::awaitable<void> accept_at(Door& door);
  boost::asio::awaitable<void> wait_for_room(Door& door);
  [[nodiscard]] bool accept_one(Door& door);

  boost::asio::io_context& context_;
  std::list<Door> doors_;
  std::size_t connections_max_;
  Log& log_;
  std::function<void(int)> on_connection_;
  std::atomic<std::size_t> open_ = 0;
  std::atomic<bool> full_ = false;
  bool stopping_ = false;
};

}  // namespace countersign::service
