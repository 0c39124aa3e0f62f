// SPDX-License-Identifier: Apache-2.0
//
// Failure reports on their way out: the first addresses in the owner's ruf= are checked, get their
// report signed, and no more of them an hour than they may; what the MTA does not take now is tried
// again a few times. What the operator lets nobody be told any more stays here, however long it has
// waited. Nothing is kept on disk: a report that tells of one message is not worth one.
//
//   FailureOutbox outbox(dns, sender, options, log);
//   outbox.take(group);              one task for each address
//   while (outbox.step()) {}         does what is due
//
// RFC 9991 §5

#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "countersign/mailflow/domain_set.hpp"
#include "countersign/mailflow/policy.hpp"
#include "countersign/report/failure.hpp"
#include "service/reporting/destinations.hpp"
#include "service/reporting/failure_queue.hpp"
#include "service/reporting/mail_sender.hpp"

namespace countersign::service {

class Log;

/// How failure reports are made and sent.
struct FailureOutboxOptions {
  report::Reporter reporter;
  Mailbox from;                   ///< its domain must authenticate the mail
  std::string mail_from;          ///< reverse-path without <>; empty for the null path
  std::vector<Mailbox> bcc;       ///< of ours: a copy of each report that left
  mailflow::DomainSet opted_out;  ///< policy domains that get no reports from us
  std::string redaction_key;
  /// Gives the policy in force, whose keys sign and whose privacy holds; without a key for `from`
  /// nothing is sent.
  std::function<std::shared_ptr<const mailflow::Policy>()> policy;
  std::function<std::chrono::sys_seconds()> now;
  std::uint64_t destination_cap = 10;           ///< reports that an address gets an hour
  std::size_t destinations_max = 10'000;        ///< addresses that are remembered for that
  int attempts_max = 4;                         ///< after as many a report is given up
  std::chrono::seconds first_pause{60};         ///< before the second attempt; then four times that
  std::size_t waiting_octets_max = 8UL << 20U;  ///< of what waits for another attempt
};

/// What became of reports and of messages, since the start.
struct FailureReportCounters {
  std::atomic<std::uint64_t> sent = 0;
  std::atomic<std::uint64_t> failed = 0;      ///< given up
  std::atomic<std::uint64_t> uncertain = 0;   ///< may have left; not sent again
  std::atomic<std::uint64_t> suppressed = 0;  ///< not to be sent: no permission, over the cap, …
  std::atomic<std::uint64_t> no_room = 0;     ///< not sent: Admission::no_room
  std::atomic<std::uint64_t> dropped = 0;     ///< messages for whose report there was no room
};

/// Makes and sends failure reports. One thread; the counters may be read by others.
class FailureOutbox {
 public:
  /// All but the options must outlive this object.
  FailureOutbox(CheckDestinations check, MailSender& sender, FailureOutboxOptions options,
                FailureReportCounters& counters, Log& log);
  ~FailureOutbox();
  FailureOutbox(const FailureOutbox&) = delete;
  FailureOutbox& operator=(const FailureOutbox&) = delete;

  /// Plans a report for each URI that the owner named, up to Limits::failure_uris_max.
  void take(FailureGroup group);
  /// Does the next thing that is due; false when there is none.
  bool step();
  /// When there is something to do next; in the past when there is now.
  [[nodiscard]] std::optional<std::chrono::sys_seconds> next_attempt() const;
  /// Reports that wait.
  [[nodiscard]] std::size_t waiting() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace countersign::service
