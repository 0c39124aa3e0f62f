// SPDX-License-Identifier: Apache-2.0

#include "service/run/daemon.hpp"

#include <signal.h>
#include <sysexits.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <exception>

#include "service/log/log.hpp"
#include "service/run/problem_log.hpp"
#include "service/run/version.hpp"

namespace countersign::service {
namespace {

namespace asio = boost::asio;

std::size_t worker_count(const config::Settings& settings) {
  if (settings.daemon.workers != 0) return settings.daemon.workers;
  return std::max(1U, std::thread::hardware_concurrency());
}

LogOptions log_options(const config::LogSettings& settings) {
  return {.format = settings.format, .level = settings.level};
}

}  // namespace

Daemon::Daemon(config::Snapshot snapshot, LoadSnapshot load, const std::vector<int>& sockets,
               Log& log, Readiness readiness)
    : control_(1),
      signals_(control_, SIGTERM, SIGINT, SIGHUP),
      stop_timer_(control_),
      snapshot_(std::move(snapshot)),
      load_(std::move(load)),
      log_(log),
      readiness_(readiness) {
  ::signal(SIGPIPE, SIG_IGN);
  signals_.add(SIGUSR1);
  const auto sessions_max = static_cast<std::size_t>(snapshot_.settings.limits.sessions);
  listener_.emplace(control_, sockets, sessions_max, log_, [this](int socket) {
    workers_[next_worker_]->take(socket);
    next_worker_ = (next_worker_ + 1) % workers_.size();
  });
}

Daemon::~Daemon() = default;

int Daemon::run() {
  start_workers();
  wait_for_signal();
  listener_->start();
  log_.write(LogLevel::notice, "started",
             {{"version", version}, {"workers", std::to_string(workers_.size())}});
  readiness_.ready();
  control_.run();
  threads_.clear();  // Joins; all have ended, or control_ would still run.
  log_.write(LogLevel::notice, "stopped");
  return EX_OK;
}

void Daemon::start_workers() {
  for (std::size_t i = 0; i < worker_count(snapshot_.settings); ++i) {
    workers_.push_back(std::make_unique<Worker>(worker_settings(), log_,
                                                [this] { listener_->connection_ended(); }));
  }
  workers_running_ = workers_.size();
  for (const std::unique_ptr<Worker>& worker : workers_) {
    threads_.emplace_back([this, &worker = *worker] {
      worker.run();
      asio::post(control_, [this] { worker_ended(); });
    });
  }
}

WorkerSettings Daemon::worker_settings() const {
  const config::Settings& settings = snapshot_.settings;
  return {
      .policy = snapshot_.policy,
      .timeouts = {.idle = settings.limits.idle_timeout, .frame = settings.limits.packet_timeout},
      .log_successes = settings.log.successes};
}

void Daemon::wait_for_signal() {
  signals_.async_wait([this](const boost::system::error_code& error, int signal) {
    if (error) return;
    on_signal(signal);
    wait_for_signal();
  });
}

void Daemon::on_signal(int signal) {
  if (signal == SIGHUP || signal == SIGUSR1) return reload();
  if (!stopping_) return stop();
  log_.write(LogLevel::warning, "asked to stop twice; messages in flight are given up");
  for (const std::unique_ptr<Worker>& worker : workers_) worker->stop_at_once();
}

void Daemon::reload() {
  if (stopping_) return;
  if (reloading_) {
    reload_again_ = true;  // What was changed after the running one read it must not be missed.
    return;
  }
  reloading_ = true;
  Readiness::reloading();
  // Reading keys may take a while; connections are accepted meanwhile.
  reload_thread_ = std::jthread([this] {
    std::optional<config::Snapshot> fresh;
    std::string failure;
    try {
      fresh = load_();
    } catch (const std::exception& error) {
      failure = error.what();
    }
    asio::post(control_, [this, fresh = std::move(fresh), failure]() mutable {
      reloading_ = false;
      if (fresh) {
        take_over(std::move(*fresh));
      } else {
        log_.write(LogLevel::error, "settings cannot be read; the old ones stay in force",
                   {{"error", failure}});
      }
      readiness_.ready();
      if (std::exchange(reload_again_, false)) reload();
    });
  });
}

void Daemon::take_over(config::Snapshot fresh) {
  log_problems(log_, fresh.problems);
  if (worst(fresh.problems) >= config::Severity::error || fresh.policy == nullptr) {
    log_.write(LogLevel::error, "the settings have errors; the old ones stay in force");
    return;
  }
  snapshot_ = std::move(fresh);
  log_.adjust(log_options(snapshot_.settings.log));
  for (const std::unique_ptr<Worker>& worker : workers_) worker->adopt(worker_settings());
  log_.write(LogLevel::notice, "settings reloaded");
}

void Daemon::stop() {
  stopping_ = true;
  Readiness::stopping();
  log_.write(LogLevel::info, "stopping when the messages in flight are finished",
             {{"connections", std::to_string(listener_->connections())}});
  listener_->stop();
  for (const std::unique_ptr<Worker>& worker : workers_) worker->stop();
  stop_timer_.expires_after(snapshot_.settings.daemon.stop_timeout);
  stop_timer_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    log_.write(LogLevel::warning, "messages in flight took too long; they are given up");
    for (const std::unique_ptr<Worker>& worker : workers_) worker->stop_at_once();
  });
}

void Daemon::worker_ended() {
  if (--workers_running_ > 0) return;
  stop_timer_.cancel();
  signals_.cancel();
}

}  // namespace countersign::service
