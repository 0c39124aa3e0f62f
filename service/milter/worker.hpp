// SPDX-License-Identifier: Apache-2.0
//
// A worker: one thread, one I/O context, its own connections and its own pointer to the policy.
// Workers share nothing, so a session needs no lock. Everything public but run() may be called from
// any thread; it is carried out on the worker's, in the order of the calls.

#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <vector>

#include "service/milter/connection.hpp"
#include "service/policy/connection.hpp"

namespace countersign::service {

/// What a peer speaks, told by the socket that it came in at.
enum class Service : std::uint8_t { milter, policy };

/// What all connections of a worker have in common; a reload gives a new one.
struct WorkerSettings {
  std::shared_ptr<const mailflow::Policy> policy;  ///< never null
  /// What the policy service answers by; not null when there are connections to it.
  std::shared_ptr<const mailflow::SpfAccessPolicies> access;
  ConnectionTimeouts timeouts;
  EventDetail detail;
  /// Not null when the policy judges or the policy service answers; outlives the worker.
  Resolver* resolver = nullptr;
  ClientShares* shares = nullptr;  ///< outlives the worker; a reload does not change it
  std::chrono::milliseconds dns_timeout = std::chrono::seconds{5};
  std::chrono::milliseconds message_timeout = std::chrono::seconds{20};
  RecordJudged record;                         ///< takes judged messages, for reports; may be empty
  mailflow::CountRecipients count_recipients;  ///< for all workers; may be empty
  Metrics* metrics = nullptr;                  ///< outlives the worker; may be null
  KeptMessages* kept = nullptr;                ///< outlives the worker; a reload does not change it
};

/// One worker.
class Worker {
 public:
  /// on_connection_end   called on the worker's thread each time that a connection has ended.
  Worker(WorkerSettings settings, Log& log, std::function<void(Service)> on_connection_end);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  /// Serves until stop() was called and the last connection has ended; the body of the worker's
  /// thread.
  void run();

  /// Takes over a connected socket that does not block.
  void take(Descriptor socket, Service service = Service::milter);
  /// Puts new settings in force: messages that have begun keep the policy that they began with.
  void adopt(WorkerSettings settings);
  /// Lets no connection begin another message; those between messages end now.
  void stop();
  /// Ends all connections now.
  void stop_at_once();

 private:
  struct Served {
    Service service;
    std::unique_ptr<Peer> peer;
  };
  using Connections = std::list<Served>;

  void set(WorkerSettings settings);
  void open(Descriptor socket, Service service);
  [[nodiscard]] std::unique_ptr<Peer> make(Descriptor socket, Service service);
  void close(Connections::iterator connection);
  void end_if_done();
  void watch_deadlines();
  [[nodiscard]] bool is_done() const { return host_.stopping && connections_.empty(); }

  boost::asio::io_context context_;
  std::optional<boost::asio::executor_work_guard<boost::asio::io_context::executor_type>> work_;
  boost::asio::steady_timer watchdog_;
  std::shared_ptr<const mailflow::Policy> policy_;
  std::shared_ptr<const mailflow::SpfAccessPolicies> access_;
  std::vector<char> buffer_;
  ConnectionHost host_;
  PolicyHost policy_host_;
  Connections connections_;
  std::function<void(Service)> on_connection_end_;
  bool at_once_ = false;
};

}  // namespace countersign::service
