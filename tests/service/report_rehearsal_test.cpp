// SPDX-License-Identifier: Apache-2.0
//
// What would be sent is what is sent: each rehearsal here is followed by the sending.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <utility>

#include "countersign/message/compose.hpp"
#include "service/reporting/outbox.hpp"
#include "tests/support/outbox.hpp"

namespace countersign::service {
namespace {

using namespace std::chrono_literals;
using test::day;
using test::evaluation;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

/// Identifiers of reports, and who gets them.
using Mails = std::multiset<std::pair<std::string, std::string>>;

/// A rehearsal of any outbox, and its sending.
template <class Base>
class Rehearsed : public Base {
 protected:
  std::vector<ReportPreview> rehearse(std::string_view domain = "") {
    std::vector<ReportPreview> previews;
    Outbox outbox(this->store_, this->check(), this->sender_, this->options_, this->log_.log());
    outbox.rehearse(day, domain, [&](const ReportPreview& one) { previews.push_back(one); });
    return previews;
  }
  /// Expects that what is shown is what is sent.
  /// Returns      how many mails that are.
  std::size_t rehearse_and_send(std::string_view domain = "") {
    const std::vector<store::ReportRecord> before = this->records();
    Mails shown;
    for (const ReportPreview& one : rehearse(domain))
      for (const PreviewedDestination& to : one.destinations)
        if (one.fault.empty() && to.fault.empty())
          for (const Mailbox& mailbox : to.checked.mailboxes)
            shown.emplace(one.report_id, format_address(mailbox));
    EXPECT_EQ(this->records().size(), before.size()) << "nothing is entered";
    this->sender_.sent.clear();
    Outbox outbox(this->store_, this->check(), this->sender_, this->options_, this->log_.log());
    outbox.plan(day, domain);
    static_cast<void>(outbox.send({}, domain));
    Mails sent;
    for (const OutgoingMail& mail : this->sender_.sent)
      sent.emplace(test::report_in_mail(mail.octets).report_metadata.report_id, mail.rcpt_to.at(0));
    EXPECT_EQ(shown, sent);
    return sent.size();
  }
};

using Rehearsal = Rehearsed<test::OutboxTest>;

TEST_P(Rehearsal, ShowsADayThatNobodyHasPlanned) {
  store_rows(evaluation("own.example", {"mailto:a@own.example", "mailto:b@other.example"}), 3);
  store_rows(evaluation("d1.own.example", {"mailto:a@d1.own.example"}));
  store_rows(evaluation("d2.own.example", {}));
  const std::vector<ReportPreview> previews = rehearse();
  ASSERT_THAT(previews, SizeIs(3));
  EXPECT_EQ(previews[0].messages, 3U);
  EXPECT_EQ(previews[0].day, day);
  ASSERT_THAT(previews[0].destinations, SizeIs(2));
  EXPECT_THAT(previews[0].destinations[1].checked.mailboxes, IsEmpty());
  EXPECT_EQ(previews[2].policy_domain, "d2.own.example");
  EXPECT_THAT(previews[2].destinations, IsEmpty()) << "nobody wants it, and that is told";
  EXPECT_EQ(rehearse_and_send(), 2U);
  EXPECT_EQ(rehearse_and_send(), 0U) << "it has left";
}

TEST_P(Rehearsal, ShowsWhatIsDueOfOtherDays) {
  const store::Day before = day - std::chrono::days(1);
  store_rows(evaluation("own.example", {"mailto:a@own.example"}), 1, before);
  store_rows(evaluation("d1.own.example", {"mailto:a@d1.own.example"}));
  Outbox(store_, check(), sender_, options_, log_.log()).plan(before);
  const std::vector<ReportPreview> previews = rehearse();
  ASSERT_THAT(previews, SizeIs(2));
  EXPECT_EQ(previews[0].day, before);
  EXPECT_EQ(previews[1].day, day);
  EXPECT_EQ(rehearse_and_send(), 2U);
}

TEST_P(Rehearsal, ADomainLimitsBoth) {
  for (const std::string domain : {"d1.own.example", "d2.own.example"}) {
    store_rows(evaluation(domain, {"mailto:a@" + domain}));
    store_rows(evaluation(domain, {"mailto:a@" + domain}), 1, day - std::chrono::days(1));
  }
  Outbox(store_, check(), sender_, options_, log_.log()).plan(day - std::chrono::days(1));
  EXPECT_EQ(rehearse_and_send("d2.own.example"), 2U);
  for (const OutgoingMail& mail : sender_.sent) EXPECT_EQ(mail.rcpt_to.at(0), "a@d2.own.example");
  EXPECT_EQ(rehearse_and_send("own.example"), 0U);
  EXPECT_EQ(rehearse_and_send(), 2U);
}

TEST_P(Rehearsal, ShowsNothingThatWaits) {
  store_rows(evaluation("d1.own.example", {"mailto:slow@own.example"}));
  store_rows(evaluation("d2.own.example", {"mailto:gone@own.example"}));
  sender_.answers["slow@own.example"] = {Delivery::deferred, "451 later"};
  sender_.answers["gone@own.example"] = {Delivery::refused, "550 nobody"};
  EXPECT_EQ(send().deferred, 1U);
  sender_.answers.clear();
  store_rows(evaluation("d3.own.example", {"mailto:gone@own.example"}));
  EXPECT_THAT(rehearse(), IsEmpty());
  EXPECT_EQ(rehearse_and_send(), 0U);
  now_ += 1h;
  EXPECT_EQ(rehearse_and_send(), 2U);
}

TEST_P(Rehearsal, CountsWhatAMailboxGets) {
  for (int i = 0; i < 4; ++i)
    store_rows(evaluation("d" + std::to_string(i) + ".own.example",
                          {"mailto:all@own.example?" + std::to_string(i)}));
  options_.destination_cap = 3;
  EXPECT_EQ(rehearse_and_send(), 3U);
  EXPECT_EQ(rehearse_and_send(), 0U);
  now_ += 24h;
  EXPECT_EQ(rehearse_and_send(), 1U);
}

TEST_P(Rehearsal, SaysWhichAddressGetsItByAnother) {
  zone_ = *dns::Zone::parse(
      "_dmarc.own.example. 60 IN TXT \"v=DMARC1; p=none\"\n"
      "_dmarc.svc.example. 60 IN TXT \"v=DMARC1; p=none\"\n"
      "own.example._report._dmarc.svc.example. 60 IN TXT \"v=DMARC1; rua=mailto:c@svc.example\"\n",
      Limits());
  store_rows(evaluation("own.example", {"mailto:a@svc.example", "mailto:b@svc.example"}));
  const std::vector<ReportPreview> previews = rehearse();
  ASSERT_THAT(previews, SizeIs(1));
  ASSERT_THAT(previews[0].destinations, SizeIs(2));
  EXPECT_THAT(previews[0].destinations[1].fault, HasSubstr("by another address of the record"));
  EXPECT_EQ(rehearse_and_send(), 1U);
}

COUNTERSIGN_ON_BOTH_ENGINES(Rehearsal);

using RehearsalOfParts = Rehearsed<test::DividedOutboxTest>;

TEST_P(RehearsalOfParts, ShowsThoseThatHaveNotLeft) {
  const std::size_t parts = preview().size();
  sender_.taken = 2;
  EXPECT_EQ(send().deferred, 1U);
  sender_.taken = 1'000;
  now_ += 1h;
  EXPECT_EQ(rehearse_and_send(), parts - 2);
}

TEST_P(RehearsalOfParts, ShowsThatNothingLeavesWhenItWouldBeDividedOtherwise) {
  sender_.taken = 2;
  EXPECT_EQ(send().deferred, 1U);
  options_.packed_octets_max = 3'000;
  sender_.taken = 1'000;
  now_ += 1h;
  EXPECT_THAT(rehearse().at(0).destinations.at(0).fault, HasSubstr("divided otherwise now"));
  EXPECT_EQ(rehearse_and_send(), 0U);
}

COUNTERSIGN_ON_BOTH_ENGINES(RehearsalOfParts);

}  // namespace
}  // namespace countersign::service
