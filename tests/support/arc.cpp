// SPDX-License-Identifier: Apache-2.0

#include "tests/support/arc.hpp"

#include <gtest/gtest.h>

namespace countersign::sample {

arc::SealingIdentity sealing_identity(const crypto::PrivateKey& key) {
  return {.sdid = name("example.com"),
          .selector = name(key.type() == crypto::KeyType::rsa ? "rsa" : "ed"),
          .key = key,
          .signed_fields = {}};
}

Message sealed_message(Message message, arc::SealingIdentity identity,
                       std::optional<arc::ChainStatus> found) {
  const arc::ChainStatus status = found ? *found : validate(message).status;
  arc::Sealer sealer(std::move(identity), Limits{});
  sealer.body(message.body);
  const auto fields = std::move(sealer).finish(
      message.header,
      {.chain_status = status, .payload = std::string(payload), .now = signing_time});
  EXPECT_TRUE(fields.has_value());
  if (fields) message.header.insert(message.header.begin(), fields->begin(), fields->end());
  return message;
}

Message sealed_message(Message message, unsigned sets) {
  for (unsigned i = 0; i < sets; ++i)
    message = sealed_message(std::move(message), sealing_identity(ed25519_key()));
  return message;
}

arc::Outcome validate(const Message& message, const dns::Zone& answers,
                      std::chrono::sys_seconds now) {
  arc::Verifier verifier(message.header, Limits{});
  verifier.body(message.body);
  return answers.run(std::move(verifier).finish(now));
}

Message with_field_changed(Message message, std::size_t place, std::string_view from,
                           std::string_view to) {
  std::string raw(message.header.at(place).raw());
  const std::size_t at = raw.find(from);
  EXPECT_NE(at, raw.npos) << raw;
  if (at != raw.npos) message.header[place] = HeaderField(raw.replace(at, from.size(), to));
  return message;
}

}  // namespace countersign::sample
