// SPDX-License-Identifier: Apache-2.0

#include "service/reporting/round.hpp"

#include <stdexcept>
#include <string>
#include <utility>

#include "service/reporting/destinations.hpp"
#include "service/reporting/options.hpp"

namespace countersign::service {
namespace {

template <class T>
T usable(Result<T, std::string> made) {
  if (!made) throw std::runtime_error(made.error());
  return *std::move(made);
}

}  // namespace

ReportRound make_report_round(std::function<config::Snapshot()> current,
                              std::function<std::chrono::sys_seconds()> now, Log& log) {
  return [current = std::move(current), now = std::move(now), &log](
             const DueDays& due, const std::atomic<bool>& stopping) {
    const config::Snapshot snapshot = current();
    SmtpSender sender(usable(smtp_server(snapshot)));
    store::Store store(snapshot.settings.store);
    Outbox outbox(store, make_destination_check(snapshot.settings.dns), sender,
                  usable(outbox_options(snapshot, now)), log);
    const store::Day oldest = due.newest - std::chrono::days(due.count - 1);
    for (store::Day day = oldest; day <= due.newest; day += std::chrono::days(1))
      static_cast<void>(outbox.plan(day, {}, due.since));
    const std::uint64_t too_late = outbox.give_up_before(oldest);
    OutboxCounts counts = outbox.send([&stopping](std::uint64_t) { return !stopping.load(); });
    counts.messages_too_late = too_late;
    return counts;
  };
}

}  // namespace countersign::service
