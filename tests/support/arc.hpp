// SPDX-License-Identifier: Apache-2.0
//
// Chains for tests: messages that pass through hosts which seal them, with the keys and the zone of
// the DKIM samples.

#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "countersign/arc/chain.hpp"
#include "countersign/arc/sealer.hpp"
#include "tests/support/dkim.hpp"

namespace countersign::sample {

/// An identity of example.com with the selector of the key, "rsa" or "ed"; the usual h=.
[[nodiscard]] arc::SealingIdentity sealing_identity(const crypto::PrivateKey& key);

/// What a sealer of example.com found, in the words of Authentication-Results.
inline constexpr std::string_view payload = "mx.example.com; spf=pass smtp.mailfrom=example.net";

/// The message with one more set on top, made at signing_time.
///
/// found        what the sealer found of the chain when the message came in, before he changed it;
///              what validate() says when it is not given.
[[nodiscard]] Message sealed_message(Message message, arc::SealingIdentity identity,
                                     std::optional<arc::ChainStatus> found = std::nullopt);
/// The message sealed so many times with the Ed25519 key.
[[nodiscard]] Message sealed_message(Message message, unsigned sets);

/// What is found of a message, an hour after signing_time unless told otherwise.
[[nodiscard]] arc::Outcome validate(const Message& message, const dns::Zone& answers = zone(),
                                    std::chrono::sys_seconds now = signing_time +
                                                                   std::chrono::hours{1});

/// The message with the first occurrence of a text in one of its fields replaced.
///
/// place        of the field in the header.
[[nodiscard]] Message with_field_changed(Message message, std::size_t place, std::string_view from,
                                         std::string_view to);

}  // namespace countersign::sample
