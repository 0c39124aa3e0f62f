// SPDX-License-Identifier: Apache-2.0

#include "service/milter/connection.hpp"

#include <sys/socket.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <exception>

#include "service/log/log.hpp"
#include "service/milter/event_log.hpp"

namespace countersign::service {
namespace {

namespace asio = boost::asio;
using asio::posix::stream_descriptor;

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);
constexpr std::string_view tempfail_frame("\0\0\0\1t", 5);

std::chrono::sys_seconds now() {
  return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

}  // namespace

Connection::Connection(asio::io_context& context, int socket, ConnectionHost& host)
    : socket_(context, socket), host_(host), session_(host.policies) {
  expect_progress_within(host_.timeouts.frame);  // The negotiation follows the connection at once.
}

Connection::~Connection() = default;

asio::awaitable<void> Connection::run() {
  try {
    co_await serve();
  } catch (const std::exception& error) {
    host_.log.write(LogLevel::error, "a milter session failed", {{"error", error.what()}});
    answer_tempfail();
  }
  if (overdue_) host_.log.write(LogLevel::warning, "the MTA was silent for too long");
}

asio::awaitable<void> Connection::serve() {
  for (;;) {
    const auto [error] = co_await socket_.async_wait(stream_descriptor::wait_read, as_result);
    if (error) co_return;
    std::size_t size = 0;
    const Received received = receive(size);
    if (received == Received::nothing) continue;
    milter::Step step = received == Received::end
                            ? session_.end_of_input()
                            : session_.receive({host_.buffer.data(), size}, now());
    report(step.events);
    if (!step.send.empty() && !co_await send(step.send)) co_return;
    if (step.close || received == Received::end) co_return;
    if (host_.stopping && session_.is_idle()) co_return;
    expect_progress_within(session_.is_inside_packet() ? host_.timeouts.frame
                                                       : host_.timeouts.idle);
  }
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
  expect_progress_within(host_.timeouts.frame);
  while (!octets.empty()) {
    const ssize_t put =
        ::send(socket_.native_handle(), octets.data(), octets.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (put > 0) {
      octets.remove_prefix(static_cast<std::size_t>(put));
      continue;
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN && errno != EWOULDBLOCK) co_return false;
    const auto [error] = co_await socket_.async_wait(stream_descriptor::wait_write, as_result);
    if (error) co_return false;
  }
  co_return true;
}

void Connection::report(const std::vector<milter::Event>& events) {
  for (const milter::Event& event : events) log_event(host_.log, event, host_.log_successes);
}

void Connection::answer_tempfail() {
  if (::send(socket_.native_handle(), tempfail_frame.data(), tempfail_frame.size(),
             MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
    host_.log.write(LogLevel::debug, "the MTA is gone before the answer");
  }
}

void Connection::expect_progress_within(std::chrono::seconds time) {
  deadline_ = std::chrono::steady_clock::now() + time;
}

void Connection::end(bool only_if_idle) {
  if (!only_if_idle || session_.is_idle()) socket_.cancel();
}

void Connection::end_if_overdue(std::chrono::steady_clock::time_point now) {
  if (now < deadline_) return;
  overdue_ = true;
  socket_.cancel();
}

}  // namespace countersign::service
