// SPDX-License-Identifier: Apache-2.0

#include "service/milter/connection.hpp"

#include <sys/socket.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <optional>
#include <utility>

#include "countersign/assert.hpp"
#include "service/dns/drive.hpp"
#include "service/log/log.hpp"

namespace countersign::service {
namespace {

namespace asio = boost::asio;
using asio::posix::stream_descriptor;

// Waits end with an error when somebody wakes the connection; what for is in its members.
constexpr auto or_awake = asio::as_tuple(asio::use_awaitable);
// For all questions of a message together. RFC 7208 §4.6.4 asks for 20 s at least.
constexpr std::chrono::seconds judging_max{20};
constexpr std::string_view tempfail_frame("\0\0\0\1t", 5);

std::chrono::sys_seconds now() {
  return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

std::string_view describe(bool inside_packet, bool sends) {
  if (sends) return "the MTA did not take a reply in time; its connection is closed";
  if (inside_packet) return "the MTA did not complete a packet in time; its connection is closed";
  return "the MTA was silent for too long; its connection is closed";
}

}  // namespace

Connection::Connection(asio::io_context& context, Descriptor socket, ConnectionHost& host)
    : socket_(context), host_(host), session_(host.policies) {
  socket_.assign(socket.get());
  static_cast<void>(socket.release());
  // The negotiation follows the connection at once, as if its packet had begun.
  expect(Due::rest_of_packet, host_.timeouts.packet);
}

Connection::~Connection() = default;

asio::awaitable<void> Connection::serve() {
  while (!ended_) {
    if (!may_end()) co_await socket_.async_wait(stream_descriptor::wait_read, or_awake);
    if (ended_) break;
    std::size_t size = 0;
    const Received received = receive(size);
    if (received == Received::nothing) {
      if (may_end()) break;
      continue;
    }
    milter::Step step = received == Received::end
                            ? session_.end_of_input()
                            : session_.receive({host_.buffer.data(), size}, now());
    if (!co_await carry_out(std::move(step)) || received == Received::end) break;
    expect_packet();
  }
}

/// Does what a step says, and what follows from it; false when the connection is over.
asio::awaitable<bool> Connection::carry_out(milter::Step step) {
  for (;;) {
    // The MTA waits for the reply, nobody for the log.
    const bool sent = step.send.empty() || co_await send(step.send);
    report(step.events);
    if (!sent || step.close) co_return false;
    if (!step.judging) co_return true;
    // Its frames view the session and end before it goes on.
    std::optional<mailflow::Outcome> outcome =
        co_await judge(*std::exchange(step.judging, std::nullopt));
    if (!outcome) co_return false;
    step = session_.finish(*std::move(outcome), now());
  }
}

/// Judges a message; nothing when the connection was ended meanwhile.
asio::awaitable<std::optional<mailflow::Outcome>> Connection::judge(
    dns::Asking<mailflow::Outcome> judging) {
  // All waiting for DNS ends by itself, so the watchdog has nothing to watch.
  expect(Due::nothing, host_.timeouts.idle + judging_max);
  const Deadline deadline{.end = std::chrono::steady_clock::now() + judging_max,
                          .question = host_.dns_timeout};
  COUNTERSIGN_ASSERT(host_.resolver != nullptr);
  is_judging_ = true;
  std::optional<mailflow::Outcome> outcome;
  try {
    outcome = co_await drive(std::move(judging), *host_.resolver, deadline);
  } catch (const boost::system::system_error&) {
    if (!ended_) throw;
  }
  is_judging_ = false;
  co_return ended_ ? std::nullopt : std::move(outcome);
}

Connection::Received Connection::receive(std::size_t& size) {
  const ssize_t got =
      ::recv(socket_.native_handle(), host_.buffer.data(), host_.buffer.size(), MSG_DONTWAIT);
  if (got > 0) {
    size = static_cast<std::size_t>(got);
    return Received::octets;
  }
  const bool retry = got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR);
  return retry ? Received::nothing : Received::end;
}

asio::awaitable<bool> Connection::send(std::string_view octets) {
  expect(Due::taking_the_reply, host_.timeouts.packet);
  for (;;) {
    const ssize_t put =
        ::send(socket_.native_handle(), octets.data(), octets.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (put > 0) octets.remove_prefix(static_cast<std::size_t>(put));
    if (octets.empty()) co_return true;
    if (put < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) co_return false;
    co_await socket_.async_wait(stream_descriptor::wait_write, or_awake);
    if (ended_) co_return false;
  }
}

void Connection::report(const std::vector<milter::Event>& events) {
  for (const milter::Event& event : events) log_event(host_.log, event, host_.detail);
}

/// A packet has its time from its first octet; more octets of it win no more.
void Connection::expect_packet() {
  if (!session_.is_inside_packet()) return expect(Due::next_packet, host_.timeouts.idle);
  if (due_ == Due::rest_of_packet && session_.frames() == packets_) return;
  expect(Due::rest_of_packet, host_.timeouts.packet);
}

void Connection::expect(Due due, std::chrono::milliseconds within) {
  due_ = due;
  packets_ = session_.frames();
  deadline_ = std::chrono::steady_clock::now() + within;
}

void Connection::finish() {
  if (session_.is_idle()) wake();
}

void Connection::end() {
  ended_ = true;
  if (is_judging_) cancel_.emit(asio::cancellation_type::terminal);
  wake();
}

void Connection::wake() {
  boost::system::error_code ignored;  // There was nothing to wake.
  socket_.cancel(ignored);
}

void Connection::end_if_overdue(std::chrono::steady_clock::time_point now) {
  if (ended_ || now < deadline_) return;
  host_.log.write(LogLevel::warning,
                  describe(session_.is_inside_packet(), due_ == Due::taking_the_reply));
  end();
}

void Connection::fail(const std::exception_ptr& error) {
  std::string what = "unknown";
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& exception) {
    what = exception.what();
  } catch (...) {  // NOLINT(bugprone-empty-catch): it has no text.
  }
  // If it does not get away, the MTA takes the end of the connection for the same.
  static_cast<void>(::send(socket_.native_handle(), tempfail_frame.data(), tempfail_frame.size(),
                           MSG_DONTWAIT | MSG_NOSIGNAL));
  host_.log.write(LogLevel::error, "a milter session failed; the MTA is told to try again later",
                  {{"error", what}});
}

}  // namespace countersign::service
