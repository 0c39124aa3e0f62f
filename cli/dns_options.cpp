// SPDX-License-Identifier: Apache-2.0

#include "cli/dns_options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <optional>

#include "cli/failure.hpp"
#include "cli/input.hpp"
#include "countersign/dns/zone.hpp"
#include "countersign/domain/address.hpp"
#include "service/dns/blocking_lookups.hpp"

namespace countersign::cli {

namespace {

constexpr unsigned timeout_seconds = 10;

std::string check_address(const std::string& server) {
  if (IpAddress::parse(server.substr(0, server.find('@')))) return {};
  return server + " is no IP address; write ADDRESS or ADDRESS@PORT";
}

}  // namespace

struct Lookups::State {
  std::optional<dns::Zone> zone;
  std::optional<service::BlockingLookups> live;
  std::chrono::steady_clock::duration timeout{};
  std::chrono::steady_clock::time_point end = std::chrono::steady_clock::time_point::max();
};

void DnsOptions::declare(CLI::App& command) {
  command
      .add_option("--zone", zone_file,
                  "answer from this zone file (RFC 1035 or JSON) instead of live DNS")
      ->option_text("FILE");
  command.add_option("--nameserver", nameservers, "ask this server instead of the system's")
      ->allow_extra_args(false)
      ->check(CLI::Validator(check_address, ""))
      ->option_text("IP[@PORT]");
  command
      .add_option("--dns-timeout", timeout_seconds, "how long to wait for one answer (default: 10)")
      ->check(CLI::Range(1u, 600u))
      ->option_text("SECONDS");
}

void DnsOptions::complete(const service::config::DnsSettings& settings) {
  if (zone_file.empty() && nameservers.empty()) {
    zone_file = settings.zone_file;
    nameservers = settings.nameservers;
  }
  if (!timeout_seconds && settings.timeout.count() > 0) {
    timeout_seconds = static_cast<unsigned>(settings.timeout.count());
  }
  trust_anchor_file = settings.trust_anchor_file;
  configuration_file = settings.resolver_file;
}

Lookups::Lookups(const DnsOptions& options) : state_(std::make_unique<State>()) {
  if (options.zone_file.empty()) {
    state_->timeout = std::chrono::seconds(options.timeout_seconds.value_or(timeout_seconds));
    state_->live.emplace(service::UnboundOptions{.nameservers = options.nameservers,
                                                 .trust_anchor_file = options.trust_anchor_file,
                                                 .configuration_file = options.configuration_file});
    return;
  }
  Result<dns::Zone, dns::ZoneError> zone =
      dns::Zone::parse(read_small_input(options.zone_file), Limits());
  if (!zone) {
    const service::config::Place place{input_name(options.zone_file), zone.error().line};
    throw Failure(exit_data, place.to_string() + ": " + zone.error().message);
  }
  state_->zone = std::move(*zone);
}

Lookups::~Lookups() = default;

void Lookups::end_after(std::chrono::steady_clock::duration whole) {
  state_->end = std::chrono::steady_clock::now() + whole;
}

std::vector<dns::Answer> Lookups::answer(const std::vector<dns::OpenQuestion>& questions) {
  if (state_->live) {
    const auto left = state_->end - std::chrono::steady_clock::now();
    if (left > left.zero()) return state_->live->answer(questions, std::min(state_->timeout, left));
    return {questions.size(), dns::Answer{.status = dns::AnswerStatus::timeout}};
  }
  std::vector<dns::Answer> answers;
  for (const dns::OpenQuestion& open : questions) {
    answers.push_back(state_->zone->answer(open.question));
  }
  return answers;
}

}  // namespace countersign::cli
