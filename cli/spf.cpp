// SPDX-License-Identifier: Apache-2.0
//
// `countersign spf`: may this client send mail for this domain? It tells the result for both
// identities that RFC 7208 §2.3 and §2.4 know, and how it came to that.

#include <boost/json.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "cli/clock_option.hpp"
#include "cli/command.hpp"
#include "cli/dns_options.hpp"
#include "cli/failure.hpp"
#include "cli/json_output.hpp"
#include "cli/spf_output.hpp"
#include "countersign/domain/address.hpp"
#include "countersign/spf/check_host.hpp"
#include "service/explain/spf_json.hpp"

namespace countersign::cli {
namespace {

namespace json = boost::json;

// The least that RFC 7208 §4.6.4 lets a check take.
constexpr std::chrono::seconds check_time{20};

struct Options {
  std::string client_ip;
  std::optional<std::string> helo;
  std::string mail_from;
  std::string receiver = "unknown";
  ClockOption clock;
  bool json = false;
  DnsOptions dns;
};

/// Both checks; none of HELO without a HELO name.
struct Outcomes {
  std::optional<spf::Outcome> helo;
  spf::Outcome mail_from;
};

std::string check_address(const std::string& text) {
  return IpAddress::parse(text) ? std::string() : text + " is no IP address";
}

spf::CheckHost for_identity(spf::CheckHost request, spf::Identity identity) {
  request.identity = identity;
  return request;
}

dns::Asking<Outcomes> check_identities(spf::CheckHost request, bool has_helo, Limits limits) {
  Outcomes outcomes;
  if (!has_helo) {
    outcomes.mail_from = co_await check_host(request, limits);
    co_return outcomes;
  }
  auto [helo, mail_from] = co_await dns::all(
      check_host(for_identity(request, spf::Identity::helo), limits), check_host(request, limits));
  outcomes.helo = std::move(helo);
  outcomes.mail_from = std::move(mail_from);
  co_return outcomes;
}

/// The path as given, with or without the brackets of SMTP.
std::string path_of(const std::string& given) {
  const bool bracketed = given.size() >= 2 && given.front() == '<' && given.back() == '>';
  return bracketed ? given.substr(1, given.size() - 2) : given;
}

spf::CheckHost request_of(const Options& options) {
  return {.client_ip = IpAddress::parse(options.client_ip).value(),
          .helo = options.helo.value_or(""),
          .mail_from = path_of(options.mail_from),
          .identity = spf::Identity::mail_from,
          .receiver = options.receiver,
          .now = options.clock.time()};
}

int run(const Options& options) {
  const spf::CheckHost request = request_of(options);
  if (!options.helo && request.mail_from.empty())
    throw Failure(exit_usage, "give --helo or --mail-from");
  const Limits limits;
  Lookups lookups(options.dns);
  lookups.end_after(check_time);
  Outcomes outcomes = lookups.run(check_identities(request, options.helo.has_value(), limits));
  const spf::Result result = outcomes.mail_from.result;
  json::value document =
      service::to_json(service::SpfCheck{request, std::move(outcomes.mail_from), limits});
  json::value& helo = document.as_object()["helo"];
  if (outcomes.helo) {
    helo = service::to_json(service::SpfCheck{for_identity(request, spf::Identity::helo),
                                              *std::move(outcomes.helo), limits});
  }
  if (options.json) {
    print_json(document);
  } else {
    const Terminal terminal(stdout);
    print_spf(terminal, JsonView(document));
    // The null path is the HELO identity under another name.
    if (!helo.is_null() && !request.mail_from.empty()) print_spf(terminal, JsonView(helo));
  }
  if (result == spf::Result::temperror) return exit_temporary;
  return result == spf::Result::pass ? exit_ok : exit_no;
}

}  // namespace

void add_spf(CLI::App& root, int& exit_code) {
  CLI::App* command = root.add_subcommand(
      "spf", "Check whether a client may send mail for a domain, and show every term tried.");
  const auto options = std::make_shared<Options>();
  command->add_option("--ip", options->client_ip, "address of the client")
      ->required()
      ->check(CLI::Validator(check_address, ""))
      ->option_text("IP");
  command->add_option("--helo", options->helo, "the name that the client gave with HELO or EHLO")
      ->option_text("NAME");
  command
      ->add_option("--mail-from", options->mail_from,
                   "the path of MAIL FROM; left out or empty: the null path, judged by --helo")
      ->expected(0, 1)
      ->option_text("PATH");
  command->add_option("--receiver", options->receiver, "our host name, for %{r} and Received-SPF")
      ->capture_default_str()
      ->option_text("NAME");
  options->clock.declare(*command, "judge");
  command->add_flag("--json", options->json, "print JSON for programs");
  options->dns.declare(*command);
  command->footer(
      "With --helo that identity is checked too; the exit code and the top of the JSON are those "
      "of MAIL FROM. The checks end after 20 seconds.\n"
      "Exit codes: 0 pass, 1 any other result, 65 the zone file cannot be read, 75 temperror.");
  command->callback([options, &exit_code] { exit_code = run(*options); });
}

}  // namespace countersign::cli
