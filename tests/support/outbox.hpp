// SPDX-License-Identifier: Apache-2.0
//
// What tests of outgoing reports share: a store with messages of a day, an outbox, and an MTA that
// does as it is told.

#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "countersign/dns/zone.hpp"
#include "service/reporting/outbox.hpp"
#include "tests/support/log_file.hpp"
#include "tests/support/report_mail.hpp"
#include "tests/support/signing.hpp"
#include "tests/support/store_engines.hpp"

namespace countersign::test {

namespace store = service::store;
using service::CheckDestinations;
using service::Delivery;
using service::DeliveryResult;
using service::MailSender;
using service::Outbox;
using service::OutboxCounts;
using service::OutboxOptions;
using service::OutgoingMail;
using service::ReportPreview;

/// The day that is reported.
inline constexpr store::Day day{std::chrono::days(20'000)};
/// When its reports are due.
inline constexpr std::chrono::sys_seconds morning = day + std::chrono::hours(25);

/// An MTA that takes everything, unless it is told otherwise.
class FakeSender final : public MailSender {
 public:
  DeliveryResult send(const OutgoingMail& mail) override {
    const std::scoped_lock lock(mutex_);
    if (meanwhile) meanwhile();
    if (sent.size() >= taken) return then;
    sent.push_back(mail);
    const auto found = answers.find(mail.rcpt_to.at(0));
    return found == answers.end() ? DeliveryResult{Delivery::accepted, "250 ok"} : found->second;
  }

  std::map<std::string, DeliveryResult> answers;
  std::vector<OutgoingMail> sent;
  std::size_t taken = 1'000'000;  ///< mails; further ones get `then`
  DeliveryResult then = {Delivery::deferred, "451 later"};
  std::function<void()> meanwhile;  ///< called while a mail is under way

 private:
  std::mutex mutex_;
};

/// A message in the name of a domain that wants its reports there.
inline report::Evaluation evaluation(const std::string& domain, std::vector<std::string> rua) {
  report::Evaluation one;
  one.published.domain = domain;
  one.published.p = dmarc::AssessmentPolicy::reject;
  one.published.rua = std::move(rua);
  one.source_ip = *IpAddress::parse("192.0.2.1");
  one.disposition = report::ActionDisposition::quarantine;
  one.reasons = {{report::OverrideReason::local_policy, "not rejected for a policy alone"}};
  one.header_from = domain;
  one.spf = report::SpfAuthResult{domain, "fail", ""};
  return one;
}

/// An outbox of example.org on an empty store.
class OutboxTest : public StoreTest {
 protected:
  OutboxTest() : store_(open()) {
    zone_ = *dns::Zone::parse(
        "own.example. 60 IN TXT \"x\"\n"
        "_dmarc.own.example. 60 IN TXT \"v=DMARC1; p=none\"\n"
        "_dmarc.other.example. 60 IN TXT \"v=DMARC1; p=none\"\n"
        "_dmarc.third.example. 60 IN TXT \"v=DMARC1; p=none\"\n"
        "own.example._report._dmarc.third.example. 60 IN TXT \"v=DMARC1\"\n",
        Limits());
  }

  void store_rows(const report::Evaluation& one, std::uint64_t messages = 1, store::Day on = day) {
    store::Counts counts;
    counts[store::row_key(one, on)] = messages;
    ++position_;
    ASSERT_TRUE(store_.append(counts, {"segment", position_, position_ + 1}, morning).is_new);
  }

  CheckDestinations check() {
    return [this](dns::Asking<std::vector<report::CheckedDestination>> asking) {
      return zone_.run(std::move(asking));
    };
  }
  OutboxCounts send() {
    Outbox outbox(store_, check(), sender_, options_, log_.log());
    outbox.plan(day);
    return outbox.send();
  }
  /// What is shown of the day.
  std::vector<ReportPreview> preview() {
    std::vector<ReportPreview> previews;
    Outbox outbox(store_, check(), sender_, options_, log_.log());
    outbox.preview(day, "", [&](const ReportPreview& one) { previews.push_back(one); });
    return previews;
  }
  std::vector<store::ReportRecord> records() { return store::ReportLedger(store_).records({}); }

  std::chrono::sys_seconds now_ = morning;
  store::Store store_;
  dns::Zone zone_;
  FakeSender sender_;
  OutboxOptions options_{
      .reporter = {.submitter = name("example.org"),
                   .org_name = "Example",
                   .email = "reports@example.org",
                   .generator = "countersign test"},
      .from = {"reports", name("example.org")},
      .policy = std::make_shared<const mailflow::Policy>(policy_for_example_org()),
      .now = [this] { return now_; },
      .owner = "node-a"};
  LogFile log_;
  std::uint64_t position_ = 0;
};

/// Reports that are too large for one mail.
class DividedOutboxTest : public OutboxTest {
 protected:
  DividedOutboxTest() {
    options_.packed_octets_max = 2'000;
    store::Counts counts;
    for (int i = 0; i < 400; ++i) counts[store::row_key(numbered(i), day)] = 2;
    ++position_;
    EXPECT_TRUE(store_.append(counts, {"segment", position_, position_ + 1}, morning).is_new);
  }

  static report::Evaluation numbered(int i) {
    report::Evaluation one = evaluation("own.example", {"mailto:dmarc@own.example"});
    one.source_ip =
        *IpAddress::parse("198.51." + std::to_string(i / 250) + "." + std::to_string(i % 250));
    one.header_from = "h" + std::to_string(i * 7919 % 1000) + ".own.example";
    return one;
  }
  /// Expects that what was taken is every part once, with all messages.
  void expect_complete() {
    std::uint64_t messages = 0;
    std::map<std::string, int> ids;
    for (const OutgoingMail& mail : sender_.sent) {
      const report::Aggregate aggregate = report_in_mail(mail.octets);
      ++ids[aggregate.report_metadata.report_id];
      for (const report::Record& record : aggregate.record) messages += record.row.count;
    }
    EXPECT_EQ(messages, 800U);
    EXPECT_EQ(ids.size(), sender_.sent.size());
  }
};

}  // namespace countersign::test
