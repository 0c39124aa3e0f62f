// SPDX-License-Identifier: Apache-2.0
//
// One milter connection: octets between a socket and a milter::Session, within deadlines. It waits
// for octets before it reads them into a buffer that all connections of a worker share, so that a
// thousand idle sessions hold no buffers.

#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <chrono>
#include <cstdint>
#include <span>

#include "countersign/milter/session.hpp"

namespace countersign::service {

class Log;

/// How long a peer may keep a connection without moving.
struct ConnectionTimeouts {
  /// Between frames. An SMTP client may be silent for minutes; libmilter waits 7,210 s for its MTA.
  std::chrono::seconds idle{7'210};
  /// Inside a frame, and while a reply does not get away.
  std::chrono::seconds frame{60};
};

/// What a connection needs of the worker that serves it.
struct ConnectionHost {
  std::span<char> buffer;  ///< shared by the worker's connections, used only between two waits
  Log& log;
  milter::PolicySource policies;
  ConnectionTimeouts timeouts;
  bool log_successes = true;  ///< write a line for each message that was signed
  bool stopping = false;      ///< connections close when their message is finished
};

/// One connection. Lives and dies on its worker's thread.
class Connection {
 public:
  /// Takes over the socket, which must not block.
  Connection(boost::asio::io_context& context, int socket, ConnectionHost& host);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Serves until either side ends it. Never throws: a session's exception answers 451 and ends
  /// that connection alone.
  boost::asio::awaitable<void> run();

  /// Ends the connection now, or, when only idle ones are to go, only between messages.
  void end(bool only_if_idle);
  /// Ends the connection when its deadline has passed.
  void end_if_overdue(std::chrono::steady_clock::time_point now);

 private:
  enum class Received : std::uint8_t { octets, nothing, end };

  boost::asio::awaitable<void> serve();
  boost::asio::awaitable<bool> send(std::string_view octets);
  Received receive(std::size_t& size);
  void report(const std::vector<milter::Event>& events);
  void expect_progress_within(std::chrono::seconds time);
  void answer_tempfail();

  boost::asio::posix::stream_descriptor socket_;
  ConnectionHost& host_;
  milter::Session session_;
  std::chrono::steady_clock::time_point deadline_;
  bool overdue_ = false;
};

}  // namespace countersign::service
