// SPDX-License-Identifier: Apache-2.0
//
// The command line of opendkim-genkey, so that old scripts keep working: same options, same files,
// same words.

#include <fmt/format.h>
#include <getopt.h>

#include <CLI/CLI.hpp>
#include <expected>
#include <sstream>

#include "cli/command.hpp"
#include "cli/exit_codes.hpp"
#include "cli/key_files.hpp"
#include "service/run/version.hpp"

namespace countersign::cli {
namespace {

constexpr const char* program = "opendkim-genkey";
constexpr const char* usage =
    "{0}: usage: {0} [options]\n"
    "\t-a, --append-domain         include domain name in zone file stub\n"
    "\t-b, --bits=n                use n bits to generate the key\n"
    "\t-D, --directory=path        leave output in the named directory\n"
    "\t-d, --domain=name           generate data for the named domain [localhost]\n"
    "\t-h, --hash-algorithms=list  limit to use of the named algorithm(s)\n"
    "\t    --help                  print help and exit\n"
    "\t-k, --type=type             rsa or ed25519 [rsa]\n"
    "\t-n, --note=string           include specified note in zone data\n"
    "\t-r, --restrict              restrict key to email use only\n"
    "\t-s, --selector=name         selector name [default]\n"
    "\t-S, --nosubdomains          disallow signing of subdomains\n"
    "\t-t, --testmode              indicate key is in test mode\n"
    "\t-v, --verbose               increased output\n"
    "\t-V, --version               print version and exit\n";

// Long options without a letter of their own; those that negate a flag stand next to it.
enum LongOption : int {
  help_option = 256,
  no_append_domain,
  subdomains,
  no_restrict,
  no_testmode,
};

constexpr option long_options[] = {{"append-domain", no_argument, nullptr, 'a'},
                                   {"no-append-domain", no_argument, nullptr, no_append_domain},
                                   {"noappend-domain", no_argument, nullptr, no_append_domain},
                                   {"bits", required_argument, nullptr, 'b'},
                                   {"directory", required_argument, nullptr, 'D'},
                                   {"domain", required_argument, nullptr, 'd'},
                                   {"hash-algorithms", required_argument, nullptr, 'h'},
                                   {"help", no_argument, nullptr, help_option},
                                   {"type", required_argument, nullptr, 'k'},
                                   {"note", required_argument, nullptr, 'n'},
                                   {"restrict", no_argument, nullptr, 'r'},
                                   {"no-restrict", no_argument, nullptr, no_restrict},
                                   {"norestrict", no_argument, nullptr, no_restrict},
                                   {"selector", required_argument, nullptr, 's'},
                                   {"subdomains", no_argument, nullptr, subdomains},
                                   {"no-subdomains", no_argument, nullptr, 'S'},
                                   {"nosubdomains", no_argument, nullptr, 'S'},
                                   {"testmode", no_argument, nullptr, 't'},
                                   {"no-testmode", no_argument, nullptr, no_testmode},
                                   {"notestmode", no_argument, nullptr, no_testmode},
                                   {"verbose", no_argument, nullptr, 'v'},
                                   {"version", no_argument, nullptr, 'V'},
                                   {}};

struct Options {
  KeyRequest request;
  bool verbose = false;
};

std::vector<std::string> split_at_colons(const std::string& text) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, ':');) {
    if (!part.empty()) parts.push_back(part);
  }
  return parts;
}

/// Takes an option that changes the record; false when it is another one.
bool take_record_option(int letter, dkim::KeyRecordText& record) {
  switch (letter) {
    case 'h':
      record.hash_algorithms = split_at_colons(optarg);
      return true;
    case 'n':
      record.notes = optarg;
      return true;
    case 'r':
    case no_restrict:
      record.restrict_to_email = letter == 'r';
      return true;
    case 'S':
    case subdomains:
      record.strict_auid = letter == 'S';
      return true;
    case 't':
    case no_testmode:
      record.testing = letter == 't';
      return true;
    default:
      return false;
  }
}

/// Takes an option with a value of its own kind; false when the value makes no sense.
bool take_value_option(int letter, KeyRequest& request) {
  const std::string value = optarg == nullptr ? "" : optarg;
  switch (letter) {
    case 'b':
      return CLI::detail::lexical_cast(value, request.bits);
    case 'D':
      request.directory = value;
      return true;
    case 'd':
      request.domain = value;
      return true;
    case 'k':
      request.type = value == "ed25519" ? crypto::KeyType::ed25519 : crypto::KeyType::rsa;
      return value == "ed25519" || value == "rsa";
    case 's':
      request.selector = value;
      return true;
    default:
      return false;
  }
}

int print_usage(int exit_code) {
  fmt::print(stderr, fmt::runtime(usage), program);
  return exit_code;
}

/// The options, or the exit code when there is nothing to do.
std::expected<Options, int> parse(int argc, char** argv) {
  Options options;
  options.request.overwrite = true;  // As the old tool does; its callers rely on a second run.
  options.request.record.hash_algorithms = {"sha256"};
  for (int letter;
       (letter = ::getopt_long(argc, argv, "ab:D:d:h:k:n:rs:StvV", long_options, nullptr)) != -1;) {
    if (letter == help_option) return std::unexpected(print_usage(exit_ok));
    if (letter == 'V') {
      fmt::print("{} (countersign {})\n", program, service::version);
      return std::unexpected(exit_ok);
    }
    if (letter == 'v') {
      options.verbose = true;
    } else if (letter == 'a' || letter == no_append_domain) {
      options.request.absolute_owner = letter == 'a';
    } else if (!take_record_option(letter, options.request.record) &&
               !take_value_option(letter, options.request)) {
      return std::unexpected(print_usage(exit_no));
    }
  }
  return options;
}

}  // namespace

int run_opendkim_genkey(int argc, char** argv) {
  const std::expected<Options, int> options = parse(argc, argv);
  if (!options) return options.error();
  if (options->verbose) fmt::print(stderr, "{}: generating private key\n", program);
  const KeyFiles files = make_key_files(options->request);
  if (options->verbose) {
    fmt::print(stderr, "{}: private key written to {}\n", program, files.private_path);
    fmt::print(stderr, "{}: DNS TXT record written to {}\n", program, files.record_path);
  }
  return exit_ok;
}

}  // namespace countersign::cli
