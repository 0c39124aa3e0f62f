// SPDX-License-Identifier: Apache-2.0
//
// `countersign dmarc`: which policy applies to mail from a domain, and does what SPF and DKIM
// authenticated belong to its author?

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cli/command.hpp"
#include "cli/discovery_option.hpp"
#include "cli/dmarc_output.hpp"
#include "cli/dns_options.hpp"
#include "cli/failure.hpp"
#include "cli/json_output.hpp"
#include "cli/key_input.hpp"
#include "countersign/dmarc/evaluate.hpp"
#include "countersign/text/abnf.hpp"
#include "service/explain/dmarc_json.hpp"

namespace countersign::cli {
namespace {

// The results of both mechanisms. RFC 8601 §2.7.1, §2.7.2
constexpr std::array<std::string_view, 8> result_words = {
    "pass", "fail", "softfail", "neutral", "none", "policy", "temperror", "permerror"};

struct Options {
  std::string from_domain;
  std::string spf;
  std::vector<std::string> dkim;
  bool json = false;
  DiscoveryOption discovery;
  DnsOptions dns;
};

service::Authenticated parse_authenticated(dmarc::Mechanism mechanism, const std::string& text) {
  const std::string option = fmt::format("--{}", to_string(mechanism));
  const std::size_t colon = std::min(text.find(':'), text.size());
  service::Authenticated given{.mechanism = mechanism,
                               .result = text::to_lower(text.substr(0, colon))};
  if (std::ranges::find(result_words, given.result) == result_words.end())
    throw Failure(exit_usage, fmt::format("{} {}: write RESULT:DOMAIN, as pass:example.org; "
                                          "results are {}",
                                          option, text, fmt::join(result_words, ", ")));
  if (colon + 1 < text.size()) given.domain = parse_name(option, text.substr(colon + 1));
  if (!given.domain && given.result == "pass")
    throw Failure(exit_usage, fmt::format("{} {}: which domain passed?", option, text));
  return given;
}

/// SPF first, as it has one domain and signatures may be many.
std::vector<service::Authenticated> authenticated_by(const Options& options) {
  std::vector<service::Authenticated> all;
  if (!options.spf.empty()) all.push_back(parse_authenticated(dmarc::Mechanism::spf, options.spf));
  for (const std::string& text : options.dkim)
    all.push_back(parse_authenticated(dmarc::Mechanism::dkim, text));
  return all;
}

int run(const Options& options) {
  const DomainName author = parse_name("--from-domain", options.from_domain);
  std::vector<service::Authenticated> authenticated = authenticated_by(options);
  std::vector<dmarc::Identifier> identifiers;
  for (const service::Authenticated& given : authenticated)
    if (auto identifier = given.identifier()) identifiers.push_back(*std::move(identifier));
  dmarc::OrgDomainOf org_domain_of = options.discovery.org_domain_of();
  Lookups lookups(options.dns);
  const service::DmarcCheck check{
      std::move(authenticated),
      lookups.run(evaluate(author, std::move(identifiers), Limits(), std::move(org_domain_of)))};
  const boost::json::value document = service::to_json(check);
  if (options.json) {
    print_json(document);
  } else {
    print_dmarc(Terminal(stdout), JsonView(document));
  }
  const dmarc::Result result = check.outcome.result;
  if (result == dmarc::Result::temperror) return exit_temporary;
  return result == dmarc::Result::pass ? exit_ok : exit_no;
}

}  // namespace

void add_dmarc(CLI::App& root, int& exit_code) {
  CLI::App* command = root.add_subcommand(
      "dmarc", "Find the policy for mail from a domain, and judge what SPF and DKIM found.");
  const auto options = std::make_shared<Options>();
  command->add_option("--from-domain", options->from_domain, "the domain of the From field")
      ->required()
      ->option_text("DOMAIN");
  command
      ->add_option("--spf", options->spf,
                   "what SPF said of the domain of MAIL FROM, as pass:example.org")
      ->option_text("RESULT:DOMAIN");
  command
      ->add_option("--dkim", options->dkim,
                   "what a signature of that domain (d=) came to; once for each signature")
      ->allow_extra_args(false)
      ->option_text("RESULT:DOMAIN");
  command->add_flag("--json", options->json, "print JSON for programs");
  options->discovery.declare(*command);
  options->dns.declare(*command);
  command->footer(
      "Exit codes: 0 pass, 1 fail or no policy that can be used, 65 the zone file cannot be read, "
      "66 no such public suffix list, "
      "75 temperror.");
  command->callback([options, &exit_code] { exit_code = run(*options); });
}

}  // namespace countersign::cli
