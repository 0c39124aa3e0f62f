// SPDX-License-Identifier: Apache-2.0
//
// What tests of outgoing mail share: a policy that signs, keys that are always the same, and a
// verifier that knows their records, so that a test can ask whether what was added also verifies.

#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "countersign/crypto/private_key.hpp"
#include "countersign/dkim/verifier.hpp"
#include "countersign/domain/name.hpp"
#include "countersign/mailflow/outcome.hpp"
#include "countersign/mailflow/policy.hpp"
#include "countersign/message/header_field.hpp"

namespace countersign::test {

/// The moment at which tests sign.
inline constexpr std::chrono::sys_seconds signing_time{std::chrono::seconds{1'800'000'000}};

/// A domain name that is known to be one.
[[nodiscard]] DomainName name(std::string_view text);

/// An Ed25519 key, another one for each number; quick to make and the same in every run.
[[nodiscard]] crypto::PrivateKey ed25519_key(int number = 1);

/// A policy that signs mail of 127.0.0.1 and of those who logged in, without any key yet.
[[nodiscard]] mailflow::Policy signing_policy();

/// A key for a KeyTable; the domain "%" stands for that of the author.
[[nodiscard]] mailflow::KeyEntry key_entry(std::string_view key_name, std::string_view domain,
                                           std::string_view selector, int number = 1);

/// A SigningTable with one line for each "pattern key[:signer]"; the line numbers begin at 1.
[[nodiscard]] mailflow::SigningTable signing_table(mailflow::SigningTable::Kind kind,
                                                   const std::vector<std::string>& lines);

/// signing_policy() that signs for example.org and all below it as s1._domainkey.example.org.
[[nodiscard]] mailflow::Policy policy_for_example_org();

/// Fields from lines "Name: value".
[[nodiscard]] Header header(const std::vector<std::string>& fields);

/// A header that is in order, of a message by that author.
[[nodiscard]] Header header_from(std::string_view author);

/// Verifies the message when the record of each signature that it was signed with has the public
/// key of its number: "s1" that of ed25519_key(1).
[[nodiscard]] std::vector<dkim::SignatureResult> verify(const Header& header, std::string_view body,
                                                        const mailflow::Outcome& outcome);

}  // namespace countersign::test
