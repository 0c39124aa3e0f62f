// SPDX-License-Identifier: Apache-2.0
//
// The daemon in operation, driven by signals: reloads that take, reloads that are refused, both
// under traffic, and stops of every kind.

#include "service/run/daemon.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <fstream>
#include <functional>
#include <mutex>
#include <thread>

#include "service/control/client.hpp"
#include "service/store/spool.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/milter_octets.hpp"
#include "tests/support/served_filter.hpp"

namespace countersign::service {
namespace {

using namespace std::chrono_literals;
using test::end_of_body;
using test::eventually;
using test::mail_of;
using test::message_without_end;
using test::MtaConnection;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::StartsWith;

/// Settings as a loader gives them: two workers, and a policy that signs with that selector.
config::Snapshot snapshot_with_selector(int number) {
  config::Snapshot snapshot;
  snapshot.settings.daemon.workers = 2;
  snapshot.policy = test::shared(test::policy_with_selector(number));
  return snapshot;
}

/// A daemon in this process; signals to this process are for it.
class RunningDaemon {
 public:
  explicit RunningDaemon(config::Snapshot first = snapshot_with_selector(1))
      : sockets_(open_sockets(first.settings)),
        daemon_(std::move(first), [this] { return load(); }, sockets_, file_.log(), Readiness()) {
    thread_ = std::jthread([this] { exit_code_ = daemon_.run(); });
    EXPECT_TRUE(is_told("msg=started"));
  }
  ~RunningDaemon() {
    if (exit_code_ < 0) send(SIGTERM);
  }
  RunningDaemon(const RunningDaemon&) = delete;
  RunningDaemon& operator=(const RunningDaemon&) = delete;

  /// What the next reload reads.
  void set_loader(std::function<config::Snapshot()> loader) {
    const std::lock_guard lock(mutex_);
    loader_ = std::move(loader);
  }
  static void send(int signal) { ::kill(::getpid(), signal); }
  /// Reloads and waits for the line that says how it went.
  void reload(std::function<config::Snapshot()> loader, std::string_view outcome) {
    set_loader(std::move(loader));
    const int before = file_.count(outcome);
    send(SIGHUP);
    EXPECT_TRUE(eventually([&] { return file_.count(outcome) > before; })) << file_.text();
  }
  void reload(config::Snapshot snapshot, std::string_view outcome = "settings reloaded") {
    reload([snapshot] { return snapshot; }, outcome);
  }

