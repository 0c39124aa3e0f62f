// SPDX-License-Identifier: Apache-2.0
//
// The daemon in operation: workers, doors, signals. SIGTERM and SIGINT stop it when the messages in
// flight are finished;
// SIGHUP and SIGUSR1 read the settings anew, whole, and keep the old ones when anything is wrong.

#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "service/config/snapshot.hpp"
#include "service/milter/listener.hpp"
#include "service/milter/worker.hpp"
#include "service/run/background.hpp"

namespace countersign::service {

class Log;

/// Reads settings, tables and keys from where they were read at the start.
using LoadSnapshot = std::function<config::Snapshot()>;

/// One run of the daemon, from the first thread to the last.
class Daemon {
 public:
  /// sockets   listening sockets, which stay the caller's.
  Daemon(config::Snapshot snapshot, LoadSnapshot load, const std::vector<int>& sockets, Log& log,
         Readiness readiness);
  ~Daemon();
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  /// Serves until a signal stops it; the exit code. Must be called once, before any other thread
  /// exists.
  [[nodiscard]] int run();

 private:
  void start_workers();
  void wait_for_signal();
  void on_signal(int signal);
  void reload();
  void take_over(config::Snapshot fresh);
  void stop();
  void worker_ended();
  [[nodiscard]] WorkerSettings worker_settings() const;

  boost::asio::io_context control_;
  boost::asio::signal_set signals_;
  boost::asio::steady_timer stop_timer_;
  config::Snapshot snapshot_;
  LoadSnapshot load_;
  Log& log_;
  Readiness readiness_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::optional<Listener> listener_;
  std::size_t next_worker_ = 0;
  std::size_t workers_running_ = 0;
  bool stopping_ = false;
  bool reloading_ = false;
  bool reload_again_ = false;
  std::vector<std::jthread> threads_;
  std::jthread reload_thread_;
};

}  // namespace countersign::service
