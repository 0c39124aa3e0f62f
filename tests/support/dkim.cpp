// SPDX-License-Identifier: Apache-2.0
//
// Makes of a few lines of text a signed message and the zone that it verifies with.

#include "tests/support/dkim.hpp"

#include <gtest/gtest.h>

#include <utility>

#include "countersign/dkim/key_record.hpp"
#include "countersign/text/base64.hpp"

namespace countersign::sample {

namespace {

crypto::PrivateKey generate(crypto::KeyType type) {
  constexpr unsigned bits = 1'024;
  auto key = crypto::PrivateKey::generate(type, bits, Limits{});
  EXPECT_TRUE(key.has_value());
  return *std::move(key);
}

}  // namespace

const crypto::PrivateKey& rsa_key() {
  static const crypto::PrivateKey key = generate(crypto::KeyType::rsa);
  return key;
}

const crypto::PrivateKey& ed25519_key() {
  static const crypto::PrivateKey key = generate(crypto::KeyType::ed25519);
  return key;
}

DomainName name(std::string_view text) { return *DomainName::parse(text); }

Message message(std::string_view text) {
  std::string octets;
  for (const char c : text) {
    if (c == '\n') octets += '\r';
    octets += c;
  }
  auto split = split_message(octets, Limits{});
  EXPECT_TRUE(split.has_value()) << text;
  return *std::move(split);
}

std::string key_record(const crypto::PrivateKey& key) {
  const std::string p = "p=" + text::encode_base64(key.public_octets());
  return key.type() == crypto::KeyType::ed25519 ? "k=ed25519; " + p : p;
}

dkim::SigningIdentity identity(const crypto::PrivateKey& key) {
  return {.sdid = name("example.com"),
          .selector = name(key.type() == crypto::KeyType::rsa ? "rsa" : "ed"),
          .key = key,
          .fields = {.sign = {"From", "To", "Subject"}}};
}

dns::Zone zone() {
  dns::Zone zone;
  zone.add_txt("rsa._domainkey.example.com", key_record(rsa_key()));
  zone.add_txt("ed._domainkey.example.com", key_record(ed25519_key()));
  return zone;
}

Message signed_message(Message message, std::vector<dkim::SigningIdentity> identities) {
  dkim::Signer signer(message.header, std::move(identities), Limits{});
  signer.body(message.body);
  std::vector<HeaderField> fields = std::move(signer).finish(signing_time);
  message.header.insert(message.header.begin(), fields.begin(), fields.end());
  return message;
}

std::vector<dkim::SignatureResult> verify(const Message& message, const dns::Zone& zone,
                                          dkim::VerifyPolicy policy, std::chrono::sys_seconds now) {
  dkim::Verifier verifier(message.header, Limits{}, policy);
  verifier.body(message.body);
  return zone.run(std::move(verifier).finish(now));
}

}  // namespace countersign::sample
