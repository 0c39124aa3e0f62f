// SPDX-License-Identifier: Apache-2.0

#include "service/run/daemon.hpp"

#include <signal.h>
#include <sysexits.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <chrono>
#include <exception>
#include <string_view>
#include <system_error>
#include <utility>

#include "service/config/settings_table.hpp"
#include "service/log/log.hpp"
#include "service/reporting/round.hpp"
#include "service/run/clock.hpp"
#include "service/run/daemon_metrics.hpp"
#include "service/run/problem_log.hpp"
#include "service/run/start_error.hpp"
#include "service/run/version.hpp"
#include "service/web/routes.hpp"

namespace countersign::service {
namespace {

namespace asio = boost::asio;

// Whoever stops a service may tell every process of it: us, and the supervisor, which hands it on.
// Such requests are one.
constexpr std::chrono::milliseconds same_request{500};

std::size_t worker_count(const config::Settings& settings) {
  if (settings.daemon.workers != 0) return settings.daemon.workers;
  return std::max(1U, std::thread::hardware_concurrency());
}

LogOptions log_options(const config::LogSettings& settings) {
  return {.format = settings.format, .level = settings.level, .queue_id = settings.queue_id};
}

KeptBounds kept_bounds(const config::ControlSettings& settings) {
  return {.messages = settings.kept_messages, .octets = settings.kept_octets};
}

std::vector<int> descriptors_of(const std::vector<ListeningSocket>& sockets) {
  std::vector<int> descriptors;
  for (const ListeningSocket& socket : sockets) descriptors.push_back(socket.descriptor());
  return descriptors;
}

void close_all(std::vector<ListeningSocket>& sockets) {
  for (ListeningSocket& socket : sockets) socket.close();
}

/// A supervisor blocks them in its children, so that none is lost before somebody handles it.
void unblock_signals() {
  sigset_t signals;
  ::sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGUSR1}) ::sigaddset(&signals, signal);
  ::pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
}

bool is_fixed(std::string_view key) {
  constexpr std::string_view sinks[] = {"log.syslog", "log.stderr", "log.facility", "log.name"};
  constexpr std::string_view told[] = {"reports.failures.privacy", "reports.failures.never",
                                       "reports.failures.redacted", "reports.failures.full_headers",
                                       "reports.failures.on_none"};
  if (std::ranges::find(told, key) != std::end(told)) return false;
  const bool is_of_dns = key.starts_with("dns.") && key != "dns.timeout";
  return key.starts_with("daemon.") || key.starts_with("store.") || key.starts_with("metrics.") ||
         key.starts_with("reports.") || key == "policy_service.sockets" || is_of_dns ||
         key == "control.socket" || std::ranges::find(sinks, key) != std::end(sinks);
}

}  // namespace

std::vector<std::string> changed_fixed_settings(config::Settings in_force, config::Settings fresh) {
  std::vector<std::string> changed;
  for (const config::Setting& setting : config::settings_table()) {
    if (!is_fixed(setting.key)) continue;
    const bool differs = to_toml(setting.slot(in_force)) != to_toml(setting.slot(fresh));
    if (differs) changed.emplace_back(setting.key);
  }
  return changed;
}

Daemon::Daemon(config::Snapshot snapshot, LoadSnapshot load, ListeningSockets& sockets, Log& log,
               Readiness readiness)
    : control_(1),
      signals_(control_, SIGTERM, SIGINT, SIGHUP),
      stop_timer_(control_),
      snapshot_(std::move(snapshot)),
      started_with_(snapshot_.settings),
      load_(std::move(load)),
      sockets_(sockets),
      log_(log),
      readiness_(readiness),
      kept_(kept_bounds(snapshot_.settings.control), now()),
      listener_(control_, descriptors_of(sockets.milter), snapshot_.settings.limits.sessions, log_,
                [this](Descriptor socket) { hand_over(std::move(socket), Service::milter); }),
      policy_listener_(
          control_, descriptors_of(sockets.policy), snapshot_.settings.limits.sessions, log_,
          [this](Descriptor socket) { hand_over(std::move(socket), Service::policy); }) {
  ::signal(SIGPIPE, SIG_IGN);
  signals_.add(SIGUSR1);
}

Daemon::~Daemon() = default;

void Daemon::hand_over(Descriptor socket, Service service) {
  workers_[next_worker_]->take(std::move(socket), service);
  next_worker_ = (next_worker_ + 1) % workers_.size();
}

Listener& Daemon::listener_of(Service service) {
  return service == Service::milter ? listener_ : policy_listener_;
}

