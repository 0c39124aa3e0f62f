// SPDX-License-Identifier: Apache-2.0
//
// A filter that serves real sockets from the threads of a test: doors, workers, a log, and no
// process around them.

#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "service/milter/listener.hpp"
#include "service/milter/listening_socket.hpp"
#include "service/milter/worker.hpp"
#include "tests/support/folder.hpp"
#include "tests/support/log_file.hpp"
#include "tests/support/mta_connection.hpp"
#include "tests/support/signing.hpp"

namespace countersign::test {

/// A policy as workers take it.
[[nodiscard]] inline std::shared_ptr<const mailflow::Policy> shared(mailflow::Policy policy) {
  return std::make_shared<const mailflow::Policy>(std::move(policy));
}

/// policy_for_example_org(), but with another selector: "s2" goes with ed25519_key(2).
[[nodiscard]] inline mailflow::Policy policy_with_selector(int number) {
  mailflow::Policy policy = signing_policy();
  policy.key_table.add(key_entry("key", "example.org", "s" + std::to_string(number), number));
  policy.signing_table =
      signing_table(mailflow::SigningTable::Kind::patterns, {"*@example.org key"});
  return policy;
}

/// How a filter is served.
struct ServedOptions {
  using Family = service::config::SocketSpec::Family;

  std::vector<Family> doors{Family::unix};
  std::size_t workers = 1;
  std::size_t connections_max = 1'000;
  service::ConnectionTimeouts timeouts;
  service::EventDetail detail;
  mailflow::Policy policy = policy_for_example_org();
  service::Resolver* resolver = nullptr;  ///< must outlive the filter
  std::chrono::milliseconds message_timeout = std::chrono::seconds{20};
  service::KeptMessages* kept = nullptr;  ///< must outlive the filter
  service::RecordJudged record;           ///< called on the threads of the workers
};

/// The filter; serves from its construction to its end.
class ServedFilter {
 public:
  explicit ServedFilter(const ServedOptions& options = {})
      : sockets_(open_doors(options)),
        settings_({.policy = shared(options.policy),
                   .timeouts = options.timeouts,
                   .detail = options.detail,
                   .resolver = options.resolver,
                   .message_timeout = options.message_timeout,
                   .record = options.record,
                   .kept = options.kept}),
        listener_(control_, descriptors(), options.connections_max, file_.log(),
                  [this](Descriptor socket) {
                    workers_[next_++ % workers_.size()]->take(std::move(socket));
                  }) {
    for (std::size_t i = 0; i < options.workers; ++i) {
      workers_.push_back(std::make_unique<service::Worker>(
          settings_, file_.log(), [this](service::Service) { listener_.connection_ended(); }));
    }
    listener_.start();
    for (const auto& worker : workers_) {
      threads_.emplace_back([this, &worker = *worker] {
        worker.run();
        ++ended_;
      });
    }
    threads_.emplace_back([this] { control_.run(); });
  }
  ~ServedFilter() {
    stop();
    for (const auto& worker : workers_) worker->stop_at_once();
    threads_.clear();
  }
  ServedFilter(const ServedFilter&) = delete;
  ServedFilter& operator=(const ServedFilter&) = delete;

  /// A new connection of an MTA, at that door.
  [[nodiscard]] MtaConnection connect(std::size_t door = 0, milter::MtaOffer offer = {}) const {
    return MtaConnection(connect_to(sockets_[door].descriptor()), offer);
  }

  /// Puts another policy in force.
  void adopt(mailflow::Policy policy) {
    settings_.policy = shared(std::move(policy));
    for (const auto& worker : workers_) worker->adopt(settings_);
  }
  /// Stops as a daemon does: no more connections, messages are finished.
  void stop() {
    boost::asio::post(control_, [this] {
      listener_.stop();
      work_.reset();
    });
    for (const auto& worker : workers_) worker->stop();
  }
  /// Gives up what is in flight.
  void stop_at_once() {
    for (const auto& worker : workers_) worker->stop_at_once();
  }

  /// Workers that have ended.
  [[nodiscard]] std::size_t ended() const { return ended_; }
  [[nodiscard]] std::size_t connections() const { return listener_.connections(); }
  [[nodiscard]] int door(std::size_t number = 0) const { return sockets_[number].descriptor(); }
  [[nodiscard]] const LogFile& log() const { return file_; }

 private:
  std::vector<service::ListeningSocket> open_doors(const ServedOptions& options) {
    using Family = ServedOptions::Family;
    std::vector<service::ListeningSocket> sockets;
    for (const Family family : options.doors) {
      service::config::SocketSpec spec{.family = family};
      spec.path = folder_ / ("milter" + std::to_string(sockets.size()));
      if (family != Family::unix) spec.host = family == Family::inet ? "127.0.0.1" : "::1";
      for (auto& one : service::open_listening_sockets(spec, {})) sockets.push_back(std::move(one));
    }
    return sockets;
  }
  [[nodiscard]] std::vector<int> descriptors() const {
    std::vector<int> numbers;
    for (const auto& socket : sockets_) numbers.push_back(socket.descriptor());
    return numbers;
  }

  Folder folder_;
  LogFile file_;
  boost::asio::io_context control_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{
      control_.get_executor()};
  std::vector<service::ListeningSocket> sockets_;
  service::WorkerSettings settings_;
  std::vector<std::unique_ptr<service::Worker>> workers_;
  std::size_t next_ = 0;
  service::Listener listener_;
  std::atomic<std::size_t> ended_ = 0;
  std::vector<std::jthread> threads_;
};

}  // namespace countersign::test
