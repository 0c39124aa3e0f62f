// SPDX-License-Identifier: Apache-2.0

#include "service/reporting/destinations.hpp"

#include <chrono>
#include <memory>
#include <utility>

#include "service/dns/blocking_lookups.hpp"
#include "service/dns/zone_file.hpp"

namespace countersign::service {
namespace {

using Checked = std::vector<report::CheckedDestination>;

Checked run(BlockingLookups& lookups, std::chrono::seconds deadline, dns::Asking<Checked> asking) {
  for (;;) {
    const std::vector<dns::OpenQuestion> questions = asking.take_questions();
    if (asking.done()) return asking.take();
    std::vector<dns::Answer> answers = lookups.answer(questions, deadline);
    for (std::size_t i = 0; i < questions.size(); ++i)
      asking.answer(questions[i].id, std::move(answers[i]));
  }
}

}  // namespace

CheckDestinations make_destination_check(const config::DnsSettings& settings) {
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

}  // namespace countersign::service
