// SPDX-License-Identifier: Apache-2.0
//
// Two nodes that share one store, from judged messages to reports: whatever is killed on the way,
// however often the data base is away, and however much comes after the first reports of a day, the
// reports count each message once. Of messages that a kill caught before they were on the disk, any
// part may be missing, and none is there twice.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <sstream>
#include <system_error>
#include <thread>
#include <utility>

#include "countersign/dns/zone.hpp"
#include "service/reporting/outbox.hpp"
#include "service/run/clock.hpp"
#include "service/store/recorder.hpp"
#include "tests/support/child_process.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/log_file.hpp"
#include "tests/support/report_mail.hpp"
#include "tests/support/signing.hpp"
#include "tests/support/store_engines.hpp"

namespace countersign::service::store {
namespace {

using namespace std::chrono_literals;
using test::eventually;

constexpr std::size_t nodes = 2;
constexpr std::uint64_t messages_each = 50'000;
constexpr std::uint64_t largest_chunk = 5'000;

/// Which messages a report tells of together: the day, and the whole row with what was published.
/// Where reports go is not told in them.
using Kind = std::pair<std::int64_t, report::Evaluation>;
using Told = std::map<Kind, std::uint64_t>;

std::int64_t begin_of(Day day) { return report::day_period(day).begin; }

/// What a report tells with one of its rows.
Kind kind_of(const report::Aggregate& told, const report::Record& record) {
  const report::PolicyPublished& published = told.policy_published;
  const report::PolicyEvaluated& evaluated = record.row.policy_evaluated;
  report::Evaluation one;
  one.published = {.domain = published.domain,
                   .p = published.p.value(),
                   .sp = published.sp,
                   .np = published.np,
                   .adkim = published.adkim.value(),
                   .aspf = published.aspf.value(),
                   .testing = published.testing.value_or(false),
                   .fo = published.fo,
                   .discovery_method = published.discovery_method.value()};
  one.source_ip = record.row.source_ip.value();
  one.disposition = evaluated.disposition.value();
  one.dkim_aligned = evaluated.dkim == report::DmarcResult::pass;
  one.spf_aligned = evaluated.spf == report::DmarcResult::pass;
  one.reasons = evaluated.reason;
  one.header_from = record.identifiers.header_from;
  one.envelope_from = record.identifiers.envelope_from;
  one.envelope_to = record.identifiers.envelope_to;
  one.dkim = record.auth_results.dkim;
  for (const report::SpfResult& spf : record.auth_results.spf)
    one.spf = report::SpfAuthResult{spf.domain, spf.result, spf.human_result};
  return {told.report_metadata.date_range.begin, one};
}

std::uint64_t messages_in(const Told& told) {
  std::uint64_t sum = 0;
  for (const auto& [kind, messages] : told) sum += messages;
  return sum;
}

/// A number that looks random and is the same each time. SplitMix64
std::uint64_t scrambled(std::uint64_t number) {
  number += 0x9e3779b97f4a7c15U;
  number = (number ^ (number >> 30U)) * 0xbf58476d1ce4e5b9U;
  number = (number ^ (number >> 27U)) * 0x94d049bb133111ebU;
  return number ^ (number >> 31U);
}

/// Message number i of a node. Some domains change their policy amid the day.
report::Evaluation message(std::size_t node, std::uint64_t i) {
  std::uint64_t dice = scrambled(i * nodes + node);
  const auto roll = [&dice](std::uint64_t sides) {
    const std::uint64_t rolled = dice % sides;
    dice /= sides;
    return rolled;
  };
  const std::string domain = "d" + std::to_string(roll(30)) + ".example";
  const auto policy =
      roll(8) == 0 ? dmarc::AssessmentPolicy::none : dmarc::AssessmentPolicy::quarantine;
  report::Evaluation one;
  one.published = {.domain = domain, .p = policy, .sp = policy, .np = policy};
  one.published.rua = {"mailto:dmarc@" + domain};
  one.source_ip = *IpAddress::parse("192.0.2." + std::to_string(roll(100)));
  one.header_from = roll(3) == 0 ? "news." + domain : domain;
  one.dkim_aligned = roll(2) == 0;
  one.spf_aligned = roll(2) == 0;
  one.envelope_from = roll(4) == 0 ? "news.bounces.example" : "bounces.example";
  if (roll(4) == 0) one.envelope_to = "receiver.example";
  one.spf = report::SpfAuthResult{*one.envelope_from, one.spf_aligned ? "pass" : "fail", "as said"};
  if (one.dkim_aligned) one.dkim = {{domain, "june", "pass", ""}};
  if (roll(4) == 0) one.dkim.push_back({"list.example", "s1", "fail", "body altered"});
  if (policy == dmarc::AssessmentPolicy::none) return one;
  if (one.dkim_aligned || one.spf_aligned) {
    one.disposition = report::ActionDisposition::pass;
  } else if (roll(3) == 0) {
    one.reasons = {{report::OverrideReason::mailing_list, "list.example"}};
  } else {
    one.disposition = report::ActionDisposition::quarantine;
  }
  return one;
}

/// The day on which message number i came: two days, and the older one is the first.
Day day_of(std::uint64_t i) {
  const Day today = std::chrono::floor<std::chrono::days>(now());
  return today - std::chrono::days(i < messages_each / 2 ? 3 : 2);
}

/// Adds messages of a node, from one number up to another.
void add_messages(std::size_t node, std::uint64_t begin, std::uint64_t end, Told& told) {
  for (std::uint64_t i = begin; i < end; ++i) {
    report::Evaluation one = message(node, i);
    one.published.rua.clear();
    ++told[{begin_of(day_of(i)), std::move(one)}];
  }
}

/// An MTA that keeps each mail in a file, after a moment and before another. With one of them it
/// takes so long, before or after it has kept it, that its client is killed meanwhile.
class KeepingSender final : public MailSender {
 public:
  /// begun   counts the mails, so that somebody knows when to kill us.
  /// slow    the mail that takes long, counted from 1; 0 for none.
  KeepingSender(std::string folder, std::atomic<int>& begun, int slow)
      : folder_(std::move(folder)), begun_(begun), slow_(slow) {}

