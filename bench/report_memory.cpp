// SPDX-License-Identifier: Apache-2.0
//
// What the report about one policy takes of memory, however many rows its owner makes of it: the
// counts of a day with as many identities as asked for, and an outbox that sends them to nobody.
//
//   report_memory FILE [IDENTITIES]     SQLite, in a file that must not exist

#include <fmt/format.h>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>

#include "countersign/crypto/private_key.hpp"
#include "countersign/dns/zone.hpp"
#include "service/log/log.hpp"
#include "service/reporting/outbox.hpp"
#include "service/store/store.hpp"

namespace {

using namespace countersign;
using namespace countersign::service;

constexpr store::Day day{std::chrono::days(20'000)};
constexpr std::chrono::sys_seconds morning = day + std::chrono::hours(25);
constexpr std::uint64_t batch_rows = 5'000;

/// Counts the mails and forgets them.
class Nobody final : public MailSender {
 public:
  DeliveryResult send(const OutgoingMail& mail) override {
    ++mails;
    octets += mail.octets.size();
    return {Delivery::accepted, "250 ok"};
  }
  std::uint64_t mails = 0;
  std::uint64_t octets = 0;
};

report::Evaluation forged(std::uint64_t number) {
  report::Evaluation one;
  one.published.domain = "evil.example";
  one.published.rua = {"mailto:dmarc@evil.example"};
  one.source_ip = *IpAddress::parse("192.0.2.1");
  one.header_from = fmt::format("{:016x}.evil.example", number * 0x9e3779b97f4a7c15U);
  one.envelope_from = one.header_from;
  one.dkim = {{one.header_from, "selector", "pass", ""}};
  one.dkim_aligned = true;
  one.spf = report::SpfAuthResult{one.header_from, "none", ""};
  return one;
}

void write(store::Store& into, std::uint64_t identities) {
  for (std::uint64_t done = 0; done < identities;) {
    store::Counts counts;
    const std::uint64_t begin = done;
    for (; done < identities && done < begin + batch_rows; ++done)
      counts[store::row_key(forged(done), day)] = 1;
    static_cast<void>(into.append(counts, {"report_memory's", begin, done}, morning));
  }
}

std::shared_ptr<const mailflow::Policy> signing_policy() {
  auto policy = std::make_shared<mailflow::Policy>();
  const DomainName domain = *DomainName::parse("mx.example");
  policy->key_table.add(
      {.name = "key",
       .domain = domain,
       .selector = *DomainName::parse("s1"),
       .key = crypto::PrivateKey::parse_ed25519_seed(std::string(32, 'x')).value(),
       .place = {}});
  mailflow::SigningTable table(mailflow::SigningTable::Kind::patterns);
  static_cast<void>(
      table.add({.pattern = "*@mx.example", .key_name = "key", .signer = {}, .place = {}}));
  policy->signing_table = std::move(table);
  return policy;
}

/// A number of /proc/self/status, in KiB.
std::uint64_t status(const std::string& name) {
  std::ifstream file("/proc/self/status");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with(name + ":"))
      return std::strtoull(line.c_str() + name.size() + 1, nullptr, 10);
  return 0;
}

void send(store::Store& from) {
  const dns::Zone zone = *dns::Zone::parse("evil.example. 60 IN TXT \"x\"\n", Limits());
  Log log({.level = LogLevel::warning});
  Nobody nobody;
  Outbox outbox(
      from,
      [&zone](dns::Asking<std::vector<report::CheckedDestination>> asking) {
        return zone.run(std::move(asking));
      },
      nobody,
      {.reporter = {.submitter = *DomainName::parse("mx.example"),
                    .org_name = "Example",
                    .email = "reports@mx.example",
                    .generator = "report_memory"},
       .from = {"reports", *DomainName::parse("mx.example")},
       .policy = signing_policy(),
       .now = [] { return morning; },
       .owner = "report_memory"},
      log);
  std::ofstream("/proc/self/clear_refs") << "5";  // The peak begins here.
  const std::uint64_t before = status("VmRSS");
  const auto begin = std::chrono::steady_clock::now();
  outbox.plan(day);
  const OutboxCounts counts = outbox.send();
  fmt::print(
      "{} report in {} mails of {} octets in {:.1f} s; {} MB resident before, at most {} MB\n",
      counts.sent, nobody.mails, nobody.octets,
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count(),
      before / 1'000, status("VmHWM") / 1'000);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    fmt::print(stderr, "usage: report_memory FILE [IDENTITIES]\n");
    return EXIT_FAILURE;
  }
  config::StoreSettings settings;
  settings.path = argv[1];
  try {
    store::Store opened(settings);
    write(opened, argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 300'000);
    send(opened);
  } catch (const store::StoreError& error) {
    fmt::print(stderr, "{}\n", error.what());
    return EXIT_FAILURE;
  }
  return EXIT_SUCCESS;
}
