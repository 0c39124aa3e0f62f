// SPDX-License-Identifier: Apache-2.0
//
// The daemon as a process of its own: the order of its start, what it leaves behind, what it says
// when it cannot start, its supervisor, its memory and its threads.

#include "service/run/serve.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <regex>

#include "service/run/privileges.hpp"
#include "tests/support/child_process.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/milter_octets.hpp"
#include "tests/support/notify_socket.hpp"
#include "tests/support/served_filter.hpp"

namespace countersign::service {
namespace {

using namespace std::chrono_literals;
using test::ChildProcess;
using test::eventually;
using test::mail_of;
using test::MtaConnection;
using testing::HasSubstr;
using testing::MatchesRegex;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || \
    __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr bool is_sanitized = true;
#else
constexpr bool is_sanitized = false;
#endif

/// Settings that serve one unix socket in a folder, and the process that serves it.
class Served {
 public:
  Served() {
    settings.daemon.sockets = {{.path = path()}};
    settings.daemon.workers = 2;
  }

  config::Settings settings;
  std::vector<config::Problem> problems;
  ServeOptions options;

  /// Starts this program anew, so that it has no more memory than it needs, to serve as
  /// DaemonOfTheCost does.
  void start_anew() {
    process_ = std::make_unique<ChildProcess>(
        [this] {
          ::setenv("COUNTERSIGN_SERVE_AT", path().c_str(), 1);
          return ::execl("/proc/self/exe", "service_tests", "--gtest_also_run_disabled_tests",
                         "--gtest_filter=*DaemonOfTheCost", nullptr);
        },
        error_.descriptor());
    EXPECT_TRUE(answers()) << said();
  }
  void start() {
    process_ = std::make_unique<ChildProcess>([this] { return run(); }, error_.descriptor());
  }
  /// Starts, and waits until it has become what it is to be.
  void start_and_wait() {
    start();
    // The kernel takes connections on the first socket before the rest of the start is done.
    EXPECT_TRUE(eventually([this] { return error_.has("msg=started"); })) << said();
  }
  [[nodiscard]] bool answers() const {
    return eventually([this] { return test::connect_to_file(path()).has_value(); });
  }
  [[nodiscard]] ChildProcess& process() { return *process_; }
  [[nodiscard]] int exit_code() { return process_->exit_code(); }
  /// What it said on standard error.
  [[nodiscard]] std::string said() const { return error_.text(); }
  [[nodiscard]] std::string path() const { return folder_ / "milter"; }
  [[nodiscard]] std::string in_folder(const std::string& file) const { return folder_ / file; }
  [[nodiscard]] MtaConnection connect() const {
    return MtaConnection(test::connect_to_file(path()).value());
  }

 private:
  int run() {
    const auto load = [this] {
      config::Snapshot snapshot{.settings = settings, .problems = problems};
      snapshot.policy = test::shared(test::policy_for_example_org());
      snapshot.access = std::make_shared<const mailflow::SpfAccessPolicies>();
      return snapshot;
    };
    return serve(load, options);
  }

  test::Folder folder_;
  test::LogFile error_;
  std::unique_ptr<ChildProcess> process_;
};

/// The value of a line of /proc/PID/status.
std::string status_of(pid_t pid, const std::string& key) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(key + ":"))
      return line.substr(line.find_first_not_of(" \t", key.size() + 1));
  }
  return "";
}

pid_t child_of(pid_t parent) {
  const std::string id = std::to_string(parent);
  std::ifstream file("/proc/" + id + "/task/" + id + "/children");
  pid_t child = 0;
  file >> child;
  return child;
}

pid_t recorded_pid(const std::string& path) {
  pid_t pid = 0;
  std::ifstream(path) >> pid;
  return pid;
}

