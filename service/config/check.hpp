// SPDX-License-Identifier: Apache-2.0
//
// `countersign config check`: everything that is wrong with a configuration, and with --dns whether
// the world can verify what we would sign.

#pragma once

#include <functional>
#include <string>
#include <vector>

#include "countersign/crypto/private_key.hpp"
#include "countersign/dkim/key_lookup.hpp"
#include "countersign/domain/name.hpp"
#include "service/config/problem.hpp"
#include "service/config/snapshot.hpp"

namespace countersign::service::config {

/// A key that signs, and under which name the world looks for it.
struct SigningKey {
  DomainName domain;    ///< d=
  DomainName selector;  ///< s=
  crypto::PrivateKey key;
  Place place;
};

/// Every key of a configuration with every domain that it signs as, as far as the tables name
/// them: a "%" stands for domains that only mail will tell. Empty when there is no policy.
[[nodiscard]] std::vector<SigningKey> signing_keys(const Snapshot& snapshot,
                                                   const Machine& machine);

/// Answers what DNS says about the key record of that name ("june._domainkey.example.org").
using LookUpKey = std::function<dkim::KeyLookup(const std::string& name)>;

/// Compares one key with its published record.
/// Returns      at most one problem: an error when the record is missing, broken or another key's,
///              a warning when DNS failed or the record says that it is for tests.
[[nodiscard]] std::vector<Problem> check_published(const SigningKey& key, const LookUpKey& look_up);

/// Loads a configuration and tells all its problems, sorted by file and line.
/// look_up      asks DNS; empty: the records are not looked at.
[[nodiscard]] std::vector<Problem> check(const Source& source, const Machine& machine,
                                         const LookUpKey& look_up = {});

}  // namespace countersign::service::config
