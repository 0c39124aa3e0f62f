// SPDX-License-Identifier: Apache-2.0

#include "cli/key_files.hpp"

#include <fmt/format.h>

#include "cli/failure.hpp"
#include "cli/input.hpp"
#include "countersign/dns/master_text.hpp"
#include "countersign/domain/name.hpp"
#include "countersign/limits.hpp"

namespace countersign::cli {
namespace {

DomainName parse_name(const char* what, const std::string& text) {
  Result<DomainName, DomainNameError> name = DomainName::parse(text);
  if (!name) {
    throw Failure(exit_usage,
                  fmt::format("'{}' is no {}: {}", text, what, to_string(name.error().code)));
  }
  return *name;
}

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

}  // namespace

KeyFiles make_key_files(const KeyRequest& request) {
  const DomainName domain = parse_name("domain", request.domain);
  const DomainName selector = parse_name("selector", request.selector);
  const crypto::PrivateKey key = generate(request, Limits());

  dkim::KeyRecordText record = request.record;
  record.type = request.type;
  record.public_octets = key.public_octets();

  KeyFiles files;
  files.private_path = request.directory + "/" + selector.text() + ".private";
  files.record_path = request.directory + "/" + selector.text() + ".txt";
  files.owner = selector.text() + "._domainkey." + domain.text();
  files.text = dkim::format_key_record(record);
  files.zone_lines = dns::format_txt_record(
      {.owner = request.absolute_owner ? files.owner + "." : selector.text() + "._domainkey",
       .text = files.text,
       .break_before = "p=",
       .comment = fmt::format("----- DKIM key {} for {}", selector.text(), domain.text())});
  write_file(files.private_path, key.to_pem(), 0600, request.overwrite);
  write_file(files.record_path, files.zone_lines, 0644, true);
  return files;
}

}  // namespace countersign::cli