TEST(Serve, ServesAndLeavesNothingBehind) {
  Served served;
  served.settings.daemon.pid_file = served.in_folder("pid");
  served.start_and_wait();
  EXPECT_EQ(recorded_pid(served.in_folder("pid")), served.process().pid());
  EXPECT_EQ(served.connect().push_and_verify(mail_of()), "pass");
  served.process().kill(SIGTERM);
  EXPECT_EQ(served.exit_code(), 0) << served.said();
  EXPECT_FALSE(std::filesystem::exists(served.path()));
  EXPECT_FALSE(std::filesystem::exists(served.in_folder("pid")));
  EXPECT_THAT(served.said(), HasSubstr("msg=listening socket=local:" + served.path()));
}

TEST(Serve, ServesThePolicyServiceAlone) {
  Served served;
  served.settings.daemon.sockets.clear();
  served.settings.policy_service.sockets = {{.path = served.path()}};
  served.start_and_wait();
  const MtaConnection postfix = served.connect();
  postfix.send(
      "request=smtpd_access_policy\nprotocol_state=RCPT\nclient_address=127.0.0.1\n"
      "sender=bob@example.org\ninstance=1\n\n");
  EXPECT_EQ(postfix.receive(), "action=DUNNO\n\n");
  served.process().kill(SIGTERM);
  EXPECT_EQ(served.exit_code(), 0) << served.said();
  EXPECT_FALSE(std::filesystem::exists(served.path()));
}

TEST(Serve, ServesSeveralSockets) {
  Served served;
  served.settings.daemon.sockets.push_back({.path = served.in_folder("second")});
  served.start_and_wait();
  MtaConnection second(test::connect_to_file(served.in_folder("second")).value());
  EXPECT_EQ(second.push_and_verify(mail_of()), "pass");
  EXPECT_EQ(served.connect().push_and_verify(mail_of()), "pass");
}

TEST(Serve, HonoursUmaskAndBaseDirectory) {
  Served served;
  served.settings.daemon.base_directory = served.in_folder("");
  served.settings.daemon.sockets.push_back({.path = "relative"});
  served.settings.daemon.umask = config::FileMode{0027};
  served.start_and_wait();
  struct stat file{};
  ASSERT_EQ(::stat(served.in_folder("relative").c_str(), &file), 0);
  EXPECT_EQ(file.st_mode & 0777, 0750U);
}

TEST(Serve, BecomesTheMailUserAndGivesItTheSocket) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can become somebody else";
  Served served;
  served.settings.daemon.user = "daemon:mail";
  served.settings.daemon.pid_file = served.in_folder("pid");
  ASSERT_EQ(::chmod(served.in_folder("").c_str(), 0755), 0);
  served.start_and_wait();
  const config::SystemAccounts accounts;
  const Account account = find_account("daemon:mail", accounts);
  const auto ids = [](unsigned id) {
    const std::string one = std::to_string(id);
    return one + "\t" + one + "\t" + one + "\t" + one;
  };
  EXPECT_EQ(status_of(served.process().pid(), "Uid"), ids(account.uid));
  EXPECT_EQ(status_of(served.process().pid(), "Gid"), ids(account.gid));
  EXPECT_EQ(status_of(served.process().pid(), "NoNewPrivs"), "1");
  struct stat file{};
  ASSERT_EQ(::stat(served.path().c_str(), &file), 0);
  EXPECT_EQ(file.st_uid, account.uid);
  EXPECT_EQ(file.st_gid, account.gid);
  ASSERT_EQ(::stat(served.in_folder("pid").c_str(), &file), 0);
  EXPECT_EQ(file.st_uid, 0U) << "the mail user must not choose whom root signals";
}

