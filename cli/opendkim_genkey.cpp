// SPDX-License-Identifier: Apache-2.0
//
// The command line of opendkim-genkey, so that old scripts keep working: same options, same files,
// same words.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <sstream>

#include "cli/command.hpp"
#include "cli/exit_codes.hpp"
#include "cli/key_files.hpp"
#include "service/run/version.hpp"

namespace countersign::cli {
namespace {

std::vector<std::string> split_at_colons(const std::string& text) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, ':');) {
    if (!part.empty()) parts.push_back(part);
  }
  return parts;
}

}  // namespace

int run_opendkim_genkey(int argc, char** argv) {
  CLI::App app("Makes a DKIM key: SELECTOR.private and SELECTOR.txt.", "opendkim-genkey");
  KeyRequest request;
  request.overwrite = true;  // As the old tool does; its callers rely on a second run.
  std::string hashes = "sha256";
  std::string type = "rsa";
  bool subdomains = true;
  bool verbose = false;
  app.set_help_flag("--help", "print help and exit");
  app.set_version_flag("-V,--version",
                       std::string("opendkim-genkey (countersign ") + service::version + ")");
  app.add_flag("-a,--append-domain,!--no-append-domain,!--noappend-domain", request.absolute_owner,
               "include the domain name in the zone file stub");
  app.add_option("-b,--bits", request.bits, "bits of the key")->capture_default_str();
  app.add_option("-D,--directory", request.directory, "where the files go")->capture_default_str();
  app.add_option("-d,--domain", request.domain, "the domain")->capture_default_str();
  app.add_option("-h,--hash-algorithms", hashes, "hash algorithms to allow, colon-separated")
      ->capture_default_str();
  app.add_option("-n,--note", request.record.notes, "a note for people");
  app.add_flag("-r,--restrict,!--no-restrict,!--norestrict", request.record.restrict_to_email,
               "restrict the key to email");
  app.add_option("-s,--selector", request.selector, "the selector")->capture_default_str();
  // -S is the short form of --nosubdomains, though it shares its long name with the opposite.
  app.add_flag("--subdomains,!-S,!--no-subdomains,!--nosubdomains", subdomains,
               "allow identities in subdomains");
  app.add_flag("-t,--testmode,!--no-testmode,!--notestmode", request.record.testing,
               "say that the domain is testing");
  app.add_option("-k,--type", type, "rsa or ed25519")->check(CLI::IsMember({"rsa", "ed25519"}));
  app.add_flag("-v,--verbose", verbose, "say what is done");
  CLI11_PARSE(app, argc, argv);

  request.type = type == "ed25519" ? crypto::KeyType::ed25519 : crypto::KeyType::rsa;
  request.record.hash_algorithms = split_at_colons(hashes);
  request.record.strict_auid = !subdomains;
  const KeyFiles files = make_key_files(request);
  if (verbose) {
    fmt::print(stderr, "opendkim-genkey: private key written to {}\n", files.private_path);
    fmt::print(stderr, "opendkim-genkey: DNS TXT record written to {}\n", files.record_path);
  }
  return exit_ok;
}

}  // namespace countersign::cli
