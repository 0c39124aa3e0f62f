// SPDX-License-Identifier: Apache-2.0
//
// Sending that takes its time, mailboxes under several names, and reports in several parts.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "service/reporting/outbox.hpp"
#include "tests/support/outbox.hpp"

namespace countersign::service {
namespace {

using namespace std::chrono_literals;
using store::ReportState;
using test::day;
using test::evaluation;
using testing::Each;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

// --- leases --------------------------------------------------------------------------------------

using SlowSending = test::OutboxTest;

TEST_P(SlowSending, KeepsWhatIsClaimedFromOthers) {
  constexpr int domains = 8;  // As many as are claimed at once.
  for (int i = 0; i < domains; ++i) {
    const std::string domain = "d" + std::to_string(i) + ".own.example";
    store_rows(evaluation(domain, {"mailto:dmarc@" + domain}));
  }
  store::Store other = open();
  store::ReportLedger ledger(other);
  sender_.meanwhile = [&] {
    now_ += 300s;
    EXPECT_THAT(ledger.find_abandoned(now_), IsEmpty()) << "it is under way";
    EXPECT_THAT(ledger.claim("node-b", now_, options_.lease, 10), IsEmpty());
  };
  EXPECT_EQ(send().sent, 8U);
  EXPECT_THAT(sender_.sent, SizeIs(domains));
  EXPECT_THAT(records(), Each(Field(&store::ReportRecord::state, ReportState::sent)));
  EXPECT_THAT(records(), Each(Field(&store::ReportRecord::attempts, 1)));
}

COUNTERSIGN_ON_BOTH_ENGINES(SlowSending);

// --- mailboxes -----------------------------------------------------------------------------------

class Mailboxes : public test::OutboxTest {
 protected:
  Mailboxes() {
    zone_ = *dns::Zone::parse(
        "_dmarc.own.example. 60 IN TXT \"v=DMARC1; p=none\"\n"
        "_dmarc.svc.example. 60 IN TXT \"v=DMARC1; p=none\"\n"
        "own.example._report._dmarc.svc.example. 60 IN TXT \"v=DMARC1; "
        "rua=mailto:c@svc.example\"\n",
        Limits());
  }
  /// Messages of domains that all mean one mailbox, each in its own way.
  void store_spellings() {
    int number = 0;
    for (const std::string spelling : {"mailto:victim@own.example?1", "MAILTO:Victim@OWN.example",
                                       "mailto:v%69ctim@own.example?subject=x"}) {
      store_rows(evaluation("d" + std::to_string(number) + ".own.example", {spelling}));
      ++number;
    }
  }
};

TEST_P(Mailboxes, GetAReportOnceWhateverTheirHostPutsInTheirPlace) {
  store_rows(evaluation("own.example", {"mailto:a@svc.example", "mailto:b@svc.example"}));
  const OutboxCounts counts = send();
  EXPECT_EQ(counts.sent, 1U);
  EXPECT_EQ(counts.suppressed, 1U);
  ASSERT_THAT(sender_.sent, SizeIs(1));
  EXPECT_THAT(sender_.sent[0].rcpt_to, ElementsAre("c@svc.example"));
  EXPECT_THAT(records().at(1).detail, HasSubstr("by another address of the record"));
  store_rows(evaluation("own.example", {"mailto:a@svc.example", "mailto:b@svc.example"}));
  EXPECT_EQ(send().sent, 1U) << "another edition is another report";
}

TEST_P(Mailboxes, HaveOneCapUnderAllTheirNames) {
  store_spellings();
  options_.destination_cap = 2;
  const OutboxCounts counts = send();
  EXPECT_EQ(counts.sent, 2U);
  EXPECT_EQ(counts.deferred, 1U);
  EXPECT_THAT(sender_.sent, SizeIs(2));
  EXPECT_EQ(send().deferred, 0U);
  now_ += 24h;
  EXPECT_EQ(send().sent, 1U);
  EXPECT_EQ(sender_.sent.back().rcpt_to.at(0), "victim@own.example") << "as it was published";
}

TEST_P(Mailboxes, AreLeftAloneUnderAllTheirNames) {
  store_spellings();
  sender_.answers["victim@own.example"] = {Delivery::refused, "550 nobody"};
  const OutboxCounts counts = send();
  EXPECT_EQ(counts.failed, 1U);
  EXPECT_EQ(counts.deferred, 0U);
  EXPECT_THAT(sender_.sent, SizeIs(1));
  EXPECT_EQ(store::ReportLedger(store_).waiting(now_).count, 2U);
  sender_.answers.clear();
  now_ += 1h;
  EXPECT_EQ(send().sent, 2U);
}

COUNTERSIGN_ON_BOTH_ENGINES(Mailboxes);

// --- parts ---------------------------------------------------------------------------------------

class ReportInParts : public test::DividedOutboxTest {
 protected:
  std::multiset<std::string> ids_sent() {
    std::multiset<std::string> ids;
    for (const OutgoingMail& mail : sender_.sent)
      ids.insert(test::report_in_mail(mail.octets).report_metadata.report_id);
    return ids;
  }
};

TEST_P(ReportInParts, GoesOnBehindThePartThatHasArrivedAfterAll) {
  std::multiset<std::string> ids;
  const std::vector<ReportPreview> parts = preview();
  ASSERT_GT(parts.size(), 3U);
  for (const ReportPreview& one : parts) ids.insert(one.report_id);
  sender_.taken = 2;
  sender_.then = {Delivery::uncertain, "the connection ended"};
  EXPECT_EQ(send().uncertain, 1U);
  const store::ReportRecord line = records().front();
  EXPECT_EQ(line.report_id, parts[2].report_id) << "by which the mail is found";
  EXPECT_EQ(line.parts_sent, 2);
  EXPECT_EQ(line.parts, static_cast<std::int64_t>(parts.size()));
  // An operator finds out that it has arrived.
  EXPECT_EQ(store::ReportLedger(store_).resolve(line.key, ReportState::sent, "", now_),
            ReportState::due);
  sender_.taken = 1'000;
  EXPECT_EQ(send().sent, 1U);
  ids.erase(parts[2].report_id);
  EXPECT_EQ(ids_sent(), ids) << "each other part has left once";
}

TEST_P(ReportInParts, IsTheSameHoweverManyRowsAreKept) {
  auto policy = std::make_shared<mailflow::Policy>(*options_.policy);
  policy->limits.report_records_max = 30;
  options_.policy = policy;
  options_.packed_octets_max = 0;
  sender_.taken = 5;
  EXPECT_EQ(send().deferred, 1U);
  now_ += 2h;
  sender_.taken = 1'000;
  EXPECT_EQ(send().sent, 1U);
  EXPECT_THAT(sender_.sent, SizeIs(14)) << "400 rows, 30 in each";
  expect_complete();
}

COUNTERSIGN_ON_BOTH_ENGINES(ReportInParts);

}  // namespace
}  // namespace countersign::service
