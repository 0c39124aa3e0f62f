// SPDX-License-Identifier: Apache-2.0
//
// `countersign verify`: judges a saved message as a receiver would and says why.

#include <fmt/format.h>

#include <boost/json.hpp>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/clock_option.hpp"
#include "cli/command.hpp"
#include "cli/discovery_option.hpp"
#include "cli/dns_options.hpp"
#include "cli/failure.hpp"
#include "cli/input.hpp"
#include "cli/json_output.hpp"
#include "cli/settings_options.hpp"
#include "cli/terminal.hpp"
#include "cli/verdict_output.hpp"
#include "countersign/authres/field.hpp"
#include "countersign/domain/address.hpp"
#include "countersign/mailflow/flow.hpp"
#include "countersign/message/splitter.hpp"
#include "service/explain/verdict_json.hpp"

namespace countersign::cli {
namespace {

namespace json = boost::json;

// The least that RFC 7208 §4.6.4 lets a check take.
constexpr std::chrono::seconds check_time{20};

struct Options {
  std::string file = "-";
  std::string client_ip;
  std::string helo;
  std::optional<std::string> mail_from;
  std::vector<std::string> rcpt_to;
  std::string auth_user;
  std::string authserv_id;
  ClockOption clock;
  bool json = false;
  bool requires_whole_body = false;
  DiscoveryOption discovery;
  DnsOptions dns;
  SettingsOptions settings;
};

std::string check_address(const std::string& text) {
  return IpAddress::parse(text) ? std::string() : text + " is no IP address";
}

/// How the message is judged: as the settings say if they are named, else by the defaults. Who
/// brings it is never one of ours here, so that every message is judged.
std::shared_ptr<const mailflow::Policy> policy_of(const Options& options) {
  mailflow::Policy policy;
  if (options.settings.given()) {
    const service::config::Snapshot snapshot = options.settings.load_usable();
    policy.judging = snapshot.policy->judging;
    policy.limits = snapshot.policy->limits;
  }
  policy.signs = false;
  policy.judges = true;
  policy.authenticated_is_ours = false;
  policy.judging.unjudged = {};
  // A saved message is looked up for its sender only when its client is known.
  policy.judging.iprev = policy.judging.iprev && !options.client_ip.empty();
  if (options.requires_whole_body) policy.judging.accepts_partly_signed_body = false;
  if (options.discovery.given()) policy.judging.org_domain_of = options.discovery.org_domain_of();
  if (!options.authserv_id.empty()) {
    if (!authres::is_authserv_id(options.authserv_id)) {
      throw Failure(exit_usage, options.authserv_id + " is no authserv-id (RFC 8601 §2.5)");
    }
    policy.judging.results.authserv_id = options.authserv_id;
  }
  return std::make_shared<const mailflow::Policy>(std::move(policy));
}

mailflow::Envelope envelope_of(const Options& options) {
  mailflow::Envelope envelope;
  envelope.client_ip = IpAddress::parse(options.client_ip);
  envelope.helo = options.helo;
  envelope.mail_from = options.mail_from.value_or("");
  if (envelope.mail_from.starts_with('<') && envelope.mail_from.ends_with('>')) {
    envelope.mail_from = envelope.mail_from.substr(1, envelope.mail_from.size() - 2);
  }
  envelope.rcpt_to = options.rcpt_to;
  if (!options.auth_user.empty()) {
    envelope.macros["auth_type"] = "command line";
    envelope.macros["auth_authen"] = options.auth_user;
  }
  return envelope;
}

/// Reads the message once; its flow begins when the header is complete and is fed the body as it
/// passes.
mailflow::Flow read_message(const Options& options,
                            const std::shared_ptr<const mailflow::Policy>& policy,
                            const mailflow::Envelope& envelope) {
  std::optional<mailflow::Flow> flow;
  std::optional<Splitter> splitter;
  const auto start = [&] { flow.emplace(policy, envelope, splitter->take_header()); };
  splitter.emplace(policy->limits, [&](std::string_view chunk) {
    if (!flow) start();
    flow->body(chunk);
  });
  bool fits = true;
  read_in_chunks(options.file, [&splitter, &fits](std::string_view chunk) {
    fits = splitter->feed(chunk);
    return fits;
  });
  if (!fits || !splitter->finish()) {
    throw Failure(exit_data,
                  fmt::format("{}: {} (octet {})", input_name(options.file),
                              to_string(splitter->error().code), splitter->error().offset));
  }
  if (!flow) start();
  return *std::move(flow);
}

/// 0 when somebody vouches for the message and its author's domain does not object.
int exit_code_of(const mailflow::Verdict& verdict) {
  const dkim::Result dkim = dkim::summarize(verdict.signatures);
  const dmarc::Result dmarc = verdict.dmarc_result().value_or(dmarc::Result::none);
  // A signature does not say which of several authors it is for.
  if (!verdict.authorship.author_domain) return exit_no;
  if (dmarc == dmarc::Result::pass) return exit_ok;
  if (dmarc == dmarc::Result::temperror || dkim == dkim::Result::temperror) return exit_temporary;
  return dkim == dkim::Result::pass && dmarc != dmarc::Result::fail ? exit_ok : exit_no;
}

int run(const Options& options) {
  Lookups lookups(options.dns);
  lookups.end_after(check_time);
  const mailflow::Envelope envelope = envelope_of(options);
  const std::shared_ptr<const mailflow::Policy> policy = policy_of(options);
  mailflow::Flow flow = read_message(options, policy, envelope);
  std::vector<service::AskedQuestion> asked;
  const mailflow::Outcome outcome =
      lookups.run(std::move(flow).finish(options.clock.time()),
                  [&asked](const dns::Question& question, const dns::Answer& answer) {
                    asked.push_back({question, answer.status});
                  });
  const json::value document =
      service::to_json(service::VerdictReport{*outcome.judgement, envelope, policy->limits, asked});
  if (options.json) {
    print_json(document);
  } else {
    print_verdict(Terminal(stdout), JsonView(document));
  }
  return exit_code_of(outcome.judgement->verdict);
}

void declare_envelope(CLI::App& command, Options& options) {
  command.add_option("--ip", options.client_ip, "address of the client; without it, no SPF")
      ->check(CLI::Validator(check_address, ""))
      ->option_text("IP");
  command.add_option("--helo", options.helo, "the name that the client gave with HELO or EHLO")
      ->option_text("NAME");
  command
      .add_option("--mail-from", options.mail_from,
                  "the path of MAIL FROM; left out or empty: the null path, judged by --helo")
      ->expected(0, 1)
      ->option_text("PATH");
  command.add_option("--rcpt", options.rcpt_to, "a recipient; may be repeated")
      ->allow_extra_args(false)
      ->option_text("PATH");
  command.add_option("--auth-user", options.auth_user, "the client has logged in as this user")
      ->option_text("LOGIN");
  command
      .add_option("--authserv-id", options.authserv_id,
                  "our name in Authentication-Results; fields that claim it are removed")
      ->option_text("ID");
}

}  // namespace

void add_verify(CLI::App& root, int& exit_code) {
  CLI::App* command = root.add_subcommand(
      "verify", "Judge a saved message by SPF, DKIM, ARC and DMARC, and say why.");
  const auto options = std::make_shared<Options>();
  command->add_option("FILE", options->file, "the message")->capture_default_str();
  declare_envelope(*command, *options);
  options->clock.declare(*command, "judge");
  command->add_flag("--json", options->json, "print JSON for programs");
  command->add_flag("--require-whole-body", options->requires_whole_body,
                    "no pass for a signature whose l= leaves octets of the body unsigned");
  options->discovery.declare(*command);
  options->settings.declare(*command);
  options->dns.declare(*command);
  command->footer(
      "Exit codes: 0 DMARC passes, or a signature does and DMARC does not fail; 1 neither, or From "
      "names nobody for certain, 65 not a message, 66 no such file, 75 DNS failed.");
  command->callback([options, &exit_code] { exit_code = run(*options); });
}

}  // namespace countersign::cli
