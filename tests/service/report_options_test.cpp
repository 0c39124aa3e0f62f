// SPDX-License-Identifier: Apache-2.0
//
// From settings to what the sending of reports works by, and a round of the daemon by the settings
// of its moment.

#include "service/reporting/options.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "service/reporting/round.hpp"
#include "service/store/report_ledger.hpp"
#include "tests/support/folder.hpp"
#include "tests/support/log_file.hpp"
#include "tests/support/signing.hpp"

namespace countersign::service {
namespace {

using namespace std::chrono_literals;
using store::Day;
using store::ReportState;
using testing::Each;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr Day day{std::chrono::days(20'000)};
constexpr std::chrono::sys_seconds morning = day + 25h;

std::chrono::sys_seconds in_the_morning() { return morning; }

config::Snapshot usable_snapshot() {
  config::Snapshot snapshot;
  snapshot.settings.reports.from = "reports@example.org";
  snapshot.policy = std::make_shared<const mailflow::Policy>(test::policy_for_example_org());
  return snapshot;
}

TEST(ReportOptions, WhatIsNotSetHasItsDefault) {
  const auto options = outbox_options(usable_snapshot(), in_the_morning);
  ASSERT_TRUE(options) << options.error();
  EXPECT_EQ(options->reporter.submitter.text(), "example.org");
  EXPECT_EQ(options->reporter.org_name, "example.org");
  EXPECT_EQ(options->reporter.email, "reports@example.org");
  EXPECT_EQ(options->reporter.extra_contact_info, "");
  EXPECT_THAT(options->reporter.generator, testing::StartsWith("countersign "));
  EXPECT_EQ(options->mail_from, "");
  EXPECT_EQ(options->now(), morning);
}

TEST(ReportOptions, TheContactIsAnAddressAndNothingElse) {
  config::Snapshot snapshot = usable_snapshot();
  snapshot.settings.reports.from = "DMARC <reports@EXAMPLE.org>";
  const auto options = outbox_options(snapshot, in_the_morning);
  ASSERT_TRUE(options) << options.error();
  EXPECT_EQ(options->reporter.email, "reports@example.org");
}

TEST(ReportOptions, BouncesGoToAnAddressOrNowhere) {
  config::Snapshot snapshot = usable_snapshot();
  snapshot.settings.reports.mail_from = "Bounces <bounces@EXAMPLE.org>";
  EXPECT_EQ(outbox_options(snapshot, in_the_morning)->mail_from, "bounces@example.org");
  for (const char* wrong : {"<>", "bounces", "a@b.example\r\nDATA"}) {
    snapshot.settings.reports.mail_from = wrong;
    const auto options = outbox_options(snapshot, in_the_morning);
    ASSERT_FALSE(options) << wrong;
    EXPECT_THAT(options.error(), HasSubstr("reports.mail_from is no address"));
  }
}

TEST(ReportOptions, TakesWhatIsSet) {
  config::Snapshot snapshot = usable_snapshot();
  config::ReportSettings& settings = snapshot.settings.reports;
  settings.org_name = "The Example";
  settings.extra_contact = "https://example.org/dmarc";
  settings.mail_from = "bounces@example.org";
  settings.packed_octets_max = 20'000;
  settings.destination_cap = 7;
  settings.opted_out.lines = {"out.example", ".all.example"};
  const auto options = outbox_options(snapshot, in_the_morning);
  ASSERT_TRUE(options) << options.error();
  EXPECT_EQ(options->reporter.org_name, "The Example");
  EXPECT_EQ(options->reporter.extra_contact_info, "https://example.org/dmarc");
  EXPECT_EQ(options->mail_from, "bounces@example.org");
  EXPECT_EQ(options->packed_octets_max, 20'000U);
  EXPECT_EQ(options->destination_cap, 7U);
  EXPECT_EQ(options->policy, snapshot.policy);
  EXPECT_TRUE(options->opted_out.contains(test::name("out.example")));
  EXPECT_TRUE(options->opted_out.contains(test::name("below.all.example")));
  EXPECT_FALSE(options->opted_out.contains(test::name("example.com")));
}

TEST(ReportOptions, EachOutboxHasANameOfItsOwn) {
  const config::Snapshot snapshot = usable_snapshot();
  EXPECT_NE(outbox_options(snapshot, in_the_morning)->owner,
            outbox_options(snapshot, in_the_morning)->owner);
}

TEST(ReportOptions, SayWhatTheyMiss) {
  config::Snapshot snapshot = usable_snapshot();
  const auto fault = [&snapshot](const std::string& from) {
    snapshot.settings.reports.from = from;
    const auto options = outbox_options(snapshot, in_the_morning);
    return options ? "" : options.error();
  };
  EXPECT_THAT(fault(""), HasSubstr("reports.from is not set"));
  EXPECT_THAT(fault("nobody"), HasSubstr("reports.from is no address"));
  EXPECT_THAT(fault("reports@other.example"), HasSubstr("no key signs for reports@other.example"));
  EXPECT_EQ(fault("reports@sub.example.org"), "");
}

TEST(ReportOptions, ASignatureOfAnotherDomainIsNotEnough) {
  config::Snapshot snapshot;
  snapshot.settings.reports.from = "reports@mx.example";
  const auto fault = [&snapshot](std::string_view signing_domain) {
    mailflow::Policy policy = test::signing_policy();
    policy.key_table.add(test::key_entry("key", signing_domain, "s1"));
    policy.signing_table =
        test::signing_table(mailflow::SigningTable::Kind::patterns, {"*@mx.example key"});
    snapshot.policy = std::make_shared<const mailflow::Policy>(std::move(policy));
    const auto options = outbox_options(snapshot, in_the_morning);
    return options ? "" : options.error();
  };
  EXPECT_THAT(fault("provider.example"), HasSubstr("no key signs for reports@mx.example"));
  EXPECT_THAT(fault("notmx.example"), HasSubstr("no key signs for reports@mx.example"));
  EXPECT_EQ(fault("mx.example"), "");
  EXPECT_EQ(fault("out.mx.example"), "");
  EXPECT_EQ(fault("%"), "") << "whatever the author's is";
}

TEST(ReportOptions, TheServerIsTheOneThatIsSet) {
  const test::Folder folder;
  config::Snapshot snapshot = usable_snapshot();
  EXPECT_EQ(smtp_server(snapshot)->host, "localhost");
  EXPECT_EQ(smtp_server(snapshot)->port, 25U);
  EXPECT_EQ(smtp_server(snapshot)->password, "");
  config::ReportSettings& settings = snapshot.settings.reports;
  settings.smtp_host = "2001:db8::1";
  settings.smtp_port = 587;
  settings.smtp_tls = SmtpTls::required;
  settings.smtp_user = "reports";
  settings.smtp_password_file = folder / "password";
  EXPECT_THAT(smtp_server(snapshot).error(), HasSubstr("reports.smtp_password_file"));
  std::ofstream(folder / "password") << "se cret\r\nand a line that is none of it\n";
  const auto server = smtp_server(snapshot);
  ASSERT_TRUE(server) << server.error();
  EXPECT_EQ(server->host, "2001:db8::1");
  EXPECT_EQ(server->port, 587U);
  EXPECT_EQ(server->tls, SmtpTls::required);
  EXPECT_EQ(server->user, "reports");
  EXPECT_EQ(server->password, "se cret");
}

// --- a round -------------------------------------------------------------------------------------

/// A store with a message of each of six days, and an MTA that nobody has started.
class ReportRounds : public testing::Test {
 protected:
  ReportRounds() {
    std::ofstream(folder_ / "zone") << "own.example. 60 IN TXT \"x\"\n";
    snapshot_.settings.dns.zone_file = folder_ / "zone";
    snapshot_.settings.store.path = folder_ / "store.sqlite";
    snapshot_.settings.reports.smtp_host = "127.0.0.1";
    snapshot_.settings.reports.smtp_port = 1;
    snapshot_.settings.reports.smtp_tls = SmtpTls::none;
    for (int back = 0; back < 6; ++back) store_message(day - std::chrono::days(back));
  }

  void store_message(Day on, std::vector<std::string> rua = {"mailto:dmarc@own.example"}) {
    report::Evaluation one;
    one.published = {.domain = "own.example", .rua = std::move(rua)};
    one.source_ip = *IpAddress::parse("192.0.2.1");
    one.header_from = "own.example";
    one.spf = report::SpfAuthResult{"own.example", "fail", ""};
    store::Store store(snapshot_.settings.store);
    const store::Counts counts{{store::row_key(one, on), 1}};
    EXPECT_TRUE(store.append(counts, {"segment", position_, position_ + 1}, morning).is_new);
    ++position_;
  }
  OutboxCounts run() { return round_(due_days(now_, {}), stopping_); }
  std::vector<store::ReportRecord> records() {
    store::Store store(snapshot_.settings.store);
    return store::ReportLedger(store).records({});
  }

  test::Folder folder_;
  test::LogFile log_;
  config::Snapshot snapshot_ = usable_snapshot();
  std::chrono::sys_seconds now_ = morning;
  std::atomic<bool> stopping_ = false;
  std::uint64_t position_ = 0;
  ReportRound round_ =
      make_report_round([this] { return snapshot_; }, [this] { return now_; }, log_.log());
};

TEST_F(ReportRounds, PlanTheDaysThatAreDueAndNoOthers) {
  const OutboxCounts counts = run();
  EXPECT_EQ(counts.deferred, 3U);
  EXPECT_EQ(counts.sent + counts.failed + counts.uncertain + counts.suppressed, 0U);
  std::vector<Day> days;
  for (const store::ReportRecord& one : records()) {
    days.push_back(one.key.day);
    EXPECT_EQ(one.state, ReportState::due);
    EXPECT_EQ(one.attempts, 1);
    EXPECT_NE(one.detail, "");
  }
  EXPECT_THAT(days, ElementsAre(day - std::chrono::days(2), day - std::chrono::days(1), day));
}

TEST_F(ReportRounds, TellOfWhatComesLateADayLater) {
  static_cast<void>(run());
  store_message(day - std::chrono::days(1));
  now_ += 15min;
  EXPECT_EQ(run().deferred, 0U) << "more may come";
  EXPECT_THAT(records(), SizeIs(3));
  now_ = morning + 24h;
  static_cast<void>(run());
  ASSERT_THAT(records(), SizeIs(4));
  EXPECT_EQ(records().at(2).key.day, day - std::chrono::days(1));
  EXPECT_EQ(records().at(2).key.edition, 2);
  store_message(day - std::chrono::days(1));
  now_ += 15min;
  static_cast<void>(run());
  EXPECT_THAT(records(), SizeIs(4)) << "once a day";
}

TEST_F(ReportRounds, SayOnceWhatComesTooLate) {
  EXPECT_EQ(run().messages_too_late, 3U) << "of the three days before those that are due";
  EXPECT_EQ(log_.count("messages came too late for a report"), 3);
  EXPECT_EQ(run().messages_too_late, 0U);
  store_message(day - std::chrono::days(4));
  store_message(day - std::chrono::days(4), {});
  EXPECT_EQ(run().messages_too_late, 1U) << "of the other its domain wants no report";
  EXPECT_EQ(log_.count("messages came too late for a report"), 4);
  EXPECT_EQ(run().messages_too_late, 0U);
  EXPECT_THAT(records(), SizeIs(3));
}

TEST_F(ReportRounds, TryAgainLaterAndNotSooner) {
  EXPECT_EQ(run().deferred, 3U);
  now_ += 59min;
  EXPECT_EQ(run().deferred, 0U);
  now_ += 2min;
  EXPECT_EQ(run().deferred, 3U);
  EXPECT_THAT(records(), Each(Field(&store::ReportRecord::attempts, 2)));
}

TEST_F(ReportRounds, EndAfterTheReportThatIsUnderWay) {
  stopping_ = true;
  EXPECT_EQ(run().deferred, 1U);
}

TEST_F(ReportRounds, GoByTheSettingsOfTheirMoment) {
  snapshot_.settings.reports.from = "";
  EXPECT_THROW(run(), std::runtime_error);
  EXPECT_THAT(records(), IsEmpty());
  snapshot_.settings.reports.from = "reports@example.org";
  EXPECT_EQ(run().deferred, 3U);
  snapshot_.settings.dns.zone_file = folder_ / "gone";
  EXPECT_ANY_THROW(run());
  snapshot_.settings.dns.zone_file = folder_ / "zone";
  snapshot_.settings.store.path = folder_ / "nowhere/store.sqlite";
  EXPECT_ANY_THROW(run());
  snapshot_.settings.store.path = folder_ / "other.sqlite";
  EXPECT_EQ(run().deferred, 0U);
  EXPECT_THAT(records(), SizeIs(0));
}

}  // namespace
}  // namespace countersign::service