int Daemon::run() {
  wait_for_signal();
  records_.emplace(
      snapshot_,
      [this] {
        const std::scoped_lock lock(snapshot_mutex_);
        return snapshot_.policy;
      },
      log_);
  if (!sockets_.metrics.empty()) metrics_.emplace();
  start_workers();
  start_metrics();
  start_reports();
  start_control();
  unblock_signals();
  listener_.start();
  policy_listener_.start();
  log_.write(LogLevel::notice, "started",
             {{"version", version}, {"workers", std::to_string(workers_.size())}});
  tell_overdue_keys();
  readiness_.ready();
  run_control();
  reports_.reset();
  threads_.clear();  // Joins; all have ended, or run_control() would not have returned.
  records_->stop();
  log_.write(LogLevel::notice, "stopped");
  return exit_code_;
}

void Daemon::run_control() {
  for (;;) {
    try {
      control_.run();
      return;
    } catch (const std::exception& error) {
      // Without its control thread the daemon is of no use; a supervisor starts another.
      log_.write(LogLevel::error, "the daemon cannot go on", {{"error", error.what()}});
      exit_code_ = EX_SOFTWARE;
      if (!stopping_) stop();
    }
  }
}

void Daemon::start_workers() {
  if (!start_dns(snapshot_)) throw StartError("DNS cannot be started", EX_UNAVAILABLE);
  const std::size_t count = worker_count(snapshot_.settings);
  for (std::size_t i = 0; i < count; ++i) {
    workers_.push_back(std::make_unique<Worker>(worker_settings(), log_, [this](Service service) {
      listener_of(service).connection_ended();
    }));
  }
  try {
    for (const std::unique_ptr<Worker>& worker : workers_) {
      threads_.emplace_back([this, &worker = *worker] {
        worker.run();
        asio::post(control_, [this] { worker_ended(); });
      });
      ++workers_running_;
    }
  } catch (const std::system_error& error) {
    for (const std::unique_ptr<Worker>& worker : workers_) worker->stop();
    throw StartError("cannot start " + std::to_string(count) + " threads: " + error.what(),
                     EX_OSERR);
  }
}

/// Answers at the control socket. Mail does not depend on it: without it the daemon goes on.
void Daemon::start_control() {
  if (sockets_.control.empty()) return;
  ControlRequests requests;
  add_message_requests(requests, kept_);
  try {
    control_server_.emplace(sockets_.control.front().descriptor(), std::move(requests), log_);
  } catch (const std::system_error& error) {
    log_.write(LogLevel::error, "the control socket cannot be served", {{"error", error.what()}});
  }
}

/// Serves what is counted, from the control thread: where that answers, the daemon lives.
void Daemon::start_metrics() {
  if (!metrics_) return;
  metrics_->add(sources_of({
      .connections = [this] { return listener_.connections() + policy_listener_.connections(); },
      .keys = [this] { return snapshot_.key_files; },
      .cache = [this] { return dns_ ? dns_->cache_counts() : std::nullopt; },
      .recorder = records_->recorder() != nullptr
                      ? [this] { return records_->recorder()->counters(); }
                      : std::function<store::RecorderCounters()>(),
      .history = records_->history() != nullptr
                     ? [this] { return records_->history()->counters(); }
                     : std::function<store::HistoryCounters()>(),
      .reports = started_with_.reports.sends
                     ? [this] { return reports_ ? &reports_->counters() : nullptr; }
                     : std::function<const ReportCounters*()>(),
      .failures = records_->failures() != nullptr
                      ? [this] { return records_->failures() != nullptr
                                            ? &records_->failures()->counters()
                                            : nullptr; }
                      : std::function<const FailureReportCounters*()>(),
  }));
  http_.emplace(control_, descriptors_of(sockets_.metrics),
                make_routes({.metrics = [this] { return metrics_->text(); },
                             .not_ready = [this] { return why_not_ready(); }}),
                log_);
  http_->start();
}

std::string Daemon::why_not_ready() const { return stopping_ ? "stopping" : ""; }

void Daemon::start_reports() {
  if (!started_with_.reports.sends) return;
  reports_.emplace(make_report_round([this] { return snapshot_in_force(); }, now, log_),
                   ScheduleTimes{.after_midnight = started_with_.reports.after_midnight}, now,
                   log_);
}

config::Snapshot Daemon::snapshot_in_force() {
  const std::scoped_lock lock(snapshot_mutex_);
  return snapshot_;
}

/// Starts DNS when it is needed for the first time; false when it cannot be.
bool Daemon::start_dns(const config::Snapshot& snapshot) {
  // Sockets need a restart: those that we have count.
  const bool needed = snapshot.policy->judges || !started_with_.policy_service.sockets.empty();
  if (dns_ || !needed) return true;
  try {
    MeteredResolver::Observer observer;
    if (metrics_)
      observer = [this](dns::AnswerStatus status, std::chrono::steady_clock::duration took) {
        metrics_->observe_dns(status, took);
      };
    dns_.emplace(snapshot.settings.dns, std::move(observer));
  } catch (const StartError& error) {
    log_.write(LogLevel::error, error.what());
  }
  return dns_.has_value();
}

