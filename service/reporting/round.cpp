// SPDX-License-Identifier: Apache-2.0

#include "service/reporting/round.hpp"

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "service/dns/blocking_lookups.hpp"
#include "service/dns/zone_file.hpp"
#include "service/reporting/options.hpp"

namespace countersign::service {
namespace {

using Checked = std::vector<report::CheckedDestination>;

template <class T>
T usable(Result<T, std::string> made) {
  if (!made) throw std::runtime_error(made.error());
  return *std::move(made);
}

Checked run(BlockingLookups& lookups, std::chrono::seconds deadline, dns::Asking<Checked> asking) {
  for (;;) {
    const std::vector<dns::OpenQuestion> questions = asking.take_questions();
    if (asking.done()) return asking.take();
    std::vector<dns::Answer> answers = lookups.answer(questions, deadline);
    for (std::size_t i = 0; i < questions.size(); ++i)
      asking.answer(questions[i].id, std::move(answers[i]));
  }
}

/// DNS as the daemon's settings have it.
CheckDestinations checker(const config::DnsSettings& settings) {
  if (!settings.zone_file.empty()) {
    auto zone = std::make_shared<dns::Zone>(read_zone_file(settings.zone_file));
    return [zone](dns::Asking<Checked> asking) { return zone->run(std::move(asking)); };
  }
  auto lookups = std::make_shared<BlockingLookups>(
      UnboundOptions{.nameservers = settings.nameservers,
                     .trust_anchor_file = settings.trust_anchor_file,
                     .configuration_file = settings.resolver_file});
  return [lookups, deadline = settings.timeout](dns::Asking<Checked> asking) {
    return run(*lookups, deadline, std::move(asking));
  };
}

}  // namespace

ReportRound make_report_round(std::function<config::Snapshot()> current,
                              std::function<std::chrono::sys_seconds()> now, Log& log) {
  return [current = std::move(current), now = std::move(now), &log](
             store::Day newest, int days_back, const std::atomic<bool>& stopping) {
    const config::Snapshot snapshot = current();
    SmtpSender sender(usable(smtp_server(snapshot)));
    store::Store store(snapshot.settings.store);
    Outbox outbox(store, checker(snapshot.settings.dns), sender,
                  usable(outbox_options(snapshot, now)), log);
    for (int back = days_back - 1; back >= 0; --back)
      static_cast<void>(outbox.plan(newest - std::chrono::days(back)));
    return outbox.send([&stopping](std::uint64_t) { return !stopping.load(); });
  };
}

}  // namespace countersign::service
