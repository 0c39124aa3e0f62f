// SPDX-License-Identifier: Apache-2.0
//
// `countersign sign`: signs a message from standard input, with one key or by the daemon's own
// settings.

#include <fmt/format.h>

#include <chrono>
#include <memory>
#include <optional>

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
  std::string canonicalization = "relaxed/relaxed";
  std::optional<std::int64_t> now;
  std::optional<std::int64_t> lifetime;
  std::string file = "-";
  SettingsOptions settings;
};

dkim::Canonicalization parse_canonicalization(std::string_view word) {
  if (word == "relaxed") return dkim::Canonicalization::relaxed;
  if (word == "simple") return dkim::Canonicalization::simple;
  throw Failure(exit_usage, "--canonicalization takes simple or relaxed, as in relaxed/simple");
}

std::vector<dkim::SigningIdentity> identities_of(const Options& options) {
  if (options.domain.empty() || options.keys.empty() ||
      options.keys.size() != options.selectors.size()) {
    throw Failure(exit_usage,
                  "give --domain, and --selector and --key for each signature; or --config, or -x");
  }
  const std::string_view words = options.canonicalization;
  const std::size_t slash = words.find('/');
  const std::string_view body_word =
      slash == std::string_view::npos ? std::string_view("simple") : words.substr(slash + 1);
  std::vector<dkim::SigningIdentity> identities;
  for (std::size_t i = 0; i < options.keys.size(); ++i) {
    dkim::SigningIdentity identity{
        .sdid = parse_name("--domain", options.domain),
        .selector = parse_name("--selector", options.selectors[i]),
        .key = read_private_key(options.keys[i]),
        .auid = options.auid,
        .header_canonicalization = parse_canonicalization(words.substr(0, slash)),
        .body_canonicalization = parse_canonicalization(body_word),
        .fields = dkim::default_field_selection()};
    if (options.lifetime) identity.lifetime = std::chrono::seconds(*options.lifetime);
    identities.push_back(std::move(identity));
  }
  return identities;
}

std::chrono::sys_seconds time_of(const Options& options) {
  if (options.now) return std::chrono::sys_seconds(std::chrono::seconds(*options.now));
  return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

/// Signs as the daemon would sign the mail of a user who logged in.
int sign_by_settings(const Options& options, MessageInput& message) {
  const std::shared_ptr<const mailflow::SigningPolicy> policy = options.settings.load_policy();
  mailflow::Envelope envelope;
  envelope.client_ip = IpAddress::parse("127.0.0.1");
  envelope.macros["auth_type"] = "command line";
  mailflow::Outbound outbound(policy, envelope, message.header());
  message.feed_body([&outbound](std::string_view chunk) { outbound.body(chunk); });
  const mailflow::Outcome outcome = std::move(outbound).finish(time_of(options));
  if (outcome.signatures.empty()) {
    throw Failure(exit_no, "not signed: " + to_string(outcome, true));
  }
  Header header = message.header();
  mailflow::apply_edits(outcome.edits, header);
  message.print_with(header);
  return exit_ok;
}

int sign_by_keys(const Options& options, MessageInput& message) {
  dkim::Signer signer(message.header(), identities_of(options), Limits());
  message.feed_body([&signer](std::string_view chunk) { signer.body(chunk); });
  message.print_below(std::move(signer).finish(time_of(options)), message.has_lf_line_ends());
  return exit_ok;
}

int run(const Options& options) {
  MessageInput message(options.file);
  if (count_fields(message.header(), "From") != 1) {
    throw Failure(exit_no, "not signed: a message must have exactly one From (RFC 6376 §5.4)");
  }
  return options.settings.given() ? sign_by_settings(options, message)
                                  : sign_by_keys(options, message);
}

}  // namespace

void add_sign(CLI::App& root, int& exit_code) {
  CLI::App* command =
      root.add_subcommand("sign", "Sign a message: it is printed with DKIM-Signature on top.");
  const auto options = std::make_shared<Options>();
  command->add_option("file", options->file, "the message, or - for standard input")
      ->capture_default_str();
  command->add_option("-d,--domain", options->domain, "signing domain (d=)");
  command
      ->add_option("-s,--selector", options->selectors,
                   "selector (s=); once for each key, in the same order")
      ->allow_extra_args(false);
  command->add_option("-k,--key", options->keys, "private key, PEM; more than one signs with each")
      ->allow_extra_args(false);
  command->add_option("-i,--identity", options->auid, "identity (i=): @domain or user@domain");
  command->add_option("--canonicalization", options->canonicalization, "header/body")
      ->capture_default_str();
  command->add_option("--lifetime", options->lifetime, "seconds until the signature expires (x=)")
      ->check(CLI::PositiveNumber);
  command->add_option("--now", options->now, "sign as of this time, seconds since 1970 UTC")
      ->type_name("UNIX");
  options->settings.declare(*command);
  command->footer("Exit codes: 0 signed, 1 not signed by the settings, 65 not a message or key.");
  command->callback([options, &exit_code] { exit_code = run(*options); });
}

}  // namespace countersign::cli
