// SPDX-License-Identifier: Apache-2.0
//
// One milter connection: octets between a socket and a milter::Session, within deadlines. It waits
// for octets before it reads them into a buffer that all connections of a worker share, so that a
// thousand idle sessions hold no buffers.

#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <chrono>
#include <cstdint>
#include <exception>
#include <span>
#include <string_view>

#include "countersign/milter/session.hpp"
#include "service/dns/resolver.hpp"
#include "service/milter/event_log.hpp"
#include "service/run/descriptor.hpp"

namespace countersign::service {

/// How long a peer may keep a connection without moving.
struct ConnectionTimeouts {
  /// Between packets. An SMTP client may be silent for minutes; libmilter waits 7,210 s for its
  /// MTA.
  std::chrono::milliseconds idle = std::chrono::seconds{7'210};
  /// For a packet that has begun, for the first one, and for the peer to take a reply.
  std::chrono::milliseconds packet = std::chrono::seconds{60};
};

/// What a connection needs of the worker that serves it.
struct ConnectionHost {
  std::span<char> buffer;  ///< shared by the worker's connections, used only between two waits
  Log& log;
  milter::PolicySource policies;
  ConnectionTimeouts timeouts;
  EventDetail detail;
  Resolver* resolver = nullptr;  ///< for mail that is judged; there must be one before any is
  std::chrono::milliseconds dns_timeout = std::chrono::seconds{5};  ///< for one answer
  bool stopping = false;  ///< connections close when their message is finished
};

/// One connection. Lives and dies on its worker's thread.
class Connection {
 public:
  /// Takes over the socket, which must not block.
  Connection(boost::asio::io_context& context, Descriptor socket, ConnectionHost& host);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Cancels what serve() waits for when the connection ends; to be bound to the coroutine.
  [[nodiscard]] boost::asio::cancellation_slot cancellation() { return cancel_.slot(); }
  /// Serves until either side ends it. What it throws goes to fail().
  [[nodiscard]] boost::asio::awaitable<void> serve();

  /// Lets the connection end when its message is finished, at once when there is none. Octets that
  /// have arrived already count as a message.
  void finish();
  /// Ends the connection now.
  void end();
  /// Ends the connection when its deadline has passed, and says so in the log.
  void end_if_overdue(std::chrono::steady_clock::time_point now);
  /// Tells the MTA to try again later and the log why; the connection is not served any more.
  void fail(const std::exception_ptr& error);

 private:
  enum class Received : std::uint8_t { octets, nothing, end };
  /// What the peer must do before the deadline.
  enum class Due : std::uint8_t { next_packet, rest_of_packet, taking_the_reply, nothing };

  [[nodiscard]] boost::asio::awaitable<bool> carry_out(milter::Step step);
  [[nodiscard]] boost::asio::awaitable<std::optional<mailflow::Outcome>> judge(
      dns::Asking<mailflow::Outcome> judging);
  [[nodiscard]] boost::asio::awaitable<bool> send(std::string_view octets);
  [[nodiscard]] Received receive(std::size_t& size);
  [[nodiscard]] bool may_end() const { return host_.stopping && session_.is_idle(); }
  void report(const std::vector<milter::Event>& events);
  void expect_packet();
  void expect(Due due, std::chrono::milliseconds within);
  void wake();

  boost::asio::posix::stream_descriptor socket_;
  ConnectionHost& host_;
  milter::Session session_;
  std::chrono::steady_clock::time_point deadline_;
  std::uint64_t packets_ = 0;  // That were complete when the deadline was set.
  Due due_ = Due::rest_of_packet;
  bool ended_ = false;
  bool is_judging_ = false;
  boost::asio::cancellation_signal cancel_;
};

}  // namespace countersign::service
