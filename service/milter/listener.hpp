// SPDX-License-Identifier: Apache-2.0
//
// The doors: accepts connections on all listening sockets and hands them on, up to a number of
// sessions. Over that number new connections wait in the kernel's queue: mail waits then, it is not
// lost.

#pragma once

#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstddef>
#include <functional>
#include <list>
#include <optional>
#include <string>
#include <vector>

#include "service/run/descriptor.hpp"

namespace countersign::service {

class Log;

/// Accepts on any number of listening sockets. Lives on one thread, that of its context; only
/// connection_ended() and connections() are for all.
class Listener {
 public:
  /// sockets       listening sockets that do not block; they stay the caller's, open until stop().
  /// on_connection called with each accepted socket, which does not block.
  Listener(boost::asio::io_context& context, const std::vector<int>& sockets,
           std::size_t connections_max, Log& log, std::function<void(Descriptor)> on_connection);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  /// Begins to accept.
  void start();
  /// Accepts no more and lets go of the sockets; connections that were handed over go on.
  void stop();
  /// Changes the number of connections that may be open at once; those over it go on.
  void allow(std::size_t connections_max);
  /// A connection that was handed over has ended.
  void connection_ended();
  /// Connections that were handed over and have not ended.
  [[nodiscard]] std::size_t connections() const { return open_.load(); }

 private:
  enum class Accepted : std::uint8_t { one, none, failed };

  struct Door {
    boost::asio::posix::stream_descriptor socket;
    boost::asio::steady_timer pause;
  };

  /// Lets a message pass when none has for a while: trouble that lasts must not fill the log.
  class Seldom {
   public:
    /// True when the message may be written; counts as written then.
    [[nodiscard]] bool is_due();

   private:
    std::optional<std::chrono::steady_clock::time_point> last_;
  };

  [[nodiscard]] boost::asio::awaitable<void> accept_at(Door& door);
  [[nodiscard]] boost::asio::awaitable<void> wait_for_room(Door& door);
  [[nodiscard]] Accepted accept_one(Door& door);
  [[nodiscard]] Accepted fail(const std::string& why);
  [[nodiscard]] bool is_full() const { return open_.load() >= connections_max_; }
  void wake_doors();

  boost::asio::io_context& context_;
  std::list<Door> doors_;
  std::size_t connections_max_;
  Log& log_;
  std::function<void(Descriptor)> on_connection_;
  std::atomic<std::size_t> open_ = 0;
  std::atomic<std::size_t> doors_waiting_ = 0;  // For room.
  bool stopping_ = false;
  Seldom full_;
  Seldom failed_;
};

}  // namespace countersign::service