TEST(Serve, RefusesToStartInPlainWords) {
  const auto refusal = [](const std::function<void(Served&)>& spoil) {
    Served served;
    spoil(served);
    served.start();
    const int code = served.exit_code();
    return std::to_string(code) + ": " + served.said();
  };
  EXPECT_THAT(refusal([](Served& s) { s.settings.daemon.sockets.clear(); }),
              HasSubstr("78: no socket to listen on is set"));
  EXPECT_THAT(refusal([](Served& s) {
                s.problems = {{.severity = config::Severity::fatal, .message = "bad\nkey"}};
              }),
              MatchesRegex("78: .*bad.nkey(.|\n)*nothing was started(.|\n)*"));
  EXPECT_THAT(refusal([](Served& s) { s.settings.daemon.user = "no-such-user"; }),
              HasSubstr("67: there is no user"));
  EXPECT_THAT(refusal([](Served& s) { s.settings.daemon.base_directory = "/no/such"; }),
              HasSubstr("78: cannot change to the directory"));
  EXPECT_THAT(refusal([](Served& s) { s.settings.daemon.pid_file = "/no/such/pid"; }),
              HasSubstr("73: "));
  EXPECT_THAT(refusal([](Served& s) { s.settings.daemon.sockets = {{.path = "/no/such/x"}}; }),
              HasSubstr("69: "));
  EXPECT_THAT(refusal([](Served& s) {
                s.settings.daemon.background = true;
                s.settings.daemon.sockets = {{.path = "/no/such/x"}};
              }),
              HasSubstr("69: cannot listen"));
}

TEST(Serve, StartsInTheBackground) {
  Served served;
  served.settings.daemon.background = true;
  served.settings.daemon.pid_file = served.in_folder("pid");
  served.start();
  EXPECT_EQ(served.exit_code(), 0) << served.said();
  EXPECT_EQ(served.connect().push_and_verify(mail_of()), "pass") << "it answers when it says so";
  const pid_t daemon = recorded_pid(served.in_folder("pid"));
  EXPECT_EQ(std::filesystem::read_symlink("/proc/" + std::to_string(daemon) + "/fd/2"),
            "/dev/null");
  ::kill(daemon, SIGTERM);
  EXPECT_TRUE(eventually([&] { return !std::filesystem::exists(served.in_folder("pid")); }));
}

TEST(Serve, StaysInTheForegroundWhenToldTo) {
  Served served;
  served.settings.daemon.background = true;
  served.options.foreground = true;
  served.start_and_wait();
  EXPECT_EQ(served.connect().push_and_verify(mail_of()), "pass");
}

TEST(Serve, TellsSystemdOfStartReloadAndStop) {
  const test::NotifySocket systemd;
  Served served;
  std::string told;
  const auto is_told = [&](const std::string& text) {
    return eventually([&] {
      for (std::string next = systemd.take(); !next.empty(); next = systemd.take()) {
        told += next + ";";
      }
      return std::regex_match(told, std::regex(text));
    });
  };
  served.start();
  EXPECT_TRUE(is_told("READY=1;")) << told;
  served.process().kill(SIGHUP);
  EXPECT_TRUE(is_told("READY=1;RELOADING=1\nMONOTONIC_USEC=[0-9]+;READY=1;")) << told;
  told.clear();
  served.process().kill(SIGTERM);
  EXPECT_EQ(served.exit_code(), 0);
  EXPECT_TRUE(is_told("STOPPING=1;")) << told;
}

// --- supervised ----------------------------------------------------------------------------------

TEST(ServeSupervised, ComesBackWithoutRefusingAConnection) {
  Served served;
  served.settings.daemon.restarts = true;
  served.settings.daemon.pid_file = served.in_folder("pid");
  served.start_and_wait();
  const pid_t supervisor = served.process().pid();
  EXPECT_EQ(recorded_pid(served.in_folder("pid")), supervisor);
  const pid_t first = child_of(supervisor);
  ASSERT_GT(first, 0);
  ::kill(first, SIGKILL);
  MtaConnection waits = served.connect();  // Nobody refuses it while there is no daemon.
  EXPECT_EQ(waits.push_and_verify(mail_of()), "pass");
  EXPECT_NE(child_of(supervisor), first);

  served.process().kill(SIGTERM);
  EXPECT_EQ(served.exit_code(), 0) << served.said();
  EXPECT_FALSE(std::filesystem::exists(served.path()));
  EXPECT_FALSE(std::filesystem::exists(served.in_folder("pid")));
}

