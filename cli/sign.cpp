// SPDX-License-Identifier: Apache-2.0
//
// `countersign sign`: signs a message, with keys of the command line or by the daemon's own
// settings.

#include <fmt/format.h>

#include <chrono>
#include <memory>
#include <optional>

#include "cli/clock_option.hpp"
#include "cli/command.hpp"
#include "cli/failure.hpp"
#include "cli/key_input.hpp"
#include "cli/message_input.hpp"
#include "cli/settings_options.hpp"
#include "countersign/dkim/signer.hpp"
#include "countersign/mailflow/outbound.hpp"

namespace countersign::cli {
namespace {

struct Options {
  std::string domain;
  std::vector<std::string> selectors;
  std::vector<std::string> keys;
  std::string auid;
  std::string canonicalization;  ///< empty: as the settings say
  ClockOption clock;
  std::optional<std::int64_t> lifetime;
  std::optional<std::string> login;  ///< who logged in to send the message
  std::string file = "-";
  SettingsOptions settings;
};

dkim::Canonicalization parse_canonicalization(std::string_view word) {
  if (word == "relaxed") return dkim::Canonicalization::relaxed;
  if (word == "simple") return dkim::Canonicalization::simple;
  throw Failure(exit_usage, "--canonicalization takes simple or relaxed, as in relaxed/simple");
}

/// What the command line says about the manner of signing, over what the settings say.
void overrule_manner(const Options& options, mailflow::Policy& policy) {
  if (options.lifetime) policy.signature_lifetime = std::chrono::seconds(*options.lifetime);
  const std::string_view words = options.canonicalization;
  if (words.empty()) return;
  const std::size_t slash = words.find('/');
  policy.header_canonicalization = parse_canonicalization(words.substr(0, slash));
  // RFC 6376 §3.5: without a second word the body is simple.
  policy.body_canonicalization = slash == std::string_view::npos
                                     ? dkim::Canonicalization::simple
                                     : parse_canonicalization(words.substr(slash + 1));
}

/// An identity outside of the signing domain would make the signature invalid. RFC 6376 §3.5
void check_auid(const std::string& auid, const DomainName& sdid) {
  const std::size_t at = auid.rfind('@');
  const std::string domain = at == std::string::npos ? std::string() : auid.substr(at + 1);
  const Result<DomainName, DomainNameError> name = DomainName::parse(domain);
  if (name && name->is_at_or_below(sdid)) return;
  throw Failure(exit_usage, fmt::format("--identity {}: it takes @{} or an address in that domain, "
                                        "or in one below it",
                                        auid, sdid.text()));
}

void check_counts(const Options& options) {
  if (options.domain.empty() || options.keys.empty() ||
      options.keys.size() != options.selectors.size()) {
    throw Failure(exit_usage,
                  "give --domain, and --selector and --key for each signature; or --config, or -x");
  }
  const std::size_t most = Limits().signatures_made_max;
  if (options.keys.size() > most) {
    throw Failure(exit_usage, fmt::format("at most {} keys sign one message", most));
  }
}

std::vector<dkim::SigningIdentity> identities_of(const Options& options,
                                                 const mailflow::Policy& manner) {
  check_counts(options);
  const DomainName sdid = parse_name("--domain", options.domain);
  if (!options.auid.empty()) check_auid(options.auid, sdid);
  std::vector<dkim::SigningIdentity> identities;
  for (std::size_t i = 0; i < options.keys.size(); ++i) {
    identities.push_back({.sdid = sdid,
                          .selector = parse_name("--selector", options.selectors[i]),
                          .key = read_private_key(options.keys[i]),
                          .auid = options.auid,
                          .header_canonicalization = manner.header_canonicalization,
                          .body_canonicalization = manner.body_canonicalization,
                          .fields = manner.fields,
                          .lifetime = manner.signature_lifetime,
                          .body_length_max = std::nullopt,
                          .copies_fields = manner.copies_fields,
                          .requests_reports = manner.requests_reports});
  }
  return identities;
}

/// Signs as the daemon would sign the mail of a user who logged in: of that login, or of one that
/// may use every address.
int sign_by_settings(const Options& options, MessageInput& message) {
  const auto policy = std::make_shared<mailflow::Policy>(*options.settings.load_usable().policy);
  overrule_manner(options, *policy);
  mailflow::Envelope envelope;
  envelope.client_ip = IpAddress::parse("127.0.0.1");
  envelope.macros["auth_type"] = "command line";
  if (options.login)
    envelope.macros["auth_authen"] = *options.login;
  else
    policy->logins.bound = false;
  mailflow::Outbound outbound(policy, envelope, message.header());
  message.feed_body([&outbound](std::string_view chunk) { outbound.body(chunk); });
  const mailflow::Outcome outcome = std::move(outbound).finish(options.clock.time());
  if (outcome.signatures.empty()) {
    throw Failure(exit_no, to_string(outcome, true));
  }
  Header header = message.header();
  mailflow::apply_edits(outcome.edits, header);
  message.print_with(header);
  return exit_ok;
}

/// Signs with keys of the command line, in the manner of the settings if there are any.
int sign_by_keys(const Options& options, MessageInput& message) {
  mailflow::Policy manner;
  if (options.settings.given()) manner = *options.settings.load_usable().policy;
  overrule_manner(options, manner);
  if (count_fields(message.header(), "From") != 1) {
    throw Failure(exit_no, "not signed: a message must have exactly one From (RFC 6376 §5.4)");
  }
  dkim::Signer signer(message.header(), identities_of(options, manner), Limits());
  message.feed_body([&signer](std::string_view chunk) { signer.body(chunk); });
  message.print_below(std::move(signer).finish(options.clock.time()), message.has_lf_line_ends());
  return exit_ok;
}

int run(const Options& options) {
  MessageInput message(options.file);
  const bool names_keys = !options.domain.empty() || !options.keys.empty() ||
                          !options.selectors.empty() || !options.auid.empty();
  if (options.login && (names_keys || !options.settings.given())) {
    throw Failure(exit_usage, "--login goes with settings, and without keys");
  }
  return options.settings.given() && !names_keys ? sign_by_settings(options, message)
                                                 : sign_by_keys(options, message);
}

}  // namespace

void add_sign(CLI::App& root, int& exit_code) {
  CLI::App* command =
      root.add_subcommand("sign", "Sign a message: it is printed with DKIM-Signature on top.");
  const auto options = std::make_shared<Options>();
  command->add_option("FILE", options->file, "the message")->capture_default_str();
  command->add_option("-d,--domain", options->domain, "signing domain (d=)")->option_text("DOMAIN");
  command
      ->add_option("-s,--selector", options->selectors,
                   "selector (s=); once for each key, in the same order")
      ->allow_extra_args(false)
      ->option_text("SELECTOR");
  command->add_option("-k,--key", options->keys, "private key; more than one sign side by side")
      ->allow_extra_args(false)
      ->option_text("FILE");
  command->add_option("-i,--identity", options->auid, "identity (i=): @domain or user@domain")
      ->option_text("IDENTITY");
  command
      ->add_option("--canonicalization", options->canonicalization,
                   "of header/body (default: relaxed/relaxed)")
      ->option_text("WORDS");
  command->add_option("--lifetime", options->lifetime, "until the signature expires (x=)")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1} << 40))
      ->option_text("SECONDS");
  command
      ->add_option("--login", options->login,
                   "with settings: sign as the mail of that login, with what it may send as")
      ->option_text("LOGIN");
  options->clock.declare(*command, "sign");
  options->settings.declare(*command);
  command->footer(
      "With settings and without keys the message is signed as the daemon would sign the mail of a "
      "user who logged in. With settings and with keys the settings say in which manner.\n"
      "Exit codes: 0 signed, 1 not signed, 65 not a message or key, 66 no such file, 78 settings "
      "with errors.");
  command->callback([options, &exit_code] { exit_code = run(*options); });
}

}  // namespace countersign::cli