  [[nodiscard]] std::string path() const { return folder_ / "milter"; }
  [[nodiscard]] std::string policy_path() const { return folder_ / "policy"; }
  [[nodiscard]] std::string control_path() const { return folder_ / "control"; }
  [[nodiscard]] MtaConnection connect() const {
    return MtaConnection(test::connect_to_file(path()).value());
  }
  /// The answer of the daemon over HTTP.
  [[nodiscard]] std::string get(const std::string& path) const {
    const MtaConnection peer(test::connect_to(metrics_socket_));
    peer.send("GET " + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    std::string answer;
    for (auto more = peer.receive(); more && !more->empty(); more = peer.receive()) answer += *more;
    return answer;
  }
  /// A connection of Postfix to the policy service.
  [[nodiscard]] MtaConnection connect_to_policy() const {
    return MtaConnection(test::connect_to_file(policy_path()).value());
  }
  /// A connection that has negotiated, with a client of ours.
  [[nodiscard]] MtaConnection negotiated() const {
    MtaConnection mta = connect();
    mta.send(test::negotiation());
    EXPECT_EQ(mta.receive_frames(1).size(), 1U);
    mta.send(test::frames({milter::Connect{"localhost", '4', 25, "127.0.0.1"}}));
    return mta;
  }
  [[nodiscard]] bool is_told(std::string_view text) const {
    return eventually([&] { return file_.has(text); });
  }
  [[nodiscard]] bool has_ended(std::chrono::milliseconds within = 20s) const {
    return eventually([this] { return exit_code_ >= 0; }, within);
  }
  [[nodiscard]] int exit_code() const { return exit_code_; }
  [[nodiscard]] const test::LogFile& log() const { return file_; }
  [[nodiscard]] int loads() const { return loads_; }

 private:
  /// One socket for the milter, and one for each other service where the settings name any.
  [[nodiscard]] ListeningSockets open_sockets(const config::Settings& settings) const {
    ListeningSockets sockets;
    sockets.milter = open_listening_sockets({.path = path()}, {});
    sockets.control = open_listening_sockets({.path = control_path()}, {});
    if (!settings.policy_service.sockets.empty())
      sockets.policy = open_listening_sockets({.path = policy_path()}, {});
    if (!settings.metrics.sockets.empty())
      sockets.metrics = open_listening_sockets(
          {.family = config::SocketSpec::Family::inet, .host = "127.0.0.1"}, {});
    return sockets;
  }
  config::Snapshot load() {
    std::unique_lock lock(mutex_);
    const std::function<config::Snapshot()> loader = loader_;
    lock.unlock();
    ++loads_;
    return loader();
  }

  test::Folder folder_;
  test::LogFile file_;
  std::mutex mutex_;
  std::function<config::Snapshot()> loader_;
  std::atomic<int> loads_ = 0;
  ListeningSockets sockets_;
  const int metrics_socket_ = sockets_.metrics.empty() ? -1 : sockets_.metrics[0].descriptor();
  Daemon daemon_;
  std::atomic<int> exit_code_ = -1;
  std::jthread thread_;
};

std::string selector_of(MtaConnection& mta) {
  const milter::FilterOutcome outcome = mta.push(mail_of());
  const std::string_view raw = outcome.header.front().raw();
  const std::size_t at = raw.find(" s=");
  return at == std::string_view::npos ? "" : std::string(raw.substr(at + 3, 2));
}

TEST(Daemon, ServesUntilItIsToldToStop) {
  for (const int signal : {SIGTERM, SIGINT}) {
    RunningDaemon daemon;
    MtaConnection mta = daemon.connect();
    EXPECT_EQ(mta.push_and_verify(mail_of()), "pass");
    RunningDaemon::send(signal);
    ASSERT_TRUE(daemon.has_ended());
    EXPECT_EQ(daemon.exit_code(), 0);
    EXPECT_TRUE(mta.is_closed());
    EXPECT_TRUE(daemon.log().has("msg=stopped"));
    EXPECT_EQ(::access(daemon.path().c_str(), F_OK), -1) << "its socket is gone";
  }
}

TEST(DaemonControl, TellsOfTheMessagesOfAllWorkersUntilItStops) {
  RunningDaemon daemon;
  const auto kept = [&daemon] {
    const auto answer = ask_daemon(daemon.control_path(), {{"ask", "last"}});
    return answer ? answer->at("kept").at("messages").as_int64() : -1;
  };
  EXPECT_EQ(kept(), 0);
  for (int i = 0; i < 4; ++i) {
    MtaConnection mta = daemon.connect();
    EXPECT_EQ(mta.push_and_verify(mail_of()), "pass");
  }
  EXPECT_TRUE(eventually([&] { return kept() == 4; }));
  config::Snapshot fewer = snapshot_with_selector(2);
  fewer.settings.control.kept_messages = 1;
  daemon.reload(fewer);
  EXPECT_EQ(kept(), 1);
  RunningDaemon::send(SIGTERM);
  ASSERT_TRUE(daemon.has_ended());
  EXPECT_EQ(::access(daemon.control_path().c_str(), F_OK), -1) << "its socket is gone";
}

// --- reload --------------------------------------------------------------------------------------

TEST(DaemonReload, PutsAnotherPolicyInForceForOpenConnectionsToo) {
  RunningDaemon daemon;
  MtaConnection mta = daemon.connect();
  EXPECT_EQ(selector_of(mta), "s1");
  daemon.reload(snapshot_with_selector(2));
  EXPECT_EQ(selector_of(mta), "s2");
  daemon.set_loader([] { return snapshot_with_selector(3); });
  RunningDaemon::send(SIGUSR1);
  EXPECT_TRUE(eventually([&] { return daemon.log().count("settings reloaded") == 2; }));
  EXPECT_EQ(selector_of(mta), "s3");
}

TEST(DaemonReload, KeepsWhatIsInForceWhenAnythingIsWrong) {
  RunningDaemon daemon;
  MtaConnection mta = daemon.connect();
  EXPECT_EQ(selector_of(mta), "s1");

  config::Snapshot with_error = snapshot_with_selector(2);
  with_error.problems = {{.severity = config::Severity::error,
                          .place = {"/etc/keys", 7},
                          .message = "no such key",
                          .remedy = "make it"}};
  daemon.reload(with_error, "old ones stay in force");
  EXPECT_EQ(selector_of(mta), "s1");
  EXPECT_TRUE(
      daemon.log().has("level=error msg=settings place=/etc/keys:7 problem=\"no such key\" "
                       "remedy=\"make it\""))
      << daemon.log().text();

  config::Snapshot without_policy = snapshot_with_selector(2);
  without_policy.policy = nullptr;
  daemon.reload(without_policy, "old ones stay in force");
  EXPECT_EQ(selector_of(mta), "s1");

  daemon.reload([]() -> config::Snapshot { throw std::runtime_error("unreadable"); },
                "error=unreadable");
  EXPECT_EQ(selector_of(mta), "s1");

  config::Snapshot with_warning = snapshot_with_selector(2);
  with_warning.problems = {{.severity = config::Severity::warning, .message = "odd"}};
  daemon.reload(with_warning);
  EXPECT_EQ(selector_of(mta), "s2");
}

TEST(DaemonReload, DropsNoConnectionAndNoMessageUnderTraffic) {
  RunningDaemon daemon;
  std::atomic<bool> ends = false;
  std::atomic<int> passed = 0;
  std::atomic<int> failed = 0;
  std::vector<std::jthread> mtas;
  for (int i = 0; i < 4; ++i) {
    mtas.emplace_back([&, i] {
      try {
        MtaConnection mta = daemon.connect();
        while (!ends) {
          if (i % 2 == 0) mta = daemon.connect();
          const milter::Mail mail = mail_of();
          const milter::FilterOutcome outcome = mta.push(mail);
          const bool pass = test::verdict_on(outcome.header, mail.body, "s1") == "pass" ||
                            test::verdict_on(outcome.header, mail.body, "s2") == "pass";
          ++(pass ? passed : failed);
        }
      } catch (const std::exception&) {
        ++failed;
      }
    });
  }
  for (int i = 0; i < 20; ++i) {
    daemon.reload(snapshot_with_selector(i % 2 + 1));
    const int before = passed;
    EXPECT_TRUE(eventually([&] { return passed >= before + 8 || failed > 0; }));
  }
  ends = true;
  mtas.clear();
  EXPECT_EQ(failed, 0) << daemon.log().text();
}

TEST(DaemonReload, ReadsOnceMoreWhenAskedWhileItReads) {
  std::atomic<int> reading = 0;  // Both must outlive the daemon, whose reload uses them.
  std::atomic<bool> may_go_on = false;
  RunningDaemon daemon;
  daemon.set_loader([&] {
    const int number = ++reading;
    static_cast<void>(eventually([&] { return may_go_on.load(); }));
    return snapshot_with_selector(number == 1 ? 2 : 3);
  });
  RunningDaemon::send(SIGHUP);
  ASSERT_TRUE(eventually([&] { return reading == 1; }));
  MtaConnection mta = daemon.connect();
  EXPECT_EQ(selector_of(mta), "s1") << "mail is served meanwhile";
  for (int i = 0; i < 5; ++i) {
    RunningDaemon::send(i % 2 == 0 ? SIGUSR1 : SIGHUP);
    std::this_thread::sleep_for(10ms);
  }
  may_go_on = true;
  EXPECT_TRUE(eventually([&] { return daemon.log().count("settings reloaded") == 2; }));
  EXPECT_EQ(selector_of(mta), "s3");
  std::this_thread::sleep_for(100ms);
  EXPECT_EQ(daemon.loads(), 2) << "five requests while it reads are one";
}

TEST(DaemonReload, NamesSettingsThatOnlyARestartPutsInForce) {
  RunningDaemon daemon;
  config::Snapshot changed = snapshot_with_selector(2);
  changed.settings.daemon.workers = 3;
  changed.settings.daemon.user = "somebody";
  changed.settings.log.to_syslog = true;
  daemon.reload(changed);
  for (const char* key : {"daemon.workers", "daemon.user", "log.syslog"}) {
    EXPECT_EQ(daemon.log().count(std::string("only a restart puts in force\" setting=") + key), 1);
  }
  daemon.reload(changed);
  EXPECT_EQ(daemon.log().count("only a restart"), 6) << "as long as they are not in force";
  daemon.reload(snapshot_with_selector(1));
  EXPECT_EQ(daemon.log().count("only a restart"), 6);
}

TEST(DaemonReload, ChangesTheNumberOfSessionsAndTheLog) {
  config::Snapshot first = snapshot_with_selector(1);
  first.settings.limits.sessions = 1;
  RunningDaemon daemon(first);
  const MtaConnection only = daemon.negotiated();
  const MtaConnection waiting = daemon.connect();
  waiting.send(test::negotiation());
  ASSERT_TRUE(daemon.is_told("all sessions are taken"));

  config::Snapshot wider = first;
  wider.settings.limits.sessions = 2;
  wider.settings.log.format = LogFormat::json;
  wider.settings.log.queue_id = false;
  daemon.reload(wider);
  EXPECT_EQ(waiting.receive_frames(1).size(), 1U);
  EXPECT_TRUE(daemon.is_told("{\"level\":\"notice\",\"msg\":\"settings reloaded\"}"));
  only.send(message_without_end() + end_of_body());
  EXPECT_EQ(only.receive_frames(2).size(), 2U);
  EXPECT_TRUE(daemon.is_told("\"msg\":\"signed\",\"action\":\"accept\"")) << "without queue_id";
}

TEST(FixedSettings, AreThoseOfTheProcessAndOfWhereItLogs) {
  const config::Settings old;
  config::Settings fresh;
  EXPECT_THAT(changed_fixed_settings(old, fresh), IsEmpty());
  fresh.limits.sessions = 7;
  fresh.log.level = LogLevel::debug;
  fresh.signing.multiple_signatures = false;
  EXPECT_THAT(changed_fixed_settings(old, fresh), IsEmpty());
  fresh.daemon.sockets = {{.path = "/run/x"}};
  fresh.daemon.umask = config::FileMode{7};
  fresh.daemon.stop_timeout = 5s;
  fresh.log.syslog_facility = "local0";
  fresh.policy_service.sockets = {{.path = "/run/y"}};
  fresh.policy_service.only_tests = true;
  EXPECT_THAT(changed_fixed_settings(old, fresh),
              ElementsAre("daemon.sockets", "daemon.umask", "daemon.stop_timeout", "log.facility",
                          "policy_service.sockets"));
}

TEST(FixedSettings, AreNotThoseThatSayWhichFailuresAreTold) {
  const config::Settings old;
  config::Settings fresh;
  fresh.reports.failures.privacy = report::Privacy::redacted;
  fresh.reports.failures.never.lines = {".de"};
  fresh.reports.failures.redacted.lines = {"a.example"};
  fresh.reports.failures.full_headers.lines = {"b.example"};
  fresh.reports.failures.on_none = false;
  EXPECT_THAT(changed_fixed_settings(old, fresh), IsEmpty());
  fresh.reports.failures.destination_cap = 3;
  fresh.reports.failures.bcc = {"a@example.org"};
  EXPECT_THAT(changed_fixed_settings(old, fresh),
              ElementsAre("reports.failures.bcc", "reports.failures.destination_cap"));
}

// --- stop ----------------------------------------------------------------------------------------

TEST(DaemonStop, FinishesMessagesInFlightWhileAnotherTakesItsPlace) {
  RunningDaemon daemon;
  const MtaConnection busy = daemon.negotiated();
  busy.send(message_without_end());
  RunningDaemon::send(SIGTERM);
  ASSERT_TRUE(eventually([&] { return !test::connect_to_file(daemon.path()); }));
  const auto successor = open_listening_sockets({.path = daemon.path()}, {});
  EXPECT_FALSE(daemon.has_ended(200ms));
  busy.send(end_of_body());
  EXPECT_EQ(test::codes(busy.receive_frames(2)), "ia");
  EXPECT_TRUE(daemon.has_ended());
  EXPECT_EQ(daemon.exit_code(), 0);
  EXPECT_TRUE(test::connect_to_file(daemon.path())) << "the successor's socket stays";
}

TEST(DaemonStop, LivesAndIsNotReadyWhileAMessageIsInFlight) {
  config::Snapshot snapshot = snapshot_with_selector(1);
  snapshot.settings.metrics.sockets = {{.path = "named elsewhere"}};
  RunningDaemon daemon(snapshot);
  EXPECT_THAT(daemon.get("/readyz"), StartsWith("HTTP/1.1 200 OK\r\n"));
  const MtaConnection busy = daemon.negotiated();
  busy.send(message_without_end());
  RunningDaemon::send(SIGTERM);
  ASSERT_TRUE(eventually([&] { return !test::connect_to_file(daemon.path()); }));
  EXPECT_THAT(daemon.get("/readyz"), StartsWith("HTTP/1.1 503 Service Unavailable\r\n"));
  EXPECT_THAT(daemon.get("/healthz"), StartsWith("HTTP/1.1 200 OK\r\n"));
  busy.send(end_of_body());
  EXPECT_TRUE(daemon.has_ended());
}

TEST(DaemonStop, GivesMessagesUpThatTakeTooLong) {
  config::Snapshot snapshot = snapshot_with_selector(1);
  snapshot.settings.daemon.stop_timeout = 1s;
  RunningDaemon daemon(snapshot);
  const MtaConnection busy = daemon.negotiated();
  busy.send(message_without_end());
  const auto begun = std::chrono::steady_clock::now();
  RunningDaemon::send(SIGTERM);
  EXPECT_TRUE(busy.is_closed());
  EXPECT_GE(std::chrono::steady_clock::now() - begun, 900ms);
  EXPECT_TRUE(daemon.has_ended());
  EXPECT_TRUE(daemon.log().has("messages in flight took too long"));
}

TEST(DaemonStop, GivesMessagesUpWhenAskedTwice) {
  RunningDaemon daemon;
  const MtaConnection busy = daemon.negotiated();
  busy.send(message_without_end());
  RunningDaemon::send(SIGTERM);
  ASSERT_TRUE(daemon.is_told("stopping when"));
  RunningDaemon::send(SIGTERM);  // The same request, told by somebody else too.
  EXPECT_FALSE(busy.is_closed(700ms));
  RunningDaemon::send(SIGINT);
  EXPECT_TRUE(busy.is_closed());
  EXPECT_TRUE(daemon.has_ended());
  EXPECT_EQ(daemon.log().count("asked to stop twice"), 1);
}

TEST(DaemonStop, LeavesAReloadThatRunsUnfinished) {
  std::atomic<bool> may_go_on = false;  // Must outlive the daemon, whose reload looks at it.
  RunningDaemon daemon;
  daemon.set_loader([&] {
    static_cast<void>(eventually([&] { return may_go_on.load(); }));
    return snapshot_with_selector(2);
  });
  const MtaConnection busy = daemon.negotiated();
  busy.send(message_without_end());
  RunningDaemon::send(SIGHUP);
  ASSERT_TRUE(eventually([&] { return daemon.loads() == 1; }));
  RunningDaemon::send(SIGTERM);
  ASSERT_TRUE(daemon.is_told("stopping when"));
  may_go_on = true;
  RunningDaemon::send(SIGHUP);
  busy.send(end_of_body());
  EXPECT_TRUE(daemon.has_ended());
  EXPECT_FALSE(daemon.log().has("settings reloaded"));
  EXPECT_EQ(daemon.loads(), 1);
}

// --- the policy service --------------------------------------------------------------------------

/// DNS for the policy service, as a file.
class ZoneFile {
 public:
  ZoneFile() {
    std::ofstream(path()) << "$ORIGIN example.\n$TTL 60\n"
                          << "pass IN TXT \"v=spf1 ip4:192.0.2.1 -all\"\n"
                          << "fail IN TXT \"v=spf1 -all\"\n";
  }
  [[nodiscard]] std::string path() const { return folder_ / "zone"; }

