// SPDX-License-Identifier: Apache-2.0
//
// `countersign keygen`: a new key, and the record to publish in every form that is asked for.

#include <fmt/format.h>

#include <boost/json.hpp>
#include <memory>

#include "cli/command.hpp"
#include "cli/exit_codes.hpp"
#include "cli/json_output.hpp"
#include "cli/key_files.hpp"
#include "countersign/dns/master_text.hpp"

namespace countersign::cli {
namespace {

namespace json = boost::json;

struct Options {
  KeyRequest request;
  std::string type = "rsa";
  bool json = false;
};

void print_files_json(const KeyFiles& files, const Options& options) {
  json::array strings;
  for (const std::string& string : dns::split_txt(files.text, "p=")) strings.emplace_back(string);
  json::object document;
  document["name"] = files.owner;
  document["type"] = "TXT";
  document["text"] = files.text;
  document["strings"] = std::move(strings);
  document["zone_file"] = files.zone_lines;
  document["key_type"] = options.type;
  document["private_key_file"] = files.private_path;
  document["record_file"] = files.record_path;
  print_json(document);
}

void print_text(const KeyFiles& files) {
  fmt::print("private key      {}  (mode 0600; give it to the user that the daemon runs as)\n",
             files.private_path);
  fmt::print("zone-file lines  {}\n\n", files.record_path);
  fmt::print("Publish this TXT record.\n\n  as lines of a zone file:\n\n{}\n", files.zone_lines);
  fmt::print("  in a web form, name and one text:\n\n{}\n{}\n\n", files.owner, files.text);
  fmt::print("  as JSON, for a provider's API: countersign keygen --json\n");
}

int run(Options& options) {
  options.request.type =
      options.type == "ed25519" ? crypto::KeyType::ed25519 : crypto::KeyType::rsa;
  const KeyFiles files = make_key_files(options.request);
  if (options.json) {
    print_files_json(files, options);
  } else {
    print_text(files);
  }
  return exit_ok;
}

}  // namespace

void add_keygen(CLI::App& root, int& exit_code) {
  CLI::App* command = root.add_subcommand(
      "keygen", "Make a key: SELECTOR.private for the signer, and the DNS record to publish.");
  const auto options = std::make_shared<Options>();
  KeyRequest& request = options->request;
  command->add_option("-d,--domain", request.domain, "the signing domain")
      ->required()
      ->option_text("DOMAIN");
  command->add_option("-s,--selector", request.selector, "names the key in DNS")
      ->required()
      ->option_text("SELECTOR");
  command->add_option("-t,--type", options->type, "rsa or ed25519")
      ->option_text("TYPE")
      ->check(CLI::IsMember({"rsa", "ed25519"}))
      ->capture_default_str();
  command->add_option("-b,--bits", request.bits, "length of an RSA key")
      ->option_text("BITS")
      ->capture_default_str();
  command->add_option("-D,--directory", request.directory, "where the files go")
      ->option_text("DIRECTORY")
      ->check(CLI::ExistingDirectory)
      ->capture_default_str();
  command->add_flag("-a,--append-domain", request.absolute_owner,
                    "name the domain in the zone-file line");
  command->add_flag("--testing", request.record.testing, "publish t=y: the domain is testing");
  command->add_flag("--no-subdomains", request.record.strict_auid,
                    "publish t=s: the identity must be the domain itself");
  command->add_flag("--email-only", request.record.restrict_to_email, "publish s=email");
  command->add_option("--note", request.record.notes, "publish a note for people (n=)")
      ->option_text("TEXT");
  command->add_flag("--force", request.overwrite, "replace a private key that exists");
  command->add_flag("--json", options->json, "print JSON for programs");
  command->footer("Exit codes: 0 made, 64 a value makes no sense, 73 a file cannot be written.");
  command->callback([options, &exit_code] { exit_code = run(*options); });
}

}  // namespace countersign::cli