  DeliveryResult send(const OutgoingMail& mail) override {
    const bool is_slow = ++begun_ == slow_;
    const bool is_kept_first = random_() % 2 == 0;
    if (is_slow && !is_kept_first) std::this_thread::sleep_for(longer_than_life);
    pause();
    const std::string name =
        folder_ + "/" + std::to_string(::getpid()) + "-" +
        std::to_string(std::chrono::steady_clock::now().time_since_epoch().count());
    std::ofstream(name + ".part") << mail.octets;
    std::filesystem::rename(name + ".part", name + ".eml");
    if (is_slow) std::this_thread::sleep_for(longer_than_life);
    pause();
    return {Delivery::accepted, "250 ok"};
  }

 private:
  static constexpr std::chrono::seconds longer_than_life{30};

  void pause() { std::this_thread::sleep_for(std::chrono::microseconds(random_() % 4'000)); }

  std::string folder_;
  std::atomic<int>& begun_;
  int slow_;
  std::mt19937 random_{std::random_device{}()};
};

/// What the parent asks of a node, and what that has done.
struct Feed {
  std::atomic<std::uint64_t> wanted = 0;
  std::atomic<std::uint64_t> begun = 0;  ///< these have been recorded, or the last one is about to
  std::atomic<std::uint64_t> done = 0;   ///< of these all are on its disk that kills did not take
  std::atomic<std::uint64_t> spooled = 0;  ///< messages that this process knows to be on its disk
  std::atomic<bool> is_last = false;
};

class Fleet : public test::StoreTest {
 protected:
  Fleet() {
    if (GetParam() == test::StoreEngine::postgresql) {
      server_ = std::make_unique<test::PostgresqlServer>();
      settings_.connection = server_->connection();
    }
    settings_.queue = largest_chunk + 1'000;  // Half full it is written at once, amid a chunk.
    std::filesystem::create_directory(mails());
  }

  [[nodiscard]] std::string mails() const { return folder_ / "mails"; }
  [[nodiscard]] std::string spool_of(std::size_t node) const {
    return folder_ / ("spool-" + std::to_string(node));
  }

  /// One node's life: it records what it is asked to, until it is killed or all is stored.
  int record(std::size_t node) {
    config::StoreSettings settings = settings_;
    settings.spool_directory = spool_of(node);
    Feed& feed = *feeds_.at(node);
    Recorder recorder(settings, log_.log());
    std::uint64_t recorded = 0;
    while (!feed.is_last || feed.done < feed.wanted) {
      const std::uint64_t wanted = feed.wanted;
      for (std::uint64_t i = feed.done; i < wanted; ++i, ++recorded) {
        feed.begun = i + 1;
        recorder.record(message(node, i), day_of(i) + 1h);
      }
      const auto is_spooled = [&] {
        feed.spooled = recorder.counters().messages_spooled;
        return feed.spooled == recorded;
      };
      if (!eventually(is_spooled, 60s)) return 1;
      feed.done = wanted;
      std::this_thread::sleep_for(1ms);
    }
    recorder.stop(60s);
    return recorder.counters().queued == 0 ? 0 : 1;
  }

  void start_node(std::size_t node) {
    children_.at(node) =
        std::make_unique<test::ChildProcess>([this, node] { return record(node); });
  }

  /// Feeds both nodes all their messages, kills them and takes the data base away now and then, and
  /// closes editions meanwhile.
  void feed_all() {
    for (std::size_t node = 0; node < nodes; ++node) start_node(node);
    int rounds = 0;
    for (bool fed = true; fed; ++rounds) {
      fed = false;
      const bool is_away = rounds % 4 == 1;
      if (is_away) take_store_away();
      for (std::size_t node = 0; node < nodes; ++node) {
        Feed& feed = *feeds_.at(node);
        feed.wanted = std::min(messages_each, feed.wanted + 1 + random_() % largest_chunk);
        if (feed.wanted > feed.done && random_() % 3 == 0) kill_amid_recording(node);
        ASSERT_TRUE(eventually([&] { return feed.done == feed.wanted; }, 60s));
        fed = fed || feed.wanted < messages_each;
        if (random_() % 2 == 0) kill_amid_delivery(node);
      }
      if (is_away) bring_store_back();
      if (rounds % 8 == 7) editions_ += close_editions();
    }
    for (std::size_t node = 0; node < nodes; ++node) feeds_.at(node)->is_last = true;
    for (std::size_t node = 0; node < nodes; ++node) {
      EXPECT_EQ(children_.at(node)->exit_code(), 0) << log_.text();
      spooled_ += feeds_.at(node)->spooled;
    }
    EXPECT_GT(kills_, 5);
  }

  /// A server is stopped, a file is locked. The lock is another process's, as it is in practice:
  /// what is forked while this process has it would take it for its own.
  void take_store_away() {
    if (server_) return server_->stop();
    is_locked_ = std::make_unique<test::SharedMemory<std::atomic<bool>>>();
    locker_ = std::make_unique<test::ChildProcess>([this] {
      const std::unique_ptr<Database> database = open_database();
      database->run_script("BEGIN EXCLUSIVE");
      **is_locked_ = true;
      std::this_thread::sleep_for(60s);
      return 0;
    });
    EXPECT_TRUE(eventually([this] { return (**is_locked_).load(); }));
  }
  void bring_store_back() {
    if (server_) return server_->start();
    locker_.reset();
  }

  /// As a sender of reports does, while more of these days is still under way.
  int close_editions() {
    Store store = open();
    int closed = 0;
    for (const Day day : {day_of(0), day_of(messages_each - 1)})
      closed += store.close_edition(day, Time::max(), now()).is_new ? 1 : 0;
    return closed;
  }

  void kill_amid_delivery(std::size_t node) {
    std::this_thread::sleep_for(std::chrono::milliseconds(random_() % 60));
    kill_and_start(node);
  }
  /// While messages are recorded, while they wait in memory, or as soon as the disk gets some.
  void kill_amid_recording(std::size_t node) {
    const Feed& feed = *feeds_.at(node);
    const std::uint64_t before = feed.done;
    const std::uint64_t enough = before + 1 + random_() % (feed.wanted - before);
    ASSERT_TRUE(eventually([&] { return feed.begun >= enough; }, 60s));
    if (random_() % 2 == 0) {
      std::this_thread::sleep_for(std::chrono::milliseconds(random_() % 600));
    } else {
      wait_for_a_record(node);
    }
    kill_and_start(node);
  }
  /// Without a pause between two looks, so as to see a record that is half there. What has been
  /// delivered goes away meanwhile, and the head of a segment is no record.
  void wait_for_a_record(std::size_t node) const {
    const auto end = std::chrono::steady_clock::now() + 1s;
    std::uintmax_t least = spool_octets(node);
    while (std::chrono::steady_clock::now() < end) {
      const std::uintmax_t octets = spool_octets(node);
      if (octets > least + segment_head_octets) return;
      least = std::min(least, octets);
    }
  }
  /// Of what was not known to be on the disk any part may be there.
  void kill_and_start(std::size_t node) {
    children_.at(node)->kill(SIGKILL);
    EXPECT_EQ(children_.at(node)->exit_code(), 128 + SIGKILL);
    ++kills_;
    Feed& feed = *feeds_.at(node);
    spooled_ += feed.spooled.exchange(0);
    if (feed.begun > feed.done) {
      add_messages(node, known_.at(node), feed.done, certain_);
      add_messages(node, feed.done, feed.begun, uncertain_);
      known_.at(node) = feed.begun;
      feed.done = feed.begun.load();
    }
    start_node(node);
  }
  [[nodiscard]] std::uintmax_t spool_octets(std::size_t node) const {
    std::uintmax_t octets = 0;
    std::error_code error;
    for (const auto& file : std::filesystem::directory_iterator(spool_of(node), error)) {
      const std::uintmax_t size = file.file_size(error);
      if (!error) octets += size;
    }
    return octets;
  }
  /// Brings to the store what the last nodes have left in their spools.
  void deliver_the_rest() {
    for (std::size_t node = 0; node < nodes; ++node) {
      config::StoreSettings settings = settings_;
      settings.spool_directory = spool_of(node);
      Recorder recorder(settings, log_.log());
      recorder.stop(60s);
      EXPECT_TRUE(recorder.counters().is_store_reached) << log_.text();
    }
  }

  /// One process that sends what is due, until nothing is.
  int send(int number, std::atomic<int>& begun, int slow) {
    Store store = open();
    KeepingSender sender(mails(), begun, slow);
    const dns::Zone zone = *dns::Zone::parse("example. 60 IN TXT \"x\"\n", Limits());
    Outbox outbox(
        store,
        [&zone](dns::Asking<std::vector<report::CheckedDestination>> asking) {
          return zone.run(std::move(asking));
        },
        sender,
        {.reporter = {.submitter = test::name("example.org"),
                      .org_name = "Example",
                      .email = "reports@example.org",
                      .generator = "countersign test"},
         .from = {"reports", test::name("example.org")},
         .policy = std::make_shared<const mailflow::Policy>(test::policy_for_example_org()),
         .lease = 4s,
         .now = now,
         .owner = "process " + std::to_string(number)},
        log_.log());
    outbox.plan(day_of(0));
    outbox.plan(day_of(messages_each - 1));
    static_cast<void>(outbox.send());
    return 0;
  }

  /// Two processes send at once and are killed now and then. What is uncertain in the end is
  /// decided as an operator does: by what the MTA has taken.
  void send_all() {
    int number = 0;
    const auto end = std::chrono::steady_clock::now() + 180s;
    while (!is_all_sent()) {
      ASSERT_LT(std::chrono::steady_clock::now(), end) << log_.text();
      const test::SharedMemory<std::array<std::atomic<int>, nodes>> begun;
      const int slow = number < 20 ? 1 + static_cast<int>(random_() % 2) : 0;
      std::vector<std::unique_ptr<test::ChildProcess>> senders;
      for (std::size_t i = 0; i < nodes; ++i)
        senders.push_back(std::make_unique<test::ChildProcess>(
            [&, n = ++number, slow = i == 0 ? slow : 0] { return send(n, begun->at(i), slow); }));
      if (slow > 0) kill_amid_sending(*senders.front(), begun->front(), slow);
      for (const auto& sender : senders) static_cast<void>(sender->exit_code());
      decide_what_is_uncertain();
    }
  }
  /// Kills it at the mail that takes long, or soon after the ones before; when it has fewer to send
  /// it ends by itself.
  void kill_amid_sending(test::ChildProcess& sender, const std::atomic<int>& begun, int slow) {
    static_cast<void>(eventually([&] { return begun >= slow; }, 5s));
    std::this_thread::sleep_for(std::chrono::microseconds(random_() % 8'000));
    sender.kill(SIGKILL);
  }
  bool is_all_sent() {
    Store store = open();
    const std::vector<ReportRecord> records = ReportLedger(store).records({});
    return !records.empty() && std::ranges::all_of(records, [](const ReportRecord& one) {
      return one.state == ReportState::sent;
    });
  }
  void decide_what_is_uncertain() {
    const std::set<std::string> taken = ids_taken();
    Store store = open();
    ReportLedger ledger(store);
    for (const ReportRecord& one : ledger.records({.state = ReportState::uncertain})) {
      ++undecided_;
      EXPECT_TRUE(ledger.resolve(
          one.key, taken.contains(one.report_id) ? ReportState::sent : ReportState::due, "",
          now()));
    }
  }

  /// Calls for each report that the MTA has taken.
  void for_each_taken(const std::function<void(const report::Aggregate&)>& each) const {
    for (const auto& file : std::filesystem::directory_iterator(mails())) {
      if (file.path().extension() != ".eml") continue;
      std::ostringstream octets;
      octets << std::ifstream(file.path()).rdbuf();
      each(test::report_in_mail(octets.str()));
    }
  }
  [[nodiscard]] std::set<std::string> ids_taken() const {
    std::set<std::string> ids;
    for_each_taken(
        [&ids](const report::Aggregate& one) { ids.insert(one.report_metadata.report_id); });
    return ids;
  }

  /// Messages that are missing, and those that are told of too often or wrongly.
  [[nodiscard]] std::uint64_t messages_that_differ(Told told) const {
    std::uint64_t differing = 0;
    for (const auto& [kind, messages] : certain_) {
      std::uint64_t& found = told[kind];
      differing += messages - std::min(messages, found);
      found -= std::min(messages, found);
    }
    for (const auto& [kind, messages] : uncertain_) {
      std::uint64_t& found = told[kind];
      found -= std::min(messages, found);
    }
    return differing + messages_in(told);
  }

  std::mt19937 random_{20'261'126};
  test::LogFile log_;
  std::unique_ptr<test::PostgresqlServer> server_;  // PostgreSQL's.
  std::unique_ptr<test::SharedMemory<std::atomic<bool>>> is_locked_;
  std::unique_ptr<test::ChildProcess> locker_;  // Of SQLite's file.
  std::array<test::SharedMemory<Feed>, nodes> feeds_;
  std::array<std::unique_ptr<test::ChildProcess>, nodes> children_;
  std::array<std::uint64_t, nodes> known_{};  // What is below is in one of the next two.
  Told certain_;                              // What is on disks, whatever was killed.
  Told uncertain_;                            // What a kill caught on its way there.
  std::uint64_t spooled_ = 0;                 // Messages of which nodes knew that they were there.
  int kills_ = 0;
  int undecided_ = 0;
  int editions_ = 0;
};

TEST_P(Fleet, ReportsCountEachMessageOnce) {
  feed_all();
  for (std::size_t node = 0; node < nodes; ++node)
    add_messages(node, known_.at(node), messages_each, certain_);
  deliver_the_rest();
  const std::uint64_t stored = open().size().messages;
  EXPECT_GE(stored, std::max(spooled_, messages_in(certain_)));
  EXPECT_LT(stored, nodes * messages_each) << "no kill came between memory and disk";
  send_all();
  Told told;
  std::map<std::string, int> ids;
  for_each_taken([&](const report::Aggregate& one) {
    ++ids[one.report_metadata.report_id];
    for (const report::Record& record : one.record) told[kind_of(one, record)] += record.row.count;
  });
  EXPECT_EQ(messages_in(told), stored);
  EXPECT_EQ(messages_that_differ(told), 0U);
  for (const auto& [id, times] : ids) EXPECT_EQ(times, 1) << id << " has left twice";
  EXPECT_GE(editions_, 2) << "what comes late was hardly tried";
  EXPECT_GT(undecided_, 0) << "no kill came while a report was sent; the test shows less";
}

COUNTERSIGN_ON_BOTH_ENGINES(Fleet);

}  // namespace
}  // namespace countersign::service::store
