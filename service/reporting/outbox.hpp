// SPDX-License-Identifier: Apache-2.0
//
// Aggregate reports on their way out: what a day has in the store becomes a report for each policy,
// and each leaves for every address that its owner named and that may be sent to.
//
//   Outbox outbox(store, dns, sender, options, log);
//   outbox.plan(day);                       enters into the ledger what is due
//   OutboxCounts counts = outbox.send();    sends what is due, whichever node planned it
//
// A report is made, sent and forgotten part by part, so that no policy, however many rows it has,
// takes more memory than one part.
//
// What comes of a day after it was planned, from a host that was away, is told by further reports
// about it when it is planned again: no message is told of twice.
//
// The ledger (service/store/report_ledger.hpp) sees to it that of a fleet one node sends a report,
// and that none leaves twice. RFC 9990 §3.5

#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "countersign/mailflow/domain_set.hpp"
#include "countersign/mailflow/policy.hpp"
#include "countersign/report/destination.hpp"
#include "countersign/report/tally.hpp"
#include "service/reporting/destinations.hpp"
#include "service/reporting/mail_sender.hpp"
#include "service/store/report_ledger.hpp"
#include "service/store/store.hpp"

namespace countersign::service {

class Log;

/// How reports are made and sent.
struct OutboxOptions {
  report::Reporter reporter;
  Mailbox from;           ///< its domain must authenticate the mail
  std::string mail_from;  ///< reverse-path without <>; empty for the null path
  /// Whose keys sign the mails; without a key for `from` nothing is sent.
  std::shared_ptr<const mailflow::Policy> policy;
  mailflow::DomainSet opted_out;                ///< policy domains that get no reports from us
  std::size_t packed_octets_max = 10UL << 20U;  ///< larger reports are divided
  std::uint64_t destination_cap = 100'000;      ///< reports that a mailbox gets a day
  /// For making a report, and for sending each part of it. It must be longer than the sender's
  /// patience.
  std::chrono::seconds lease{900};
  std::int64_t attempts_max = 10;  ///< after as many a report is given up
  std::function<std::chrono::sys_seconds()> now;
  std::string owner;  ///< a name that no other process has, for the ledger
};

/// What became of the reports of a run.
struct OutboxCounts {
  std::uint64_t sent = 0;
  std::uint64_t deferred = 0;    ///< due again later
  std::uint64_t failed = 0;      ///< given up
  std::uint64_t uncertain = 0;   ///< may have left; an operator decides
  std::uint64_t suppressed = 0;  ///< not to be sent: no permission, opted out, our own address
  std::uint64_t messages_too_late = 0;  ///< that no report tells of; see Outbox::give_up_before()
};

/// Where a report goes, and what became of it.
struct PreviewedDestination {
  report::CheckedDestination checked;
  std::optional<store::ReportState> state;  ///< nothing when it was never planned
  std::string fault;  ///< why it gets nothing, if `checked` and ReportPreview::fault do not say it
  std::int64_t parts_sent = 0;  ///< parts of the report that have left for it, the first ones

  /// True unless it has left, or is not to leave, or somebody is at it.
  [[nodiscard]] bool is_due() const {
    return state.value_or(store::ReportState::due) == store::ReportState::due;
  }
};

/// A report as it would be sent.
struct ReportPreview {
  std::string policy_domain;
  store::Day day;
  std::int64_t edition = 1;  ///< of the day
  std::string report_id;
  std::uint64_t messages = 0;
  std::string xml;
  std::string mail;   ///< signed, for the first destination; empty when there is none
  std::string fault;  ///< why there is no mail though there is a destination
  std::vector<PreviewedDestination> destinations;
};

/// Makes and sends reports. One thread.
class Outbox {
 public:
  /// All but the options must outlive this object.
  Outbox(store::Store& store, CheckDestinations check, MailSender& sender, OutboxOptions options,
         Log& log);
  ~Outbox();
  Outbox(const Outbox&) = delete;
  Outbox& operator=(const Outbox&) = delete;

  /// Enters the reports of a day into the ledger; those that are there stay as they are.
  ///
  /// only_domain   of this policy domain alone; empty for all.
  /// since         what has come since the day was closed is left for later if that was then or
  ///               later; by default it is reported now, however little it is.
  /// Returns       the number of reports of the day.
  std::size_t plan(store::Day day, std::string_view only_domain = {},
                   std::chrono::sys_seconds since = std::chrono::sys_seconds::max());
  /// Tells, once in a fleet, of what has come of days before that one since they were reported: no
  /// report will.
  /// Returns       messages of domains that wanted reports.
  std::uint64_t give_up_before(store::Day day);
  /// Sends what is due, of whatever day, until nothing is.
  ///
  /// on_progress   called after each report with the number of those done; false ends the run.
  /// only_domain   about this policy domain alone; empty for all.
  OutboxCounts send(const std::function<bool(std::uint64_t done)>& on_progress = {},
                    std::string_view only_domain = {});
  /// Reports of all days that wait for another attempt, and when the next one is due.
  [[nodiscard]] store::WaitingReports waiting();
  /// Makes the reports of a day and shows each; nothing is sent, and nothing entered anywhere.
  ///
  /// only_domain   of this policy domain alone; empty for all.
  void preview(store::Day day, std::string_view only_domain,
               const std::function<void(const ReportPreview&)>& show);
  /// Shows what plan() of that day and then send() would send now, of whatever day, and of that day
  /// what nobody wants; nothing is sent, and nothing entered anywhere.
  ///
  /// only_domain   about this policy domain alone; empty for all.
  void rehearse(store::Day day, std::string_view only_domain,
                const std::function<void(const ReportPreview&)>& show);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace countersign::service
