// SPDX-License-Identifier: Apache-2.0

#include "service/milter/worker.hpp"

#include <unistd.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>

#include "service/log/log.hpp"

namespace countersign::service {
namespace {

namespace asio = boost::asio;

// As much as an MTA sends in one go: Postfix writes body chunks of 64 KiB.
constexpr std::size_t buffer_octets = 128UL * 1024;
// Deadlines are minutes long; a second of slack costs nothing.
constexpr std::chrono::seconds watchdog_period{1};

}  // namespace

Worker::Worker(WorkerSettings settings, Log& log, std::function<void()> on_connection_end)
    : context_(1),
      work_(asio::make_work_guard(context_)),
      watchdog_(context_),
      policy_(std::move(settings.policy)),
      buffer_(buffer_octets),
      host_{.buffer = buffer_,
            .log = log,
            .policies = [this] { return policy_; },
            .timeouts = settings.timeouts,
            .log_successes = settings.log_successes},
      on_connection_end_(std::move(on_connection_end)) {}

Worker::~Worker() = default;

void Worker::run() {
  asio::co_spawn(context_, watch_deadlines(), asio::detached);
  context_.run();
}

void Worker::take(int socket) {
  asio::post(context_, [this, socket] { asio::co_spawn(context_, serve(socket), asio::detached); });
}

void Worker::adopt(WorkerSettings settings) {
  asio::post(context_, [this, settings = std::move(settings)]() mutable {
    policy_ = std::move(settings.policy);
    host_.timeouts = settings.timeouts;
    host_.log_successes = settings.log_successes;
  });
}

void Worker::stop() {
  asio::post(context_, [this] {
    host_.stopping = true;
    work_.reset();
    end_connections(true);
    if (connections_.empty()) watchdog_.cancel();
  });
}

void Worker::stop_at_once() {
  asio::post(context_, [this] { end_connections(false); });
}

void Worker::end_connections(bool only_idle) {
  for (Connection& connection : connections_) connection.end(only_idle);
}

asio::awaitable<void> Worker::serve(int socket) {
  std::list<Connection>::iterator self;
  try {
    self = connections_.emplace(connections_.end(), context_, socket, host_);
  } catch (const std::exception& error) {
    host_.log.write(LogLevel::error, "cannot serve a connection", {{"error", error.what()}});
    ::close(socket);
    on_connection_end_();
    co_return;
  }
  co_await self->run();
  connections_.erase(self);
  on_connection_end_();
  if (host_.stopping && connections_.empty()) watchdog_.cancel();
}

asio::awaitable<void> Worker::watch_deadlines() {
  while (!host_.stopping || !connections_.empty()) {
    watchdog_.expires_after(watchdog_period);
    const auto [error] = co_await watchdog_.async_wait(asio::as_tuple(asio::use_awaitable));
    static_cast<void>(error);  // Cancelled by stop(): the condition above decides.
    const auto now = std::chrono::steady_clock::now();
    for (Connection& connection : connections_) connection.end_if_overdue(now);
  }
}

}  // namespace countersign::service
