// SPDX-License-Identifier: Apache-2.0
//
// Keys from seeds, tables from lines, records from keys.

#include "tests/support/signing.hpp"

#include <gtest/gtest.h>

#include <stdexcept>
#include <utility>

#include "countersign/dns/zone.hpp"
#include "countersign/text/base64.hpp"

namespace countersign::test {

using mailflow::SigningTable;

DomainName name(std::string_view text) {
  auto parsed = DomainName::parse(text);
  if (!parsed) throw std::invalid_argument("no domain name: " + std::string(text));
  return *std::move(parsed);
}

crypto::PrivateKey ed25519_key(int number) {
  const std::string seed(32, static_cast<char>(number));
  return crypto::PrivateKey::parse_ed25519_seed(seed).value();
}

mailflow::Policy signing_policy() {
  mailflow::Policy policy;
  policy.judges = false;
  policy.internal_hosts.add("127.0.0.1", {"hosts", 1});
  return policy;
}

mailflow::KeyEntry key_entry(std::string_view key_name, std::string_view domain,
                             std::string_view selector, int number) {
  return {.name = std::string(key_name),
          .domain = domain == "%" ? std::nullopt : std::optional(name(domain)),
          .selector = name(selector),
          .key = ed25519_key(number),
          .place = {"keys", static_cast<std::size_t>(number)}};
}

SigningTable signing_table(SigningTable::Kind kind, const std::vector<std::string>& lines) {
  SigningTable table(kind);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const std::size_t blank = lines[i].find(' ');
    const std::string key = lines[i].substr(blank + 1);
    const std::size_t colon = key.find(':');
    auto error = table.add({.pattern = lines[i].substr(0, blank),
                            .key_name = key.substr(0, colon),
                            .signer = colon == std::string::npos ? "" : key.substr(colon + 1),
                            .place = {"table", i + 1}});
    if (error) throw std::invalid_argument(lines[i] + ": " + *error);
  }
  return table;
}

mailflow::Policy policy_for_example_org() {
  mailflow::Policy policy = signing_policy();
  policy.key_table.add(key_entry("key", "example.org", "s1"));
  policy.signing_table =
      signing_table(SigningTable::Kind::patterns, {"*@example.org key", "*@*.example.org key"});
  return policy;
}

Header header(const std::vector<std::string>& fields) {
  Header made;
  for (const std::string& field : fields) made.emplace_back(field);
  return made;
}

Header header_from(std::string_view author) {
  return header({"Received: from a by b; Fri, 15 Jan 2027 08:00:00 +0000",
                 "From: " + std::string(author), "To: bob@example.net", "Subject: Hello",
                 "Date: Fri, 15 Jan 2027 08:00:00 +0000", "Message-ID: <1@example.org>"});
}

std::vector<dkim::SignatureResult> verify(const Header& header, std::string_view body,
                                          const mailflow::Outcome& outcome) {
  dns::Zone zone;
  for (const mailflow::SignedAs& made : outcome.signatures) {
    const std::string& selector = made.selector.text();
    const crypto::PrivateKey key = ed25519_key(std::stoi(selector.substr(1)));
    zone.add_txt(selector + "._domainkey." + made.sdid.text(),
                 "v=DKIM1; k=ed25519; p=" + text::encode_base64(key.public_octets()));
  }
  dkim::Verifier verifier(header, Limits{});
  verifier.body(body);
  return zone.run(std::move(verifier).finish(signing_time + std::chrono::seconds{1}));
}

}  // namespace countersign::test
