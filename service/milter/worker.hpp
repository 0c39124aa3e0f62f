// SPDX-License-Identifier: Apache-2.0
//
// A worker: one thread, one I/O context, its own connections and its own pointer to the policy.
// Workers share nothing, so a session needs no lock. Everything public may be called from any
// thread; it is carried out on the worker's.

#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <vector>

#include "service/milter/connection.hpp"

namespace countersign::service {

/// What all connections of a worker have in common; a reload gives a new one.
struct WorkerSettings {
  std::shared_ptr<const mailflow::SigningPolicy> policy;
  ConnectionTimeouts timeouts;
  bool log_successes = true;
};

/// One worker.
class Worker {
 public:
  /// on_connection_end   called on the worker's thread each time that a connection has ended.
  Worker(WorkerSettings settings, Log& log, std::function<void()> on_connection_end);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  /// Serves until stop() was called and the last connection has ended; the body of the worker's
  /// thread.
  void run();

  /// Takes over a connected socket that does not block.
  void take(int socket);
  /// Puts new settings in force: messages that have begun keep the policy that they began with.
  void adopt(WorkerSettings settings);
  /// Lets no connection begin another message; those between messages end now.
  void stop();
  /// Ends all connections now.
  void stop_at_once();

 private:
  boost::asio::awaitable<void> serve(int socket);
  boost::asio::awaitable<void> watch_deadlines();
  void end_connections(bool only_idle);

  boost::asio::io_context context_;
  std::optional<boost::asio::executor_work_guard<boost::asio::io_context::executor_type>> work_;
  boost::asio::steady_timer watchdog_;
  std::shared_ptr<const mailflow::SigningPolicy> policy_;
  std::vector<char> buffer_;
  ConnectionHost host_;
  std::list<Connection> connections_;
  std::function<void()> on_connection_end_;
};

}  // namespace countersign::service
