// SPDX-License-Identifier: Apache-2.0

#include "service/milter/worker.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
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

Worker::Worker(WorkerSettings settings, Log& log, std::function<void(Service)> on_connection_end)
    : context_(1),
      work_(asio::make_work_guard(context_)),
      watchdog_(context_),
      buffer_(buffer_octets),
      host_{.buffer = buffer_, .log = log, .policies = [this] { return policy_; }},
      policy_host_{.log = log, .policies = [this] { return access_; }},
      on_connection_end_(std::move(on_connection_end)) {
  set(std::move(settings));
}

Worker::~Worker() = default;

void Worker::run() {
  watch_deadlines();
  for (;;) {
    try {
      context_.run();
      return;
    } catch (const std::exception& error) {
      // Whatever it was, the other connections are not to suffer.
      host_.log.write(LogLevel::error, "a worker met an error and goes on",
                      {{"error", error.what()}});
    }
  }
}

void Worker::take(Descriptor socket, Service service) {
  asio::post(context_, [this, socket = std::move(socket), service]() mutable {
    open(std::move(socket), service);
  });
}

void Worker::adopt(WorkerSettings settings) {
  asio::post(context_,
             [this, settings = std::move(settings)]() mutable { set(std::move(settings)); });
}

void Worker::set(WorkerSettings settings) {
  policy_ = std::move(settings.policy);
  access_ = std::move(settings.access);
  host_.timeouts = settings.timeouts;
  host_.detail = settings.detail;
  host_.resolver = policy_host_.resolver = settings.resolver;
  host_.shares = policy_host_.shares = settings.shares;
  host_.dns_timeout = policy_host_.timeouts.dns = settings.dns_timeout;
  host_.message_timeout = policy_host_.timeouts.evaluation = settings.message_timeout;
  policy_host_.timeouts.idle = settings.timeouts.idle;
  policy_host_.timeouts.request = settings.timeouts.packet;
  host_.record = std::move(settings.record);
  host_.count_recipients = std::move(settings.count_recipients);
  host_.metrics = settings.metrics;
  host_.kept = settings.kept;
  policy_host_.limits = policy_->limits;
}

void Worker::stop() {
  asio::post(context_, [this] {
    host_.stopping = policy_host_.stopping = true;
    work_.reset();
    for (const Served& served : connections_) served.peer->finish();
    end_if_done();
  });
}

void Worker::stop_at_once() {
  asio::post(context_, [this] {
    at_once_ = true;
    for (const Served& served : connections_) served.peer->end();
  });
}

std::unique_ptr<Peer> Worker::make(Descriptor socket, Service service) {
  if (service == Service::milter)
    return std::make_unique<Connection>(context_, std::move(socket), host_);
  return std::make_unique<PolicyConnection>(context_, std::move(socket), policy_host_);
}

void Worker::open(Descriptor socket, Service service) {
  const Connections::iterator before = connections_.begin();
  try {
    connections_.push_front({service, make(std::move(socket), service)});
    const Connections::iterator self = connections_.begin();
    const auto on_end = [this, self](const std::exception_ptr& error) {
      if (error) self->peer->fail(error);
      close(self);
    };
    asio::co_spawn(context_, self->peer->serve(),
                   asio::bind_cancellation_slot(self->peer->cancellation(), on_end));
  } catch (const std::exception& error) {
    host_.log.write(LogLevel::error, "cannot serve a connection", {{"error", error.what()}});
    connections_.erase(connections_.begin(), before);
    on_connection_end_(service);
  }
}

void Worker::close(Connections::iterator connection) {
  const Service service = connection->service;
  connections_.erase(connection);
  on_connection_end_(service);
  end_if_done();
}

/// Lets the thread end when there is nothing left to serve. Lookups that nobody waits for any more
/// hold it up, unless it is to end at once.
void Worker::end_if_done() {
  if (!is_done()) return;
  watchdog_.cancel();
  if (at_once_) context_.stop();
}

void Worker::watch_deadlines() {
  if (is_done()) return;
  watchdog_.expires_after(watchdog_period);
  watchdog_.async_wait([this](const boost::system::error_code&) {
    const auto now = std::chrono::steady_clock::now();
    for (const Served& served : connections_) served.peer->end_if_overdue(now);
    watch_deadlines();
  });
}

}  // namespace countersign::service