TEST(ServeSupervised, StopsAsGracefullyAsTheDaemonAlone) {
  Served served;
  served.settings.daemon.restarts = true;
  served.start_and_wait();
  MtaConnection busy = served.connect();
  EXPECT_EQ(busy.push_and_verify(mail_of()), "pass");
  busy.send(test::message_without_end());
  const pid_t daemon = child_of(served.process().pid());
  served.process().kill(SIGTERM);  // As a service manager does: every process of the service.
  ::kill(daemon, SIGTERM);
  EXPECT_TRUE(eventually([&] { return !test::connect_to_file(served.path()); }));
  EXPECT_FALSE(busy.is_closed(700ms));
  busy.send(test::end_of_body());
  EXPECT_EQ(test::codes(busy.receive_frames(2)), "ia");
  EXPECT_EQ(served.exit_code(), 0) << served.said();
}

TEST(ServeSupervised, InTheBackgroundIsReadyWhenItsDaemonIs) {
  Served served;
  served.settings.daemon.restarts = true;
  served.settings.daemon.background = true;
  served.settings.daemon.pid_file = served.in_folder("pid");
  served.start();
  EXPECT_EQ(served.exit_code(), 0) << served.said();
  EXPECT_EQ(served.connect().push_and_verify(mail_of()), "pass");
  const pid_t supervisor = recorded_pid(served.in_folder("pid"));
  for (const pid_t pid : {supervisor, child_of(supervisor)}) {
    EXPECT_EQ(std::filesystem::read_symlink("/proc/" + std::to_string(pid) + "/fd/2"), "/dev/null");
  }
  ::kill(supervisor, SIGTERM);
  EXPECT_TRUE(eventually([&] { return !std::filesystem::exists(served.in_folder("pid")); }));
}

// --- cost ----------------------------------------------------------------------------------------

long resident_kib(pid_t pid) { return std::stol(status_of(pid, "VmRSS")); }

// Not a test: the daemon of the one below.
TEST(ServeCost, DISABLED_DaemonOfTheCost) {
  const char* path = std::getenv("COUNTERSIGN_SERVE_AT");
  ASSERT_NE(path, nullptr) << "it is started by another test";
  config::Settings settings;
  settings.daemon.sockets = {{.path = path}};
  settings.daemon.workers = 2;
  const auto load = [&settings] {
    return config::Snapshot{.settings = settings,
                            .policy = test::shared(test::policy_for_example_org())};
  };
  EXPECT_EQ(serve(load, {}), 0);
}

TEST(ServeCost, OfAThousandSessionsIsSmall) {
  if (is_sanitized) GTEST_SKIP() << "a sanitizer's memory is not ours";
  constexpr std::size_t sessions = 1'000;
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_max < sessions + 100) GTEST_SKIP() << "too few open files are allowed";
  limit.rlim_cur = std::max<rlim_t>(limit.rlim_cur, sessions + 100);
  ::setrlimit(RLIMIT_NOFILE, &limit);

  Served served;
  served.start_anew();
  EXPECT_EQ(served.connect().push_and_verify(mail_of()), "pass");
  const pid_t daemon = served.process().pid();
  const long before = resident_kib(daemon);
  std::vector<MtaConnection> mtas;
  const milter::Mail mail = mail_of();
  for (std::size_t i = 0; i < sessions; ++i) {
    mtas.push_back(served.connect());
    mtas.back().push(mail);
  }
  const long idle = resident_kib(daemon);
  for (const MtaConnection& mta : mtas) mta.send(test::message_without_end());
  EXPECT_EQ(served.connect().push_and_verify(mail_of()), "pass");
  const long busy = resident_kib(daemon);
  RecordProperty("rss_kib", static_cast<int>(before));
  RecordProperty("idle_octets_a_session", static_cast<int>((idle - before) * 1'024 / 1'000));
  RecordProperty("busy_octets_a_session", static_cast<int>((busy - before) * 1'024 / 1'000));
  std::printf("RSS %ld KiB; 1,000 sessions: idle +%ld KiB, inside a message +%ld KiB\n", before,
              idle - before, busy - before);
  EXPECT_LT(idle - before, 10'000) << "10 KiB an idle session";
  EXPECT_LT(busy, 40'000);
  EXPECT_LE(std::stoul(status_of(daemon, "Threads")), 2U + 4U) << "two workers";
}

}  // namespace
}  // namespace countersign::service
