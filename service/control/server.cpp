// SPDX-License-Identifier: Apache-2.0

#include "service/control/server.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/json.hpp>
#include <exception>
#include <utility>
#include <vector>

#include "service/explain/json_text.hpp"
#include "service/log/log.hpp"

namespace countersign::service {
namespace {

namespace asio = boost::asio;
using namespace asio::experimental::awaitable_operators;

constexpr auto or_error = asio::as_tuple(asio::use_awaitable);

std::string line_of(const boost::json::object& document) { return ascii_json(document) + '\n'; }

}  // namespace

ControlServer::ControlServer(int socket, ControlRequests requests, Log& log, ControlLimits limits)
    : context_(1),
      requests_(std::move(requests)),
      log_(log),
      limits_(limits),
      listener_(context_, {socket}, limits.sessions, log,
                [this](Descriptor connection) { open(std::move(connection)); }) {
  listener_.start();
  thread_ = std::jthread([this] { run(); });
}

ControlServer::~ControlServer() {
  asio::post(context_, [this] {
    listener_.stop();
    context_.stop();
  });
}

void ControlServer::run() {
  while (!context_.stopped()) {
    try {
      context_.run();
    } catch (const std::exception& error) {
      log_.write(LogLevel::error, "the control socket met an error", {{"error", error.what()}});
    }
  }
}

void ControlServer::open(Descriptor socket) {
  Stream stream(context_, asio::local::stream_protocol(), socket.get());
  static_cast<void>(socket.release());
  asio::co_spawn(context_, serve(std::move(stream)), [this](const std::exception_ptr& error) {
    listener_.connection_ended();
    if (error) std::rethrow_exception(error);
  });
}

asio::awaitable<void> ControlServer::serve(Stream stream) {
  const std::string answer = co_await answer_to(stream);
  if (answer.empty()) co_return;
  asio::steady_timer timer(context_, limits_.answer);
  // Whoever does not take it goes without.
  co_await (asio::async_write(stream, asio::buffer(answer), or_error) ||
            timer.async_wait(or_error));
}

/// Waits for the request; empty when there is none.
asio::awaitable<std::string> ControlServer::answer_to(Stream& stream) {
  std::string line;
  asio::steady_timer timer(context_, limits_.request);
  const auto came = co_await (
      asio::async_read_until(stream, asio::dynamic_buffer(line, control_request_octets_max), '\n',
                             or_error) ||
      timer.async_wait(or_error));
  if (came.index() == 1)
    co_return line_of(
        to_json(ControlError{ControlErrorCode::too_slow, "the request did not come in time"}));
  const auto [error, size] = std::get<0>(came);
  if (error == asio::error::not_found)
    co_return line_of(to_json(ControlError{
        ControlErrorCode::too_long,
        "a request has at most " + std::to_string(control_request_octets_max) + " octets"}));
  // A line without its end is a request, too, when nothing comes behind it.
  if (error && (error != asio::error::eof || line.empty())) co_return std::string();
  if (!error) line.resize(size);
  co_return line_of(requests_.answer(line));
}

}  // namespace countersign::service