WorkerSettings Daemon::worker_settings() {
  const config::Settings& settings = snapshot_.settings;
  return {
      .policy = snapshot_.policy,
      .access = snapshot_.access,
      .timeouts = {.idle = settings.limits.idle_timeout, .packet = settings.limits.packet_timeout},
      .detail = {.successes = settings.log.successes, .explains = settings.log.explains},
      .resolver = dns_ ? &dns_->resolver() : nullptr,
      .shares = &shares_,
      .dns_timeout = settings.dns.timeout,
      .message_timeout = settings.dns.message_timeout,
      .record = records_->function(snapshot_.policy->judging.receiver),
      .count_recipients = [this](const auto&... seen) { return replays_.count(seen...); },
      .metrics = metrics_ ? &*metrics_ : nullptr,
      .kept = sockets_.control.empty() ? nullptr : &kept_};
}

void Daemon::wait_for_signal() {
  signals_.async_wait([this](const boost::system::error_code& error, int signal) {
    // A signal that came just before the last worker ended is taken after it: waiting for another
    // would keep the daemon for ever.
    if (error || has_served()) return;
    wait_for_signal();
    on_signal(signal);
  });
}

void Daemon::on_signal(int signal) {
  if (signal == SIGHUP || signal == SIGUSR1) return reload();
  if (!stopping_) return stop();
  if (std::chrono::steady_clock::now() - asked_to_stop_ < same_request) return;
  log_.write(LogLevel::warning, "asked to stop twice; messages in flight are given up");
  stop_at_once();
}

// --- reload --------------------------------------------------------------------------------------

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
      finish_reload(std::move(fresh), failure);
    });
  });
}

void Daemon::finish_reload(std::optional<config::Snapshot> fresh, const std::string& failure) {
  reloading_ = false;
  if (stopping_) return;
  bool is_done = false;
  if (fresh) {
    is_done = take_over(std::move(*fresh));
  } else {
    log_.write(LogLevel::error, "settings cannot be read; the old ones stay in force",
               {{"error", failure}});
  }
  if (metrics_) metrics_->count_reload(is_done, now());
  readiness_.ready();
  if (std::exchange(reload_again_, false)) reload();
}

/// False when the old settings stay in force.
bool Daemon::take_over(config::Snapshot fresh) {
  log_problems(log_, fresh.problems);
  if (worst(fresh.problems) >= config::Severity::error || fresh.policy == nullptr) {
    log_.write(LogLevel::error, "the settings have errors; the old ones stay in force");
    return false;
  }
  if (!start_dns(fresh)) {
    log_.write(LogLevel::error, "DNS cannot be started; the old settings stay in force");
    return false;
  }
  for (std::string& key : changed_fixed_settings(started_with_, fresh.settings)) {
    log_.write(LogLevel::warning, "a setting was changed that only a restart puts in force",
               {{"setting", std::move(key)}});
  }
  {
    const std::scoped_lock lock(snapshot_mutex_);
    snapshot_ = std::move(fresh);
  }
  log_.adjust(log_options(snapshot_.settings.log));
  listener_.allow(snapshot_.settings.limits.sessions);
  policy_listener_.allow(snapshot_.settings.limits.sessions);
  kept_.adjust(kept_bounds(snapshot_.settings.control));
  for (const std::unique_ptr<Worker>& worker : workers_) worker->adopt(worker_settings());
  log_.write(LogLevel::notice, "settings reloaded");
  tell_overdue_keys();
  return true;
}

void Daemon::tell_overdue_keys() const {
  const std::int64_t expires = snapshot_.key_files.expires;
  if (expires == 0 || expires > now().time_since_epoch().count()) return;
  log_.write(LogLevel::warning,
             "a private key is in use for longer than signing.key_lifetime; make a new one with "
             "\"countersign keygen\", publish its record, and name it in the settings");
}

// --- stop ----------------------------------------------------------------------------------------

void Daemon::stop() {
  stopping_ = true;
  asked_to_stop_ = std::chrono::steady_clock::now();
  Readiness::stopping();
  log_.write(
      LogLevel::info, "stopping when the messages in flight are finished",
      {{"connections", std::to_string(listener_.connections() + policy_listener_.connections())}});
  listener_.stop();
  policy_listener_.stop();
  control_server_.reset();
  for (auto* sockets : {&sockets_.milter, &sockets_.policy, &sockets_.control}) close_all(*sockets);
  for (const std::unique_ptr<Worker>& worker : workers_) worker->stop();
  stop_timer_.expires_after(started_with_.daemon.stop_timeout);
  stop_timer_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    log_.write(LogLevel::warning, "messages in flight took too long; they are given up");
    stop_at_once();
  });
}

void Daemon::stop_at_once() {
  for (const std::unique_ptr<Worker>& worker : workers_) worker->stop_at_once();
}

void Daemon::worker_ended() {
  if (--workers_running_ > 0) return;
  if (http_) http_->stop();
  sockets_.close();
  stop_timer_.cancel();
  signals_.cancel();
}

}  // namespace countersign::service
