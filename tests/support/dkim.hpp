// SPDX-License-Identifier: Apache-2.0
//
// Keys, messages and zones for tests that sign and verify. The keys are made when the program
// starts to need them, so that no private key lies in the repository.

#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "countersign/crypto/private_key.hpp"
#include "countersign/dkim/signer.hpp"
#include "countersign/dkim/verifier.hpp"
#include "countersign/dns/zone.hpp"
#include "countersign/domain/name.hpp"
#include "countersign/message/splitter.hpp"

namespace countersign::sample {

/// An RSA key of 1024 bits: short, because a test wants it fast.
[[nodiscard]] const crypto::PrivateKey& rsa_key();
/// An Ed25519 key.
[[nodiscard]] const crypto::PrivateKey& ed25519_key();

/// A name that is known to be one.
[[nodiscard]] DomainName name(std::string_view text);

/// A message from its text; "\n" stands for CRLF.
[[nodiscard]] Message message(std::string_view text);

/// The key record of a key, p= only and k= where it is needed.
[[nodiscard]] std::string key_record(const crypto::PrivateKey& key);

/// An identity of example.com, selector "rsa" or "ed" after the type of the key, that signs From,
/// To and Subject.
[[nodiscard]] dkim::SigningIdentity identity(const crypto::PrivateKey& key);

/// A zone with the key records of both identities.
[[nodiscard]] dns::Zone zone();

/// The time at which everything is signed.
inline constexpr std::chrono::sys_seconds signing_time{std::chrono::seconds{1'700'000'000}};

/// The message with its signatures on top, made at signing_time.
[[nodiscard]] Message signed_message(Message message,
                                     std::vector<dkim::SigningIdentity> identities);

/// The results for a message, an hour after signing_time unless told otherwise.
[[nodiscard]] std::vector<dkim::SignatureResult> verify(
    const Message& message, const dns::Zone& zone, dkim::VerifyPolicy policy = {},
    std::chrono::sys_seconds now = signing_time + std::chrono::hours{1});

}  // namespace countersign::sample
