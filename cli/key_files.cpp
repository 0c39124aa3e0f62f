// SPDX-License-Identifier: Apache-2.0

#include "cli/key_files.hpp"

#include <fmt/format.h>

#include <cstring>

#include "cli/failure.hpp"
#include "cli/input.hpp"
#include "cli/key_input.hpp"
#include "countersign/dns/master_text.hpp"
#include "countersign/domain/name.hpp"
#include "countersign/limits.hpp"

namespace countersign::cli {
namespace {

crypto::PrivateKey generate(const KeyRequest& request, const Limits& limits) {
  const bool rsa = request.type == crypto::KeyType::rsa;
  if (rsa && (request.bits < limits.rsa_sign_bits_min || request.bits > limits.rsa_bits_max)) {
    throw Failure(exit_usage,
                  fmt::format("an RSA key has {} to {} bits, not {}; 2048 is what receivers expect",
                              limits.rsa_sign_bits_min, limits.rsa_bits_max, request.bits));
  }
  Result<crypto::PrivateKey, crypto::KeyError> key =
      crypto::PrivateKey::generate(request.type, request.bits, limits);
  if (!key) throw Failure(exit_internal, std::string(to_string(key.error())));
  return *key;
}

/// The private key as a file; its text does not stay in memory.
void write_private_key(const std::string& path, const crypto::PrivateKey& key, bool overwrite) {
  std::string pem = key.to_pem();
  try {
    write_file(path, pem, {.mode = 0600, .overwrite = overwrite});
  } catch (...) {
    ::explicit_bzero(pem.data(), pem.size());
    throw;
  }
  ::explicit_bzero(pem.data(), pem.size());
}

}  // namespace

KeyFiles make_key_files(const KeyRequest& request) {
  const DomainName selector = parse_name("selector", request.selector);
  const std::string domain =
      request.domain.empty() ? "" : parse_name("domain", request.domain).text();
  KeyFiles files;
  files.owner = selector.text() + "._domainkey" + (domain.empty() ? "" : "." + domain);
  if (!DomainName::parse(files.owner)) {
    throw Failure(exit_usage, files.owner + ": the name is longer than DNS takes");
  }
  const crypto::PrivateKey key = generate(request, Limits());
  dkim::KeyRecordText record = request.record;
  record.type = request.type;
  record.public_octets = key.public_octets();
  files.text = dkim::format_key_record(record);
  // Who asks for "Mail" looks for Mail.private, though DNS knows no case.
  const std::string folder = request.directory == "." ? "" : request.directory + "/";
  files.private_path = folder + request.selector + ".private";
  files.record_path = folder + request.selector + ".txt";
  const bool absolute = request.absolute_owner && !domain.empty();
  files.zone_lines = dns::format_txt_record(
      {.owner = absolute ? files.owner + "." : selector.text() + "._domainkey",
       .text = files.text,
       .break_before = "p=",
       .comment = domain.empty()
                      ? ""
                      : fmt::format("----- DKIM key {} for {}", request.selector, request.domain)});
  write_private_key(files.private_path, key, request.overwrite);
  write_file(files.record_path, files.zone_lines, {.mode = std::nullopt, .overwrite = true});
  return files;
}

}  // namespace countersign::cli
