// SPDX-License-Identifier: Apache-2.0
//
// The daemon in operation: workers, doors, signals. SIGTERM and SIGINT stop it when the messages in
// flight are finished, a second one at once; SIGHUP and SIGUSR1 read the settings anew, whole, and
// keep the old ones when anything is wrong.

#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "service/config/snapshot.hpp"
#include "service/control/kept_messages.hpp"
#include "service/control/server.hpp"
#include "service/metrics/metrics.hpp"
#include "service/milter/listener.hpp"
#include "service/milter/listening_socket.hpp"
#include "service/milter/replay_memory.hpp"
#include "service/milter/worker.hpp"
#include "service/reporting/schedule.hpp"
#include "service/run/background.hpp"
#include "service/run/daemon_dns.hpp"
#include "service/run/daemon_records.hpp"
#include "service/web/server.hpp"

namespace countersign::service {

class Log;

/// Reads settings, tables and keys from where they were read at the start.
using LoadSnapshot = std::function<config::Snapshot()>;

/// The keys of the settings that only a start puts in force and in which the two differ.
[[nodiscard]] std::vector<std::string> changed_fixed_settings(config::Settings in_force,
                                                              config::Settings fresh);

/// One run of the daemon, from the first thread to the last.
class Daemon {
 public:
  /// snapshot  has a policy.
  /// sockets   of mail are closed when the daemon is asked to stop, so that another can take its
  ///           place while the last messages are finished; that of metrics when they are, so that
  ///           whoever asks meanwhile hears that the daemon lives and takes no mail.
  Daemon(config::Snapshot snapshot, LoadSnapshot load, ListeningSockets& sockets, Log& log,
         Readiness readiness);
  ~Daemon();
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  /// Serves until a signal stops it; the exit code of the program. Must be called once. Signals
  /// that are blocked when it is called, as in a supervisor's child, are taken from then on.
  /// Throws StartError when there are no threads to be had.
  [[nodiscard]] int run();

 private:
  void hand_over(Descriptor socket, Service service);
  [[nodiscard]] Listener& listener_of(Service service);
  void start_workers();
  void start_control();
  void start_metrics();
  void start_reports();
  [[nodiscard]] std::string why_not_ready() const;
  [[nodiscard]] config::Snapshot snapshot_in_force();
  void run_control();
  void wait_for_signal();
  void on_signal(int signal);
  void reload();
  void finish_reload(std::optional<config::Snapshot> fresh, const std::string& failure);
  [[nodiscard]] bool take_over(config::Snapshot fresh);
  void tell_overdue_keys() const;
  void stop();
  void stop_at_once();
  void worker_ended();
  [[nodiscard]] bool has_served() const { return stopping_ && workers_running_ == 0; }
  [[nodiscard]] bool start_dns(const config::Snapshot& snapshot);
  [[nodiscard]] WorkerSettings worker_settings();

  boost::asio::io_context control_;
  boost::asio::signal_set signals_;
  boost::asio::steady_timer stop_timer_;
  config::Snapshot snapshot_;
  config::Settings started_with_;
  LoadSnapshot load_;
  ListeningSockets& sockets_;
  Log& log_;
  Readiness readiness_;
  KeptMessages kept_;
  ReplayMemory replays_;
  ClientShares shares_;
  std::optional<ControlServer> control_server_;
  std::optional<Metrics> metrics_;  // When somebody can read them; outlives DNS and workers.
  std::optional<DaemonDns> dns_;  // Made when mail is judged for the first time; outlives workers.
  std::mutex snapshot_mutex_;     // Reports copy snapshot_ while control may set it.
  std::optional<DaemonRecords> records_;  // Outlives workers.
  std::optional<ReportSchedule> reports_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::optional<HttpServer> http_;
  Listener listener_;
  Listener policy_listener_;
  std::size_t next_worker_ = 0;
  std::size_t workers_running_ = 0;
  int exit_code_ = 0;
  bool stopping_ = false;
  std::chrono::steady_clock::time_point asked_to_stop_;
  bool reloading_ = false;
  bool reload_again_ = false;
  std::vector<std::jthread> threads_;
  std::jthread reload_thread_;
};

}  // namespace countersign::service
