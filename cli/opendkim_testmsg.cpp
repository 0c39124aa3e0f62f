// SPDX-License-Identifier: Apache-2.0
//
// The command line of opendkim-testmsg: signs or verifies the message on standard input, without
// settings. Same options, same words, same exit codes; but rsa-sha256 or ed25519-sha256, by the
// key, where the old tool signs rsa-sha1.

#include <fmt/format.h>
#include <getopt.h>
#include <sysexits.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <expected>

#include "cli/command.hpp"
#include "cli/dns_options.hpp"
#include "cli/failure.hpp"
#include "cli/key_input.hpp"
#include "cli/message_input.hpp"
#include "countersign/dkim/signer.hpp"
#include "countersign/dkim/verifier.hpp"
#include "service/log/escape.hpp"
#include "service/run/clock.hpp"

namespace countersign::cli {
namespace {

constexpr const char* program = "opendkim-testmsg";

struct Options {
  bool crlf = false;  ///< -C: the new field ends its lines with CRLF
  std::string domain;
  std::string selector;
  std::string key_file;
  DnsOptions dns;

  [[nodiscard]] bool signs() const { return !domain.empty(); }
};

constexpr const char* usage =
    "{0}: usage: {0} [options]\n"
    "Valid options:\n"
    "\t-C         \tpreserve CRLFs\n"
    "\t-d domain  \tset signing domain\n"
    "\t-K         \tkeep temporary files (there are none)\n"
    "\t-k keyfile \tprivate key file\n"
    "\t-s selector\tset signing selector\n"
    "\t-t path    \tdirectory for temporary files (there are none)\n"
    "\t--zone file\tanswer from a zone file instead of DNS\n";

/// The options, or the exit code when there is nothing to do.
std::expected<Options, int> parse(int argc, char** argv) {
  const std::array<option, 3> long_options = {
      {{"zone", required_argument, nullptr, 'z'}, {"help", no_argument, nullptr, 'H'}, {}}};
  Options options;
  for (int letter;
       (letter = ::getopt_long(argc, argv, "Cd:Kk:s:t:", long_options.data(), nullptr)) != -1;) {
    if (letter == 'C') options.crlf = true;
    if (letter == 'd') options.domain = optarg;
    if (letter == 'k') options.key_file = optarg;
    if (letter == 's') options.selector = optarg;
    if (letter == 'z') options.dns.zone_file = optarg;
    if (letter == '?' || letter == 'H') {
      fmt::print(stderr, fmt::runtime(usage), program);
      return std::unexpected(letter == 'H' ? EX_OK : EX_CONFIG);
    }
  }
  const bool any =
      !options.domain.empty() || !options.selector.empty() || !options.key_file.empty();
  const bool all =
      !options.domain.empty() && !options.selector.empty() && !options.key_file.empty();
  if (any && !all) {
    fmt::print(stderr, fmt::runtime(usage), program);
    return std::unexpected(EX_CONFIG);
  }
  return options;
}

int fail(std::string_view words, std::string_view reason) {
  fmt::print(stderr, "{}: {}: {}\n", program, words, service::printable(reason));
  return EX_SOFTWARE;
}

int sign(const Options& options) {
  if (::access(options.key_file.c_str(), R_OK) != 0) {
    fmt::print(stderr, "{}: {}: open(): {}\n", program, options.key_file, std::strerror(errno));
    return EX_OSERR;
  }
  std::vector<dkim::SigningIdentity> identities;
  identities.push_back({.sdid = parse_name("-d", options.domain),
                        .selector = parse_name("-s", options.selector),
                        .key = read_private_key(options.key_file),
                        .auid = {},
                        .header_canonicalization = dkim::Canonicalization::relaxed,
                        .body_canonicalization = dkim::Canonicalization::simple,
                        .fields = dkim::default_field_selection()});
  MessageInput message("-");
  if (count_fields(message.header(), "From") != 1) {
    return fail("Syntax error", "a message must have exactly one From (RFC 6376 §5.4)");
  }
  dkim::Signer signer(message.header(), std::move(identities), Limits());
  message.feed_body([&signer](std::string_view chunk) { signer.body(chunk); });
  message.print_below(std::move(signer).finish(service::now()), !options.crlf);
  return EX_OK;
}

/// The old tool's words for a result.
std::string_view words_of(const dkim::SignatureResult& result) {
  switch (result.reason) {
    case dkim::Reason::key_not_found:
    case dkim::Reason::several_key_records:
    case dkim::Reason::key_unavailable:
    case dkim::Reason::key_not_trusted:
    case dkim::Reason::bad_key_record:
      return "Key retrieval failed";
    case dkim::Reason::key_revoked:
      return "Key revoked";
    case dkim::Reason::bad_signature_field:
      return "Syntax error";
    default:
      return "Bad signature";
  }
}

int verify(const Options& options) {
  MessageInput message("-");
  dkim::Verifier verifier(message.header(), Limits());
  message.feed_body([&verifier](std::string_view chunk) { verifier.body(chunk); });
  Lookups lookups(options.dns);
  const std::vector<dkim::SignatureResult> results =
      lookups.run(std::move(verifier).finish(service::now()));
  if (results.empty()) return fail("No signature", "the message has no DKIM-Signature field");
  if (dkim::summarize(results) == dkim::Result::pass) return EX_OK;
  const dkim::SignatureResult& first = results.front();
  return fail(words_of(first), first.detail.empty() ? to_string(first.reason) : first.detail);
}

}  // namespace

int run_opendkim_testmsg(int argc, char** argv) {
  const std::expected<Options, int> options = parse(argc, argv);
  if (!options) return options.error();
  try {
    return options->signs() ? sign(*options) : verify(*options);
  } catch (const Failure& failure) {
    fmt::print(stderr, "{}: {}\n", program, service::printable(failure.what()));
    return EX_SOFTWARE;
  }
}

}  // namespace countersign::cli
