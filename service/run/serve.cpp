// SPDX-License-Identifier: Apache-2.0

#include "service/run/serve.hpp"

#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "service/dns/unbound_options.hpp"
#include "service/log/log.hpp"
#include "service/milter/listening_socket.hpp"
#include "service/run/pid_file.hpp"
#include "service/run/privileges.hpp"
#include "service/run/problem_log.hpp"
#include "service/run/start_error.hpp"
#include "service/run/supervisor.hpp"

namespace countersign::service {
namespace {

config::Snapshot load_or_fail(const LoadSnapshot& load) {
  config::Snapshot snapshot = load();
  print_problems(snapshot.problems);
  if (worst(snapshot.problems) == config::Severity::fatal || snapshot.policy == nullptr) {
    throw StartError("the settings have errors, see above; nothing was started", EX_CONFIG);
  }
  if (snapshot.settings.daemon.sockets.empty() &&
      snapshot.settings.policy_service.sockets.empty()) {
    throw StartError(
        "no socket to listen on is set: give one with -p, as in -p inet:8891@localhost, or set it "
        "in the settings (Socket in opendkim.conf); for Postfix's check_policy_service give "
        "--policy-socket",
        EX_CONFIG);
  }
  return snapshot;
}

LogOptions log_options(const config::LogSettings& settings, bool in_background) {
  return {.to_syslog = settings.to_syslog,
          // In the foreground somebody reads along; nowhere at all is for nobody.
          .to_stderr = !in_background && (settings.to_stderr || !settings.to_syslog),
          .syslog_name = settings.syslog_name,
          .syslog_facility = settings.syslog_facility,
          .format = settings.format,
          .level = settings.level,
          .queue_id = settings.queue_id};
}

void enter_directory(const std::string& directory) {
  if (directory.empty() || ::chdir(directory.c_str()) == 0) return;
  throw StartError(
      fmt::format("cannot change to the directory {}: {}", directory, std::strerror(errno)),
      EX_CONFIG);
}

/// The socket that the daemon is asked at, for its user alone. Mail is worth more than the answers:
/// where it cannot be had, the daemon works without.
std::vector<ListeningSocket> open_control(const std::string& path, const SocketOwner& daemon,
                                          Log& log) {
  if (path.empty()) return {};
  SocketOwner owner = daemon;
  owner.mode = S_IRUSR | S_IWUSR;
  try {
    return open_listening_sockets({.path = path}, owner);
  } catch (const StartError& error) {
    const bool is_default = path == config::ControlSettings().socket;
    log.write(is_default ? LogLevel::info : LogLevel::warning,
              "the daemon cannot be asked to explain mail; control.socket says where",
              {{"error", error.what()}});
    return {};
  }
}

void open_sockets(const std::vector<config::SocketSpec>& specs, const SocketOwner& owner,
                  std::vector<ListeningSocket>& sockets, Log& log) {
  for (const config::SocketSpec& spec : specs) {
    for (ListeningSocket& socket : open_listening_sockets(spec, owner)) {
      sockets.push_back(std::move(socket));
    }
    log.write(LogLevel::info, "listening", {{"socket", to_string(spec)}});
  }
}

ListeningSockets open_sockets(const config::Settings& settings,
                              const std::optional<Account>& account, Log& log) {
  const SocketOwner owner{.uid = account ? account->uid : ::getuid(),
                          .gid = account ? account->gid : ::getgid()};
  ListeningSockets sockets;
  open_sockets(settings.daemon.sockets, owner, sockets.milter, log);
  open_sockets(settings.policy_service.sockets, owner, sockets.policy, log);
  open_sockets(settings.metrics.sockets, owner, sockets.metrics, log);
  sockets.control = open_control(settings.control.socket, owner, log);
  return sockets;
}

/// As many descriptors as the sessions and their questions need: the soft limit of a login is too
/// low for a thousand.
void raise_descriptor_limit(std::uint64_t sessions, Log& log) {
  constexpr std::uint64_t descriptors_for_the_rest = 256;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  const rlim_t wanted = sessions + UnboundOptions().questions_open_max + descriptors_for_the_rest;
  if (limit.rlim_cur >= wanted) return;
  limit.rlim_cur = std::min<rlim_t>(wanted, limit.rlim_max);
  ::setrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur == wanted) return;
  log.write(LogLevel::warning, "the system allows fewer open files than all sessions need",
            {{"open_files_max", std::to_string(limit.rlim_max)},
             {"sessions_max", std::to_string(sessions)}});
}

void apply_limits(const config::Settings& settings, Log& log) {
  const bool both = !settings.daemon.sockets.empty() && !settings.policy_service.sockets.empty();
  raise_descriptor_limit((both ? 2 : 1) * settings.limits.sessions, log);
  const rlimit none{0, 0};
  if (!settings.daemon.core_dumps) ::setrlimit(RLIMIT_CORE, &none);  // Keys must not be dumped.
}

int supervise_daemon(const config::DaemonSettings& settings, Log& log, const Supervised& child) {
  const RestartPolicy policy{.restarts_max = static_cast<unsigned>(settings.restarts_max),
                             .rate_max = static_cast<unsigned>(settings.restart_rate.count),
                             .rate_period = settings.restart_rate.period};
  return supervise(policy, log, child);
}

}  // namespace

int serve(const LoadSnapshot& load, const ServeOptions& options) {
  const config::Snapshot snapshot = load_or_fail(load);
  const config::DaemonSettings& settings = snapshot.settings.daemon;
  std::optional<Account> account;
  if (!settings.user.empty()) account = find_account(settings.user, config::SystemAccounts());

  const bool in_background = settings.background && !options.foreground;
  Readiness readiness;
  if (in_background) readiness = enter_background();
  enter_directory(settings.base_directory);
  if (settings.umask) ::umask(settings.umask->bits);

  Log log(log_options(snapshot.settings.log, in_background));
  if (in_background) log_problems(log, snapshot.problems);
  apply_limits(snapshot.settings, log);
  ListeningSockets sockets = open_sockets(snapshot.settings, account, log);
  const PidFile pid_file(settings.pid_file);
  if (!settings.root_directory.empty()) change_root(settings.root_directory);
  if (account) become(*account);
  if (in_background) leave_terminal();

  const auto run = [&] { return Daemon(snapshot, load, sockets, log, readiness).run(); };
  if (!settings.restarts) return run();
  return supervise_daemon(settings, log, {.run = run, .on_stop = [&sockets] { sockets.close(); }});
}

}  // namespace countersign::service