 private:
  test::Folder folder_;
};

/// Settings that serve both, sign, and judge nothing but what the policy service is asked.
config::Snapshot snapshot_with_policy_service(const ZoneFile& zone,
                                              const mailflow::SpfAccessPolicy& access = {}) {
  config::Snapshot snapshot = snapshot_with_selector(1);
  snapshot.settings.policy_service.sockets = {{.path = "named elsewhere"}};
  snapshot.settings.dns.zone_file = zone.path();
  snapshot.access = std::make_shared<const mailflow::SpfAccessPolicies>(
      mailflow::SpfAccessPolicies{.usual = access, .of_recipients = {}});
  return snapshot;
}

std::string policy_request(const std::string& domain, const std::string& instance) {
  return "request=smtpd_access_policy\nprotocol_state=RCPT\nclient_address=192.0.2.1\n"
         "helo_name=pass.example\nsender=bob@" +
         domain + "\nrecipient=carol@example.net\ninstance=" + instance + "\n\n";
}

/// What the policy service says of mail of that domain; empty when it ends the connection.
std::string answer_for(const MtaConnection& postfix, const std::string& domain,
                       const std::string& instance) {
  postfix.send(policy_request(domain, instance));
  return postfix.receive().value_or("nothing");
}

TEST(Daemon, TellsThatAKeyIsOverdue) {
  config::Snapshot snapshot = snapshot_with_selector(1);
  RunningDaemon daemon(snapshot);
  snapshot.key_files.expires = 4'000'000'000;
  daemon.reload(snapshot);
  EXPECT_EQ(daemon.log().count("key_lifetime"), 0);
  snapshot.key_files.expires = 1;
  daemon.reload(snapshot);
  EXPECT_TRUE(daemon.is_told("longer than signing.key_lifetime"));
}

TEST(DaemonPolicyService, AnswersBesideTheMilter) {
  const ZoneFile zone;
  RunningDaemon daemon(snapshot_with_policy_service(zone));
  const MtaConnection postfix = daemon.connect_to_policy();
  EXPECT_THAT(answer_for(postfix, "pass.example", "1"),
              StartsWith("action=PREPEND Received-SPF: pass "));
  EXPECT_THAT(answer_for(postfix, "fail.example", "2"), StartsWith("action=550 5.7.23 "));
  EXPECT_EQ(daemon.connect().push_and_verify(mail_of()), "pass");
  RunningDaemon::send(SIGTERM);
  EXPECT_TRUE(daemon.has_ended());
  EXPECT_TRUE(postfix.is_closed());
  EXPECT_EQ(::access(daemon.policy_path().c_str(), F_OK), -1) << "its socket is gone";
}

TEST(DaemonPolicyService, GoesByFreshSettingsOnOpenConnections) {
  const ZoneFile zone;
  RunningDaemon daemon(snapshot_with_policy_service(zone));
  const MtaConnection postfix = daemon.connect_to_policy();
  EXPECT_THAT(answer_for(postfix, "fail.example", "1"), StartsWith("action=550 "));
  mailflow::SpfAccessPolicy lenient;
  lenient.only_tests = true;
  daemon.reload(snapshot_with_policy_service(zone, lenient));
  EXPECT_THAT(answer_for(postfix, "fail.example", "2"), StartsWith("action=PREPEND "));
}

TEST(DaemonPolicyService, FinishesARequestBeforeItStops) {
  const ZoneFile zone;
  RunningDaemon daemon(snapshot_with_policy_service(zone));
  const MtaConnection idle = daemon.connect_to_policy();
  EXPECT_THAT(answer_for(idle, "pass.example", "1"), StartsWith("action=PREPEND "));
  const MtaConnection busy = daemon.connect_to_policy();
  EXPECT_THAT(answer_for(busy, "pass.example", "2"), StartsWith("action=PREPEND "));
  const std::string request = policy_request("fail.example", "3");
  busy.send(request.substr(0, 20));
  std::this_thread::sleep_for(50ms);
  RunningDaemon::send(SIGTERM);
  EXPECT_TRUE(daemon.is_told("connections=2"));
  EXPECT_TRUE(idle.is_closed());
  EXPECT_FALSE(daemon.has_ended(200ms));
  busy.send(request.substr(20));
  EXPECT_THAT(busy.receive().value_or(""), StartsWith("action=550 "));
  EXPECT_TRUE(busy.is_closed());
  EXPECT_TRUE(daemon.has_ended());
}

TEST(DaemonPolicyService, EndsPeersThatDoNotMove) {
  const ZoneFile zone;
  config::Snapshot snapshot = snapshot_with_policy_service(zone);
  snapshot.settings.limits.packet_timeout = 1s;
  RunningDaemon daemon(snapshot);
  const MtaConnection idle = daemon.connect_to_policy();
  const MtaConnection slow = daemon.connect_to_policy();
  slow.send("request=");
  EXPECT_TRUE(slow.is_closed());
  EXPECT_TRUE(daemon.is_told("a policy request or its reply took too long"));
  EXPECT_THAT(answer_for(idle, "pass.example", "1"), StartsWith("action=PREPEND "));
  snapshot.settings.limits.idle_timeout = 1s;
  daemon.reload(snapshot);
  EXPECT_THAT(answer_for(idle, "pass.example", "2"), StartsWith("action=PREPEND "));
  EXPECT_TRUE(idle.is_closed());
}

TEST(DaemonPolicyService, HasAsManySessionsAsTheMilterAndNoMore) {
  const ZoneFile zone;
  config::Snapshot snapshot = snapshot_with_policy_service(zone);
  snapshot.settings.limits.sessions = 1;
  RunningDaemon daemon(snapshot);
  MtaConnection only = daemon.connect_to_policy();
  EXPECT_THAT(answer_for(only, "pass.example", "1"), StartsWith("action=PREPEND "));
  const MtaConnection waiting = daemon.connect_to_policy();
  waiting.send(policy_request("fail.example", "2"));
  ASSERT_TRUE(daemon.is_told("all sessions are taken"));
  EXPECT_EQ(daemon.connect().push_and_verify(mail_of()), "pass") << "the milter has its own";
  EXPECT_EQ(waiting.receive(100ms), std::nullopt);
  only.hang_up();
  EXPECT_THAT(waiting.receive().value_or(""), StartsWith("action=550 "));
}

// --- what is stored -----------------------------------------------------------------------------

TEST(DaemonStore, OpensAndLetsGoAndAReloadLeavesItAlone) {
  const test::Folder folder;
  config::Snapshot snapshot = snapshot_with_selector(1);
  snapshot.settings.store.path = folder / "store.sqlite";
  snapshot.settings.store.spool_directory = folder / "spool";
  test::LogFile log;
  const auto open_spool = [&] { const store::Spool spool(folder / "spool", 1'000'000, log.log()); };
  {
    RunningDaemon daemon(snapshot);
    EXPECT_TRUE(eventually([&] { return ::access((folder / "store.sqlite").c_str(), F_OK) == 0; }));
    EXPECT_THROW(open_spool(), store::StoreError) << "it is the daemon's";
    snapshot.settings.store.path = folder / "other.sqlite";
    daemon.reload(snapshot);
    EXPECT_TRUE(daemon.log().has("setting=store.path")) << "told that a restart is needed";
    EXPECT_THROW(open_spool(), store::StoreError) << "it has it still";
    RunningDaemon::send(SIGTERM);
    ASSERT_TRUE(daemon.has_ended());
    EXPECT_EQ(daemon.exit_code(), 0);
  }
  EXPECT_NO_THROW(open_spool());
  EXPECT_EQ(::access((folder / "other.sqlite").c_str(), F_OK), -1);
}

}  // namespace
}  // namespace countersign::service
