// SPDX-License-Identifier: Apache-2.0

#include "service/run/peer.hpp"

#include <sys/socket.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>

namespace countersign::service {
namespace {

namespace asio = boost::asio;
using asio::posix::stream_descriptor;

// Waits end with an error when somebody wakes the connection; what for is in its members.
constexpr auto or_awake = asio::as_tuple(asio::use_awaitable);
// All waiting for DNS ends by itself; the watchdog is there in case it does not.
constexpr std::chrono::minutes grace_of_judging{10};

bool is_for_now(int error) { return error == EAGAIN || error == EWOULDBLOCK || error == EINTR; }

}  // namespace

Peer::Peer(asio::io_context& context, Descriptor socket) : socket_(context) {
  socket_.assign(socket.get());
  static_cast<void>(socket.release());
}

Peer::~Peer() = default;

asio::awaitable<void> Peer::readable() {
  co_await socket_.async_wait(stream_descriptor::wait_read, or_awake);
}

Peer::Received Peer::receive(std::span<char> buffer, std::size_t& size) {
  const ssize_t got = ::recv(socket_.native_handle(), buffer.data(), buffer.size(), MSG_DONTWAIT);
  size = got > 0 ? static_cast<std::size_t>(got) : 0;
  if (got > 0) return Received::octets;
  return got < 0 && is_for_now(errno) ? Received::nothing : Received::end;
}

asio::awaitable<bool> Peer::send(std::string_view octets, std::chrono::milliseconds within) {
  expect(Due::taking_the_reply, within);
  for (;;) {
    const ssize_t put =
        ::send(socket_.native_handle(), octets.data(), octets.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (put > 0) octets.remove_prefix(static_cast<std::size_t>(put));
    if (octets.empty()) co_return true;
    if (put < 0 && !is_for_now(errno)) co_return false;
    co_await socket_.async_wait(stream_descriptor::wait_write, or_awake);
    if (ended_) co_return false;
  }
}

void Peer::send_last(std::string_view octets) {
  static_cast<void>(
      ::send(socket_.native_handle(), octets.data(), octets.size(), MSG_DONTWAIT | MSG_NOSIGNAL));
}

void Peer::begin_judging(const Deadline& deadline) {
  due_ = Due::nothing;
  deadline_ = deadline.end + grace_of_judging;
  is_judging_ = true;
}

void Peer::expect(Due due, std::chrono::milliseconds within) {
  due_ = due;
  deadline_ = std::chrono::steady_clock::now() + within;
}

void Peer::end() {
  ended_ = true;
  if (is_judging_) cancel_.emit(asio::cancellation_type::terminal);
  wake();
}

void Peer::wake() {
  boost::system::error_code ignored;  // There was nothing to wake.
  socket_.cancel(ignored);
}

void Peer::end_if_overdue(std::chrono::steady_clock::time_point now) {
  if (ended_ || now < deadline_) return;
  tell_overdue();
  end();
}

void Peer::fail(const std::exception_ptr& error) {
  std::string what = "unknown";
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& exception) {
    what = exception.what();
  } catch (...) {  // NOLINT(bugprone-empty-catch): it has no text.
  }
  tell_failure(what);
}

}  // namespace countersign::service
