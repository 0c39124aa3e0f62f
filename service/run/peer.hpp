// SPDX-License-Identifier: Apache-2.0
//
// A connected socket and what every protocol on it needs: octets out and in, a deadline that a
// watchdog looks after, an evaluation that asks DNS, an end at any moment. What the octets mean is
// for those who derive from it.

#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/system/system_error.hpp>
#include <chrono>
#include <cstdint>
#include <exception>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "countersign/dns/asking.hpp"
#include "countersign/limits.hpp"
#include "service/dns/drive.hpp"
#include "service/run/descriptor.hpp"

namespace countersign::service {

/// One connection. Lives and dies on one thread.
class Peer {
 public:
  virtual ~Peer();
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  /// Cancels what serve() waits for when the connection ends; to be bound to the coroutine.
  [[nodiscard]] boost::asio::cancellation_slot cancellation() { return cancel_.slot(); }
  /// Serves until either side ends it. What it throws goes to fail().
  [[nodiscard]] virtual boost::asio::awaitable<void> serve() = 0;

  /// Lets the connection end when what is under way is finished, at once when nothing is.
  virtual void finish() = 0;
  /// Ends the connection now.
  void end();
  /// Ends the connection when its deadline has passed, and says so in the log.
  void end_if_overdue(std::chrono::steady_clock::time_point now);
  /// Lets the peer try again later and tells the log why; the connection is not served any more.
  void fail(const std::exception_ptr& error);

 protected:
  /// What the peer must do before the deadline.
  enum class Due : std::uint8_t {
    next,              ///< begin another packet or request
    rest,              ///< complete the one that has begun
    taking_the_reply,  ///< take it
    nothing,           ///< wait for us
  };
  /// What came of reading.
  enum class Received : std::uint8_t { octets, nothing, end };

  /// Takes over the socket, which must not block.
  Peer(boost::asio::io_context& context, Descriptor socket);

  /// Waits until there is something to read, or somebody calls wake().
  [[nodiscard]] boost::asio::awaitable<void> readable();
  /// Reads what is there, without waiting.
  [[nodiscard]] Received receive(std::span<char> buffer, std::size_t& size);
  /// Sends all octets, which must be taken within that time; false when the connection is over. The
  /// octets must stay where they are until it is done.
  [[nodiscard]] boost::asio::awaitable<bool> send(std::string_view octets,
                                                  std::chrono::milliseconds within);
  /// Sends what can be sent at once.
  void send_last(std::string_view octets);

  /// Drives an evaluation; nothing when the connection was ended meanwhile. `asked` gets its
  /// questions, unless it is nullptr.
  template <class T>
  [[nodiscard]] boost::asio::awaitable<std::optional<T>> judge(dns::Asking<T> asking,
                                                               Resolver& resolver,
                                                               Deadline deadline,
                                                               Limits limits = {},
                                                               AskedQuestions* asked = nullptr) {
    begin_judging(deadline);
    std::optional<T> outcome;
    try {
      outcome = co_await drive(std::move(asking), resolver, deadline, limits, asked);
    } catch (const boost::system::system_error&) {
      if (!ended_) throw;
    }
    is_judging_ = false;
    co_return ended_ ? std::nullopt : std::move(outcome);
  }

  /// Sets what is due, and when.
  void expect(Due due, std::chrono::milliseconds within);
  /// Lets what waits for the socket look at the members again.
  void wake();
  [[nodiscard]] Due due() const { return due_; }
  [[nodiscard]] bool has_ended() const { return ended_; }
  [[nodiscard]] bool is_judging() const { return is_judging_; }

 private:
  /// Says in the log that the deadline has passed.
  virtual void tell_overdue() = 0;
  /// Lets the peer try again later, and says in the log what went wrong.
  virtual void tell_failure(const std::string& what) = 0;
  void begin_judging(const Deadline& deadline);

  boost::asio::posix::stream_descriptor socket_;
  std::chrono::steady_clock::time_point deadline_;
  Due due_ = Due::nothing;
  bool ended_ = false;
  bool is_judging_ = false;
  boost::asio::cancellation_signal cancel_;
};

}  // namespace countersign::service
