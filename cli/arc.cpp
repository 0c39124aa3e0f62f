// SPDX-License-Identifier: Apache-2.0
//
// `countersign arc seal`: adds an ARC Set to a message, as a host does that passes it on.

#include <fmt/format.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "cli/clock_option.hpp"
#include "cli/command.hpp"
#include "cli/dns_options.hpp"
#include "cli/failure.hpp"
#include "cli/key_input.hpp"
#include "cli/message_input.hpp"
#include "countersign/arc/chain.hpp"
#include "countersign/arc/sealer.hpp"
#include "countersign/authres/field.hpp"
#include "countersign/authres/payload.hpp"

namespace countersign::cli {
namespace {

struct SealOptions {
  std::string domain;
  std::string selector;
  std::string key;
  std::string authserv_id;
  std::string headers;  ///< names with ":" between them; empty: the usual ones
  ClockOption clock;
  std::string file = "-";
  DnsOptions dns;
};

std::vector<std::string> parse_headers(const std::string& names) {
  std::vector<std::string> list;
  std::string_view rest = names;
  while (!rest.empty()) {
    const std::size_t end = rest.find(':');
    const std::string_view name = rest.substr(0, end);
    if (!arc::may_sign(name)) {
      throw Failure(exit_usage,
                    fmt::format("--headers {}: it takes names of header fields with : between "
                                "them, but those of ARC and Authentication-Results",
                                names));
    }
    list.emplace_back(name);
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
  }
  return list;
}

arc::SealingIdentity identity_of(const SealOptions& options) {
  return {.sdid = parse_name("--domain", options.domain),
          .selector = parse_name("--selector", options.selector),
          .key = read_private_key(options.key),
          .signed_fields = parse_headers(options.headers)};
}

/// A set made now would end a chain for good that may well be whole. RFC 8617 §5.2.1
void check_temporary(const arc::Outcome& outcome) {
  if (!outcome.is_temporary()) return;
  throw Failure(exit_temporary,
                fmt::format("not sealed: {}; {}", to_string(outcome.reason), outcome.detail));
}

int run_seal(const SealOptions& options) {
  const Limits limits;
  if (!authres::is_authserv_id(options.authserv_id)) {
    throw Failure(exit_usage, fmt::format("--authserv-id {}: it takes a name like mx.example.org",
                                          options.authserv_id));
  }
  arc::SealingIdentity identity = identity_of(options);
  Lookups lookups(options.dns);
  MessageInput message(options.file);
  arc::Verifier verifier(message.header(), limits);
  arc::Sealer sealer(std::move(identity), limits);
  message.feed_body([&](std::string_view chunk) {
    verifier.body(chunk);
    sealer.body(chunk);
  });
  const std::chrono::sys_seconds now = options.clock.time();
  const arc::Outcome outcome = lookups.run(std::move(verifier).finish(now));
  check_temporary(outcome);
  const auto fields = std::move(sealer).finish(
      message.header(),
      {.chain_status = outcome.status,
       .payload = authres::merge_payloads(message.header(), options.authserv_id, limits),
       .now = now});
  if (!fields) throw Failure(exit_no, fmt::format("not sealed: {}", to_string(fields.error())));
  message.print_below(*fields, message.has_lf_line_ends());
  return exit_ok;
}

void add_seal(CLI::App& parent, int& exit_code) {
  CLI::App* command =
      parent.add_subcommand("seal", "Seal a message: it is printed with a new ARC set on top.");
  const auto options = std::make_shared<SealOptions>();
  command->add_option("FILE", options->file, "the message")->capture_default_str();
  command->add_option("-d,--domain", options->domain, "sealing domain (d=)")
      ->option_text("DOMAIN")
      ->required();
  command->add_option("-s,--selector", options->selector, "selector (s=)")
      ->option_text("SELECTOR")
      ->required();
  command->add_option("-k,--key", options->key, "private key")->option_text("FILE")->required();
  command
      ->add_option("--authserv-id", options->authserv_id,
                   "whose Authentication-Results in the message go into the set")
      ->option_text("ID")
      ->required();
  command
      ->add_option("--headers", options->headers,
                   "names for h= in this order, as in from:to:subject (default: as sign, and "
                   "DKIM-Signature)")
      ->option_text("NAMES");
  options->clock.declare(*command, "sign");
  options->dns.declare(*command);
  command->footer(
      "A chain that the message brings along is validated first, and the new seal says what came "
      "of it (cv=).\n"
      "Exit codes: 0 sealed, 1 not sealed as the chain has ended or is full, 65 not a message or "
      "key, 66 no such file, 75 DNS failed.");
  command->callback([options, &exit_code] { exit_code = run_seal(*options); });
}

}  // namespace

void add_arc(CLI::App& root, int& exit_code) {
  CLI::App* command = root.add_subcommand("arc", "Seal messages that are passed on (ARC).");
  command->require_subcommand(1);
  add_seal(*command, exit_code);
}

}  // namespace countersign::cli
